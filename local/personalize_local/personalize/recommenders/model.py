"""What every trained model can do: recommend, and be written to a file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from threadpoolctl import threadpool_limits

from personalize_local.personalize.recommenders.data import (
    Array,
    Event,
    Floats,
    Integers,
    Mask,
    Recommendation,
    Request,
)

Allowed = Callable[[Array], Mask]
"""Tells for an array of item ids which of them may be recommended."""

NOTHING_KNOWN = Request()

_KINDS: dict[str, type[Model]] = {}


class Model(ABC):
    """A trained model: a probability for every item of its catalogue, given what a user has done.

    :param item_ids: the catalogue, as an array of strings.
    """

    kind: ClassVar[str]

    def __init_subclass__(cls) -> None:
        """Make the kind known to :func:`load`."""
        super().__init_subclass__()
        if "kind" in vars(cls):
            _KINDS[cls.kind] = cls

    def __init__(self, item_ids: Array) -> None:
        self.item_ids = np.asarray(item_ids, dtype=object)

    @abstractmethod
    def probabilities(self, request: Request) -> Floats:
        """Give every item of the catalogue a probability; they sum to 1.

        :param request: items outside the catalogue are passed over.
        """

    @abstractmethod
    def arrays(self) -> dict[str, Array]:
        """Give what :meth:`from_arrays` needs beside the catalogue; no arrays of objects."""

    @classmethod
    @abstractmethod
    def from_arrays(cls, item_ids: Array, arrays: Mapping[str, Array]) -> Self:
        """Build the model again from what :meth:`arrays` gave."""

    def recommend(
        self, request: Request = NOTHING_KNOWN, *, allowed: Allowed | None = None, count: int = 25
    ) -> list[Recommendation]:
        """Recommend items, best first, with scores that sum to 1 over the whole catalogue.

        Items that the user has already dealt with are recommended too: leaving them out is the job of a filter.

        :param request: for whom. Default: - for a user without history.
        :param allowed: which items a filter lets through. Default: - all.
        :param count: how many items at most. Default: - 25
        """
        scores = self.probabilities(request)
        candidates = np.flatnonzero(allowed(self.item_ids)) if allowed else np.arange(len(scores))
        best = candidates[best_of(scores[candidates], count)]
        return [Recommendation(self.item_ids[item], float(scores[item])) for item in best]

    def place(self, item_id: str) -> int | None:
        """Find an item's place in the catalogue; ``None`` if it is not in there."""
        return self._place_by_id.get(item_id)

    def positions(self, history: Sequence[Event]) -> Integers:
        """Give the places in the catalogue of the items of a history, newest event first."""
        newest_first = sorted(history, key=lambda event: event.timestamp, reverse=True)
        places = (self._place_by_id.get(event.item_id) for event in newest_first)
        return np.array([place for place in places if place is not None], dtype=np.int64)

    def save(self, path: Path) -> None:
        """Write the model to a ``.npz`` file that holds plain arrays only.

        :param path: the file, overwritten if it exists.
        """
        with path.open("wb") as file:
            parts = {"kind": np.array(self.kind), "item_ids": self.item_ids.astype(str), **self.arrays()}
            np.savez(file, allow_pickle=False, **parts)

    @cached_property
    def _place_by_id(self) -> dict[str, int]:
        return {item_id: place for place, item_id in enumerate(self.item_ids)}


def load(path: Path) -> Model:
    """Read a model that :meth:`Model.save` wrote.

    :param path: the ``.npz`` file.
    :raises ValueError: if the file holds no model of a kind known here.
    """
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    kind = str(arrays.pop("kind", ""))
    if kind not in _KINDS:
        raise ValueError(f"{path} must hold a model of kind {', '.join(sorted(_KINDS))}, got {kind!r}; train again")
    # one request is too little for several threads, which then wait for each other: a millisecond becomes ten
    threadpool_limits(limits=1, user_api="blas")
    return _KINDS[kind].from_arrays(arrays.pop("item_ids"), arrays)


def softmax(logits: Floats) -> Floats:
    """Turn logits into probabilities that sum to 1."""
    powers = np.exp(logits - logits.max())
    result: Floats = powers / powers.sum()
    return result


def best_of(scores: Floats, count: int) -> Integers:
    """Find the highest scores, in order; equal ones by their place, so that answers repeat."""
    if count <= 0 or not len(scores):
        return np.empty(0, dtype=np.int64)
    if count < len(scores):
        threshold = np.partition(scores, -count)[-count]
        above = np.flatnonzero(scores > threshold)
        ties = np.flatnonzero(scores == threshold)[: count - len(above)]
        chosen = np.sort(np.concatenate([above, ties]))
    else:
        chosen = np.arange(len(scores))
    result: Integers = chosen[np.argsort(-scores[chosen], kind="stable")]
    return result
