"""Scores for items that no interaction knows, from what the Items dataset says about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Self

import numpy as np

from personalize_local.personalize.recommenders.data import Array, Floats, Table

REGULARIZATION = 10.0
MOST_FEATURES = 500


class ColdItems:
    """Ridge regression from features of items to their scores, solved once and applied to each request's scores.

    :param features: one row per cold item.
    :param solution: what turns scores of the known items into weights of the features.
    """

    def __init__(self, features: Floats, solution: Floats) -> None:
        self._features = features
        self._solution = solution

    def scores(self, known: Floats) -> Floats:
        """Score the cold items.

        :param known: scores of the known items.
        """
        result: Floats = self._features @ (self._solution @ known)
        return result

    def arrays(self) -> dict[str, Array]:
        """Give what :meth:`from_arrays` needs."""
        return {"cold_features": self._features, "cold_solution": self._solution}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """Build the regression again from what :meth:`arrays` gave."""
        return cls(arrays["cold_features"], arrays["cold_solution"])

    @classmethod
    def train(cls, known_ids: Array, items: Table) -> tuple[Array, Self]:
        """Find the cold items of a table, and what to score them by.

        :param known_ids: the items that interactions know.
        :param items: the Items dataset.
        :return: the ids of the cold items, and the regression.
        """
        row_by_id = {item_id: row for row, item_id in enumerate(items.ids)}
        cold_ids = np.array(sorted(row_by_id.keys() - set(known_ids)), dtype=object)
        features = _features(items)
        known = _rows(features, [row_by_id.get(item_id) for item_id in known_ids])
        cold = _rows(features, [row_by_id[item_id] for item_id in cold_ids])
        gram = known.T @ known + REGULARIZATION * np.eye(known.shape[1])
        return cold_ids, cls(cold.astype(np.float32), np.linalg.solve(gram, known.T).astype(np.float32))


def _features(items: Table) -> Floats:
    """Describe each item by numbers: its categories as 0 or 1, its numeric columns scaled."""
    columns = list(_feature_columns(items))
    matrix = np.column_stack(columns) if columns else np.empty((len(items), 0))
    most_common = np.sort(np.argsort(-np.abs(matrix).sum(axis=0), kind="stable")[:MOST_FEATURES])
    result: Floats = matrix[:, most_common]
    return result


def _feature_columns(items: Table) -> Iterator[Floats]:
    for name, values in items.columns.items():
        if name in items.categorical:
            yield from _categories(values)
        elif values.dtype.kind == "f" and np.isfinite(values).any():
            spread = np.nanstd(values)
            yield np.nan_to_num((values - np.nanmean(values)) / (spread or 1))


def _categories(values: Array) -> Iterator[Floats]:
    rows_by_category: dict[str, list[int]] = {}
    for row, value in enumerate(values):
        for category in {*str(value).split("|")} if isinstance(value, str) else ():
            rows_by_category.setdefault(category, []).append(row)
    for _, rows in sorted(rows_by_category.items()):
        if len(rows) > 1:
            column = np.zeros(len(values))
            column[rows] = 1
            yield column


def _rows(features: Floats, rows: list[int | None]) -> Floats:
    """Take rows; an item that the table does not have has no features."""
    result = np.zeros((len(rows), features.shape[1]))
    present = [(place, row) for place, row in enumerate(rows) if row is not None]
    if present:
        places, sources = zip(*present, strict=True)
        result[list(places)] = features[list(sources)]
    return result
