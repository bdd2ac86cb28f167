"""Trending now: items whose events increase fastest.

Stands for aws-trending-now and the use case of that name. See
https://docs.aws.amazon.com/personalize/latest/dg/native-recipe-trending-now.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np

from personalize_local.personalize.recommenders.data import (
    Array,
    Event,
    Floats,
    Integers,
    Recommendation,
    Request,
    TrainingData,
)
from personalize_local.personalize.recommenders.encoding import Sequences
from personalize_local.personalize.recommenders.model import NOTHING_KNOWN, Allowed, Model

FREQUENCY = "2 hours"
SECONDS: Mapping[str, int] = {
    "30 minutes": 1800,
    "1 hour": 3600,
    "2 hours": 2 * 3600,
    "3 hours": 3 * 3600,
    "1 day": 24 * 3600,
}
"""Intervals by what ``trend_discovery_frequency`` calls them."""

INTERVALS = 4
"""How many intervals are looked at: the newest, and those before that tell what is usual."""

_POPULAR_SHARE = 0.01


class TrendingModel(Model):
    """Compares the newest interval with those before it; the time is that of the newest event.

    :param item_ids: the catalogue.
    :param counts: how many events each item has.
    :param seconds: the length of an interval.
    :param items: the items of the events of the newest intervals.
    :param times: when these were.
    """

    kind = "trending"

    def __init__(self, item_ids: Array, counts: Floats, seconds: int, items: Integers, times: Integers) -> None:
        super().__init__(item_ids)
        self._counts = counts
        self._seconds = seconds
        self._items = items
        self._times = times
        self._grown: tuple[tuple[str, ...], TrendingModel] | None = None

    @property
    def newest(self) -> float:
        """The time of the newest event of training."""
        return float(self._times.max())

    def probabilities(self, request: Request) -> Floats:
        """Share probability out by the rate of increase; what does not increase gets a little, by popularity.

        Where nothing increases, popularity is all.
        """
        items, times = self._with(request.recent)
        trend = rates_of_increase(items, times, self._seconds, len(self.item_ids))
        popularity: Floats = self._counts / self._counts.sum()
        if not trend.any():
            return popularity
        result: Floats = (1 - _POPULAR_SHARE) * trend / trend.sum() + _POPULAR_SHARE * popularity
        return result

    def recommend(
        self, request: Request = NOTHING_KNOWN, *, allowed: Allowed | None = None, count: int = 25
    ) -> list[Recommendation]:
        """Recommend, taking up items that came with events after training."""
        grown = self._grown_by(request.recent)
        return super(TrendingModel, grown).recommend(request, allowed=allowed, count=count)

    def _grown_by(self, recent: Sequence[Event]) -> TrendingModel:
        new = tuple(dict.fromkeys(event.item_id for event in recent if event.item_id not in self._place_by_id))
        if not new:
            return self
        # kept, since filters remember catalogues by their identity
        if self._grown is None or self._grown[0] != new:
            item_ids = np.concatenate([self.item_ids, np.array(new, dtype=object)])
            counts = np.concatenate([self._counts, np.zeros(len(new))])
            self._grown = (new, TrendingModel(item_ids, counts, self._seconds, self._items, self._times))
        return self._grown[1]

    def _with(self, recent: Sequence[Event]) -> tuple[Integers, Integers]:
        """Add the events after training; those that are not newer were part of it."""
        newest = self.newest
        later = [
            (self._place_by_id[event.item_id], int(event.timestamp)) for event in recent if event.timestamp > newest
        ]
        if not later:
            return self._items, self._times
        items, times = (np.array(column, dtype=np.int64) for column in zip(*later, strict=True))
        return np.concatenate([self._items, items]), np.concatenate([self._times, times])

    def arrays(self) -> dict[str, Array]:
        """Give the counts, and the newest events."""
        return {
            "counts": self._counts,
            "seconds": np.array(self._seconds),
            "items": self._items,
            "times": self._times,
        }

    @classmethod
    def from_arrays(cls, item_ids: Array, arrays: Mapping[str, Array]) -> Self:
        """Build the model from its arrays."""
        return cls(item_ids, arrays["counts"], int(arrays["seconds"]), arrays["items"], arrays["times"])


def train_trending(data: TrainingData) -> Model:
    """Keep the events of the newest intervals, whose length ``trend_discovery_frequency`` tells.

    :raises ValueError: if that is none of :data:`SECONDS`.
    """
    sequences = Sequences.of(data.interactions)
    seconds = interval_of(data.hyper_parameters)
    times = data.interactions.timestamps
    places = data.interactions.items.codes.astype(np.int64)
    kept = times > times.max() - INTERVALS * seconds
    return TrendingModel(sequences.item_ids, sequences.counts, seconds, places[kept], times[kept])


def interval_of(hyper_parameters: Mapping[str, str]) -> int:
    """Read the length of an interval in seconds.

    :raises ValueError: if it is none of :data:`SECONDS`.
    """
    frequency = hyper_parameters.get("trend_discovery_frequency", FREQUENCY)
    if frequency not in SECONDS:
        raise ValueError(f"trend_discovery_frequency must be one of {', '.join(SECONDS)}, got {frequency!r}")
    return SECONDS[frequency]


def rates_of_increase(items: Integers, times: Integers, seconds: int, size: int) -> Floats:
    """Measure for each item how far the newest interval exceeds what is usual; 0 where it does not.

    An excess is measured by how much such counts vary by chance, so that three events instead of one are not taken
    for a bigger trend than thirty instead of twenty.

    :param items: places of the items of the events.
    :param size: how many items there are.
    """
    age = (times.max() - times) // seconds
    counts = np.array([np.bincount(items[age == number], minlength=size) for number in range(INTERVALS)], dtype=float)
    usual = counts[1:].mean(axis=0)
    rates: Floats = np.maximum(counts[0] - usual, 0) / np.sqrt(usual + 1)
    return rates
