"""Filter expressions: what is taken, what is refused, and with which words."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdk_personalize.filter_expression import (
    ANY,
    Action,
    Condition,
    CurrentItem,
    Dataset,
    FilterExpression,
    FilterExpressionError,
    Operator,
    Placeholder,
    Target,
)


def test_the_tree_says_what_the_text_says() -> None:
    parsed = FilterExpression.parse(
        'INCLUDE ItemID WHERE Items.GENRE IN ("a", "b") AND Items.Price <= 2.5 OR Items.YEAR > $SINCE '
        "IF CurrentUser.AGE = ($AGE) AND CurrentUser.SINCE != $SINCE "
        "| exclude itemid where interactions.EVENT_TYPE not in (*)"
    )
    include, exclude = parsed.expressions
    assert (include.action, include.target) == (Action.INCLUDE, Target.ITEM)
    assert include.any_of == (
        (
            Condition(Dataset.ITEMS, "GENRE", Operator.IN, ("a", "b")),
            Condition(Dataset.ITEMS, "Price", Operator.AT_MOST, 2.5),
        ),
        (Condition(Dataset.ITEMS, "YEAR", Operator.GREATER, Placeholder("SINCE")),),
    )
    assert include.only_if == (
        Condition(Dataset.USERS, "AGE", Operator.EQUAL, Placeholder("AGE")),
        Condition(Dataset.USERS, "SINCE", Operator.UNEQUAL, Placeholder("SINCE")),
    )
    assert exclude.action is Action.EXCLUDE
    assert exclude.where == (Condition(Dataset.INTERACTIONS, "EVENT_TYPE", Operator.NOT_IN, (ANY,)),)
    assert parsed.placeholders == ("SINCE", "AGE")
    assert parsed.fields == {
        ("ITEMS", "GENRE"),
        ("ITEMS", "PRICE"),
        ("ITEMS", "YEAR"),
        ("USERS", "AGE"),
        ("USERS", "SINCE"),
        ("INTERACTIONS", "EVENT_TYPE"),
    }
    assert not parsed.uses_current_item


def test_the_current_item_is_known_to_be_needed() -> None:
    parsed = FilterExpression.parse("INCLUDE ItemID WHERE Items.PRICE < CurrentItem.COST")
    assert parsed.uses_current_item
    assert parsed.conditions[0].operand == CurrentItem("COST")
    assert parsed.fields == {("ITEMS", "PRICE"), ("ITEMS", "COST")}


def test_and_binds_closer_than_or() -> None:
    (expression,) = FilterExpression.parse(
        "INCLUDE ItemID WHERE Items.A = 1 OR Items.B = 2 AND Items.C = 3 OR Items.D = 4"
    ).expressions
    assert [[one.column for one in group] for group in expression.any_of] == [["A"], ["B", "C"], ["D"]]


WHERE = "EXCLUDE ItemID WHERE "


@pytest.mark.parametrize(
    ("text", "line", "column", "problem"),
    [
        ("", 1, 1, "must have 1 to 2500 characters, got 0"),
        ("x" * 2501, 1, 1, "must have 1 to 2500 characters, got 2501"),
        ("  ", 1, 1, "found the end, expected INCLUDE or EXCLUDE"),
        ("SELECT ItemID", 1, 1, "found 'SELECT', expected INCLUDE or EXCLUDE"),
        ("EXCLUDE Films WHERE", 1, 9, "found 'Films', expected ItemID, UserID or ActionID"),
        ("EXCLUDE ItemID Items.A = 1", 1, 16, "found 'Items', expected WHERE"),
        ("EXCLUDE ItemID\nWHERE Film.A = 1", 2, 7, "found 'Film', expected a dataset (Items, Interactions, Users"),
        (WHERE + "Items. = 1", 1, 29, "found '=', expected the name of a column"),
        (WHERE + "Items.A", 1, 29, "found the end, expected IN, NOT IN or =, !=, <, <=, > or >="),
        (WHERE + "Items.A NOT IN ($G)", 1, 38, "a placeholder cannot follow NOT IN: use IN with the opposite"),
        (WHERE + "Items.A NOT IN $G", 1, 37, "a placeholder cannot follow NOT IN"),
        (WHERE + "Items.A NOT IN CurrentItem.A", 1, 37, "CurrentItem cannot follow NOT IN"),
        (WHERE + "Items.A IN ('a')", 1, 34, "write values in straight double quotes"),
        (WHERE + "Items.A IN (\u201ca\u201d)", 1, 34, "write values in straight double quotes"),
        (WHERE + 'Items.A IN ("a)', 1, 34, "close the double quotes"),
        (WHERE + 'Items.A IN ("a", $B)', 1, 39, "a placeholder stands alone: write IN ($VALUE)"),
        (WHERE + "Items.A IN ($A, $B)", 1, 36, "a placeholder stands alone"),
        (WHERE + "Items.A IN $A", 1, 33, "write the values of IN in parentheses"),
        (WHERE + "Items.A IN (drama)", 1, 34, "write values in double quotes"),
        (WHERE + "Items.A IN (1)", 1, 34, "numbers are compared with ="),
        (WHERE + "Items.A IN ()", 1, 34, "write at least one value"),
        (WHERE + 'Items.A IN ("a"', 1, 37, 'found the end, expected ")" or ","'),
        (WHERE + "Items.A == 1", 1, 31, "write = once"),
        (WHERE + "Items.A <> 1", 1, 31, "write != for unequal"),
        (WHERE + "Items.A = drama", 1, 32, "write strings in double quotes"),
        (WHERE + 'Items.A LIKE "a"', 1, 30, "tests are IN, NOT IN and comparisons"),
        (WHERE + "(Items.A = 1)", 1, 22, "conditions cannot be grouped"),
        (WHERE + "NOT Items.A = 1", 1, 22, "NOT goes before IN only"),
        (WHERE + "CurrentUser.A = 1", 1, 22, "conditions on the user go to the end, after IF"),
        (WHERE + "Items.A = 1 Items.B = 2", 1, 34, "join conditions with AND or OR"),
        (WHERE + "Items.A = 1 && Items.B = 2", 1, 34, "write AND"),
        (WHERE + "Items.A = 1 || Items.B = 2", 1, 35, "write OR between conditions"),
        (WHERE + "Items.A = 1 INCLUDE ItemID", 1, 34, "separate expressions with |"),
        (WHERE + "Items.A = 1;", 1, 33, "leave it out"),
        (
            WHERE + "Items.A = 1 IF CurrentUser.A = 1 IF CurrentUser.B = 2",
            1,
            55,
            "an expression has one IF, at its end",
        ),
        (
            WHERE + "Items.A = 1 IF CurrentUser.A = 1 OR CurrentUser.B = 2",
            1,
            55,
            "conditions of IF are joined with AND",
        ),
        (WHERE + "Items.A = 1 IF Items.B = 2", 1, 37, "IF looks at nothing but the user"),
        (WHERE + 'Items.A = 1 AND Interactions.EVENT_TYPE IN ("a")', 1, 38, "make two expressions with | between them"),
        ('EXCLUDE UserID WHERE Items.A IN ("a")', 1, 22, "must be about Users or Interactions, got Items"),
        ("INCLUDE ActionID WHERE Items.A = 1", 1, 24, "must be about Actions or Action_Interactions, got Items"),
        ("INCLUDE UserID WHERE Users.A = 1 IF CurrentUser.B = 1", 1, 37, "UserID cannot have IF"),
        (WHERE + "Items.A = 1 | EXCLUDE UserID WHERE Users.B = 1", 1, 36, "must be about ItemID as the first is"),
        (WHERE + "Interactions.EVENT_VALUE > 1", 1, 22, "only EVENT_TYPE can be filtered by, got EVENT_VALUE"),
        (WHERE + "Interactions.EVENT_TYPE > 1", 1, 22, "EVENT_TYPE is tested with IN or NOT IN, got >"),
        (
            "INCLUDE ActionID WHERE Actions.REPEAT_FREQUENCY > 1",
            1,
            24,
            "Actions.REPEAT_FREQUENCY cannot be filtered by",
        ),
        (WHERE + 'Items.A IN ("*")', 1, 22, "goes with EVENT_TYPE only"),
        (WHERE + "Items.A = $" + "a" * 51, 1, 22, "at most 50 characters, got 51"),
        (WHERE + "Items." + "a" * 151 + " = 1", 1, 22, "at most 150 characters, got 151"),
        (WHERE + 'Items.A < "drama"', 1, 22, '< compares numbers, got "drama"'),
        ("INCLUDE ActionID WHERE Actions.A < CurrentItem.A", 1, 24, "CurrentItem goes with ItemID only"),
        (WHERE + " AND ".join(f"Items.F{n} = 1" for n in range(11)), 1, 1, "at most 10 different fields, got 11"),
    ],
)
def test_mistakes_are_named_where_they_are(text: str, line: int, column: int, problem: str) -> None:
    with pytest.raises(FilterExpressionError) as caught:
        FilterExpression.parse(text)
    assert problem in caught.value.problem
    assert (caught.value.line, caught.value.column) == (line, column)
    assert f"line {line}, column {column}: {caught.value.problem}" in str(caught.value)


def test_the_message_points_at_the_mistake() -> None:
    with pytest.raises(FilterExpressionError) as caught:
        FilterExpression.parse(WHERE + "\n  Items.GENRE NOT IN ($GENRE)")
    assert str(caught.value).split("\n")[1:] == ["    Items.GENRE NOT IN ($GENRE)", "                        ^"]


def test_ten_fields_may_be_used_more_than_once() -> None:
    FilterExpression.parse(WHERE + " AND ".join(f"Items.{case}{n} = 1" for n in range(10) for case in "fF"))


def test_the_error_survives_a_journey_between_processes() -> None:
    with pytest.raises(FilterExpressionError) as caught:
        FilterExpression.parse("EXCLUDE\nItem")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.problem, copy.line, copy.column) == (
        str(caught.value),
        caught.value.problem,
        caught.value.line,
        caught.value.column,
    )


SCHEMAS = {
    "ITEMS": {
        "fields": [
            {"name": "ITEM_ID", "type": "string"},
            {"name": "GENRES", "type": ["null", "string"], "categorical": True},
            {"name": "year", "type": ["int", "null"]},
            {"name": "PLOT", "type": "string", "textual": True},
            {"name": "ADULT", "type": "boolean"},
        ]
    },
    "INTERACTIONS": {"fields": [{"name": "USER_ID", "type": "string"}]},
}


@pytest.mark.parametrize(
    "condition",
    ['Items.genres IN ("a")', 'Items.GENRES = "a"', "Items.YEAR > $Y", 'Items.YEAR = "1990"', "Items.year IN ($Y)"],
)
def test_conditions_that_fit_the_schemas_are_taken(condition: str) -> None:
    FilterExpression.parse(WHERE + condition).check_schemas(SCHEMAS)


@pytest.mark.parametrize(
    ("condition", "problem"),
    [
        ('Items.GENRE IN ("a")', "Items must have the column GENRE: did you mean GENRES?"),
        ("Items.PRICE = 1", "Items must have the column PRICE, it has ADULT, GENRES, ITEM_ID, PLOT, YEAR"),
        ('Items.PLOT IN ("a")', "Items.PLOT cannot be filtered by, since it is textual"),
        ('Items.ADULT IN ("true")', "Items.ADULT cannot be filtered by, since it is boolean"),
        ("Items.GENRES > $G", "Items.GENRES holds strings, which > cannot compare"),
        ("Items.GENRES = 5", 'Items.GENRES holds strings: write the value in double quotes, "5"'),
        ('Items.YEAR = "now"', 'Items.YEAR holds numbers, got "now"'),
        ("Items.YEAR < CurrentItem.GENRES", "must be both strings or both numbers"),
        ("Items.YEAR < CurrentItem.AGE", "Items must have the column AGE"),
        ('Interactions.EVENT_TYPE IN ("a")', "Interactions must have the column EVENT_TYPE"),
        ("Items.YEAR = 1 IF CurrentUser.AGE = 1", "must have the dataset Users for AGE to be filtered by"),
    ],
)
def test_conditions_that_do_not_fit_the_schemas_are_refused(condition: str, problem: str) -> None:
    parsed = FilterExpression.parse(WHERE + condition)
    with pytest.raises(FilterExpressionError) as caught:
        parsed.check_schemas(SCHEMAS)
    assert problem in caught.value.problem


WORDS = r"""
    INCLUDE EXCLUDE ItemID UserID WHERE AND OR IF NOT IN Items Interactions CurrentUser CurrentItem GENRE EVENT_TYPE
    "a" $A 1 -2.5 * ( ) | , . $ " ' = < > != <= ; - Items.GENRE Interactions.EVENT_TYPE ("a") ($A)
"""
PIECES = st.sampled_from([*WORDS.split(), "\n", "EXCLUDE ItemID WHERE Items.GENRE IN "])


@given(st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=25).map(" ".join), st.lists(PIECES).map("".join)))
def test_whatever_is_written_the_answer_is_a_tree_or_a_filter_expression_error(text: str) -> None:
    problem = _problem(text)
    if problem is None:
        assert FilterExpression.parse(text) == FilterExpression.parse(text)
    else:
        assert problem.problem in str(problem)
        assert 1 <= problem.line <= text.count("\n") + 1
        assert problem.column >= 1


def _problem(text: str) -> FilterExpressionError | None:
    try:
        FilterExpression.parse(text)
    except FilterExpressionError as error:
        return error
    return None


def test_the_module_does_not_load_the_cdk() -> None:
    program = "import sys, cdk_personalize.filter_expression; print('aws_cdk' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_item_attributes_are_conditions_on_items() -> None:
    parsed = FilterExpression.of_item_attributes('ITEMS.genres = "Comedy" AND items.YEAR > 1990')
    (expression,) = parsed.expressions
    assert expression.target is Target.ITEM
    assert [(one.column, one.operator, one.operand) for one in expression.where] == [
        ("genres", Operator.EQUAL, "Comedy"),
        ("YEAR", Operator.GREATER, 1990.0),
    ]
    assert expression.any_of == (expression.where,)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('ITEMS.a = "x" OR ITEMS.b = "y"', "column 15: found 'OR', expected AND or the end"),
        ('INCLUDE ItemID WHERE ITEMS.a = "x"', "column 1: found 'INCLUDE'"),
        ('ITEMS.a IN ("x")', "column 1: item attributes are compared with =, got IN"),
        ('ITEMS.a NOT IN ("x")', "item attributes are compared with =, got NOT IN"),
        ("ITEMS.a = $A", "not with a placeholder"),
        ("ITEMS.a = CurrentItem.a", "not with a placeholder or CurrentItem"),
        ('ITEMS.a = "x" AND Users.b = "y"', "column 19: item attributes are columns of Items, got Users.b"),
        ('ITEMS.a < "x"', "compares numbers"),
        ("", "must have 1 to 2500 characters"),
    ],
)
def test_what_item_attributes_cannot_be(text: str, problem: str) -> None:
    with pytest.raises(FilterExpressionError, match=re.escape(problem)):
        FilterExpression.of_item_attributes(text)
