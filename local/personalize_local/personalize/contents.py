"""What is in a dataset: rows that were imported in bulk, and rows that came one by one."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from .columns import Column
from .recommenders.data import Array, Event, Integers, Interactions, Table

Columns: TypeAlias = Mapping[str, Array]
Identity: TypeAlias = tuple[object, ...]


@dataclass(frozen=True)
class PutEvent:
    """An event that came through PutEvents.

    :param values: by column name; without the columns that have members here.
    """

    item_id: str
    timestamp: int
    event_type: str | None
    event_value: float | None
    session_id: str
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def identity(self) -> Identity:
        """What two identical events share."""
        return (self.item_id, self.timestamp, self.event_type, self.event_value, tuple(sorted(self.values.items())))


class InteractionsContents:
    """The rows of an Interactions dataset, kept by user and time.

    :ivar importing: held from ``prepare`` to ``commit``.
    """

    def __init__(self) -> None:
        self.importing = threading.Lock()
        self._bulk: dict[str, Array] = {}
        self._slices: dict[str, tuple[int, int]] = {}
        self._by_user: dict[str, dict[Identity, PutEvent]] = {}
        self._by_session: dict[str, dict[Identity, PutEvent]] = {}
        self._event_ids: set[str] = set()
        self._users: dict[str, str] = {}

    @property
    def has_bulk(self) -> bool:
        """Whether anything was imported."""
        return bool(self._bulk)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self._bulk.get("USER_ID", ())) + sum(len(events) for _, events in self._put())

    def prepare(self, columns: Columns, *, replace: bool) -> Columns:
        """Do what takes time: join with the rows there are, sort by user and time, drop identical rows."""
        joined = columns if replace or not self._bulk else _join(self._bulk, columns)
        return _sorted_and_unique(joined)

    def commit(self, columns: Columns) -> None:
        """Make prepared rows the imported rows."""
        users = columns["USER_ID"]
        starts = np.flatnonzero(np.r_[True, users[1:] != users[:-1]]) if len(users) else np.empty(0, dtype=np.int64)
        ends = np.r_[starts[1:], len(users)]
        self._bulk = dict(columns)
        self._slices = {
            users[start]: (int(start), int(end)) for start, end in zip(starts, ends[: len(starts)], strict=True)
        }

    def put(self, event: PutEvent, *, user_id: str | None, event_id: str | None) -> None:
        """Take up one event. One that has come before, by its id or in every value, is dropped.

        Events of a session whose user is not known yet are the session's; once it is, they are the user's.
        """
        if event_id is not None:
            if event_id in self._event_ids:
                return
            self._event_ids.add(event_id)
        session = event.session_id
        if user_id is not None:
            self._users[session] = user_id
            self._by_user.setdefault(user_id, {}).update(self._by_session.pop(session, {}))
        user = self._users.get(session)
        events = self._by_session.setdefault(session, {}) if user is None else self._by_user.setdefault(user, {})
        events.setdefault(event.identity, event)

    def history(self, user_id: str) -> list[Event]:
        """List the events of a user, or of a session whose user is not known; newest last."""
        events = self._bulk_history(*self._slices[user_id]) if user_id in self._slices else []
        put = [*self._by_user.get(user_id, {}).values(), *self._by_session.get(user_id, {}).values()]
        if put:
            events += [Event(event.item_id, event.event_type, float(event.timestamp)) for event in put]
            events.sort(key=lambda event: event.timestamp)
        return events

    def _bulk_history(self, start: int, end: int) -> list[Event]:
        types = self._bulk.get("EVENT_TYPE")
        kinds = itertools.repeat(None) if types is None else types[start:end].tolist()
        items, timestamps = self._bulk["ITEM_ID"][start:end].tolist(), self._bulk["TIMESTAMP"][start:end].tolist()
        return [Event(*row) for row in zip(items, kinds, map(float, timestamps), strict=False)]

    def _put(self) -> Iterator[tuple[str, Mapping[Identity, PutEvent]]]:
        return itertools.chain(self._by_user.items(), self._by_session.items())

    def interactions(self) -> Interactions:
        """All rows, those that came one by one included."""
        put = [(user, event) for user, events in self._put() for event in events.values()]
        events = [event for _, event in put]
        types = [event.event_type for event in events]
        values = [np.nan if event.event_value is None else event.event_value for event in events]
        return Interactions(
            self._with("USER_ID", [user for user, _ in put]),
            self._with("ITEM_ID", [event.item_id for event in events]),
            self._with("TIMESTAMP", [event.timestamp for event in events]).astype(np.int64),
            self._with("EVENT_TYPE", types) if "EVENT_TYPE" in self._bulk or any(types) else None,
            self._with("EVENT_VALUE", values).astype(np.float64) if self._has_values(values) else None,
        )

    def _has_values(self, values: Sequence[float]) -> bool:
        return "EVENT_VALUE" in self._bulk or not all(np.isnan(value) for value in values)

    def _with(self, name: str, values: Sequence[Any]) -> Array:
        rows = len(self._bulk.get("USER_ID", ()))
        missing = np.nan if name == "EVENT_VALUE" else None
        bulk = self._bulk.get(name, np.full(rows, missing, dtype=object))
        return np.concatenate([bulk.astype(object), _objects(values)])


@dataclass(frozen=True)
class _PutRow:
    number: int
    values: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class _View:
    columns: tuple[Column, ...]
    table: Table
    places: Mapping[str, int]


class EntityContents:
    """The rows of an Items or a Users dataset: one per id, the last one that came.

    :param id_column: the column that identifies a row.
    :ivar importing: held from ``prepare`` to ``commit``.
    """

    def __init__(self, id_column: str) -> None:
        self.importing = threading.Lock()
        self._id_column = id_column
        self._bulk: dict[str, Array] = {}
        self._numbers: Integers = np.empty(0, dtype=np.int64)
        self._put: dict[str, _PutRow] = {}
        self._count = 0
        self._latest_view: _View | None = None

    @property
    def has_bulk(self) -> bool:
        """Whether anything was imported."""
        return bool(self._bulk)

    def __len__(self) -> int:
        """Count the rows."""
        return len(set(self._bulk.get(self._id_column, ())) | set(self._put))

    def prepare(self, columns: Columns, *, replace: bool) -> Columns:
        """Do what takes time: join with the rows there are, and keep the last of each id."""
        self._count += 1
        rows = len(columns[self._id_column])
        numbered = {**columns, "": np.full(rows, self._count, dtype=np.int64)}
        joined = numbered if replace or not self._bulk else _join({**self._bulk, "": self._numbers}, numbered)
        last = {id_: row for row, id_ in enumerate(joined[self._id_column])}
        kept = np.fromiter(last.values(), dtype=np.int64, count=len(last))
        return {name: values[kept] for name, values in joined.items()}

    def commit(self, columns: Columns) -> None:
        """Make prepared rows the imported rows."""
        self._bulk = dict(columns)
        self._numbers = self._bulk.pop("")
        self._latest_view = None

    def put(self, id_: str, values: Mapping[str, Any]) -> None:
        """Take up one row, in place of the one with this id."""
        self._count += 1
        self._put[id_] = _PutRow(self._count, values)
        self._latest_view = None

    def table(self, columns: tuple[Column, ...]) -> Table:
        """All rows, with the columns of the dataset's schema."""
        return self._view(columns).table

    def row(self, columns: tuple[Column, ...], id_: str) -> dict[str, Any] | None:
        """The row of an id, by column name; ``None`` if there is none."""
        view = self._view(columns)
        place = view.places.get(id_)
        return None if place is None else {name: values[place] for name, values in view.table.columns.items()}

    def _view(self, columns: tuple[Column, ...]) -> _View:
        if self._latest_view is None or self._latest_view.columns != columns:
            table = self._merge(columns)
            self._latest_view = _View(columns, table, {id_: place for place, id_ in enumerate(table.ids)})
        return self._latest_view

    def _merge(self, columns: tuple[Column, ...]) -> Table:
        ids = self._bulk.get(self._id_column, np.empty(0, dtype=object))
        rows = {id_: row for row, id_ in enumerate(ids)}
        newer = {id_: put for id_, put in self._put.items() if id_ not in rows or self._numbers[rows[id_]] < put.number}
        kept = np.fromiter((id_ not in newer for id_ in ids), dtype=np.bool_, count=len(ids))
        merged = {}
        for column in columns:
            if column.name == self._id_column:
                continue
            missing = np.nan if column.numeric else None
            bulk = self._bulk.get(column.name, np.full(len(ids), missing, dtype=object))[kept]
            added = [put.values.get(column.name, missing) for put in newer.values()]
            values = np.concatenate([bulk.astype(object), _objects(added)])
            merged[column.name] = values.astype(np.float64) if column.numeric else values
        return Table(
            np.concatenate([ids[kept], _objects(list(newer))]),
            merged,
            frozenset(column.name for column in columns if column.categorical),
        )


DatasetContents: TypeAlias = InteractionsContents | EntityContents


def new_contents(dataset_type: str) -> DatasetContents:
    """Make the contents of a new dataset.

    :param dataset_type: in upper case.
    """
    return InteractionsContents() if dataset_type == "INTERACTIONS" else EntityContents(_ID_COLUMNS[dataset_type])


_ID_COLUMNS = {"ITEMS": "ITEM_ID", "USERS": "USER_ID"}


def _join(first: Columns, second: Columns) -> dict[str, Array]:
    """Put rows below rows; a column that one of them lacks is null there."""
    lengths = [len(next(iter(part.values()))) for part in (first, second)]

    def column(name: str) -> Iterator[Array]:
        other = first.get(name, second.get(name))
        numeric = other is not None and other.dtype.kind in "if"
        for part, length in zip((first, second), lengths, strict=True):
            empty = np.full(length, np.nan) if numeric else np.full(length, None, dtype=object)
            yield part.get(name, empty)

    return {name: np.concatenate(list(column(name))) for name in {**first, **second}}


def _sorted_and_unique(columns: Columns) -> dict[str, Array]:
    users, items = _codes(columns["USER_ID"]), _codes(columns["ITEM_ID"])
    times = columns["TIMESTAMP"]
    order = np.lexsort((times, users))
    # rows can be identical only where user, item and time are; few are, so these are compared one by one
    triples = np.lexsort((items, times, users))
    same = np.ones(max(len(triples) - 1, 0), dtype=np.bool_)
    for codes in (users, times, items):
        same &= codes[triples][1:] == codes[triples][:-1]
    suspects: Integers = np.unique(np.concatenate([triples[1:][same], triples[:-1][same]]))
    seen: set[Identity] = set()
    doubles = []
    for row in suspects:
        values = tuple(_comparable(column[row]) for column in columns.values())
        if values in seen:
            doubles.append(row)
        seen.add(values)
    if doubles:
        order = order[~np.isin(order, doubles)]
    return {name: column[order] for name, column in columns.items()}


def _comparable(value: Any) -> object:
    return None if isinstance(value, float) and np.isnan(value) else value


def _codes(values: Array) -> Integers:
    numbers: dict[Any, int] = {}
    return np.fromiter((numbers.setdefault(value, len(numbers)) for value in values), np.int64, len(values))


def _objects(values: Sequence[Any]) -> Array:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
