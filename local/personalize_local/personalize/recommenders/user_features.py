"""What is known of a user, as numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np

from personalize_local.personalize.recommenders.data import Array, Floats, Table, TrainingData
from personalize_local.personalize.recommenders.embedding import categories_in, directions, features_of, reduced
from personalize_local.personalize.recommenders.encoding import Sequences

TASTE = 16
"""Dimensions of the items of a history by who deals with them."""

KINDS = 8
"""Dimensions of the items of a history by their metadata."""

MOST_CATEGORIES = 200
LONGEST_HISTORY = 100
_SEPARATOR = "\x1f"


class UserFeatures:
    """Describes users by a constant, their row of the Users dataset, and the items of their history.

    :param categories: column and category, as one string.
    :param numbers: names of numeric columns.
    :param means: of these columns.
    :param spreads: of these columns.
    :param item_ids: the items that there are vectors for.
    :param item_vectors: one row per item.
    """

    def __init__(
        self, categories: Array, numbers: Array, means: Floats, spreads: Floats, item_ids: Array, item_vectors: Floats
    ) -> None:
        self._categories = categories
        self._numbers = numbers
        self._means = means
        self._spreads = spreads
        self._item_ids = item_ids
        self._item_vectors = item_vectors
        self._category_places = {category: place for place, category in enumerate(categories.tolist())}
        self._item_places = {item_id: place for place, item_id in enumerate(item_ids.tolist())}

    @property
    def size(self) -> int:
        """How many numbers describe a user."""
        return 1 + len(self._categories) + len(self._numbers) + int(self._item_vectors.shape[1])

    def of(self, user: Mapping[str, Any], item_ids: Iterable[str]) -> Floats:
        """Describe a user.

        :param user: the row of Users; what is missing counts as average.
        :param item_ids: the items of the history, newest first.
        """
        categories = np.zeros(len(self._categories))
        for name, value in user.items():
            for category in categories_in(value):
                place = self._category_places.get(f"{name}{_SEPARATOR}{category}")
                if place is not None:
                    categories[place] = 1
        values = np.array([_number(user.get(name)) for name in self._numbers], dtype=np.float64)
        numbers = np.clip(np.nan_to_num((values - self._means) / self._spreads), -3, 3)
        places = [self._item_places[item_id] for item_id in item_ids if item_id in self._item_places]
        taste = np.zeros(self._item_vectors.shape[1])
        if places:
            taste = directions(self._item_vectors[places[:LONGEST_HISTORY]].mean(axis=0, keepdims=True))[0]
        return np.concatenate([[1.0], categories, numbers, taste])

    def arrays(self) -> dict[str, Array]:
        """Give what :meth:`from_arrays` needs."""
        return {
            "user_categories": self._categories.astype(str),
            "user_numbers": self._numbers.astype(str),
            "user_means": self._means,
            "user_spreads": self._spreads,
            "user_item_ids": self._item_ids.astype(str),
            "user_item_vectors": self._item_vectors,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """Build them again from what :meth:`arrays` gave."""
        names = ("categories", "numbers", "means", "spreads", "item_ids", "item_vectors")
        return cls(*(arrays[f"user_{name}"] for name in names))

    @classmethod
    def train(cls, data: TrainingData) -> Self:
        """Find out which categories there are, what is average, and what items have in common."""
        users = data.users or Table(np.empty(0, dtype=object))
        counts: dict[str, int] = {}
        for name in sorted(users.categorical & users.columns.keys()):
            for value in users.columns[name]:
                for category in categories_in(value):
                    key = f"{name}{_SEPARATOR}{category}"
                    counts[key] = counts.get(key, 0) + 1
        common = sorted(counts, key=lambda key: (-counts[key], key))[:MOST_CATEGORIES]
        numbers = [
            name
            for name, values in sorted(users.columns.items())
            if values.dtype.kind == "f" and np.isfinite(values).any()
        ]
        columns = [users.columns[name] for name in numbers]
        sequences = Sequences.of(data.interactions)
        return cls(
            np.array(common, dtype=object),
            np.array(numbers, dtype=object),
            np.array([np.nanmean(values) for values in columns]),
            np.array([np.nanstd(values) or 1.0 for values in columns]),
            sequences.item_ids,
            _item_vectors(sequences, data),
        )


def _item_vectors(sequences: Sequences, data: TrainingData) -> Floats:
    by_users, _ = reduced(sequences.user_items().T.tocsr().astype(np.float64), TASTE, data.seed)
    parts = [directions(by_users)]
    if data.items is not None:
        row_by_id = {item_id: row for row, item_id in enumerate(data.items.ids)}
        metadata, _ = reduced(features_of(data.items), KINDS, data.seed)
        padded = np.vstack([directions(metadata), np.zeros((1, metadata.shape[1]))])
        parts.append(padded[[row_by_id.get(item_id, -1) for item_id in sequences.item_ids]])
    return np.hstack(parts)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else np.nan
