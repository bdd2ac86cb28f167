"""Which recipe trains which model: a further recipe is one more entry, and the function that trains it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from personalize_local.personalize.recommenders.data import TrainingData
from personalize_local.personalize.recommenders.model import Model
from personalize_local.personalize.recommenders.personalization import train_personalization
from personalize_local.personalize.recommenders.popularity import train_popularity

Trainer = Callable[[TrainingData], Model]

TRAINERS: Mapping[str, Trainer] = {
    "aws-user-personalization-v2": train_personalization,
    "aws-user-personalization": train_personalization,
    "aws-hrnn": train_personalization,
    "aws-hrnn-metadata": train_personalization,
    "aws-hrnn-coldstart": train_personalization,
    "aws-popularity-count": train_popularity,
}
"""Recipe name to trainer."""


def train(recipe: str, data: TrainingData) -> Model:
    """Train a model. The same data and seed give the same model.

    :param recipe: the recipe's name, the last part of its ARN.
    :param data: what to learn from; see :func:`select_events` for a solution's event type and threshold.
    :raises ValueError: if the recipe has no trainer, or there is nothing to learn from.
    """
    if recipe not in TRAINERS:
        raise ValueError(f"recipe must be one of {', '.join(sorted(TRAINERS))}, got {recipe!r}")
    if not len(data.interactions):
        raise ValueError("interactions must have at least one row to train on, got none")
    return TRAINERS[recipe](data)
