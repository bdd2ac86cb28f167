"""Rules for filter expressions and what else is read from text."""

from __future__ import annotations

from typing import Any

from cdk_personalize import FilterExpression, MetricExpression
from tests.unit.rules.rule import Rule

SCHEMAS: dict[str, dict[str, Any]] = {
    "ITEMS": {
        "fields": [
            {"name": "ITEM_ID", "type": "string"},
            {"name": "GENRES", "type": ["null", "string"], "categorical": True},
            {"name": "YEAR", "type": "int"},
            {"name": "PLOT", "type": "string", "textual": True},
            {"name": "ADULT", "type": "boolean"},
        ]
    },
    "USERS": {"fields": [{"name": "USER_ID", "type": "string"}, {"name": "AGE", "type": "int"}]},
}
parse = FilterExpression.parse


def items(condition: str) -> FilterExpression:
    """Parse a filter of items."""
    return parse(f"EXCLUDE ItemID WHERE {condition}")


def checked(condition: str) -> None:
    """Parse a filter of items, and check it against the schemas."""
    items(condition).check_schemas(SCHEMAS)


def fields(number: int) -> str:
    """Return conditions on so many fields."""
    return " AND ".join(f"Items.F{index} = 1" for index in range(number))


attributes = FilterExpression.of_item_attributes

RULES = (
    Rule(
        "the expression must have 1 to 2500 characters, got 2501",
        items,
        'Items.A IN ("' + "x" * 2465 + '")',
        'Items.A IN ("' + "x" * 2464 + '")',
    ),
    Rule("the expression must have 1 to 2500 characters, got 0", parse, "", "EXCLUDE ItemID WHERE Items.A = 1"),
    Rule(
        "line 1, column 1: found 'HELLO', expected INCLUDE or EXCLUDE",
        parse,
        "HELLO WORLD",
        "EXCLUDE ItemID WHERE Items.A = 1",
    ),
    Rule("a placeholder cannot follow NOT IN", items, "Items.A NOT IN ($A)", "Items.A IN ($A)"),
    Rule(
        "every expression must be about ItemID as the first is, got UserID",
        items,
        "Items.A = 1 | EXCLUDE UserID WHERE Users.B = 1",
        "Items.A = 1 | EXCLUDE ItemID WHERE Items.B = 1",
    ),
    Rule("a filter can use at most 10 different fields, got 11", items, fields(11), fields(10)),
    Rule(
        "conditions on UserID must be about Users or Interactions, got Items",
        parse,
        "EXCLUDE UserID WHERE Items.A = 1",
        "EXCLUDE UserID WHERE Users.A = 1",
    ),
    Rule(
        "all conditions of one expression must be about one dataset",
        items,
        'Items.A = 1 AND Interactions.EVENT_TYPE IN ("a")',
        'Items.A = 1 | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("a")',
    ),
    Rule(
        "an expression on UserID cannot have IF: leave it out",
        parse,
        "INCLUDE UserID WHERE Users.A = 1 IF CurrentUser.B = 1",
        "INCLUDE UserID WHERE Users.A = 1",
    ),
    Rule(
        "of Interactions only EVENT_TYPE can be filtered by, got EVENT_VALUE",
        items,
        'Interactions.EVENT_VALUE IN ("1")',
        'Interactions.EVENT_TYPE IN ("1")',
    ),
    Rule(
        "EVENT_TYPE is tested with IN or NOT IN, got >",
        items,
        "Interactions.EVENT_TYPE > 1",
        'Interactions.EVENT_TYPE IN ("1")',
    ),
    Rule(
        "Actions.REPEAT_FREQUENCY cannot be filtered by",
        parse,
        "INCLUDE ActionID WHERE Actions.REPEAT_FREQUENCY > 1",
        "INCLUDE ActionID WHERE Actions.VALUE > 1",
    ),
    Rule(
        "the name of a column has at most 150 characters, got 151",
        items,
        f"Items.{'a' * 151} = 1",
        f"Items.{'a' * 150} = 1",
    ),
    Rule(
        '"*" stands for every type of event and goes with EVENT_TYPE only',
        items,
        'Items.A IN ("*")',
        'Interactions.EVENT_TYPE IN ("*")',
    ),
    Rule(
        "the name of a placeholder has at most 50 characters, got 51",
        items,
        f"Items.A = ${'a' * 51}",
        f"Items.A = ${'a' * 50}",
    ),
    Rule(
        "CurrentItem goes with ItemID only, got ActionID",
        parse,
        "INCLUDE ActionID WHERE Actions.A < CurrentItem.A",
        "INCLUDE ItemID WHERE Items.A < CurrentItem.A",
    ),
    Rule(
        "CurrentItem is compared with a column of Items only, got Interactions.EVENT_TYPE",
        items,
        "Interactions.EVENT_TYPE IN CurrentItem.A",
        "Items.A IN CurrentItem.A",
    ),
    Rule(
        '< compares numbers, got "drama": test strings with IN or NOT IN', items, 'Items.A < "drama"', 'Items.A < "5"'
    ),
    Rule(
        "the dataset group must have the dataset Interactions for EVENT_TYPE to be filtered by",
        checked,
        'Interactions.EVENT_TYPE IN ("a")',
        'Items.GENRES IN ("a")',
    ),
    Rule(
        "Items must have the column GENRE: did you mean GENRES?",
        checked,
        'Items.GENRE IN ("a")',
        'Items.GENRES IN ("a")',
    ),
    Rule(
        "Items.PLOT cannot be filtered by, since it is textual", checked, 'Items.PLOT IN ("a")', 'Items.GENRES IN ("a")'
    ),
    Rule(
        "Items.ADULT cannot be filtered by, since it is boolean",
        checked,
        'Items.ADULT IN ("true")',
        'Items.GENRES IN ("true")',
    ),
    Rule(
        "Items.YEAR and the current item's column must be both strings or both numbers",
        checked,
        "Items.YEAR < CurrentItem.GENRES",
        "Items.YEAR < CurrentItem.YEAR",
    ),
    Rule(
        "Items.GENRES holds strings, which > cannot compare: use IN or NOT IN",
        checked,
        "Items.GENRES > $G",
        "Items.GENRES IN ($G)",
    ),
    Rule(
        'Items.GENRES holds strings: write the value in double quotes, "5"',
        checked,
        "Items.GENRES = 5",
        'Items.GENRES = "5"',
    ),
    Rule('Items.YEAR holds numbers, got "now"', checked, 'Items.YEAR = "now"', 'Items.YEAR = "1990"'),
    Rule("item attributes are columns of Items, got Users.b", attributes, 'Users.b = "y"', 'Items.b = "y"'),
    Rule("item attributes are compared with =, got IN", attributes, 'Items.a IN ("x")', 'Items.a = "x"'),
    Rule(
        "item attributes are compared with a value, not with a placeholder", attributes, "Items.a = $A", 'Items.a = "A"'
    ),
    Rule('<= compares numbers, got "x"', attributes, 'Items.a <= "x"', "Items.a <= 1"),
    Rule(
        "the expression must be SAMPLECOUNT(), SUM(Items.COLUMN) or SUM(Interactions.COLUMN), got 'MAX(Items.PRICE)'",
        MetricExpression.parse,
        "MAX(Items.PRICE)",
        "SUM(Items.PRICE)",
    ),
)
