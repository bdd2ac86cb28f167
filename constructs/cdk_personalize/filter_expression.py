"""Filter expressions of Amazon Personalize: parsed, checked, and as a tree.

This module is pure: it knows nothing of the CDK, so that whatever applies filters can use it.

See https://docs.aws.amazon.com/personalize/latest/dg/filter-expressions.html
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from itertools import product
from typing import Any, Final, NamedTuple, TypeAlias

from lark import Token, Transformer

from cdk_personalize import _filter_grammar as grammar
from cdk_personalize.avro import NUMERIC_TYPES, value_type
from cdk_personalize.facts import limits
from cdk_personalize.facts.names import EVENT_TYPE, FILTERABLE_OF_EVENTS, NOT_FILTERABLE_OF_ACTIONS

AND_BINDS_CLOSER: Final[bool] = True
"""Whether AND binds closer than OR: AWS does not say which does, and nothing else decides it."""

ANY: Final = "*"
"""The value that stands for every type of event."""


class Action(Enum):
    """What an expression does with what meets its conditions."""

    INCLUDE = "INCLUDE"
    EXCLUDE = "EXCLUDE"


class Target(Enum):
    """What is included or excluded."""

    ITEM = "ItemID"
    USER = "UserID"
    ACTION = "ActionID"


class Dataset(Enum):
    """What a condition looks at; the names of the members are dataset types."""

    INTERACTIONS = "Interactions"
    ITEMS = "Items"
    USERS = "Users"
    ACTIONS = "Actions"
    ACTION_INTERACTIONS = "Action_Interactions"


class Operator(Enum):
    """How a condition compares."""

    IN = "IN"
    NOT_IN = "NOT IN"
    EQUAL = "="
    UNEQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="


ORDERING: Final = frozenset({Operator.LESS, Operator.AT_MOST, Operator.GREATER, Operator.AT_LEAST})
"""Operators that only numbers have."""

_DATASETS: Final = {
    Target.ITEM: (Dataset.INTERACTIONS, Dataset.ITEMS),
    Target.USER: (Dataset.USERS, Dataset.INTERACTIONS),
    Target.ACTION: (Dataset.ACTIONS, Dataset.ACTION_INTERACTIONS),
}
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_EVENTS: Final = frozenset({Dataset.INTERACTIONS, Dataset.ACTION_INTERACTIONS})
_TARGETS_WITH_IF: Final = frozenset({Target.ITEM, Target.ACTION})


class Position(NamedTuple):
    """A place in the text of a filter expression, counted from 1."""

    line: int
    column: int

    @classmethod
    def of(cls, text: str, offset: int) -> Position:
        """Find the place of a character.

        :param offset: its number, counted from 0.
        """
        return cls(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))


class FilterExpressionError(ValueError):
    """A filter expression that Amazon Personalize would refuse.

    ``problem``, ``line`` and ``column`` say what is wrong and where, both counted from 1.

    :param problem: what is wrong, and what to do.
    :param text: the whole filter expression.
    :param position: where the mistake is.
    """

    def __init__(self, problem: str, text: str, position: Position) -> None:
        lines = text.split("\n")
        shown = lines[position.line - 1] if position.line <= len(lines) else ""
        start = max(0, position.column - 60)
        excerpt = shown[start : start + 120]
        marker = " " * (position.column - 1 - start) + "^"
        super().__init__(
            f"filter expression, line {position.line}, column {position.column}: {problem}\n  {excerpt}\n  {marker}"
        )
        self.problem = problem
        self.line, self.column = position

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive a journey between processes."""
        return (_restored, (str(self), self.problem, self.line, self.column))


@dataclass(frozen=True)
class Placeholder:
    """A value that comes with the request, written ``$NAME``.

    :param name: without the dollar sign; upper and lower case are different.
    """

    name: str


@dataclass(frozen=True)
class CurrentItem:
    """A column of the item that the request is about."""

    column: str


Operand: TypeAlias = tuple[str, ...] | str | float | Placeholder | CurrentItem
"""What a condition compares with: several strings (of IN and NOT IN), a string, a number, or what the request says."""


@dataclass(frozen=True)
class Condition:
    """A test of one column.

    :param dataset: the dataset of the column; conditions of an IF look at the current user's row of Users.
    :param column: as written; upper and lower case are the same.
    :param position: where it is in the text.
    """

    dataset: Dataset
    column: str
    operator: Operator
    operand: Operand
    position: Position = field(default=Position(1, 1), compare=False)

    @property
    def field(self) -> tuple[str, str]:
        """Dataset type and column, in upper case."""
        return self.dataset.name, self.column.upper()

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """Every field that the condition looks at: its own, and that of the current item."""
        if isinstance(self.operand, CurrentItem):
            return self.field, (Dataset.ITEMS.name, self.operand.column.upper())
        return (self.field,)


@dataclass(frozen=True)
class Expression:
    """One of the expressions that ``|`` separates.

    :param any_of: the condition of WHERE: one of these groups must be met, a group by all of its conditions.
    :param only_if: conditions on the current user, all of which must be met for the expression to apply. Default: -
        it always applies
    :param position: where it is in the text.
    """

    action: Action
    target: Target
    any_of: tuple[tuple[Condition, ...], ...]
    only_if: tuple[Condition, ...] = ()
    position: Position = field(default=Position(1, 1), compare=False)

    @property
    def where(self) -> tuple[Condition, ...]:
        """All conditions of WHERE, in order."""
        return tuple(condition for group in self.any_of for condition in group)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All conditions, those of IF last."""
        return (*self.where, *self.only_if)

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The names of the placeholders, each once, in order, without dollar signs."""
        operands = (condition.operand for condition in self.conditions)
        return tuple(dict.fromkeys(operand.name for operand in operands if isinstance(operand, Placeholder)))


@dataclass(frozen=True)
class FilterExpression:
    """A whole filter expression. Make it with :meth:`parse`.

    :param text: as written.
    :param expressions: what stands between IF, and what is included or excluded; joined by ``|``.
    """

    text: str
    expressions: tuple[Expression, ...]

    @classmethod
    def parse(cls, text: str) -> FilterExpression:
        """Parse a filter expression, and check all that can be checked without knowing the schemas.

        :param text: 1 to 2500 characters.
        :raises FilterExpressionError: saying what is wrong, where, and what is allowed.
        """
        parsed = cls(text, _built(text, grammar.EXPRESSION))
        parsed._raise_first(_problems(parsed.expressions))
        return parsed

    @classmethod
    def of_item_attributes(cls, text: str) -> FilterExpression:
        """Parse what a batch segment job asks for: conditions on items, joined by AND.

        See https://docs.aws.amazon.com/personalize/latest/dg/prepare-input-data-user-segment.html

        :param text: such as ``ITEMS.genres = "Comedy" AND ITEMS.year > 1990``.
        :return: the filter expression that includes the items that meet all conditions.
        :raises FilterExpressionError: saying what is wrong, where, and what is allowed.
        """
        conditions: tuple[Condition, ...] = _built(text, grammar.ITEM_ATTRIBUTES)
        parsed = cls(text, (Expression(Action.INCLUDE, Target.ITEM, (conditions,)),))
        parsed._raise_first(
            (condition.position, problem)
            for condition in conditions
            for problem in _item_attribute_problems(condition, parsed.expressions[0])
        )
        return parsed

    def __str__(self) -> str:
        """Give the text."""
        return self.text

    @property
    def target(self) -> Target:
        """What is included or excluded."""
        return self.expressions[0].target

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All conditions of all expressions."""
        return tuple(condition for expression in self.expressions for condition in expression.conditions)

    @cached_property
    def placeholders(self) -> tuple[str, ...]:
        """The names of the placeholders, each once, in order, without dollar signs."""
        return tuple(dict.fromkeys(name for expression in self.expressions for name in expression.placeholders))

    @cached_property
    def fields(self) -> frozenset[tuple[str, str]]:
        """The fields that it looks at: dataset type and column, in upper case."""
        return frozenset(one for condition in self.conditions for one in condition.fields)

    @property
    def uses_current_item(self) -> bool:
        """Whether it needs a request that is about an item."""
        return any(isinstance(condition.operand, CurrentItem) for condition in self.conditions)

    def check_schemas(self, schemas: Mapping[str, Mapping[str, Any]]) -> None:
        """Check the columns against the schemas of a dataset group.

        :param schemas: parsed Avro schemas by dataset type, such as ``"ITEMS"``; what is missing is not in the group.
        :raises FilterExpressionError: if a column does not exist, cannot be filtered by, or not in this way.
        """
        self._raise_first(
            (condition.position, problem)
            for condition in self.conditions
            for problem in _schema_problems(condition, schemas)
        )

    def _raise_first(self, problems: Iterable[tuple[Position, str]]) -> None:
        for position, problem in problems:
            raise FilterExpressionError(problem, self.text, position)


def _or_first(groups: tuple[tuple[Condition, ...], ...]) -> tuple[tuple[Condition, ...], ...]:
    """Read what AND has put together as if OR bound closer: ``a AND b OR c`` is ``a AND (b OR c)``.

    :return: groups of which one must be met, as ever.
    """
    alternatives: list[list[Condition]] = [[]]
    for first, *others in groups:
        alternatives[-1].append(first)
        alternatives += [[one] for one in others]
    return tuple(product(*alternatives))


def _built(text: str, rule: str) -> Any:
    """Parse a text, and make a tree of it."""
    if not 1 <= len(text) <= limits.FILTER_LENGTH:
        raise FilterExpressionError(
            f"the expression must have 1 to {limits.FILTER_LENGTH} characters, got {len(text)}", text, Position(1, 1)
        )
    try:
        tree = grammar.parse(text, rule)
    except grammar.FilterSyntaxError as problem:
        raise FilterExpressionError(str(problem), text, Position.of(text, problem.offset)) from None
    return _Builder(text).transform(tree)


def _item_attribute_problems(condition: Condition, expression: Expression) -> Iterator[str]:
    if condition.dataset is not Dataset.ITEMS:
        yield f"item attributes are columns of Items, got {condition.dataset.value}.{condition.column}"
    if condition.operator in (Operator.IN, Operator.NOT_IN):
        yield f"item attributes are compared with =, got {condition.operator.value}"
    if isinstance(condition.operand, (Placeholder, CurrentItem)):
        yield "item attributes are compared with a value, not with a placeholder or CurrentItem"
    yield from _condition_problems(condition, expression)


def _problems(expressions: Sequence[Expression]) -> Iterator[tuple[Position, str]]:
    """Find what the grammar cannot tell."""
    target = expressions[0].target
    for expression in expressions:
        if expression.target is not target:
            yield (
                expression.position,
                f"every expression must be about {target.value} as the first is, got {expression.target.value}",
            )
        yield from _dataset_problems(expression)
        for condition in expression.conditions:
            yield from ((condition.position, problem) for problem in _condition_problems(condition, expression))
    conditions = (condition for expression in expressions for condition in expression.conditions)
    fields = dict.fromkeys(one for condition in conditions for one in condition.fields)
    if len(fields) > limits.FILTER_FIELDS:
        names = ", ".join(f"{dataset}.{column}" for dataset, column in fields)
        yield (
            Position(1, 1),
            f"a filter can use at most {limits.FILTER_FIELDS} different fields, got {len(fields)}: {names}",
        )


def _dataset_problems(expression: Expression) -> Iterator[tuple[Position, str]]:
    allowed = _DATASETS[expression.target]
    first = expression.where[0].dataset
    for condition in expression.where:
        if condition.dataset not in allowed:
            yield (
                condition.position,
                f"conditions on {expression.target.value} must be about {' or '.join(one.value for one in allowed)}, "
                f"got {condition.dataset.value}",
            )
        if condition.dataset is not first:
            yield (
                condition.position,
                f"all conditions of one expression must be about one dataset, got {first.value} and "
                f"{condition.dataset.value}: make two expressions with | between them",
            )
    if expression.only_if and expression.target not in _TARGETS_WITH_IF:
        yield expression.only_if[0].position, f"an expression on {expression.target.value} cannot have IF: leave it out"


def _condition_problems(condition: Condition, expression: Expression) -> Iterator[str]:
    dataset, column, operand = condition.dataset, condition.column.upper(), condition.operand
    if dataset in _EVENTS and column not in FILTERABLE_OF_EVENTS.names:
        yield f"of {dataset.value} only {EVENT_TYPE} can be filtered by, got {condition.column}"
    if dataset in _EVENTS and condition.operator in ORDERING:
        yield f"{EVENT_TYPE} is tested with IN or NOT IN, got {condition.operator.value}"
    if dataset is Dataset.ACTIONS and column in NOT_FILTERABLE_OF_ACTIONS.names:
        yield f"{dataset.value}.{condition.column} cannot be filtered by"
    if len(condition.column) > limits.COLUMN_LENGTH:
        yield f"the name of a column has at most {limits.COLUMN_LENGTH} characters, got {len(condition.column)}"
    if isinstance(operand, tuple) and ANY in operand and dataset not in _EVENTS:
        yield f'"{ANY}" stands for every type of event and goes with {EVENT_TYPE} only: list the values'
    if isinstance(operand, Placeholder) and len(operand.name) > limits.PLACEHOLDER_LENGTH:
        yield f"the name of a placeholder has at most {limits.PLACEHOLDER_LENGTH} characters, got {len(operand.name)}"
    if isinstance(operand, CurrentItem) and expression.target is not Target.ITEM:
        yield f"CurrentItem goes with ItemID only, got {expression.target.value}"
    if isinstance(operand, CurrentItem) and dataset is not Dataset.ITEMS:
        yield f"CurrentItem is compared with a column of Items only, got {dataset.value}.{condition.column}"
    if condition.operator in ORDERING and isinstance(operand, str) and not _is_number(operand):
        yield f'{condition.operator.value} compares numbers, got "{operand}": test strings with IN or NOT IN'


def _schema_problems(condition: Condition, schemas: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    kinds = []
    for dataset_type, column in condition.fields:
        dataset = Dataset[dataset_type].value
        if dataset_type not in schemas:
            yield f"the dataset group must have the dataset {dataset} for {column} to be filtered by"
            return
        declared = {declared["name"].upper(): declared for declared in schemas[dataset_type]["fields"]}
        if column not in declared:
            yield f"{dataset} must have the column {column}{_suggestion(column, declared)}"
            return
        kind = value_type(declared[column])
        if kind == "boolean" or declared[column].get("textual"):
            what = "boolean" if kind == "boolean" else "textual"
            yield f"{dataset}.{column} cannot be filtered by, since it is {what}"
            return
        kinds.append(kind in NUMERIC_TYPES)
    yield from _type_problems(condition, numeric=kinds[0], same_kind=len(set(kinds)) == 1)


def _type_problems(condition: Condition, *, numeric: bool, same_kind: bool) -> Iterator[str]:
    name = f"{condition.dataset.value}.{condition.column}"
    operand, operator = condition.operand, condition.operator
    if not same_kind:
        yield f"{name} and the current item's column must be both strings or both numbers"
    elif not numeric and operator in ORDERING:
        yield f"{name} holds strings, which {operator.value} cannot compare: use IN or NOT IN"
    elif not numeric and isinstance(operand, float):
        yield f'{name} holds strings: write the value in double quotes, "{operand:g}"'
    elif numeric and isinstance(operand, str) and not _is_number(operand):
        yield f'{name} holds numbers, got "{operand}"'


def _suggestion(column: str, declared: Iterable[str]) -> str:
    names = sorted(declared)
    close = difflib.get_close_matches(column, names, n=1)
    return f": did you mean {close[0]}?" if close else f", it has {', '.join(names)}"


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _restored(message: str, problem: str, line: int, column: int) -> FilterExpressionError:
    error = FilterExpressionError.__new__(FilterExpressionError)
    error.args = (message,)
    error.problem, error.line, error.column = problem, line, column
    return error


class _Builder(Transformer[Token, Any]):
    """Makes the tree from what the parser found; its methods are named after the rules of the grammar."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def start(self, expressions: list[Expression]) -> tuple[Expression, ...]:
        return tuple(expressions)

    def expression(self, parts: list[Any]) -> Expression:
        action, target, _where, any_of, *rest = parts
        only_if = next((part for part in rest if isinstance(part, tuple)), ())
        return Expression(Action[action.upper()], _by_value(Target, target), any_of, only_if, self._position(action))

    def any_of(self, parts: list[Any]) -> tuple[tuple[Condition, ...], ...]:
        groups = tuple(part for part in parts if isinstance(part, tuple))
        return groups if AND_BINDS_CLOSER else _or_first(groups)

    def all_of(self, parts: list[Any]) -> tuple[Condition, ...]:
        return tuple(part for part in parts if isinstance(part, Condition))

    all_of_user = item_attributes = all_of

    def condition(self, parts: list[Any]) -> Condition:
        dataset, column, *test = parts
        return _condition(_by_value(Dataset, dataset), column, test, self._position(dataset))

    def user_condition(self, parts: list[Any]) -> Condition:
        user, column, *test = parts
        return _condition(Dataset.USERS, column, test, self._position(user))

    def values(self, parts: list[Token]) -> tuple[str, ...]:
        return tuple(_unquoted(part) for part in parts)

    def operand(self, parts: list[Token]) -> Operand:
        (token,) = parts
        if token.type == "NUMBER":
            return float(token)
        return Placeholder(token[1:]) if token.type == "PLACEHOLDER" else _unquoted(token)

    def current_item(self, parts: list[Token]) -> CurrentItem:
        return CurrentItem(str(parts[1]))

    def _position(self, token: Token) -> Position:
        return Position.of(self._text, token.start_pos or 0)


def _condition(dataset: Dataset, column: Token, test: Sequence[Any], position: Position) -> Condition:
    *words, operand = test
    operator = Operator(" ".join(word.upper() for word in words))
    if isinstance(operand, Token):
        operand = Placeholder(operand[1:])
    return Condition(dataset, str(column), operator, operand, position)


def _by_value(names: type[Any], token: Token) -> Any:
    return next(one for one in names if one.value.lower() == token.lower())


def _unquoted(token: Token) -> str:
    return token[1:-1] if token.type == "STRING" else str(token)
