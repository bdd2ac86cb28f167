"""Popularity: what most people choose, for everybody.

See https://docs.aws.amazon.com/personalize/latest/dg/native-recipe-popularity.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from personalize_local.personalize.recommenders.data import Array, Floats, Request, TrainingData
from personalize_local.personalize.recommenders.encoding import Sequences
from personalize_local.personalize.recommenders.model import Model


class PopularityModel(Model):
    """Gives every item its share of all events.

    :param item_ids: the catalogue.
    :param counts: how many events each item has.
    """

    kind = "popularity"

    def __init__(self, item_ids: Array, counts: Floats) -> None:
        super().__init__(item_ids)
        self._counts = counts
        self._shares: Floats = counts / counts.sum()

    def probabilities(self, request: Request) -> Floats:
        """Give the items' shares, whatever the request."""
        return self._shares

    def arrays(self) -> dict[str, Array]:
        """Give the counts."""
        return {"counts": self._counts}

    @classmethod
    def from_arrays(cls, item_ids: Array, arrays: Mapping[str, Array]) -> Self:
        """Build the model from the counts."""
        return cls(item_ids, arrays["counts"])


def train_popularity(data: TrainingData) -> Model:
    """Count the events of each item; nothing but the interactions matters."""
    sequences = Sequences.of(data.interactions)
    return PopularityModel(sequences.item_ids, sequences.counts)
