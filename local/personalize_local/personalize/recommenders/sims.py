"""SIMS: what occurs together with an item in the histories of users.

Stands for aws-sims, and for the use cases about items that are viewed, watched or bought together. See
https://docs.aws.amazon.com/personalize/latest/dg/native-recipe-sims.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Self

import numpy as np
from scipy import sparse

from personalize_local.personalize.recommenders.data import Array, Floats, Interactions, Request, TrainingData
from personalize_local.personalize.recommenders.encoding import Sequences
from personalize_local.personalize.recommenders.model import Model
from personalize_local.personalize.recommenders.related import MOST_RELATED, RelatedItemsModel, best_per_row

SHRINKAGE = 5.0
"""So many common users halve the trust in what they have in common."""

BASKET_SECONDS = 6 * 3600
"""Events of a user that follow each other within this time belong to one basket."""

BASKET_WEIGHT = 5.0
"""How many common histories one common basket counts for."""


class SimsModel(RelatedItemsModel):
    """Knows for each item the items that occur together with it.

    :param item_ids: the catalogue.
    :param counts: how many events each item has.
    :param scores: one row per item.
    """

    kind = "sims"

    def __init__(self, item_ids: Array, counts: Floats, scores: sparse.csr_matrix) -> None:
        super().__init__(item_ids, counts)
        self._scores = scores

    def related(self, item: int, request: Request) -> Floats:
        """Give the row of the item."""
        row: Floats = self._scores[[item]].toarray()[0].astype(np.float64)
        return row

    def arrays(self) -> dict[str, Array]:
        """Give the counts, and the scores as the parts of a sparse matrix."""
        scores = self._scores
        return {"counts": self._counts, "data": scores.data, "indices": scores.indices, "indptr": scores.indptr}

    @classmethod
    def from_arrays(cls, item_ids: Array, arrays: Mapping[str, Array]) -> Self:
        """Build the model from its arrays."""
        size = len(item_ids)
        parts = (arrays["data"], arrays["indices"], arrays["indptr"])
        return cls(item_ids, arrays["counts"], sparse.csr_matrix(parts, shape=(size, size)))


def train_sims(data: TrainingData) -> Model:
    """Count what occurs together.

    All hyperparameters of the recipe have their effect: ``popularity_discount_factor`` (default 0.5),
    ``min_cointeraction_count`` (3), and the percentiles of history length (0.005, 0.995) and of events per item
    (0.01, 0.9), outside which users and items are not trained on.
    """
    parameters = data.hyper_parameters
    sequences = Sequences.of(data.interactions)
    counts = sequences.counts
    low, high = np.quantile(
        counts,
        [
            float(parameters.get("min_item_interaction_count_percentile", 0.01)),
            float(parameters.get("max_item_interaction_count_percentile", 0.9)),
        ],
        method="inverted_cdf",
    )
    trained = sequences.with_lengths_between(
        float(parameters.get("min_user_history_length_percentile", 0.005)),
        float(parameters.get("max_user_history_length_percentile", 0.995)),
    )
    together = _together(trained)
    chosen = sparse.diags(((counts >= low) & (counts <= high)).astype(np.float64))
    return _model(
        sequences,
        (chosen @ together @ chosen).tocsr(),
        discount=float(parameters.get("popularity_discount_factor", 0.5)),
        minimum=float(parameters.get("min_cointeraction_count", 3)),
    )


def train_together(data: TrainingData) -> Model:
    """Count what occurs together in histories; nothing is left out but what only one user has in common."""
    sequences = Sequences.of(data.interactions)
    return _model(sequences, _together(sequences), discount=0.5, minimum=2)


def train_baskets(data: TrainingData) -> Model:
    """Count what occurs together in histories, and above all in baskets."""
    sequences = Sequences.of(data.interactions)
    in_baskets = _together(Sequences.of(baskets(data.interactions)))
    together = _together(sequences) + BASKET_WEIGHT * in_baskets
    return _model(sequences, together.tocsr(), discount=0.5, minimum=2)


def baskets(interactions: Interactions) -> Interactions:
    """Make each basket of a user a user of its own.

    :param interactions: rows in any order.
    """
    users = interactions.users.codes
    order = np.lexsort((interactions.timestamps, users))
    users, times = users[order], interactions.timestamps[order]
    begins = np.r_[True, (users[1:] != users[:-1]) | (np.diff(times) > BASKET_SECONDS)]
    names = np.cumsum(begins).astype(str).astype(object)
    return replace(interactions.where(order), user_ids=names)


def _together(sequences: Sequences) -> sparse.csr_matrix:
    """Count for each pair of items the histories that have both."""
    histories = sequences.user_items().astype(np.float64)
    together = (histories.T @ histories).tocsr()
    together.setdiag(0)
    return together


def _model(sequences: Sequences, together: sparse.csr_matrix, *, discount: float, minimum: float) -> Model:
    together = together.tocoo()
    kept = together.data >= max(minimum, 1)
    rows, columns, common = together.row[kept], together.col[kept], together.data[kept]
    scores = common * (common / (common + SHRINKAGE)) / sequences.counts[columns] ** discount
    matrix = sparse.csr_matrix((scores.astype(np.float32), (rows, columns)), shape=together.shape)
    return SimsModel(sequences.item_ids, sequences.counts, best_per_row(matrix, MOST_RELATED))
