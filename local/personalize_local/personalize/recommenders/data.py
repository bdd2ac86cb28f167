"""What recommenders learn from: interactions, and the tables of items and users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.floating[Any]]
Integers = npt.NDArray[np.int64]
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
class Interactions:
    """The rows of an Interactions dataset, column by column, in any order.

    :param user_ids: one id per row.
    :param item_ids: one id per row.
    :param timestamps: Unix time in seconds.
    :param event_types: Default: - the dataset has no event types.
    :param event_values: NaN where a row has none. Default: - the dataset has no event values.
    """

    user_ids: Array
    item_ids: Array
    timestamps: Integers
    event_types: Array | None = None
    event_values: Floats | None = None

    def __post_init__(self) -> None:
        """Accept plain sequences, and refuse columns of different lengths."""
        object.__setattr__(self, "user_ids", np.asarray(self.user_ids, dtype=object))
        object.__setattr__(self, "item_ids", np.asarray(self.item_ids, dtype=object))
        object.__setattr__(self, "timestamps", np.asarray(self.timestamps, dtype=np.int64))
        if self.event_types is not None:
            object.__setattr__(self, "event_types", np.asarray(self.event_types, dtype=object))
        if self.event_values is not None:
            object.__setattr__(self, "event_values", np.asarray(self.event_values, dtype=np.float64))
        lengths = {name: len(column) for name, column in vars(self).items() if column is not None}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"the columns of the interactions must be of one length, got {lengths}")

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.user_ids)

    def where(self, rows: Array) -> Interactions:
        """Take some rows.

        :param rows: a mask, or row numbers.
        """
        return Interactions(
            self.user_ids[rows],
            self.item_ids[rows],
            self.timestamps[rows],
            None if self.event_types is None else self.event_types[rows],
            None if self.event_values is None else self.event_values[rows],
        )


@dataclass(frozen=True, eq=False)
class Table:
    """The rows of an Items or Users dataset, column by column.

    :param ids: one id per row, each once.
    :param columns: column name to values, one per row: numbers as an array of floats (NaN is null), strings as
        an array of objects (``None`` is null).
    :param categorical: the names of the string columns whose values are categories separated by ``|``. Other
        string columns are not trained on. Default: - none.
    """

    ids: Array
    columns: Mapping[str, Array] = field(default_factory=dict)
    categorical: frozenset[str] = frozenset()

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
    :param objective: the Items column to optimize for, and its sensitivity. Default: - relevance alone.
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


@dataclass(frozen=True, eq=False)
class Request:
    """What a recommendation is asked for.

    :param history: what the user has done, in any order. Default: - nothing.
    :param item_id: the item that others shall go with. Default: - none is asked about.
    :param user: what the Users dataset says of the user, by column. Default: - nothing.
    :param context: contextual metadata of the request, by Interactions column. Default: - none.
    """

    history: Sequence[Event] = ()
    item_id: str | None = None
    user: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, str] = field(default_factory=dict)


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


def select_events(
    interactions: Interactions, *, event_type: str | None = None, event_value_threshold: float | None = None
) -> Interactions:
    """Keep the rows that a solution trains on.

    See https://docs.aws.amazon.com/personalize/latest/dg/event-values-types.html

    :param event_type: keep this type only; upper and lower case are different. Default: - every type.
    :param event_value_threshold: keep values at or above this; rows without a value go. Default: - every value.
    :raises ValueError: if the interactions have no column to select by.
    """
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
    return interactions.where(selected)
