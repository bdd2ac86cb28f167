"""User segments: the users with the most affinity to an item, or to all items with certain attributes.

Stands for aws-item-affinity and aws-item-attribute-affinity. Users stand where items do in other models. See
https://docs.aws.amazon.com/personalize/latest/dg/user-segmentation-recipes.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
from implicit.als import AlternatingLeastSquares
from scipy import sparse
from scipy.sparse.linalg import svds
from threadpoolctl import threadpool_limits

from personalize_local.personalize.recommenders.data import Array, Event, Floats, Recommendation, Request, TrainingData
from personalize_local.personalize.recommenders.encoding import Sequences
from personalize_local.personalize.recommenders.model import Allowed, Model, softmax

HIDDEN_DIMENSION = 149
CONFIDENCE = 1.0

REGULARIZATION = 0.2
"""How strong a pattern must be to be learned, as a part of the strongest there is: with less, the factors would but
repeat who has dealt with what, and a segment is about who will."""

ITERATIONS = 12
SHARPNESS = 5.0


class SegmentModel(Model):
    """Ranks users for items.

    :param item_ids: the users.
    :param counts: how many events each user has: who is most active comes first for an item that nobody knows.
    :param factors: one row per user.
    :param known_ids: the items that interactions know.
    :param known_factors: one row per item.
    """

    kind = "segment"

    def __init__(
        self, item_ids: Array, counts: Floats, factors: Floats, known_ids: Array, known_factors: Floats
    ) -> None:
        super().__init__(item_ids)
        self._counts = counts
        self._factors = factors
        self._known_ids = np.asarray(known_ids, dtype=object)
        self._known_factors = known_factors
        self._known_places = {item_id: place for place, item_id in enumerate(self._known_ids)}

    def probabilities(self, request: Request) -> Floats:
        """Share probability out among users.

        :param request: about ``item_id``, or about all items of the history together.
        """
        wanted = [request.item_id] if request.item_id is not None else [event.item_id for event in request.history]
        places = [self._known_places[item_id] for item_id in wanted if item_id in self._known_places]
        if not places:
            return np.asarray(self._counts / self._counts.sum())
        affinity = (self._factors @ self._known_factors[places].mean(axis=0)).astype(np.float64)
        return softmax(SHARPNESS * affinity / (np.abs(affinity).max() or 1.0))

    def users(self, items: Sequence[str], *, allowed: Allowed | None = None, count: int = 25) -> list[Recommendation]:
        """List the users with the most affinity to some items, on average.

        :param items: their ids; those that no interaction knows are passed over.
        :param allowed: which users a filter lets through. Default: - all.
        :param count: how many users at most. Default: - 25
        """
        return self.recommend(Request([Event(item_id) for item_id in items]), allowed=allowed, count=count)

    def arrays(self) -> dict[str, Array]:
        """Give all parts."""
        return {
            "counts": self._counts,
            "factors": self._factors,
            "known_ids": self._known_ids.astype(str),
            "known_factors": self._known_factors,
        }

    @classmethod
    def from_arrays(cls, item_ids: Array, arrays: Mapping[str, Array]) -> Self:
        """Build the model from its arrays."""
        parts = (arrays[name] for name in ("counts", "factors", "known_ids", "known_factors"))
        return cls(item_ids, *parts)


def train_segments(data: TrainingData) -> Model:
    """Factorize. ``hidden_dimension`` is the number of factors, as far as there are users and items enough."""
    sequences = Sequences.of(data.interactions)
    matrix = sequences.user_items()
    # with as many factors as there are items, nothing would be learned but who dealt with what
    most = max(2, min(matrix.shape) // 8)
    with threadpool_limits(limits=1, user_api="blas"):
        als = AlternatingLeastSquares(
            factors=min(int(data.hyper_parameters.get("hidden_dimension", HIDDEN_DIMENSION)), most),
            regularization=REGULARIZATION * (1 + CONFIDENCE) * _strongest(matrix, data.seed),
            alpha=1 + CONFIDENCE,
            iterations=ITERATIONS,
            random_state=data.seed,
            num_threads=1,
            use_gpu=False,
        )
        als.fit(matrix, show_progress=False)
    return SegmentModel(
        sequences.user_ids,
        sequences.lengths.astype(np.float64),
        np.asarray(als.user_factors),
        sequences.item_ids,
        np.asarray(als.item_factors),
    )


def _strongest(matrix: sparse.csr_matrix, seed: int) -> float:
    """Find the largest singular value."""
    if min(matrix.shape) == 1:
        return float(np.sqrt(matrix.nnz))
    start = np.random.default_rng(seed).normal(size=min(matrix.shape))
    return float(svds(matrix.astype(np.float64), k=1, v0=start, return_singular_vectors=False)[0])
