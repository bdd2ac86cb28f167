"""What filters mean: which items, users or actions of a catalogue one lets through.

See https://docs.aws.amazon.com/personalize/latest/dg/filter-expressions.html

Where AWS does not say how filters work, this is what is done here; ``uncertain.py`` has what can be set:

* AND binds closer than OR.
* A value with several categories meets IN if one of them is listed, and NOT IN if none is.
* A missing value (null, or an item without a row) meets NOT IN, and no other test, not even ``!=``.
* NOT IN of event types is met by what has no such event, be it that there is no event at all.
* An expression whose IF is not met is as if it were not there; so is an EXCLUDE that lacks a placeholder's value.
* An INCLUDE that lacks a placeholder's value is an error, and so is a value that no placeholder asks for.
* In a quoted value ``\\"`` stands for a double quote and ``\\\\`` for a backslash.
* A filter on users looks at all events, since what a user did at all is told by the newest event of its type.
"""

from __future__ import annotations

import operator
import re
import threading
from abc import ABC, abstractmethod
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
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
    Target,
)
from personalize_local.personalize.recommenders.data import Array, Event, Floats, Integers, Mask, Table
from personalize_local.personalize.uncertain import (
    ESCAPED_IN_FILTER_VALUES,
    MISSING_MEETS_NOT_IN,
    MISSING_MEETS_UNEQUAL,
)

NEWEST_EVENTS: Mapping[Dataset, int] = {Dataset.INTERACTIONS: 100, Dataset.ACTION_INTERACTIONS: 300}
"""How many events per type, the newest, a filter looks at, unless the quotas say otherwise."""

Value: TypeAlias = str | float | None

_COMPARISONS: Mapping[Operator, Callable[[Floats, float], Mask]] = {
    Operator.EQUAL: operator.eq,
    Operator.UNEQUAL: operator.ne,
    Operator.LESS: operator.lt,
    Operator.AT_MOST: operator.le,
    Operator.GREATER: operator.gt,
    Operator.AT_LEAST: operator.ge,
}
_MET_BY_MISSING = frozenset(
    one for one, met in ((Operator.NOT_IN, MISSING_MEETS_NOT_IN), (Operator.UNEQUAL, MISSING_MEETS_UNEQUAL)) if met
)
_QUOTED = re.compile(r'\s*"((?:[^"\\]|\\.)*)"\s*(?:,|\Z)', re.DOTALL)
_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?\s*", re.ASCII | re.IGNORECASE)
_ESCAPED = re.compile(rf"\\([{re.escape(ESCAPED_IN_FILTER_VALUES)}])")


class FilterValueError(ValueError):
    """What came with a request does not fit the filter."""


class Catalogue:
    """Items, users or actions with their columns, made ready for filters; each column when it is first asked for.

    :param table: what is filtered.
    :param rows: for each member the number of its row in the table, -1 where it has none. Default: - the members are
        the rows of the table
    :param ids: the members. Default: - those of the table
    """

    def __init__(self, table: Table, rows: Integers | None = None, ids: Array | None = None) -> None:
        self.ids = table.ids if ids is None else ids
        self._rows = rows
        self._table = table
        self._names = {name.upper(): name for name in table.columns}
        self._columns: dict[str, _Column] = {}

    @classmethod
    def of(cls, ids: Array, table: Table | None) -> Catalogue:
        """Put the rows of a table into the order of ids; where the table has none, all values are missing.

        What was made lately is kept, for as long as the table is there.

        :param ids: the catalogue of a model.
        :param table: the dataset. Default: - there is none
        """
        return _catalogue(ids, _NO_ROWS if table is None else table)

    @classmethod
    def ordered(cls, ids: Array, table: Table) -> Catalogue:
        """Put the rows of a table into the order of ids, for once.

        :param ids: some ids.
        """
        row_by_id = index_of(table)
        rows = np.fromiter((row_by_id.get(id_, -1) for id_ in ids), np.int64, len(ids))
        return cls(table, rows, ids)

    @cached_property
    def place_by_id(self) -> Mapping[str, int]:
        """The place of each member."""
        return {id_: place for place, id_ in enumerate(self.ids)}

    def column(self, name: str) -> _Column | None:
        """Look a column up, in upper or lower case; ``None`` if there is none."""
        upper = name.upper()
        if upper not in self._columns and upper in self._names:
            self._columns[upper] = self._made(self._names[upper])
        return self._columns.get(upper)

    def among(self, ids: Iterable[str]) -> Mask:
        """Which members have one of the ids."""
        place_by_id = self.place_by_id
        places = [place_by_id[id_] for id_ in ids if id_ in place_by_id]
        mask = np.zeros(len(self.ids), dtype=np.bool_)
        mask[places] = True
        return mask

    def _made(self, name: str) -> _Column:
        values = self._table.columns[name]
        ordered = values if self._rows is None else _taken(values, self._rows)
        return _Numbers(ordered) if values.dtype.kind == "f" else _Strings(ordered, name in self._table.categorical)


@dataclass
class _Made:
    """What was made from a table lately.

    :param row_by_id: its index.
    :param catalogues: by the identity of the array of ids, which is kept too, so that no other can get it.
    """

    row_by_id: Mapping[str, int]
    catalogues: OrderedDict[int, tuple[Array, Catalogue]] = field(default_factory=OrderedDict)


_MOST_CATALOGUES = 8
_LOCK = threading.Lock()
_MADE: WeakKeyDictionary[Table, _Made] = WeakKeyDictionary()
_NO_ROWS = Table(np.empty(0, dtype=object))


def index_of(table: Table) -> Mapping[str, int]:
    """The number of the row of each id; kept for as long as the table is there."""
    made = _MADE.get(table)
    if made is None:
        with _LOCK:
            made = _MADE.setdefault(table, _Made({id_: row for row, id_ in enumerate(table.ids)}))
    return made.row_by_id


def _catalogue(ids: Array, table: Table) -> Catalogue:
    index_of(table)
    with _LOCK:
        catalogues = _MADE[table].catalogues
        if id(ids) not in catalogues:
            catalogues[id(ids)] = (ids, Catalogue.ordered(ids, table))
        catalogues.move_to_end(id(ids))
        while len(catalogues) > _MOST_CATALOGUES:
            catalogues.popitem(last=False)
        return catalogues[id(ids)][1]


@dataclass(frozen=True)
class Row:
    """What is known of the current user, or of the current item.

    :param values: by column; upper and lower case of names are the same.
    :param categorical: the columns whose values are categories separated by ``|``. Default: - none
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    categorical: frozenset[str] = frozenset()

    def strings(self, column: str) -> tuple[str, ...]:
        """The values of a column, as strings; none if it is missing."""
        name = next((name for name in self.values if name.upper() == column.upper()), None)
        value = None if name is None else self.values[name]
        if value is None or value != value:
            return ()
        return tuple(value.split("|")) if isinstance(value, str) and name in self.categorical else (str(value),)

    def table(self) -> Table:
        """Make a table of one row, without what is missing."""
        present = {name: value for name, value in self.values.items() if value is not None}
        columns = {name: np.array([value], dtype=object) for name, value in present.items()}
        return Table(np.array([""], dtype=object), columns, self.categorical)


@dataclass(frozen=True)
class Request:
    """What a request says, and what is known of its user.

    :param values: ``filterValues`` as the API has them: placeholder without dollar sign to quoted values.
    :param events: the user's events, or for filters on users those of all users; each a tuple of what is filtered
        (item, action, user), event type and time, such as :class:`Event`.
    :param user: the user's row. Default: - there is none
    :param item: the row of the item that the request is about. Default: - it is about no item
    :param newest: how many events per type count, the newest. Default: - 100, of actions 300
    """

    values: Mapping[str, str] = field(default_factory=dict)
    events: Sequence[Event] = ()
    user: Row = Row()
    item: Row | None = None
    newest: Mapping[Dataset, int] = field(default_factory=lambda: NEWEST_EVENTS)


class CompiledFilter:
    """A filter that can be applied.

    :param expression: the parsed filter expression.
    """

    def __init__(self, expression: FilterExpression) -> None:
        self.expression = expression

    @property
    def needs_user(self) -> bool:
        """Whether it looks at the user that a request is for."""
        if self.expression.target is Target.USER:
            return False
        return any(one.dataset in NEWEST_EVENTS or one.dataset is Dataset.USERS for one in self.expression.conditions)

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
        evaluation = _Evaluation(self.expression.target, catalogue, request, self._values(request))
        applied = [one for one in self.expression.expressions if evaluation.applies(one)]
        included = [evaluation.where(one) for one in applied if one.action is Action.INCLUDE]
        through = _any(included) if included else np.ones(len(catalogue.ids), dtype=np.bool_)
        for one in applied:
            if one.action is Action.EXCLUDE:
                through = through & ~evaluation.where(one)
        return through

    def _values(self, request: Request) -> Mapping[str, tuple[str, ...]]:
        unknown = sorted(set(request.values) - set(self.expression.placeholders))
        if unknown:
            known = ", ".join(self.expression.placeholders) or "none"
            raise FilterValueError(f"filterValues must name placeholders of the filter ({known}), got {unknown[0]}")
        return {name: _parse_values(name, text) for name, text in request.values.items()}


class _Evaluation:
    """One application of a filter."""

    def __init__(
        self, target: Target, catalogue: Catalogue, request: Request, values: Mapping[str, tuple[str, ...]]
    ) -> None:
        self._target = target
        self._catalogue = catalogue
        self._request = request
        self._values = values

    def applies(self, expression: Expression) -> bool:
        """Whether an expression has all of its values, and its IF is met."""
        missing = [name for name in expression.placeholders if name not in self._values]
        if missing and expression.action is Action.INCLUDE:
            raise FilterValueError(f"filterValues must have a value for {missing[0]}, which an INCLUDE needs")
        return not missing and all(self._column_mask(one, self._user)[0] for one in expression.only_if)

    @cached_property
    def _user(self) -> Catalogue:
        return Catalogue(self._request.user.table())

    def where(self, expression: Expression) -> Mask:
        """Which members meet the condition of an expression."""
        return _any([_all([self._condition(condition) for condition in group]) for group in expression.any_of])

    def _condition(self, condition: Condition) -> Mask:
        if condition.dataset in NEWEST_EVENTS:
            return self._event_mask(condition)
        return self._column_mask(condition, self._catalogue)

    def _event_mask(self, condition: Condition) -> Mask:
        """Which members have an event of one of the types; upper and lower case of types are the same."""
        wanted = {value.lower() for value in self._operand(condition)}
        events = self._events(condition.dataset)
        types = {kind for kind in {event[1] for event in events} if ANY in wanted or (kind or "").lower() in wanted}
        mask = self._catalogue.among(event[0] for event in events if event[1] in types)
        return ~mask if condition.operator in (Operator.NOT_IN, Operator.UNEQUAL) else mask

    def _events(self, dataset: Dataset) -> Sequence[Event]:
        if self._target is Target.USER:
            return self._request.events
        return _newest(self._request.events, self._request.newest[dataset])

    def _column_mask(self, condition: Condition, catalogue: Catalogue) -> Mask:
        column = catalogue.column(condition.column)
        operand, missing_meets = self._operand(condition), condition.operator in _MET_BY_MISSING
        if column is None:
            return np.full(len(catalogue.ids), missing_meets)
        if condition.operator is Operator.IN:
            return column.among(operand)
        if condition.operator is Operator.NOT_IN:
            met = ~column.among(operand)
        elif operand:
            met = column.compare(condition.operator, operand, condition)
        else:
            return np.zeros(len(catalogue.ids), dtype=np.bool_)
        return met | ~column.present if missing_meets else met & column.present

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
        return self._request.item.strings(operand.column)


class _Column(ABC):
    """A column.

    :ivar present: which rows have a value.
    """

    present: Mask

    @abstractmethod
    def among(self, values: Sequence[str]) -> Mask:
        """Which rows have one of the values."""

    @abstractmethod
    def compare(self, comparison: Operator, values: Sequence[str], condition: Condition) -> Mask:
        """Which rows compare with a value as wanted; several are the categories of the current item."""


class _Strings(_Column):
    """Strings, by the rows that have them.

    :param categorical: whether ``|`` separates several in one value.
    """

    def __init__(self, values: Array, categorical: bool) -> None:
        self.present: Mask = np.array([isinstance(value, str) for value in values], dtype=np.bool_)
        rows: dict[str, list[int]] = {}
        for row in np.flatnonzero(self.present).tolist():
            for one in values[row].split("|") if categorical else (values[row],):
                rows.setdefault(one, []).append(row)
        self._rows: Mapping[str, Integers] = {one: np.array(places, dtype=np.int64) for one, places in rows.items()}

    def among(self, values: Sequence[str]) -> Mask:
        mask = np.zeros(len(self.present), dtype=np.bool_)
        for value in values:
            if value in self._rows:
                mask[self._rows[value]] = True
        return mask

    def compare(self, comparison: Operator, values: Sequence[str], condition: Condition) -> Mask:
        if comparison is Operator.EQUAL:
            return self.among(values)
        if comparison is Operator.UNEQUAL:
            return ~self.among(values)
        raise FilterValueError(
            f"{condition.dataset.value}.{condition.column} holds strings, which {comparison.value} cannot compare"
        )


class _Numbers(_Column):
    def __init__(self, values: Floats) -> None:
        self._values = values
        self.present: Mask = ~np.isnan(values)

    def among(self, values: Sequence[str]) -> Mask:
        numbers = [number for number in map(_number, values) if number is not None]
        mask: Mask = np.isin(self._values, numbers)
        return mask

    def compare(self, comparison: Operator, values: Sequence[str], condition: Condition) -> Mask:
        number = _number(values[0])
        if number is not None:
            return _COMPARISONS[comparison](self._values, number)
        if not self.present.any():
            return np.zeros(len(self._values), dtype=np.bool_)
        raise FilterValueError(
            f'{condition.dataset.value}.{condition.column} must be compared with a number, got "{values[0]}"'
        )


def _parse_values(name: str, text: str) -> tuple[str, ...]:
    """Read one of ``filterValues``: quoted values with commas between them, or a bare number.

    :raises FilterValueError: if it is neither.
    """
    if _number(text) is not None:
        return (text.strip(),)
    values, end = [], 0
    while match := _QUOTED.match(text, end):
        values.append(_ESCAPED.sub(r"\1", match[1]))
        end = match.end()
    if end < len(text) or not values or text.rstrip().endswith(","):
        raise FilterValueError(
            f"filterValues must have values in double quotes with commas between them, or one number, for {name}, "
            f"got {text}"
        )
    return tuple(values)


def _newest(events: Sequence[Event], count: int) -> Sequence[Event]:
    """Take the newest events of each type."""
    if len(events) <= count:
        return events
    taken: Counter[str] = Counter()
    newest = []
    for event in sorted(events, key=lambda one: one[2], reverse=True):
        kind = (event[1] or "").lower()
        taken[kind] += 1
        if taken[kind] <= count:
            newest.append(event)
    return newest


def _all(masks: Sequence[Mask]) -> Mask:
    return reduce(operator.and_, masks)


def _any(masks: Sequence[Mask]) -> Mask:
    return reduce(operator.or_, masks)


def _taken(values: Array, rows: Integers) -> Array:
    missing: Any = np.nan if values.dtype.kind == "f" else None
    extended = np.append(values, np.array([missing], dtype=values.dtype))
    taken: Array = extended[rows]
    return taken


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None
