"""Semantic similarity: items whose texts are about the same, trained on the Items dataset alone.

Stands for aws-semantic-similarity. Latent semantic analysis takes the place of AWS's language model: it finds what
texts have in common from the words that occur together in this catalogue. See
https://docs.aws.amazon.com/personalize/latest/dg/native-recipe-semantic-similarity.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Self

import numpy as np
from threadpoolctl import threadpool_limits

from personalize_local.personalize.recommenders.data import Array, Floats, Recommendation, Request, Table, TrainingData
from personalize_local.personalize.recommenders.embedding import (
    Vocabulary,
    as_arrays,
    directions,
    reduced,
    texts_of,
    vocabulary_from,
)
from personalize_local.personalize.recommenders.encoding import Sequences
from personalize_local.personalize.recommenders.model import NOTHING_KNOWN, Allowed, Model
from personalize_local.personalize.recommenders.related import RelatedItemsModel

DIMENSIONS = 96

SHARPNESS = 3.0
"""Exponent of the similarity: the higher, the less what is hardly alike gets of the probability."""


class SemanticModel(RelatedItemsModel):
    """Compares items by the direction of what their texts say.

    :param item_ids: the catalogue.
    :param counts: how many events each item had in training.
    :param freshness: how young each item was in training, 0 to 1.
    :param vectors: one row per item, of length 1 or 0.
    :param prints: what tells a changed text from an unchanged one.
    :param vocabulary: the words.
    :param directions: from words to dimensions.
    """

    kind = "semantic"

    def __init__(
        self,
        item_ids: Array,
        counts: Floats,
        freshness: Floats,
        vectors: Floats,
        prints: Array,
        vocabulary: Vocabulary,
        components: Floats,
    ) -> None:
        super().__init__(item_ids, counts)
        self._freshness = freshness
        self._vectors = vectors
        self._prints = prints
        self._vocabulary = vocabulary
        self._components = components
        self._updated: tuple[Table, SemanticModel] | None = None

    def related(self, item: int, request: Request) -> Floats:
        """Multiply similarity by what the campaign lets influence the ranking, among what is similar."""
        similarity = np.maximum(self._vectors @ self._vectors[item], 0).astype(np.float64) ** SHARPNESS
        popularity = self._counts / (self._counts.max() or 1)
        influence = (
            1
            + float(request.influence.get("POPULARITY", 0)) * popularity
            + float(request.influence.get("FRESHNESS", 0)) * self._freshness
        )
        result: Floats = similarity * influence
        return result

    def recommend(
        self, request: Request = NOTHING_KNOWN, *, allowed: Allowed | None = None, count: int = 25
    ) -> list[Recommendation]:
        """Recommend from the items of the request where it brings them: what is new or changed is live at once."""
        if request.items is None:
            return super().recommend(request, allowed=allowed, count=count)
        return super(SemanticModel, self.updated(request.items)).recommend(request, allowed=allowed, count=count)

    def updated(self, items: Table) -> SemanticModel:
        """Take the items as they are now. Popularity and freshness stay as they were in training.

        :param items: the Items dataset.
        """
        if self._updated is None or self._updated[0] is not items:
            self._updated = (items, self._with(items))
        return self._updated[1]

    def _with(self, items: Table) -> SemanticModel:
        texts = texts_of(items)
        prints = _prints(texts)
        places = np.array([self._place_by_id.get(item_id, -1) for item_id in items.ids], dtype=np.int64)
        known = places >= 0
        counts, freshness = np.zeros(len(items)), np.zeros(len(items))
        counts[known], freshness[known] = self._counts[places[known]], self._freshness[places[known]]
        vectors = np.zeros((len(items), self._vectors.shape[1]), dtype=np.float32)
        same = known.copy()
        same[known] = self._prints[places[known]] == prints[known]
        vectors[same] = self._vectors[places[same]]
        changed = np.flatnonzero(~same)
        words = self._vocabulary.vectors([texts[row] for row in changed])
        vectors[changed] = directions(words @ self._components)
        return SemanticModel(items.ids, counts, freshness, vectors, prints, self._vocabulary, self._components)

    def arrays(self) -> dict[str, Array]:
        """Give all parts."""
        return {
            "counts": self._counts,
            "freshness": self._freshness,
            "vectors": self._vectors,
            "prints": self._prints,
            "components": self._components,
            **as_arrays(self._vocabulary),
        }

    @classmethod
    def from_arrays(cls, item_ids: Array, arrays: Mapping[str, Array]) -> Self:
        """Build the model from its arrays."""
        numbers, vectors = (arrays["counts"], arrays["freshness"]), (arrays["vectors"], arrays["prints"])
        return cls(item_ids, *numbers, *vectors, vocabulary_from(arrays), arrays["components"])


def train_semantic_similarity(data: TrainingData) -> Model:
    """Learn what the texts of items are about; the recipe has no hyperparameters.

    :raises ValueError: if the items have no text.
    """
    items = data.items
    texts = texts_of(items) if items else []
    if items is None or not any(texts):
        raise ValueError("the Items dataset must have text: one field marked itemName and one marked textual")
    vocabulary = Vocabulary.of(texts)
    with threadpool_limits(limits=1, user_api="blas"):
        rows, components = reduced(vocabulary.vectors(texts), DIMENSIONS, seed=data.seed)
    return SemanticModel(
        items.ids,
        _counts(data, items),
        _freshness(items),
        directions(rows).astype(np.float32),
        _prints(texts),
        vocabulary,
        components.astype(np.float32),
    )


def _counts(data: TrainingData, items: Table) -> Floats:
    if not len(data.interactions):
        return np.zeros(len(items))
    sequences = Sequences.of(data.interactions)
    count_by_id = dict(zip(sequences.item_ids, sequences.counts, strict=True))
    return np.array([count_by_id.get(item_id, 0.0) for item_id in items.ids])


def _freshness(items: Table) -> Floats:
    """Scale the times of creation from 0, the oldest, to 1; an item without one counts as the oldest."""
    created = items.columns.get("CREATION_TIMESTAMP")
    if created is None or not np.isfinite(created).any():
        return np.zeros(len(items))
    oldest, newest = np.nanmin(created), np.nanmax(created)
    return np.asarray(np.nan_to_num((created - oldest) / ((newest - oldest) or 1.0)))


def _prints(texts: list[str]) -> Array:
    prints = [hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts]
    return np.frombuffer(b"".join(prints), dtype=np.uint64)
