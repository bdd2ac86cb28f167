"""Scores for items that no interaction knows, from what the Items dataset says about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
from scipy import sparse

from personalize_local.personalize.recommenders.data import Array, Floats, Table

REGULARIZATION = 10.0
MOST_FEATURES = 200
MOST_NUMBERS = 4_000_000
"""How many numbers there may be in the regression: one per feature and known item."""

NUMERIC = ""
"""Stands where a category does, for the value of a numeric column."""


class Features:
    """What describes an item: its categories as 0 or 1, its numeric columns scaled.

    :param columns: per feature, its column.
    :param categories: per feature, its category, or :data:`NUMERIC`.
    :param centres: per feature, what is taken off a number.
    :param spreads: per feature, what a number is divided by then.
    """

    def __init__(self, columns: Array, categories: Array, centres: Floats, spreads: Floats) -> None:
        self._columns = columns
        self._categories = categories
        self._centres = centres
        self._spreads = spreads

    @classmethod
    def of(cls, items: Table, most: int) -> Self:
        """Choose the features that a table describes most items by.

        :param most: how many features there may be.
        """
        found: list[tuple[float, str, str, float, float]] = []
        for name, values in items.columns.items():
            if name in items.categorical:
                counts = Counter(category for value in values for category in categories_of(value))
                found += [(count, name, category, 0.0, 1.0) for category, count in counts.items() if count > 1]
            elif values.dtype.kind == "f" and np.isfinite(values).any():
                spread = float(np.nanstd(values)) or 1.0
                found.append((float(np.isfinite(values).sum()), name, NUMERIC, float(np.nanmean(values)), spread))
        chosen = sorted(sorted(found, key=lambda feature: (-feature[0], *feature[1:]))[:most], key=lambda one: one[1:])
        _, columns, categories, centres, spreads = zip(*chosen, strict=True) if chosen else ((),) * 5
        return cls(
            np.array(columns, dtype=object),
            np.array(categories, dtype=object),
            np.array(centres, dtype=np.float64),
            np.array(spreads, dtype=np.float64),
        )

    def __len__(self) -> int:
        """Count the features."""
        return len(self._columns)

    def matrix(self, items: Table, rows: Sequence[int | None]) -> sparse.csr_matrix:
        """Describe items of a table, one per row; ``None`` is an item that it does not have.

        :param items: need not be the table that the features were chosen from.
        """
        place_of: dict[str, dict[str, int]] = {}
        for place, (name, category) in enumerate(zip(self._columns, self._categories, strict=True)):
            place_of.setdefault(name, {})[category] = place
        lines: list[int] = []
        features: list[int] = []
        numbers: list[float] = []
        present = [(line, row) for line, row in enumerate(rows) if row is not None]
        for name, places in place_of.items():
            values = items.columns.get(name)
            for line, row in present if values is not None else ():
                for feature, number in self._features(places, values[row]):  # type: ignore[index]
                    lines.append(line)
                    features.append(feature)
                    numbers.append(number)
        shape = (len(rows), len(self))
        return sparse.csr_matrix((np.array(numbers, dtype=np.float32), (lines, features)), shape=shape)

    def _features(self, places: Mapping[str, int], value: object) -> list[tuple[int, float]]:
        """Give the features that a value of a column has, and their numbers."""
        if NUMERIC not in places:
            return [(places[category], 1.0) for category in categories_of(value) if category in places]
        place = places[NUMERIC]
        if not isinstance(value, float) or not np.isfinite(value):
            return []
        return [(place, float((value - self._centres[place]) / self._spreads[place]))]

    def arrays(self) -> dict[str, Array]:
        """Give what :meth:`from_arrays` needs."""
        return {
            "feature_columns": self._columns.astype(str),
            "feature_categories": self._categories.astype(str),
            "feature_centres": self._centres,
            "feature_spreads": self._spreads,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """Build the features again from what :meth:`arrays` gave."""
        names = ("feature_columns", "feature_categories", "feature_centres", "feature_spreads")
        return cls(*(arrays[name] for name in names))


class ColdItems:
    """Ridge regression from features of items to their scores, solved once and applied to each request's scores.

    :param solution: what turns scores of the known items into weights of the features.
    """

    def __init__(self, features: Features, solution: Floats) -> None:
        self._features = features
        self._solution = solution

    def describe(self, item_ids: Array, items: Table | None) -> sparse.csr_matrix:
        """Describe items, for :meth:`scores`; items that the table lacks have no features."""
        table = items or Table(np.empty(0, dtype=object))
        row_by_id = {item_id: row for row, item_id in enumerate(table.ids)}
        return self._features.matrix(table, [row_by_id.get(item_id) for item_id in item_ids])

    def scores(self, described: sparse.csr_matrix, known: Floats) -> Floats:
        """Score cold items.

        :param described: see :meth:`describe`.
        :param known: scores of the known items.
        """
        if not len(self._features):
            return np.zeros(described.shape[0])
        result: Floats = described @ (self._solution @ known.astype(np.float32))
        return result

    def arrays(self) -> dict[str, Array]:
        """Give what :meth:`from_arrays` needs."""
        return {"cold_solution": self._solution, **self._features.arrays()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """Build the regression again from what :meth:`arrays` gave."""
        return cls(Features.from_arrays(arrays), arrays["cold_solution"])

    @classmethod
    def train(cls, known_ids: Array, items: Table | None) -> Self:
        """Find what to score cold items by.

        :param known_ids: the items that are scored by interactions.
        :param items: the Items dataset. Default: - there is none.
        """
        table = items or Table(np.empty(0, dtype=object))
        features = Features.of(table, min(MOST_FEATURES, MOST_NUMBERS // max(len(known_ids), 1)))
        untrained = cls(features, np.empty((0, 0), dtype=np.float32))
        known = untrained.describe(known_ids, table)
        gram = (known.T @ known).toarray() + REGULARIZATION * np.eye(len(features))
        return cls(features, np.linalg.solve(gram, known.T.toarray()).astype(np.float32))


def categories_of(value: object) -> list[str]:
    """The categories in a value; none in a null."""
    if isinstance(value, (bool, np.bool_)):
        return [str(value).lower()]
    return list(dict.fromkeys(value.split("|"))) if isinstance(value, str) else []
