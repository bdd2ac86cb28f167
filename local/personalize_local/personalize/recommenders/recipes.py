"""Which recipe trains which model: a further recipe is one more entry, and the function that trains it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from cdk_personalize.recipe import RECIPES
from personalize_local.personalize.recommenders.data import TrainingData
from personalize_local.personalize.recommenders.model import Model
from personalize_local.personalize.recommenders.next_best_action import train_next_best_action
from personalize_local.personalize.recommenders.personalization import (
    train_personalization,
    update_personalization,
)
from personalize_local.personalize.recommenders.popularity import train_popularity
from personalize_local.personalize.recommenders.semantic_similarity import train_semantic_similarity
from personalize_local.personalize.recommenders.similar_items import train_similar_items
from personalize_local.personalize.recommenders.sims import train_sims
from personalize_local.personalize.recommenders.trending import train_trending
from personalize_local.personalize.recommenders.use_cases import USE_CASE_TRAINERS
from personalize_local.personalize.recommenders.user_segments import train_segments

Trainer = Callable[[TrainingData], Model]

TRAINERS: Mapping[str, Trainer] = {
    "aws-user-personalization-v2": partial(train_personalization, explains=True),
    "aws-user-personalization": train_personalization,
    "aws-personalized-ranking-v2": train_personalization,
    "aws-personalized-ranking": train_personalization,
    "aws-hrnn": train_personalization,
    "aws-hrnn-metadata": train_personalization,
    "aws-hrnn-coldstart": train_personalization,
    "aws-popularity-count": train_popularity,
    "aws-sims": train_sims,
    "aws-similar-items": train_similar_items,
    "aws-semantic-similarity": train_semantic_similarity,
    "aws-trending-now": train_trending,
    "aws-next-best-action": train_next_best_action,
    "aws-item-affinity": train_segments,
    "aws-item-attribute-affinity": train_segments,
    **USE_CASE_TRAINERS,
}
"""Name of a recipe or use case to trainer."""


Updater = Callable[[Model, TrainingData], Model]

UPDATERS: Mapping[str, Updater] = {
    "aws-user-personalization": update_personalization,
    "aws-hrnn-coldstart": update_personalization,
}
"""Recipe name to what takes up new data without training anew, for the recipes that have the training mode UPDATE."""


def train(recipe: str, data: TrainingData) -> Model:
    """Train a model. The same data and seed give the same model.

    :param recipe: the name of the recipe or use case, the last part of its ARN.
    :param data: what to learn from; see :func:`select_events` for a solution's event type and threshold.
    :raises ValueError: if the recipe has no trainer, or there is nothing to learn from.
    """
    if recipe not in TRAINERS:
        raise ValueError(f"recipe must be one of {', '.join(sorted(TRAINERS))}, got {recipe!r}")
    needs_interactions = recipe not in RECIPES or "INTERACTIONS" in RECIPES[recipe].required_datasets
    if needs_interactions and not len(data.interactions):
        raise ValueError("interactions must have at least one row to train on, got none")
    return TRAINERS[recipe](data)
