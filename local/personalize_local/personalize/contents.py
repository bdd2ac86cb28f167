"""What is in a dataset: rows that were imported in bulk, and rows that came one by one."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from .coded import concatenated, nulls, numbered, objects, place_of
from .columns import ID_COLUMNS, Column
from .recommenders.data import Array, Coded, Event, Integers, Interactions, Mask, Table

Columns: TypeAlias = Mapping[str, Array | Coded]
Identity: TypeAlias = tuple[object, ...]
#: which rows: those imported in bulk, those that came one by one, or both
Origin: TypeAlias = Literal["BULK", "PUT", "ALL"]
#: takes down a row that came one by one, as plain values for JSON
Journal: TypeAlias = Callable[[list[Any]], None]

_FORGET = "forget"
_IN_MEMBERS = ("TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE")
_NO_METADATA = frozenset(
    {
        *_IN_MEMBERS,
        *("USER_ID", "ITEM_ID", "ACTION_ID"),
        *("IMPRESSION", "RECOMMENDATION_ID", "EVENT_ATTRIBUTION_SOURCE"),
    }
)


@dataclass(frozen=True)
class PutEvent:
    """An event that came through PutEvents or PutActionInteractions.

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
    """The rows of a dataset of interactions, kept by user and time.

    :param item_column: the column of what users interact with.
    :ivar importing: held from ``prepare`` to ``commit``.
    :ivar bulk_version: another number whenever :meth:`arrays` would give something else.
    :ivar journal: gets each row that comes one by one, for :meth:`put_again`.
    """

    def __init__(self, item_column: str = "ITEM_ID") -> None:
        self.importing = threading.Lock()
        self.bulk_version = 0
        self.journal: Journal | None = None
        self._item_column = item_column
        self._bulk: dict[str, Array | Coded] = {}
        self._users = nulls(0)
        self._ends: Integers = np.empty(0, dtype=np.int64)
        self._by_user: dict[str, dict[Identity, PutEvent]] = {}
        self._by_session: dict[str, dict[Identity, PutEvent]] = {}
        self._event_ids: set[str] = set()
        self._session_users: dict[str, str] = {}

    @property
    def has_bulk(self) -> bool:
        """Whether anything was imported."""
        return bool(self._bulk)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self._users.codes) + sum(len(events) for _, events in self._put())

    @property
    def bulk_rows(self) -> int:
        """Count the imported rows."""
        return len(self._users.codes)

    def prepare(self, columns: Columns, *, replace: bool) -> Columns:
        """Do what takes time: join with the rows there are, sort by user and time, drop identical rows."""
        joined = columns if replace or not self._bulk else _join(self._bulk, columns)
        return _sorted_and_unique(joined, ("USER_ID", self._item_column))

    def commit(self, columns: Columns) -> None:
        """Make prepared rows the imported rows."""
        self._bulk = dict(columns)
        self._users = _coded(self._bulk["USER_ID"])
        self._ends = np.cumsum(np.bincount(self._users.codes, minlength=len(self._users.values)))
        self.bulk_version += 1

    def arrays(self) -> dict[str, Array]:
        """Give the imported rows; they are not changed in place."""
        arrays = {}
        for name, column in self._bulk.items():
            if isinstance(column, Coded):
                arrays[f"{name}:values"], arrays[f"{name}:codes"] = column.values, column.codes
            else:
                arrays[name] = column
        return arrays

    def restore(self, arrays: Mapping[str, Array]) -> None:
        """Take up what :meth:`arrays` gave, in empty contents."""
        if arrays:
            names = dict.fromkeys(name.partition(":")[0] for name in arrays)
            self.commit(
                {
                    name: arrays[name] if name in arrays else Coded(arrays[f"{name}:values"], arrays[f"{name}:codes"])
                    for name in names
                }
            )

    def put(self, event: PutEvent, *, user_id: str | None, event_id: str | None) -> bool:
        """Take up one event. One that has come before, by its id or in every value, is dropped.

        Events of a session whose user is not known yet are the session's; once it is, they are the user's.

        :returns: whether it was taken up.
        """
        if event_id is not None:
            if event_id in self._event_ids:
                return False
            self._event_ids.add(event_id)
        if self.journal:
            self.journal([list(astuple(event)), user_id, event_id])
        session = event.session_id
        if user_id is not None:
            self._session_users[session] = user_id
            self._by_user.setdefault(user_id, {}).update(self._by_session.pop(session, {}))
        user = self._session_users.get(session)
        events = self._by_session.setdefault(session, {}) if user is None else self._by_user.setdefault(user, {})
        return events.setdefault(event.identity, event) is event

    def put_again(self, row: Sequence[Any]) -> None:
        """Take up what the journal got."""
        if row[0] == _FORGET:
            self._forget_put(set(row[1]))
            return
        event, user_id, event_id = row
        self.put(PutEvent(*event), user_id=user_id, event_id=event_id)

    def forget(self, user_ids: Collection[str]) -> int:
        """Remove all that users have done; ``importing`` must be held.

        :returns: how many rows that were.
        """
        before = len(self)
        places = [place for place in map(self._place, user_ids) if place is not None]
        if places:
            self.commit(_where(self._bulk, ~np.isin(self._users.codes, places)))
        if self.journal:
            self.journal([_FORGET, sorted(user_ids)])
        self._forget_put(set(user_ids))
        return before - len(self)

    def _forget_put(self, user_ids: set[str]) -> None:
        for user_id in user_ids:
            self._by_user.pop(user_id, None)
        self._session_users = {session: user for session, user in self._session_users.items() if user not in user_ids}

    def history(self, user_id: str) -> list[Event]:
        """List the events of a user, or of a session whose user is not known; newest last."""
        place = self._place(user_id)
        events = [] if place is None else self._bulk_history(place)
        put = [*self._by_user.get(user_id, {}).values(), *self._by_session.get(user_id, {}).values()]
        if put:
            events += [Event(event.item_id, event.event_type, float(event.timestamp)) for event in put]
            events.sort(key=lambda event: event.timestamp)
        return events

    def put_events(self) -> list[Event]:
        """List the events of all users that came one by one, in any order."""
        return [
            Event(event.item_id, event.event_type, float(event.timestamp))
            for _, events in self._put()
            for event in events.values()
        ]

    def _place(self, user_id: str) -> int | None:
        return place_of(user_id, self._users.values)

    def _bulk_history(self, place: int) -> list[Event]:
        rows = slice(int(self._ends[place - 1]) if place else 0, int(self._ends[place]))
        types = self._bulk.get("EVENT_TYPE")
        kinds = itertools.repeat(None) if types is None else _decoded(types, rows).tolist()
        items = _decoded(self._bulk[self._item_column], rows).tolist()
        times = _decoded(self._bulk["TIMESTAMP"], rows).astype(np.float64).tolist()
        return [Event(*row) for row in zip(items, kinds, times, strict=False)]

    def _put(self) -> Iterator[tuple[str, Mapping[Identity, PutEvent]]]:
        return itertools.chain(self._by_user.items(), self._by_session.items())

    def interactions(self) -> Interactions:
        """All rows, those that came one by one included."""
        users, items = (self._numbered(name) for name in ("USER_ID", self._item_column))
        interactions = Interactions(
            users.decoded(),
            items.decoded(),
            self.column("TIMESTAMP"),
            self.column("EVENT_TYPE") if self._has("EVENT_TYPE") else None,
            self.column("EVENT_VALUE").astype(np.float64) if self._has("EVENT_VALUE") else None,
            {name: self.column(name) for name in self._metadata()},
        )
        # they would be numbered again, which takes longer than training
        vars(interactions).update(users=users, items=items)
        return interactions

    def column(self, name: str) -> Array:
        """The values of one column, one per row and in the order of :meth:`interactions`.

        Numbers are an array of numbers (NaN is null) where all rows have one, else objects (``None`` is null).
        """
        bulk = self._bulk.get(name)
        if isinstance(bulk, Coded):
            return self._numbered(name).decoded()
        put = self._put_column(name)
        if bulk is None:
            bulk = np.full(len(self._users.codes), None, dtype=object)
        if name == "TIMESTAMP":
            return np.concatenate([bulk.astype(np.int64), np.array(put, dtype=np.int64)])
        if bulk.dtype.kind == "f" or name == "EVENT_VALUE":
            put = [np.nan if value is None else value for value in put]
        if name == "EVENT_VALUE" or (put and bulk.dtype.kind in "if" and None not in put):
            return np.concatenate([bulk.astype(np.float64), np.array(put, dtype=np.float64)])
        return np.concatenate([bulk.astype(object), objects(put)]) if put else bulk

    def _metadata(self) -> list[str]:
        put = (name for _, events in self._put() for event in events.values() for name in event.values)
        return [name for name in dict.fromkeys([*self._bulk, *put]) if name not in _NO_METADATA]

    def _numbered(self, name: str) -> Coded:
        bulk, put = self._bulk.get(name), self._put_column(name)
        parts = [bulk if isinstance(bulk, Coded) else nulls(len(self._users.codes))]
        return concatenated([*parts, numbered(put)] if put else parts)

    def _put_column(self, name: str) -> list[Any]:
        if name == "USER_ID":
            return [user for user, events in self._put() for _ in events]
        events = [event for _, events in self._put() for event in events.values()]
        if name == self._item_column:
            return [event.item_id for event in events]
        if name in _IN_MEMBERS:
            return [getattr(event, name.lower()) for event in events]
        return [event.values.get(name) for event in events]

    def _has(self, name: str) -> bool:
        return name in self._bulk or any(value is not None for value in self._put_column(name))

    def export(self, columns: Sequence[Column], origin: Origin) -> dict[str, Array]:
        """The rows by column, identical ones once."""
        bulk, every = len(self._users.codes), len(self)
        found = {column.name: self.column(column.name) for column in columns}
        if origin != "ALL":
            chosen = slice(0, bulk) if origin == "BULK" else slice(bulk, every)
            return {name: values[chosen] for name, values in found.items()}
        if bulk and every > bulk:
            fresh = self._not_in_bulk(found, bulk)
            found = {name: values[fresh] for name, values in found.items()}
        return found

    @staticmethod
    def _not_in_bulk(columns: Mapping[str, Array], bulk: int) -> Mask:
        """Find the rows that came one by one and are not among the imported ones; these all count."""
        rows = len(next(iter(columns.values())))
        put = {tuple(_comparable(values[row]) for values in columns.values()): row for row in range(bulk, rows)}
        fresh = np.ones(rows, dtype=np.bool_)
        users = {identity[0] for identity in put}
        first = next(iter(columns.values()))
        for row in np.flatnonzero([value in users for value in first[:bulk]]):
            same = put.get(tuple(_comparable(values[row]) for values in columns.values()))
            if same is not None:
                fresh[same] = False
        return fresh


@dataclass(frozen=True)
class _PutRow:
    number: int
    values: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class _View:
    columns: tuple[Column, ...]
    table: Table


class EntityContents:
    """The rows of an Items, Users or Actions dataset: one per id, the last one that came.

    :param id_column: the column that identifies a row.
    :ivar importing: held from ``prepare`` to ``commit``.
    :ivar bulk_version: another number whenever :meth:`arrays` would give something else.
    :ivar journal: gets each row that comes one by one, for :meth:`put_again`.
    """

    def __init__(self, id_column: str) -> None:
        self.importing = threading.Lock()
        self.bulk_version = 0
        self.journal: Journal | None = None
        self._id_column = id_column
        self._bulk: dict[str, Array] = {}
        self._ids: Array = np.empty(0, dtype=object)
        self._numbers: Integers = np.empty(0, dtype=np.int64)
        self._put: dict[str, _PutRow] = {}
        self._counting = threading.Lock()
        self._count = 0
        self._latest_view: _View | None = None

    @property
    def has_bulk(self) -> bool:
        """Whether anything was imported."""
        return bool(self._bulk)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self._ids) + sum(self._place(id_) is None for id_ in self._put)

    def prepare(self, columns: Columns, *, replace: bool) -> Columns:
        """Do what takes time: join with the rows there are, and keep the last of each id; sorted by id."""
        joined: Columns = {**columns, "": np.full(row_count(columns), self._next_number(), dtype=np.int64)}
        if not replace and self._bulk:
            joined = _join({**self._bulk, "": self._numbers}, joined)
        ids = _coded(joined[self._id_column])
        last = np.zeros(len(ids.values), dtype=np.int64)
        last[ids.codes] = np.arange(len(ids.codes))
        return {name: column[last] for name, column in _whole(joined).items()}

    def commit(self, columns: Columns) -> None:
        """Make prepared rows the imported rows."""
        self._bulk = _whole(columns)
        self._numbers = self._bulk.pop("")
        self._ids = self._bulk[self._id_column]
        self._latest_view = None
        self.bulk_version += 1

    def arrays(self) -> dict[str, Array]:
        """Give the imported rows; they are not changed in place."""
        return {**self._bulk, "": self._numbers} if self._bulk else {}

    def restore(self, arrays: Mapping[str, Array]) -> None:
        """Take up what :meth:`arrays` gave, in empty contents."""
        if arrays:
            self.commit(arrays)
            self._count = int(self._numbers.max(initial=0))

    def _next_number(self) -> int:
        """Tell later rows from earlier ones; imports come from other threads than rows that come one by one."""
        with self._counting:
            self._count += 1
            return self._count

    def put(self, id_: str, values: Mapping[str, Any]) -> None:
        """Take up one row, in place of the one with this id."""
        number = self._next_number()
        if self.journal:
            self.journal([number, id_, dict(values)])
        self._put[id_] = _PutRow(number, values)
        self._latest_view = None

    def put_again(self, row: Sequence[Any]) -> None:
        """Take up what the journal got; it stays older or newer than what was imported."""
        if row[0] == _FORGET:
            self._forget_put(row[1])
            return
        number, id_, values = row
        self._put[id_] = _PutRow(number, values)
        with self._counting:
            self._count = max(self._count, number)
        self._latest_view = None

    def forget(self, ids: Collection[str]) -> int:
        """Remove the rows of these ids; ``importing`` must be held.

        :returns: how many rows that were.
        """
        before = len(self)
        places = [place for place in map(self._place, ids) if place is not None]
        if places:
            kept = np.ones(len(self._ids), dtype=np.bool_)
            kept[places] = False
            self.commit({name: column[kept] for name, column in self.arrays().items()})
        if self.journal:
            self.journal([_FORGET, sorted(ids)])
        self._forget_put(ids)
        return before - len(self)

    def _forget_put(self, ids: Collection[str]) -> None:
        for id_ in ids:
            self._put.pop(id_, None)
        self._latest_view = None

    def table(self, columns: tuple[Column, ...]) -> Table:
        """All rows, with the columns of the dataset's schema. It is the same object until something changes."""
        return self._view(columns).table

    def row(self, columns: tuple[Column, ...], id_: str) -> dict[str, Any] | None:
        """The row of an id, by column name; ``None`` if there is none.

        It does not need the whole table, which takes a while to make after each row that comes.
        """
        place, put = self._place(id_), self._put.get(id_)
        if put and (place is None or self._numbers[place] < put.number):
            values = put.values
        elif place is not None:
            values = {name: column[place] for name, column in self._bulk.items()}
        else:
            return None
        return {
            column.name: _number(values.get(column.name)) if column.numeric else values.get(column.name)
            for column in columns
            if column.name != self._id_column
        }

    def export(self, columns: Sequence[Column], origin: Origin) -> dict[str, Array]:
        """The rows by column, the newest of each id."""
        table = self._merge(columns, origin)
        return {
            column.name: table.ids if column.name == self._id_column else table.columns[column.name]
            for column in columns
        }

    def _place(self, id_: str) -> int | None:
        return place_of(id_, self._ids)

    def _view(self, columns: tuple[Column, ...]) -> _View:
        view = self._latest_view
        if view is None or view.columns != columns:
            view = self._latest_view = _View(columns, self._merge(columns, "ALL"))
        return view

    def _merge(self, columns: Sequence[Column], origin: Origin) -> Table:
        newer: dict[str, _PutRow] = {}
        kept = np.full(len(self._ids), origin != "PUT")
        for id_, put in self._put.items() if origin != "BULK" else ():
            place = self._place(id_)
            if place is None or origin == "PUT" or self._numbers[place] < put.number:
                newer[id_] = put
                if place is not None:
                    kept[place] = False
        merged = {}
        for column in columns:
            if column.name == self._id_column:
                continue
            missing = np.nan if column.numeric else None
            bulk = self._bulk.get(column.name, np.full(len(kept), missing, dtype=object))[kept]
            added = [put.values.get(column.name, missing) for put in newer.values()]
            values = np.concatenate([bulk.astype(object), objects(added)])
            merged[column.name] = values.astype(np.float64) if column.numeric else values
        return Table(
            np.concatenate([self._ids[kept], objects(list(newer))]),
            merged,
            frozenset(column.name for column in columns if column.categorical),
            frozenset(column.name for column in columns if column.textual or column.item_name),
        )


_WITH_MEANING = frozenset(
    {"USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE", "IMPRESSION", "RECOMMENDATION_ID"}
)

DatasetContents: TypeAlias = InteractionsContents | EntityContents


def new_contents(dataset_type: str) -> DatasetContents:
    """Make the contents of a new dataset.

    :param dataset_type: in upper case.
    """
    *users, id_column = ID_COLUMNS[dataset_type]
    return InteractionsContents(id_column) if users else EntityContents(id_column)


def _number(value: Any) -> float:
    return np.nan if value is None else float(value)


def _coded(column: Array | Coded) -> Coded:
    return column if isinstance(column, Coded) else numbered(column)


def _decoded(column: Array | Coded, rows: slice) -> Array:
    return column.values[column.codes[rows]] if isinstance(column, Coded) else column[rows]


def _whole(columns: Columns) -> dict[str, Array]:
    return {name: column.decoded() if isinstance(column, Coded) else column for name, column in columns.items()}


def _where(columns: Columns, rows: Array) -> dict[str, Array | Coded]:
    return {name: column.where(rows) if isinstance(column, Coded) else column[rows] for name, column in columns.items()}


def _join(first: Columns, second: Columns) -> dict[str, Array | Coded]:
    """Put rows below rows; a column that one of them lacks is null there."""
    lengths = [row_count(part) for part in (first, second)]
    return {
        name: below([_part(name, first, second, lengths[0]), _part(name, second, first, lengths[1])])
        for name in {**first, **second}
    }


def _part(name: str, part: Columns, other: Columns, length: int) -> Array | Coded:
    if name in part:
        return part[name]
    like = other[name]
    if isinstance(like, Coded):
        return nulls(length)
    return np.full(
        length, np.nan if like.dtype.kind in "if" else None, dtype=float if like.dtype.kind in "if" else object
    )


def row_count(columns: Columns) -> int:
    """Count the rows."""
    first = next(iter(columns.values()))
    return len(first.codes if isinstance(first, Coded) else first)


def below(parts: Sequence[Array | Coded]) -> Array | Coded:
    """Put the parts of a column below each other."""
    if any(isinstance(part, Coded) for part in parts):
        return concatenated([_coded(part) for part in parts])
    arrays = [part for part in parts if isinstance(part, np.ndarray)]
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _sorted_and_unique(columns: Columns, ids: Sequence[str]) -> dict[str, Array | Coded]:
    """Sort by user and time, rows of the same second in the order they came in, and drop rows that came before."""
    columns = {**columns, **{name: _coded(columns[name]) for name in ids}}
    users, times = _coded(columns["USER_ID"]).codes, _decoded(columns["TIMESTAMP"], slice(None))
    order = _order(users, times)
    same = (users[order[1:]] == users[order[:-1]]) & (times[order[1:]] == times[order[:-1]])
    if same.any():
        # rows can be identical only where user and time are
        suspects = order[np.concatenate([same, [False]]) | np.concatenate([[False], same])]
        doubles = _doubles([_sortable(column) for column in _where(columns, suspects).values()])
        if doubles.any():
            gone = np.zeros(len(order), dtype=np.bool_)
            gone[suspects[doubles]] = True
            order = order[~gone[order]]
    return _where(columns, order)


def _order(users: Array, times: Array) -> Integers:
    """Sort by user, then by time."""
    if not len(times):
        return np.empty(0, dtype=np.int64)
    first = int(times.min())
    span = int(times.max()) - first + 1
    if span * (int(users.max()) + 1) < 2**63:
        return _order_of(users.astype(np.int64) * span + (times - first))
    return np.lexsort((times, users))


def _order_of(keys: Integers) -> Integers:
    """Sort numbers that are not negative, those that are equal in the order they came in.

    NumPy sorts numbers of 16 bits in linear time, so several passes of these take half as long as one of 64.
    """
    order: Integers = np.argsort((keys & 0xFFFF).astype(np.uint16), kind="stable")
    for shift in range(16, int(keys.max()).bit_length(), 16):
        digits = ((keys >> shift) & 0xFFFF).astype(np.uint16)
        order = order[np.argsort(digits[order], kind="stable")]
    return order


def _doubles(columns: Sequence[Array]) -> Mask:
    """Find the rows that are identical to an earlier one."""
    order = np.lexsort(tuple(columns))
    same = np.ones(max(len(order) - 1, 0), dtype=np.bool_)
    for column in columns:
        same &= column[order[1:]] == column[order[:-1]]
    doubles = np.zeros(len(order), dtype=np.bool_)
    doubles[order[1:]] = same
    return doubles


def _sortable(column: Array | Coded) -> Array:
    """Numbers that are the same where values are, nulls included."""
    if isinstance(column, Coded):
        return column.codes
    if column.dtype.kind == "f":
        return (column + 0.0).view(np.int64)
    if column.dtype == object:
        return numbered([None if value is None else str(value) for value in column]).codes
    return column


def _comparable(value: Any) -> object:
    return None if isinstance(value, float) and np.isnan(value) else value
