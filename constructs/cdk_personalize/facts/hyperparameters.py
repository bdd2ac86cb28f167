"""The hyperparameters of every recipe, with their ranges.

See https://docs.aws.amazon.com/personalize/latest/dg/working-with-predefined-recipes.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from cdk_personalize.facts.source import LATE_2025, MAY_2023, Source


class ParameterKind(Enum):
    """Which map of a solution's configuration a hyperparameter belongs to."""

    ALGORITHM = "algorithmHyperParameters"
    FEATURE_TRANSFORMATION = "featureTransformationParameters"


@dataclass(frozen=True)
class Hyperparameter:
    """One hyperparameter of a recipe.

    :param name: Name, as the service spells it.
    :param default: Value that the service uses when none is given.
    :param minimum: Lowest value. ``None``: not a number.
    :param maximum: Highest value. ``None``: no documented limit.
    :param choices: Allowed values of a categorical parameter.
    :param kind: Which map of the solution's configuration takes it.
    :param tunable: Whether hyperparameter optimization may search it.
    :param tuning_only: Whether it can only be set by the ranges of hyperparameter optimization.
    """

    name: str
    default: str | int | float | bool
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    kind: ParameterKind = ParameterKind.ALGORITHM
    tunable: bool = False
    tuning_only: bool = False

    @property
    def type(self) -> str:
        """``"categorical"``, ``"continuous"`` or ``"integer"``."""
        if self.choices:
            return "categorical"
        return "continuous" if isinstance(self.default, float) else "integer"


_FEATURE = ParameterKind.FEATURE_TRANSFORMATION
_BOOLEANS = ("true", "false")
_RECENCY_BIAS = (Hyperparameter("apply_recency_bias", "true", choices=_BOOLEANS),)


def _percentiles(prefix: str, low: float, high: float) -> tuple[Hyperparameter, ...]:
    return (
        Hyperparameter(f"min_{prefix}_percentile", low, 0.0, 1.0, kind=_FEATURE),
        Hyperparameter(f"max_{prefix}_percentile", high, 0.0, 1.0, kind=_FEATURE),
    )


def _sequence_model(hidden_dimension: int) -> tuple[Hyperparameter, ...]:
    return (
        Hyperparameter("hidden_dimension", hidden_dimension, 32, 256, tunable=True),
        Hyperparameter("bptt", 32, 2, 32, tunable=True),
        Hyperparameter("recency_mask", "True", choices=("True", "False", *_BOOLEANS), tunable=True),
        *_percentiles("user_history_length", 0.0, 0.99),
    )


_SEGMENTATION = (Hyperparameter("hidden_dimension", 149, 32, 256),)


@dataclass(frozen=True)
class Hyperparameters:
    """What can be set for a recipe.

    :param source: Where that stands.
    :param parameters: Its hyperparameters.
    """

    source: Source
    parameters: tuple[Hyperparameter, ...]


HYPERPARAMETERS: Final[Mapping[str, Hyperparameters]] = MappingProxyType(
    {
        "aws-user-personalization-v2": Hyperparameters(
            Source("native-recipe-user-personalization-v2.html", LATE_2025), _RECENCY_BIAS
        ),
        "aws-user-personalization": Hyperparameters(
            Source("native-recipe-new-item-USER_PERSONALIZATION.html", MAY_2023), _sequence_model(149)
        ),
        "aws-personalized-ranking-v2": Hyperparameters(
            Source("native-recipe-personalized-ranking-v2.html", LATE_2025), _RECENCY_BIAS
        ),
        "aws-personalized-ranking": Hyperparameters(
            Source("native-recipe-search.html", MAY_2023), _sequence_model(149)
        ),
        "aws-similar-items": Hyperparameters(
            Source("native-recipe-similar-items.html", MAY_2023),
            (
                Hyperparameter("item_id_hidden_dim", 100, 30, 200, tunable=True, tuning_only=True),
                Hyperparameter("item_metadata_hidden_dim", 100, 30, 200, tunable=True, tuning_only=True),
            ),
        ),
        "aws-sims": Hyperparameters(
            Source("native-recipe-sims.html", MAY_2023),
            (
                Hyperparameter("popularity_discount_factor", 0.5, 0.0, 1.0, tunable=True),
                Hyperparameter("min_cointeraction_count", 3, 0, 10, tunable=True),
                *_percentiles("user_history_length", 0.005, 0.995),
                *_percentiles("item_interaction_count", 0.01, 0.9),
            ),
        ),
        "aws-trending-now": Hyperparameters(
            Source("native-recipe-trending-now.html", LATE_2025),
            (
                Hyperparameter(
                    "trend_discovery_frequency",
                    "2 hours",
                    choices=("30 minutes", "1 hour", "2 hours", "3 hours", "1 day"),
                    kind=_FEATURE,
                ),
            ),
        ),
        "aws-next-best-action": Hyperparameters(
            Source("native-recipe-next-best-action.html", LATE_2025),
            (Hyperparameter("action_optimization_period", 14, 7, 28, kind=_FEATURE),),
        ),
        "aws-item-affinity": Hyperparameters(Source("item-affinity-recipe.html", MAY_2023), _SEGMENTATION),
        "aws-item-attribute-affinity": Hyperparameters(
            Source("item-attribute-affinity-recipe.html", MAY_2023), _SEGMENTATION
        ),
        "aws-hrnn": Hyperparameters(Source("native-recipe-hrnn.html", MAY_2023), _sequence_model(43)),
        "aws-hrnn-metadata": Hyperparameters(Source("native-recipe-hrnn-metadata.html", MAY_2023), _sequence_model(43)),
        "aws-hrnn-coldstart": Hyperparameters(
            Source("native-recipe-hrnn-coldstart.html", MAY_2023),
            (
                *_sequence_model(149),
                Hyperparameter("cold_start_max_interactions", 15, 0, kind=_FEATURE),
                Hyperparameter("cold_start_max_duration", 5.0, 0.0, kind=_FEATURE),
                Hyperparameter(
                    "cold_start_relative_from", "latestItem", choices=("currentTime", "latestItem"), kind=_FEATURE
                ),
            ),
        ),
    }
)
"""By the name of the recipe; a recipe that is not here has none."""


def hyperparameters_of(recipe: str) -> tuple[Hyperparameter, ...]:
    """Return what can be set for a recipe.

    :param recipe: Its name.
    """
    return HYPERPARAMETERS[recipe].parameters if recipe in HYPERPARAMETERS else ()
