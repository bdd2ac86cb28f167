"""Recommenders that really learn, one per type of recipe of Amazon Personalize."""

from personalize_local.personalize.recommenders.data import (
    Event,
    Interactions,
    Recommendation,
    Request,
    Table,
    TrainingData,
    select_events,
)
from personalize_local.personalize.recommenders.evaluation import REMOVE_SEEN, compare_with_popularity, evaluate
from personalize_local.personalize.recommenders.model import Model, load
from personalize_local.personalize.recommenders.recipes import TRAINERS, train

__all__ = [
    "REMOVE_SEEN",
    "TRAINERS",
    "Event",
    "Interactions",
    "Model",
    "Recommendation",
    "Request",
    "Table",
    "TrainingData",
    "compare_with_popularity",
    "evaluate",
    "load",
    "select_events",
    "train",
]
