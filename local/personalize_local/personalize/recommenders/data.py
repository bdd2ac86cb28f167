"""What recommenders learn from: interactions, and the tables of items and users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.floating[Any]]
Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]


class Event(NamedTuple):
    """One event of one user.

    :param item_id: the item (for filters on users or actions: that user or action).
    :param event_type: as the client sent it; ``None`` in a dataset without event types.
    :param timestamp: Unix time in seconds.
    """

    item_id: str
    event_type: str | None = None
    timestamp: float = 0


@dataclass(frozen=True, eq=False)
class Coded:
    """A column of strings as numbers, which take little room and are quick to sort and to hand over.

    :param values: each different string once, sorted; ``None`` first, if it is there.
    :param codes: per row, the place of its string in ``values``.
    """

    values: Array
    codes: Codes

    @classmethod
    def of(cls, column: Array) -> Coded:
        """Number the strings of a column."""
        rows = column.tolist()
        values = sorted(set(rows), key=lambda value: (value is not None, value))
        place = {value: number for number, value in enumerate(values)}
        codes = np.fromiter(map(place.__getitem__, rows), dtype=np.int32, count=len(rows))
        return cls(np.array(values, dtype=object), codes)

    def where(self, rows: Array) -> Coded:
        """Take some rows; strings that are then gone have no number any more.

        :param rows: a mask, or row numbers.
        """
        codes = self.codes[rows]
        used = np.bincount(codes, minlength=len(self.values)) > 0
        if used.all():
            return Coded(self.values, codes)
        renumbered = np.cumsum(used, dtype=np.int32) - np.int32(1)
        return Coded(self.values[used], renumbered[codes])

    def decoded(self) -> Array:
        """The column as it was."""
        return self.values[self.codes]


@dataclass(frozen=True, eq=False)
class Interactions:
    """The rows of an Interactions dataset, column by column, in any order.

    :param user_ids: one id per row.
    :param item_ids: one id per row.
    :param timestamps: Unix time in seconds.
    :param event_types: Default: - the dataset has no event types.
    :param event_values: NaN where a row has none. Default: - the dataset has no event values.
    :param columns: contextual metadata, as the columns of a :class:`Table` are. Default: - none.
    """

    user_ids: Array
    item_ids: Array
    timestamps: Integers
    event_types: Array | None = None
    event_values: Floats | None = None
    columns: Mapping[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Accept plain sequences, and refuse columns of different lengths."""
        for name in _IDS:
            object.__setattr__(self, name, np.asarray(vars(self)[name], dtype=object))
        object.__setattr__(self, "timestamps", np.asarray(self.timestamps, dtype=np.int64))
        if self.event_types is not None:
            object.__setattr__(self, "event_types", np.asarray(self.event_types, dtype=object))
        if self.event_values is not None:
            object.__setattr__(self, "event_values", np.asarray(self.event_values, dtype=np.float64))
        object.__setattr__(self, "columns", {name: _column(values) for name, values in self.columns.items()})
        named = {**vars(self), **self.columns}
        lengths = {name: len(values) for name, values in named.items() if isinstance(values, np.ndarray)}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"the columns of the interactions must be of one length, got {lengths}")

    @classmethod
    def coded(
        cls,
        users: Coded,
        items: Coded,
        timestamps: Integers,
        event_types: Array | None = None,
        event_values: Floats | None = None,
        columns: Mapping[str, Array] | None = None,
    ) -> Interactions:
        """Make interactions whose ids are numbers already; they become strings when somebody looks at them."""
        made = cls.__new__(cls)
        vars(made).update(
            users=users,
            items=items,
            timestamps=timestamps,
            event_types=event_types,
            event_values=event_values,
            columns=columns or {},
        )
        return made

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Array:
            """Make strings of ids that are numbers."""
            if name not in _IDS:
                raise AttributeError(name)
            return vars(self).setdefault(name, vars(self)[_IDS[name]].decoded())

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.timestamps)

    @cached_property
    def users(self) -> Coded:
        """The users, as numbers."""
        return Coded.of(self.user_ids)

    @cached_property
    def items(self) -> Coded:
        """The items, as numbers."""
        return Coded.of(self.item_ids)

    def where(self, rows: Array) -> Interactions:
        """Take some rows.

        :param rows: a mask, or row numbers.
        """
        return Interactions.coded(
            self.users.where(rows),
            self.items.where(rows),
            self.timestamps[rows],
            None if self.event_types is None else self.event_types[rows],
            None if self.event_values is None else self.event_values[rows],
            {name: values[rows] for name, values in self.columns.items()},
        )

    def with_columns(self, columns: Mapping[str, Array]) -> Interactions:
        """Put other contextual metadata in the place of what there is."""
        return Interactions.coded(self.users, self.items, self.timestamps, self.event_types, self.event_values, columns)

    def __getstate__(self) -> dict[str, Any]:
        """Hand numbers over in place of strings, which take long to pickle and lose what they share."""
        return {
            "users": self.users,
            "items": self.items,
            "timestamps": self.timestamps,
            "event_types": _coded(self.event_types),
            "event_values": self.event_values,
            "columns": {name: _coded(values) for name, values in self.columns.items()},
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over what :meth:`__getstate__` gave."""
        columns = {name: _decoded(values) for name, values in state["columns"].items()}
        vars(self).update({**state, "event_types": _decoded(state["event_types"]), "columns": columns})


_IDS = {"user_ids": "users", "item_ids": "items"}


@dataclass(frozen=True, eq=False)
class Table:
    """The rows of an Items or Users dataset, column by column.

    :param ids: one id per row, each once.
    :param columns: column name to values, one per row: numbers as an array of floats (NaN is null), strings as
        an array of objects (``None`` is null).
    :param categorical: the names of the string columns whose values are categories separated by ``|``. Other
        string columns are not trained on. Default: - none.
    :param textual: the names of the string columns that hold text: descriptions and names. Default: - none.
    """

    ids: Array
    columns: Mapping[str, Array] = field(default_factory=dict)
    categorical: frozenset[str] = frozenset()
    textual: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Accept plain sequences, and refuse columns of different lengths."""
        object.__setattr__(self, "ids", np.asarray(self.ids, dtype=object))
        object.__setattr__(self, "columns", {name: _column(values) for name, values in self.columns.items()})
        for name, values in self.columns.items():
            if len(values) != len(self.ids):
                raise ValueError(f"column {name} must have {len(self.ids)} values, one per id, got {len(values)}")

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.ids)


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What a model is trained from.

    :param items: the Items dataset. Default: - there is none.
    :param users: the Users dataset. Default: - there is none.
    :param actions: the Actions dataset. Default: - there is none.
    :param action_interactions: actions stand where items do. Default: - there is no such dataset.
    :param weights: how much each row of the interactions counts. Default: - all the same.
    :param hyper_parameters: the recipe's own, as strings, as in the API. Default: - the recipe's defaults.
    :param objective: the Items column to optimize for, and its sensitivity (``LOW``, ``MEDIUM``, ``HIGH`` or
        ``OFF``). Default: - relevance alone.
    :param seed: for what is random in training. Default: - 0
    """

    interactions: Interactions
    items: Table | None = None
    users: Table | None = None
    actions: Table | None = None
    action_interactions: Interactions | None = None
    weights: Floats | None = None
    hyper_parameters: Mapping[str, str] = field(default_factory=dict)
    objective: tuple[str, str] | None = None
    seed: int = 0


@dataclass(frozen=True)
class Exploration:
    """How much to show of items that little is known about.

    :param weight: 0 for none to 1 for as much as there is.
    :param age_cut_off: the age in days up to which items are new.
    :param now: what ages are counted from, Unix time in seconds. Default: - the newest interaction trained on.
    """

    weight: float
    age_cut_off: float = 30.0
    now: float | None = None


@dataclass(frozen=True, eq=False)
class Request:
    """What a recommendation is asked for.

    :param history: what the user has done, in any order. Default: - nothing.
    :param item_id: the item that others shall go with. Default: - none is asked about.
    :param user: what the Users dataset says of the user, by column. Default: - nothing.
    :param context: contextual metadata of the request, by Interactions column. Default: - none.
    :param exploration: Default: - none: new items are ranked by what they are like, and by nothing else.
    :param items: the Items dataset as it is now, for items that came after training; hand over the same object as
        long as it has not changed. Default: - nothing came after training.
    :param influence: how much ``POPULARITY`` and ``FRESHNESS`` count, 0 to 1, where the recipe takes it. Default: -
        not at all.
    :param recent: events of all users that came after training, in any order, for recipes that follow them. Default:
        - none.
    :param action_history: what the user has done with actions, in any order. Default: - nothing.
    """

    history: Sequence[Event] = ()
    item_id: str | None = None
    user: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, str] = field(default_factory=dict)
    exploration: Exploration | None = None
    items: Table | None = None
    influence: Mapping[str, float] = field(default_factory=dict)
    recent: Sequence[Event] = ()
    action_history: Sequence[Event] = ()


class Recommendation(NamedTuple):
    """One recommended item.

    :param reasons: why it is there, where the recipe tells.
    """

    item_id: str
    score: float
    reasons: tuple[str, ...] = ()


def _column(values: Sequence[Any] | Array) -> Array:
    """Numbers become floats; whatever else there is stays as it is."""
    array = values if isinstance(values, np.ndarray) else np.asarray(values, dtype=object)
    if array.dtype.kind in "biuf":
        return array.astype(np.float64)
    if len(array) and all(value is None or isinstance(value, (int, float)) for value in array):
        return np.array([np.nan if value is None else value for value in array], dtype=np.float64)
    return array.astype(object)


def _coded(values: Array | None) -> Array | Coded | None:
    return Coded.of(values) if values is not None and values.dtype.kind == "O" else values


def _decoded(values: Array | Coded | None) -> Array | None:
    return values.decoded() if isinstance(values, Coded) else values


def select_events(
    interactions: Interactions, *, event_type: str | None = None, event_value_threshold: float | None = None
) -> Interactions:
    """Keep the rows that a solution trains on.

    See https://docs.aws.amazon.com/personalize/latest/dg/event-values-types.html

    :param event_type: keep this type only; upper and lower case are different. Default: - every type.
    :param event_value_threshold: keep values at or above this; rows without a value go. Default: - every value.
    :raises ValueError: if the interactions have no column to select by.
    """
    return interactions.where(selects(interactions, event_type, event_value_threshold))


def selects(interactions: Interactions, event_type: str | None, event_value_threshold: float | None) -> Mask:
    """Tell which rows :func:`select_events` keeps."""
    selected = np.ones(len(interactions), dtype=np.bool_)
    if event_type is not None:
        if interactions.event_types is None:
            raise ValueError(f"eventType is {event_type!r}, but the interactions have no EVENT_TYPE column")
        selected &= interactions.event_types == event_type
    if event_value_threshold is not None:
        if interactions.event_values is None:
            raise ValueError(
                f"eventValueThreshold is {event_value_threshold}, but the interactions have no EVENT_VALUE column"
            )
        with np.errstate(invalid="ignore"):
            selected &= interactions.event_values >= event_value_threshold
    return selected
