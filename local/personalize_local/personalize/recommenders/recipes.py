"""Which recipe trains which model: a further recipe is one more entry, and the function that trains it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from personalize_local.personalize.recommenders.data import Interactions, Table
from personalize_local.personalize.recommenders.model import Model
from personalize_local.personalize.recommenders.personalization import train_personalization
from personalize_local.personalize.recommenders.popularity import train_popularity


class Trainer(Protocol):
    """Trains a model."""

    def __call__(
        self,
        interactions: Interactions,
        items: Table | None,
        users: Table | None,
        hyper_parameters: Mapping[str, str],
        seed: int,
    ) -> Model:
        """Train; the parameters are those of :func:`train`."""


TRAINERS: Mapping[str, Trainer] = {
    "aws-user-personalization-v2": train_personalization,
    "aws-user-personalization": train_personalization,
    "aws-hrnn": train_personalization,
    "aws-hrnn-metadata": train_personalization,
    "aws-hrnn-coldstart": train_personalization,
    "aws-popularity-count": train_popularity,
}
"""Recipe name to trainer."""


def train(
    recipe: str,
    interactions: Interactions,
    items: Table | None = None,
    users: Table | None = None,
    *,
    hyper_parameters: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Model:
    """Train a model. The same input and seed give the same model.

    :param recipe: the recipe's name, the last part of its ARN.
    :param interactions: what to learn from; see :func:`select_events` for a solution's event type and threshold.
    :param items: the Items dataset. Default: - there is none
    :param users: the Users dataset. Default: - there is none
    :param hyper_parameters: the recipe's own, as strings, as in the API. Default: - the recipe's defaults
    :param seed: for what is random in training. Default: - 0
    :raises ValueError: if the recipe has no trainer, or there is nothing to learn from.
    """
    if recipe not in TRAINERS:
        raise ValueError(f"recipe must be one of {', '.join(sorted(TRAINERS))}, got {recipe!r}")
    if not len(interactions):
        raise ValueError("interactions must have at least one row to train on, got none")
    return TRAINERS[recipe](interactions, items, users, hyper_parameters or {}, seed)
