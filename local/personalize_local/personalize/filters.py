"""What filters mean: which items, users or actions of a catalogue one lets through.

See https://docs.aws.amazon.com/personalize/latest/dg/filter-expressions.html

Where AWS does not say how filters work, this is what is done here:

* AND binds closer than OR (decided in the grammar of ``cdk_personalize.filter_expression``).
* A value with several categories meets IN if one of them is listed, and NOT IN if none is.
* A missing value (null, or an item without a row) meets NOT IN, and no other test, not even ``!=``.
* NOT IN of event types is met by what has no such event, be it that there is no event at all.
* An expression whose IF is not met is as if it were not there; so is an EXCLUDE that lacks a placeholder's value.
* An INCLUDE that lacks a placeholder's value is an error, and so is a value that no placeholder asks for.
"""

from __future__ import annotations

import operator
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np

from cdk_personalize.filter_expression import (
    ANY,
    Action,
    Condition,
    CurrentItem,
    Dataset,
    Expression,
    FilterExpression,
    Operator,
    Placeholder,
)
from personalize_local.personalize.recommenders.data import Array, Event, Floats, Integers, Mask, Table

NEWEST_EVENTS = {Dataset.INTERACTIONS: 100, Dataset.ACTION_INTERACTIONS: 300}
"""How many events per type, the newest, a filter looks at."""

Value: TypeAlias = str | float | None
Row: TypeAlias = Mapping[str, Value]
"""Values by column; upper and lower case of names are the same."""

_COMPARISONS: Mapping[Operator, Callable[[Floats, float], Mask]] = {
    Operator.EQUAL: operator.eq,
    Operator.UNEQUAL: operator.ne,
    Operator.LESS: operator.lt,
    Operator.AT_MOST: operator.le,
    Operator.GREATER: operator.gt,
    Operator.AT_LEAST: operator.ge,
}
_MADE: WeakKeyDictionary[Table, dict[int, Catalogue]] = WeakKeyDictionary()
"""Catalogues by the table and the identity of the array of ids, which the catalogue holds."""

_QUOTED = re.compile(r'\s*"([^"]*)"\s*(?:,|\Z)')


class FilterValueError(ValueError):
    """What came with a request does not fit the filter."""


class Catalogue:
    """Items, users or actions with their columns, made ready for filters.

    :param table: what is filtered.
    """

    def __init__(self, table: Table) -> None:
        self.ids = table.ids
        self.columns: Mapping[str, _Column] = {
            name.upper(): _Numbers(values) if values.dtype.kind == "f" else _Strings(values, name in table.categorical)
            for name, values in table.columns.items()
        }
        self.place_by_id = {id_: place for place, id_ in enumerate(self.ids)}

    @classmethod
    def of(cls, ids: Array, table: Table | None) -> Catalogue:
        """Put the rows of a table into the order of ids; where the table has none, all values are missing.

        What was made once is kept as long as the table is.

        :param ids: the catalogue of a model.
        :param table: the dataset. Default: - there is none
        """
        if table is None:
            return cls(Table(ids))
        made = _MADE.setdefault(table, {})
        if id(ids) not in made:
            made[id(ids)] = cls._ordered(ids, table)
        return made[id(ids)]

    @classmethod
    def _ordered(cls, ids: Array, table: Table) -> Catalogue:
        row_by_id = {id_: row for row, id_ in enumerate(table.ids)}
        rows = np.array([row_by_id.get(id_, -1) for id_ in ids], dtype=np.int64)
        return cls(
            Table(ids, {name: _taken(values, rows) for name, values in table.columns.items()}, table.categorical)
        )


@dataclass(frozen=True)
class Request:
    """What a request says, and what is known of its user.

    :param values: ``filterValues`` as the API has them: placeholder without dollar sign to quoted values.
    :param events: the user's events, or for filters on users those of all users; each a tuple of what is filtered
        (item, action, user), event type and time, such as :class:`Event`.
    :param user: the user's row. Default: - there is none
    :param item: the row of the item that the request is about. Default: - there is none
    """

    values: Mapping[str, str] = field(default_factory=dict)
    events: Iterable[Event] = ()
    user: Row | None = None
    item: Row | None = None


class CompiledFilter:
    """A filter that can be applied.

    :param expression: the parsed filter expression.
    """

    def __init__(self, expression: FilterExpression) -> None:
        self.expression = expression

    @classmethod
    def parse(cls, text: str) -> CompiledFilter:
        """Parse and compile.

        :raises FilterExpressionError: if the text is no filter expression.
        """
        return cls(FilterExpression.parse(text))

    def mask(self, catalogue: Catalogue, request: Request) -> Mask:
        """Tell which members of the catalogue the filter lets through.

        :raises FilterValueError: if the values of the request do not fit the filter.
        """
        evaluation = _Evaluation(catalogue, request, self._values(request))
        applied = [one for one in self.expression.expressions if evaluation.applies(one)]
        included = [evaluation.where(one) for one in applied if one.action is Action.INCLUDE]
        excluded = [evaluation.where(one) for one in applied if one.action is Action.EXCLUDE]
        through: Mask = np.ones(len(catalogue.ids), dtype=np.bool_)
        if included:
            through = np.logical_or.reduce(included)
        for mask in excluded:
            through = through & ~mask
        return through

    def _values(self, request: Request) -> Mapping[str, tuple[str, ...]]:
        unknown = sorted(set(request.values) - set(self.expression.placeholders))
        if unknown:
            known = ", ".join(self.expression.placeholders) or "none"
            raise FilterValueError(f"filterValues must name placeholders of the filter ({known}), got {unknown[0]}")
        return {name: _parse_values(name, text) for name, text in request.values.items()}


class _Evaluation:
    """One application of a filter."""

    def __init__(self, catalogue: Catalogue, request: Request, values: Mapping[str, tuple[str, ...]]) -> None:
        self._catalogue = catalogue
        self._request = request
        self._values = values
        self._users = Catalogue(_one_row(request.user or {}))
        self._item = {name.upper(): value for name, value in (request.item or {}).items()}

    def applies(self, expression: Expression) -> bool:
        """Whether an expression has all of its values, and its IF is met."""
        missing = [name for name in expression.placeholders if name not in self._values]
        if missing and expression.action is Action.INCLUDE:
            raise FilterValueError(f"filterValues must have a value for {missing[0]}, which an INCLUDE needs")
        return not missing and all(self._column_mask(one, self._users)[0] for one in expression.only_if)

    def where(self, expression: Expression) -> Mask:
        """Which members meet the condition of an expression."""
        groups = [
            np.logical_and.reduce([self._condition(condition) for condition in group]) for group in expression.any_of
        ]
        met: Mask = np.logical_or.reduce(groups)
        return met

    def _condition(self, condition: Condition) -> Mask:
        if condition.dataset in NEWEST_EVENTS:
            return self._event_mask(condition)
        return self._column_mask(condition, self._catalogue)

    def _event_mask(self, condition: Condition) -> Mask:
        """Which members have an event of one of the types; upper and lower case of types are the same."""
        wanted = {value.lower() for value in self._operand(condition)}
        mask = np.zeros(len(self._catalogue.ids), dtype=np.bool_)
        for event in _newest(self._request.events, NEWEST_EVENTS[condition.dataset]):
            place = self._catalogue.place_by_id.get(event[0])
            if place is not None and (ANY in wanted or (event[1] or "").lower() in wanted):
                mask[place] = True
        return ~mask if condition.operator in (Operator.NOT_IN, Operator.UNEQUAL) else mask

    def _column_mask(self, condition: Condition, catalogue: Catalogue) -> Mask:
        column = catalogue.columns.get(condition.column.upper())
        operand = self._operand(condition)
        if column is None:
            return np.full(len(catalogue.ids), condition.operator is Operator.NOT_IN)
        if condition.operator is Operator.IN:
            return column.among(operand)
        if condition.operator is Operator.NOT_IN:
            return ~column.among(operand)
        if not operand:
            return np.zeros(len(catalogue.ids), dtype=np.bool_)
        return column.compare(condition.operator, operand[0], condition)

    def _operand(self, condition: Condition) -> tuple[str, ...]:
        """Give the values to compare with, as strings; none if the current item has none."""
        operand = condition.operand
        if isinstance(operand, tuple):
            return operand
        if isinstance(operand, CurrentItem):
            return self._of_current_item(operand)
        if not isinstance(operand, Placeholder):
            return (str(operand),)
        values = self._values[operand.name]
        several = condition.operator in (Operator.IN, Operator.NOT_IN)
        if len(values) != 1 and not several:
            raise FilterValueError(
                f"filterValues must have one value for {operand.name}, which {condition.operator.value} compares "
                f"with, got {len(values)}"
            )
        return values

    def _of_current_item(self, operand: CurrentItem) -> tuple[str, ...]:
        if self._request.item is None:
            raise FilterValueError(f"itemId must be given, since the filter compares with CurrentItem.{operand.column}")
        value = self._item.get(operand.column.upper())
        if value is None or value != value:
            return ()
        return tuple(value.split("|")) if isinstance(value, str) else (str(value),)


class _Column(ABC):
    @abstractmethod
    def among(self, values: Sequence[str]) -> Mask:
        """Which rows have one of the values."""

    @abstractmethod
    def compare(self, comparison: Operator, value: str, condition: Condition) -> Mask:
        """Which rows compare with a value as wanted."""


class _Strings(_Column):
    """Strings, by the rows that have them.

    :param categorical: whether ``|`` separates several in one value.
    """

    def __init__(self, values: Array, categorical: bool) -> None:
        self._present: Mask = np.array([isinstance(value, str) for value in values], dtype=np.bool_)
        rows: dict[str, list[int]] = {}
        for row in np.flatnonzero(self._present).tolist():
            for one in values[row].split("|") if categorical else (values[row],):
                rows.setdefault(one, []).append(row)
        self._rows: Mapping[str, Integers] = {one: np.array(places, dtype=np.int64) for one, places in rows.items()}

    def among(self, values: Sequence[str]) -> Mask:
        mask = np.zeros(len(self._present), dtype=np.bool_)
        for value in values:
            if value in self._rows:
                mask[self._rows[value]] = True
        return mask

    def compare(self, comparison: Operator, value: str, condition: Condition) -> Mask:
        if comparison is Operator.EQUAL:
            return self.among([value])
        if comparison is Operator.UNEQUAL:
            return self._present & ~self.among([value])
        raise FilterValueError(
            f"{condition.dataset.value}.{condition.column} holds strings, which {comparison.value} cannot compare"
        )


class _Numbers(_Column):
    def __init__(self, values: Floats) -> None:
        self._values = values

    def among(self, values: Sequence[str]) -> Mask:
        numbers = [number for number in map(_number, values) if number is not None]
        mask: Mask = np.isin(self._values, numbers)
        return mask

    def compare(self, comparison: Operator, value: str, condition: Condition) -> Mask:
        number = _number(value)
        if number is None:
            raise FilterValueError(
                f'{condition.dataset.value}.{condition.column} must be compared with a number, got "{value}"'
            )
        return ~np.isnan(self._values) & _COMPARISONS[comparison](self._values, number)


def _parse_values(name: str, text: str) -> tuple[str, ...]:
    """Read one of ``filterValues``: quoted values with commas between them, or a bare number.

    :raises FilterValueError: if it is neither.
    """
    if _number(text) is not None:
        return (text.strip(),)
    values, end = [], 0
    while match := _QUOTED.match(text, end):
        values.append(match[1])
        end = match.end()
    if end < len(text) or not values or text.rstrip().endswith(","):
        raise FilterValueError(
            f"filterValues must have values in double quotes with commas between them, or one number, for {name}, "
            f"got {text}"
        )
    return tuple(values)


def _newest(events: Iterable[Event], count: int) -> Iterator[Event]:
    """Take the newest events of each type."""
    taken: Counter[str] = Counter()
    for event in sorted(events, key=lambda one: one[2], reverse=True):
        kind = (event[1] or "").lower()
        taken[kind] += 1
        if taken[kind] <= count:
            yield event


def _one_row(row: Row) -> Table:
    """Make a table of the current user."""
    columns = {name: np.array([value], dtype=object) for name, value in row.items()}
    return Table(np.array([""], dtype=object), columns, frozenset(row))


def _taken(values: Array, rows: Integers) -> Array:
    missing: Any = np.nan if values.dtype.kind == "f" else None
    extended = np.append(values, np.array([missing], dtype=values.dtype))
    taken: Array = extended[rows]
    return taken


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) else None
