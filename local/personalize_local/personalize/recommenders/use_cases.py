"""The use cases of the two domains: each is one of the other models, trained on the events that it is about.

See https://docs.aws.amazon.com/personalize/latest/dg/domain-use-cases.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Self

import numpy as np

from cdk_personalize.use_case import USE_CASES
from personalize_local.personalize.recommenders.data import Array, Floats, Request, TrainingData
from personalize_local.personalize.recommenders.encoding import Sequences
from personalize_local.personalize.recommenders.model import Model
from personalize_local.personalize.recommenders.personalization import (
    Catalogue,
    PersonalizationModel,
    train_personalization,
)
from personalize_local.personalize.recommenders.popularity import train_popularity
from personalize_local.personalize.recommenders.similar_items import train_similar_items
from personalize_local.personalize.recommenders.sims import train_baskets, train_together
from personalize_local.personalize.recommenders.trending import train_trending


class RetailModel(PersonalizationModel):
    """Personalization that knows that shoppers come back to what they have looked at.

    :ivar repeat_share: the part of probability that goes to the user's own history.
    """

    kind = "retail"
    repeat_share = 0.0

    def _probabilities(self, request: Request, catalogue: Catalogue) -> Floats:
        """Blend with the user's own history, in which the newest items count most."""
        others = super()._probabilities(request, catalogue)
        places, weights = self._history(request)
        if not len(places):
            return others
        own = np.bincount(places, weights=weights / weights.sum(), minlength=len(others))
        result: Floats = (1 - self.repeat_share) * others + self.repeat_share * own
        return result

    def arrays(self) -> dict[str, Array]:
        """Add the share of repeats."""
        return {**super().arrays(), "repeat_share": np.array(self.repeat_share)}

    @classmethod
    def from_arrays(cls, item_ids: Array, arrays: Mapping[str, Array]) -> Self:
        """Build the model from its arrays."""
        model = super().from_arrays(item_ids, arrays)
        model.repeat_share = float(arrays["repeat_share"])
        return model


def train_retail(data: TrainingData) -> Model:
    """Learn which items follow from which, and how often users come back to an item."""
    model = train_personalization(data)
    return RetailModel.from_arrays(
        model.item_ids, {**model.arrays(), "repeat_share": np.array(share_of_repeats(Sequences.of(data.interactions)))}
    )


def share_of_repeats(sequences: Sequences) -> float:
    """Count the part of the events whose item the user has dealt with before."""
    events = len(sequences.users)
    first = len(np.unique(sequences.users.astype(np.int64) * len(sequences.item_ids) + sequences.items))
    return (events - first) / events if events else 0.0


def _on_its_events(name: str, trainer: Callable[[TrainingData], Model]) -> Callable[[TrainingData], Model]:
    """Train on the events of the use case's type, and on those of the advised one."""
    event_type, advised = USE_CASES[name].event_type, USE_CASES[name].advised_event_type

    def train(data: TrainingData) -> Model:
        interactions = data.interactions
        if event_type is None or interactions.event_types is None:
            return trainer(data)
        kinds = np.array([str(kind).lower() for kind in interactions.event_types])
        if not (kinds == event_type.lower()).any():
            raise ValueError(f"there must be events of the type {event_type} for {name}, there are none")
        chosen = np.isin(kinds, [kind.lower() for kind in (event_type, advised) if kind])
        weights = None if data.weights is None else data.weights[chosen]
        return trainer(replace(data, interactions=interactions.where(chosen), weights=weights))

    return train


USE_CASE_TRAINERS: Mapping[str, Callable[[TrainingData], Model]] = {
    name: _on_its_events(name, trainer)
    for name, trainer in (
        ("aws-ecomm-popular-items-by-views", train_popularity),
        ("aws-ecomm-popular-items-by-purchases", train_popularity),
        ("aws-ecomm-frequently-bought-together", train_baskets),
        ("aws-ecomm-customers-who-viewed-x-also-viewed", train_together),
        ("aws-ecomm-recommended-for-you", train_retail),
        ("aws-vod-because-you-watched-x", train_together),
        ("aws-vod-more-like-x", train_similar_items),
        ("aws-vod-most-popular", train_popularity),
        ("aws-vod-trending-now", train_trending),
        ("aws-vod-top-picks", train_personalization),
    )
}
"""Trainers by the name of the use case."""
