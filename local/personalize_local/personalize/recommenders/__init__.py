"""Recommenders that really learn, one per type of recipe of Amazon Personalize."""

from personalize_local.personalize.recommenders.data import (
    Event,
    Exploration,
    Interactions,
    Recommendation,
    Request,
    Table,
    TrainingData,
    select_events,
)
from personalize_local.personalize.recommenders.evaluation import (
    EVALUATORS,
    REMOVE_SEEN,
    compare_with_popularity,
    evaluate,
    evaluate_items,
    measure_updated,
)
from personalize_local.personalize.recommenders.model import Model, load
from personalize_local.personalize.recommenders.recipes import TRAINERS, UPDATERS, train
from personalize_local.personalize.recommenders.search import Search, tune

__all__ = [
    "EVALUATORS",
    "REMOVE_SEEN",
    "TRAINERS",
    "UPDATERS",
    "Event",
    "Exploration",
    "Interactions",
    "Model",
    "Recommendation",
    "Request",
    "Search",
    "Table",
    "TrainingData",
    "compare_with_popularity",
    "evaluate",
    "evaluate_items",
    "load",
    "measure_updated",
    "select_events",
    "train",
    "tune",
]
