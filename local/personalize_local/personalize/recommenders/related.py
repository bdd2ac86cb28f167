"""What the recipes for related items share: they rank items for one item, and know what is popular."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from scipy import sparse

from personalize_local.personalize.recommenders.data import Array, Floats, Integers, Mask, Recommendation, Request
from personalize_local.personalize.recommenders.model import NOTHING_KNOWN, Allowed, Model

MOST_RELATED = 500
"""How many related items are kept for an item: no request can ask for more."""

_POPULAR_SHARE = 1e-6


class RelatedItemsModel(Model):
    """Ranks what goes with an item; behind that, and for an item that nothing is known of, comes what is popular.

    Without :attr:`Request.item_id` the item is the newest one of the history.

    :param item_ids: the catalogue.
    :param counts: how many events each item has; those without any come last.
    """

    def __init__(self, item_ids: Array, counts: Floats) -> None:
        super().__init__(item_ids)
        self._counts = counts
        self._popularity: Floats = counts / counts.sum() if counts.sum() else np.full(len(counts), 1 / len(counts))

    @abstractmethod
    def related(self, item: int, request: Request) -> Floats:
        """Score every item by how well it goes with an item; 0 is not at all.

        :param item: the place of the item in the catalogue.
        """

    def probabilities(self, request: Request) -> Floats:
        """Share probability out by scores; what is not related gets next to nothing, by popularity."""
        item = self._asked_about(request)
        if item is None:
            return self._popularity
        scores = np.maximum(self.related(item, request), 0)
        scores[item] = 0
        total = scores.sum()
        if total <= 0:
            return self._popularity
        result: Floats = (1 - _POPULAR_SHARE) * scores / total + _POPULAR_SHARE * self._popularity
        return result

    def recommend(
        self, request: Request = NOTHING_KNOWN, *, allowed: Allowed | None = None, count: int = 25
    ) -> list[Recommendation]:
        """Recommend as every model does, but never the item itself."""
        item = self._asked_about(request)

        def others(item_ids: Array) -> Mask:
            through = np.ones(len(item_ids), dtype=np.bool_) if allowed is None else allowed(item_ids).copy()
            through[item] = False
            return through

        return super().recommend(request, allowed=allowed if item is None else others, count=count)

    def _asked_about(self, request: Request) -> int | None:
        if request.item_id is not None:
            return self._place_by_id.get(request.item_id)
        newest = self.positions(request.history)
        return int(newest[0]) if len(newest) else None


def best_per_row(matrix: sparse.csr_matrix, count: int) -> sparse.csr_matrix:
    """Keep the highest values of each row, the earlier ones among equals.

    :param count: how many.
    """
    matrix = matrix.tocsr()
    rows: Integers = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    order = np.lexsort((matrix.indices, -matrix.data, rows))
    rank = np.arange(len(rows)) - matrix.indptr[rows]
    kept = np.sort(order[rank < count])
    parts = (matrix.data[kept], (rows[kept], matrix.indices[kept]))
    return sparse.csr_matrix(parts, shape=matrix.shape)
