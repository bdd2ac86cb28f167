"""User personalization: what this user is likely to deal with next.

Stands for aws-user-personalization-v2, aws-user-personalization and the HRNN recipes. See
https://docs.aws.amazon.com/personalize/latest/dg/user-personalization-recipes.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np
from threadpoolctl import threadpool_limits

from personalize_local.personalize.recommenders.cold_items import ColdItems
from personalize_local.personalize.recommenders.data import Array, Floats, Request, Table, TrainingData
from personalize_local.personalize.recommenders.encoding import Sequences
from personalize_local.personalize.recommenders.model import Model, softmax
from personalize_local.personalize.recommenders.scorers import SCORERS, Factors, ItemToItem, Scorer

LARGEST_DENSE_CATALOGUE = 5_000
"""Up to so many items a dense item-to-item matrix is trained (100 MB at most), above it factors."""

RECENCY = 0.8
"""What one more event since then multiplies an event's weight by."""

LONGEST_HISTORY = 100
"""How many of the newest events count."""

POPULARITY_EVENTS = 2.0
"""A user with so many events gets popularity and personal taste in equal parts."""

SHARPNESS = 5.0
"""How many times likelier, as a logarithm, the best item is than one with score 0."""


class PersonalizationModel(Model):
    """Blends personal scores with popularity, which is all that an unknown user gets.

    :param item_ids: the items that interactions know, then cold ones.
    :param counts: how many events each known item has.
    :param scorer: scores the known items.
    :param cold: scores the cold items.
    :param recency: what one more event since then multiplies an event's weight by.
    """

    kind = "personalization"

    def __init__(self, item_ids: Array, counts: Floats, scorer: Scorer, cold: ColdItems, recency: float) -> None:
        super().__init__(item_ids)
        self._counts = counts
        self._scorer = scorer
        self._cold = cold
        self._recency = recency
        self._popularity = np.zeros(len(self.item_ids))
        self._popularity[: len(counts)] = counts / counts.sum()

    def probabilities(self, request: Request) -> Floats:
        """Blend: the more events there are, the more personal."""
        known = self.positions(request.history)
        known = known[known < len(self._counts)][:LONGEST_HISTORY]
        if not len(known):
            return self._popularity
        weights = self._recency ** np.arange(len(known))
        scores = self._scorer.scores(known, weights / weights.sum())
        highest = scores.max()
        if highest <= 0:
            return self._popularity
        scores = scores / highest
        personal = softmax(SHARPNESS * np.concatenate([scores, self._cold.scores(scores)]).astype(np.float64))
        popular_part = POPULARITY_EVENTS / (POPULARITY_EVENTS + len(known))
        result: Floats = popular_part * self._popularity + (1 - popular_part) * personal
        return result

    def arrays(self) -> dict[str, Array]:
        """Give the counts, and the parts of the model."""
        return {
            "counts": self._counts,
            "recency": np.array(self._recency),
            "scorer": np.array(self._scorer.kind),
            **self._scorer.arrays(),
            **self._cold.arrays(),
        }

    @classmethod
    def from_arrays(cls, item_ids: Array, arrays: Mapping[str, Array]) -> Self:
        """Build the model from its arrays."""
        scorer = SCORERS[str(arrays["scorer"])].from_arrays(arrays)
        return cls(item_ids, arrays["counts"], scorer, ColdItems.from_arrays(arrays), float(arrays["recency"]))


def train_personalization(data: TrainingData) -> Model:
    """Learn which items follow from which.

    Hyperparameters that have a counterpart here: ``apply_recency_bias`` and ``recency_mask`` (false: all events
    count the same), ``hidden_dimension`` (number of factors in large catalogues; default 64), and
    ``min_user_history_length_percentile`` and ``max_user_history_length_percentile`` (default 0 and 1).
    """
    hyper_parameters = data.hyper_parameters
    sequences = Sequences.of(data.interactions)
    known_ids, counts = sequences.item_ids, sequences.counts
    sequences = sequences.with_lengths_between(
        float(hyper_parameters.get("min_user_history_length_percentile", 0)),
        float(hyper_parameters.get("max_user_history_length_percentile", 1)),
    )
    # Threads of BLAS fight with those of implicit, and with whatever else runs on a small machine.
    with threadpool_limits(limits=1, user_api="blas"):
        scorer: Scorer
        if len(known_ids) <= LARGEST_DENSE_CATALOGUE:
            scorer = ItemToItem.train(sequences)
        else:
            scorer = Factors.train(sequences, size=int(hyper_parameters.get("hidden_dimension", 64)), seed=data.seed)
        cold_ids, cold = ColdItems.train(known_ids, data.items or Table(np.empty(0, dtype=object)))
    return PersonalizationModel(np.concatenate([known_ids, cold_ids]), counts, scorer, cold, _recency(hyper_parameters))


def _recency(hyper_parameters: Mapping[str, str]) -> float:
    switches = (hyper_parameters.get(name, "true") for name in ("apply_recency_bias", "recency_mask"))
    return RECENCY if all(switch.lower() == "true" for switch in switches) else 1.0
