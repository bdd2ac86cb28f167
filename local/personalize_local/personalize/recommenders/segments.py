"""What people in the same situation choose: by what is known of the user, and by the context of the request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np
from scipy import sparse

from personalize_local.personalize.recommenders.cold_items import MOST_NUMBERS, categories_of
from personalize_local.personalize.recommenders.data import Array, Codes, Floats, Interactions, Table

USER, CONTEXT = "user", "context"

SHRINKAGE = 50.0
"""So many events of everybody are mixed into those of a segment."""

MOST_SEGMENTS = 200
"""How many segments there may be, those with most events."""

BINS = 4
"""How many segments a numeric column makes, with as many events each."""


class Segments:
    """How much likelier each item is in a segment than it is for everybody.

    :param names: per segment, whether it is of users or of contexts, its column, and its category or bin.
    :param edges: per numeric column, by source and name, where its bins begin.
    :param ratios: per segment and item, the logarithm of how much likelier.
    """

    def __init__(self, names: Array, edges: Mapping[tuple[str, str], Floats], ratios: Floats) -> None:
        self._names = names
        self._edges = edges
        self._ratios = ratios
        self._place = {(source, column, value): place for place, (source, column, value) in enumerate(names)}

    @classmethod
    def train(cls, interactions: Interactions, weights: Floats | None, users: Table | None) -> Self:
        """Count the events of each segment.

        :param weights: of the interactions. Default: - all the same.
        :param users: the Users dataset. Default: - there is none.
        """
        edges: dict[tuple[str, str], Floats] = {}
        found: dict[tuple[str, str, str], sparse.csr_matrix] = {}
        items = len(interactions.items.values)
        for (source, name), values, rows in _columns(interactions, users):
            if values.dtype.kind == "f" and np.isfinite(values).any():
                edges[source, name] = _edges(values[np.isfinite(values)])
            labels, members = _segments(values, edges.get((source, name)))
            if not labels:
                continue
            counted = np.ones(len(rows), dtype=np.float32) if weights is None else weights.astype(np.float32)
            row_items = sparse.csr_matrix(
                (counted, (rows, interactions.items.codes)), shape=(len(values) + 1, items), dtype=np.float32
            )
            counts = members.T @ row_items[:-1]
            found |= {(source, name, label): counts[place] for place, label in enumerate(labels)}
        most = min(MOST_SEGMENTS, MOST_NUMBERS // max(items, 1))
        chosen = sorted(sorted(found, key=lambda key: (-found[key].sum(), key))[:most])
        everybody = np.bincount(interactions.items.codes, weights, minlength=items).astype(np.float64)
        names = np.array(chosen, dtype=object).reshape(len(chosen), 3)
        return cls(names, edges, _ratios([found[key] for key in chosen], everybody))

    def arranged(self, order: Array, items: int) -> Segments:
        """Put the items into another order, with further ones after them, which are as likely as elsewhere.

        :param order: the present places of the items.
        :param items: how many there are then.
        """
        ratios = np.zeros((len(self._ratios), items), dtype=np.float32)
        ratios[:, : len(order)] = self._ratios[:, order]
        return Segments(self._names, self._edges, ratios)

    def of_user(self, user: Mapping[str, Any]) -> Floats | None:
        """How much likelier each item is for such a user, as logarithms; ``None`` if nothing is known."""
        return self._sum(USER, user)

    def of_context(self, context: Mapping[str, Any]) -> Floats | None:
        """How much likelier each item is in such a context, as logarithms; ``None`` if nothing is known."""
        return self._sum(CONTEXT, context)

    def _sum(self, source: str, values: Mapping[str, Any]) -> Floats | None:
        if not len(self._names) or not values:
            return None
        labels = ((name, label) for name, value in values.items() for label in self._labels(source, name, value))
        places = [place for label in labels if (place := self._place.get((source, *label))) is not None]
        if not places:
            return None
        total: Floats = self._ratios[places].sum(axis=0)
        return total

    def _labels(self, source: str, name: str, value: Any) -> list[str]:
        edges = self._edges.get((source, name))
        if edges is None:
            return categories_of(value)
        try:
            number = float(value)
        except (TypeError, ValueError):
            return []
        return [] if np.isnan(number) else [str(int(np.searchsorted(edges, number, side="right")))]

    def arrays(self) -> dict[str, Array]:
        """Give what :meth:`from_arrays` needs."""
        return {
            "segment_names": self._names.astype(str),
            "segment_edge_names": np.array(list(self._edges), dtype=str).reshape(len(self._edges), 2),
            "segment_edges": np.array(list(self._edges.values()), dtype=np.float64).reshape(len(self._edges), BINS - 1),
            "segment_ratios": self._ratios,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """Build the segments again from what :meth:`arrays` gave."""
        names = (tuple(map(str, pair)) for pair in arrays["segment_edge_names"])
        edges = dict(zip(names, arrays["segment_edges"], strict=True))
        return cls(arrays["segment_names"], edges, arrays["segment_ratios"])  # type: ignore[arg-type]


def _columns(interactions: Interactions, users: Table | None) -> Iterable[tuple[tuple[str, str], Array, Codes]]:
    """Give the columns that make segments, and per interaction the row of the column; -1 if there is none."""
    everyone = np.arange(len(interactions), dtype=np.int32)
    for name, values in interactions.columns.items():
        yield (CONTEXT, name), values, everyone
    if users is None:
        return
    row_by_id = {user_id: row for row, user_id in enumerate(users.ids)}
    row_of = np.fromiter((row_by_id.get(user, len(users)) for user in interactions.users.values), np.int32)
    for name, values in users.columns.items():
        if name in users.categorical or values.dtype.kind == "f":
            yield (USER, name), values, row_of[interactions.users.codes]


def _edges(values: Floats) -> Floats:
    """Find where bins begin, so that none is empty; endless where there are fewer bins."""
    quantiles = np.unique(np.quantile(values, np.arange(1, BINS) / BINS))
    edges = np.full(BINS - 1, np.inf)
    inner = quantiles[quantiles > values.min()]
    edges[: len(inner)] = inner
    return edges


def _segments(values: Array, edges: Floats | None) -> tuple[list[str], sparse.csr_matrix]:
    """Tell for each row of a column which segments it is in: the names, and a matrix of rows and segments."""
    if values.dtype.kind == "f":
        if edges is None:
            return [], sparse.csr_matrix((len(values), 0))
        rows = np.flatnonzero(np.isfinite(values))
        places = np.searchsorted(edges, values[rows], side="right")
        labels = [str(place) for place in range(BINS)]
    else:
        different, codes = _numbered(values)
        place_by_label: dict[str, int] = {}
        members = [[place_by_label.setdefault(c, len(place_by_label)) for c in categories_of(v)] for v in different]
        lengths = np.array([len(one) for one in members], dtype=np.int64)[codes]
        rows = np.repeat(np.arange(len(values)), lengths)
        flat = np.array([place for one in members for place in one], dtype=np.int64)
        begins = np.cumsum([0, *map(len, members)])[:-1][codes]
        places = flat[np.repeat(begins, lengths) + _within(lengths)]
        labels = list(place_by_label)
    ones = np.ones(len(rows), dtype=np.float32)
    return labels, sparse.csr_matrix((ones, (rows, places)), shape=(len(values), len(labels)))


def _numbered(values: Array) -> tuple[list[Any], Codes]:
    numbers: dict[Any, int] = {}
    codes = np.fromiter((numbers.setdefault(value, len(numbers)) for value in values), np.int32, len(values))
    return list(numbers), codes


def _within(lengths: Array) -> Array:
    """Count from 0 within each group, given the groups' lengths."""
    total = int(lengths.sum())
    counted: Array = np.arange(total) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return counted


def _ratios(counts: list[sparse.csr_matrix], everybody: Floats) -> Floats:
    shares = (everybody + 1) / (everybody.sum() + len(everybody))
    if not counts:
        return np.empty((0, len(everybody)), dtype=np.float32)
    rows = [np.asarray(one.todense(), dtype=np.float64).ravel() for one in counts]
    result = [np.log((row + SHRINKAGE * shares) / (row.sum() + SHRINKAGE) / shares) for row in rows]
    return np.array(result, dtype=np.float32)
