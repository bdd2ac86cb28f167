"""The recipes of Amazon Personalize, as data.

This module is pure: it knows nothing of the CDK.

Source: https://docs.aws.amazon.com/personalize/latest/dg/working-with-predefined-recipes.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import ClassVar, Final

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}")


class RecipeType(Enum):
    """What a recipe produces."""

    USER_PERSONALIZATION = "USER_PERSONALIZATION"
    PERSONALIZED_RANKING = "PERSONALIZED_RANKING"
    RELATED_ITEMS = "RELATED_ITEMS"
    POPULAR_ITEMS = "POPULAR_ITEMS"
    PERSONALIZED_ACTIONS = "PERSONALIZED_ACTIONS"
    USER_SEGMENTATION = "USER_SEGMENTATION"


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


@dataclass(frozen=True)
class Recipe:
    """A recipe: the algorithm that a solution trains, with what it needs and accepts.

    Take one of the class constants, or :meth:`of` for a recipe that this version of the library does not know.

    :param name: Name, such as ``"aws-user-personalization-v2"``.
    :param recipe_type: What it produces. ``None``: unknown.
    :param required_datasets: Dataset types that it cannot be trained without, in upper case.
    :param optional_datasets: Dataset types that it uses when they exist.
    :param hyperparameters: What can be set.
    :param realtime: Whether a campaign can serve it.
    :param batch: Whether batch inference or batch segment jobs can use it.
    :param exploration: Whether a campaign takes an item exploration configuration.
    :param events_config: Whether events can have weights and thresholds of their own.
    :param optimization_objective: Whether an item attribute can be optimized for.
    :param incremental_update: Whether item changes can go live without training.
    :param ranking_influence: Whether popularity or freshness can influence the ranking.
    :param legacy: Whether AWS advises against it for new work.
    :param known: Whether the catalogue describes it.
    """

    name: str
    recipe_type: RecipeType | None = None
    required_datasets: frozenset[str] = frozenset({"INTERACTIONS"})
    optional_datasets: frozenset[str] = frozenset()
    hyperparameters: tuple[Hyperparameter, ...] = ()
    realtime: bool = True
    batch: bool = True
    exploration: bool = False
    events_config: bool = False
    optimization_objective: bool = False
    incremental_update: bool = False
    ranking_influence: bool = False
    legacy: bool = False
    known: bool = field(default=True, repr=False)

    USER_PERSONALIZATION_V2: ClassVar[Recipe]
    """Recommendations for a user; the first choice for new work."""
    USER_PERSONALIZATION: ClassVar[Recipe]
    """Recommendations for a user, with tunable exploration."""
    PERSONALIZED_RANKING_V2: ClassVar[Recipe]
    """A given list of items, ordered for a user; the first choice for new work."""
    PERSONALIZED_RANKING: ClassVar[Recipe]
    """A given list of items, ordered for a user."""
    SIMILAR_ITEMS: ClassVar[Recipe]
    """Items similar to an item, by interactions and metadata."""
    SEMANTIC_SIMILARITY: ClassVar[Recipe]
    """Items similar to an item, by the meaning of their text; trained on items alone."""
    SIMS: ClassVar[Recipe]
    """Items that occur together with an item."""
    TRENDING_NOW: ClassVar[Recipe]
    """Items whose popularity rises fastest."""
    POPULARITY_COUNT: ClassVar[Recipe]
    """Items with the most interactions; the baseline for comparisons."""
    NEXT_BEST_ACTION: ClassVar[Recipe]
    """Actions that a user will most likely take."""
    ITEM_AFFINITY: ClassVar[Recipe]
    """Users with an affinity to an item; batch only."""
    ITEM_ATTRIBUTE_AFFINITY: ClassVar[Recipe]
    """Users with an affinity to an item attribute; batch only."""
    HRNN: ClassVar[Recipe]
    """Legacy: use :attr:`USER_PERSONALIZATION_V2`."""
    HRNN_METADATA: ClassVar[Recipe]
    """Legacy: use :attr:`USER_PERSONALIZATION_V2`."""
    HRNN_COLDSTART: ClassVar[Recipe]
    """Legacy: use :attr:`USER_PERSONALIZATION_V2`."""

    @staticmethod
    def of(name: str) -> Recipe:
        """Return the recipe of that name; one that the catalogue does not know is taken without checks.

        :param name: Name of the recipe, such as ``"aws-sims"``.
        :raises ValueError: When it cannot be the name of a recipe.
        """
        if name in RECIPES:
            return RECIPES[name]
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"name must be the name of a recipe (1 to 63 letters, digits, hyphens and underscores), got {name!r}"
            )
        return Recipe(name, required_datasets=frozenset(), exploration=True, known=False)

    @property
    def resource(self) -> str:
        """Tail of its ARN, which has neither Region nor account."""
        return f"recipe/{self.name}"

    def hyperparameter(self, name: str) -> Hyperparameter:
        """Return one hyperparameter.

        :param name: Its name.
        :raises ValueError: When the recipe has none of that name.
        """
        for parameter in self.hyperparameters:
            if parameter.name == name:
                return parameter
        allowed = [parameter.name for parameter in self.hyperparameters]
        raise ValueError(f"hyperparameter {name!r} is unknown to the recipe {self.name}, allowed: {allowed}")


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
_ITEMS_USERS = frozenset({"ITEMS", "USERS"})

_CATALOGUE: Mapping[str, Recipe] = {
    "USER_PERSONALIZATION_V2": Recipe(
        "aws-user-personalization-v2",
        RecipeType.USER_PERSONALIZATION,
        optional_datasets=_ITEMS_USERS,
        hyperparameters=_RECENCY_BIAS,
        events_config=True,
    ),
    "USER_PERSONALIZATION": Recipe(
        "aws-user-personalization",
        RecipeType.USER_PERSONALIZATION,
        optional_datasets=_ITEMS_USERS,
        hyperparameters=_sequence_model(149),
        exploration=True,
        optimization_objective=True,
    ),
    "PERSONALIZED_RANKING_V2": Recipe(
        "aws-personalized-ranking-v2",
        RecipeType.PERSONALIZED_RANKING,
        optional_datasets=_ITEMS_USERS,
        hyperparameters=_RECENCY_BIAS,
        events_config=True,
    ),
    "PERSONALIZED_RANKING": Recipe(
        "aws-personalized-ranking",
        RecipeType.PERSONALIZED_RANKING,
        optional_datasets=_ITEMS_USERS,
        hyperparameters=_sequence_model(149),
        optimization_objective=True,
    ),
    "SIMILAR_ITEMS": Recipe(
        "aws-similar-items",
        RecipeType.RELATED_ITEMS,
        optional_datasets=frozenset({"ITEMS"}),
        hyperparameters=(
            Hyperparameter("item_id_hidden_dim", 100, 30, 200, tunable=True, tuning_only=True),
            Hyperparameter("item_metadata_hidden_dim", 100, 30, 200, tunable=True, tuning_only=True),
        ),
    ),
    "SEMANTIC_SIMILARITY": Recipe(
        "aws-semantic-similarity",
        RecipeType.RELATED_ITEMS,
        required_datasets=frozenset({"ITEMS"}),
        optional_datasets=frozenset({"INTERACTIONS"}),
        incremental_update=True,
        ranking_influence=True,
    ),
    "SIMS": Recipe(
        "aws-sims",
        RecipeType.RELATED_ITEMS,
        hyperparameters=(
            Hyperparameter("popularity_discount_factor", 0.5, 0.0, 1.0, tunable=True),
            Hyperparameter("min_cointeraction_count", 3, 0, 10, tunable=True),
            *_percentiles("user_history_length", 0.005, 0.995),
            *_percentiles("item_interaction_count", 0.01, 0.9),
        ),
    ),
    "TRENDING_NOW": Recipe(
        "aws-trending-now",
        RecipeType.POPULAR_ITEMS,
        hyperparameters=(
            Hyperparameter(
                "trend_discovery_frequency",
                "2 hours",
                choices=("30 minutes", "1 hour", "2 hours", "3 hours", "1 day"),
                kind=_FEATURE,
            ),
        ),
        batch=False,
    ),
    "POPULARITY_COUNT": Recipe("aws-popularity-count", RecipeType.POPULAR_ITEMS),
    "NEXT_BEST_ACTION": Recipe(
        "aws-next-best-action",
        RecipeType.PERSONALIZED_ACTIONS,
        required_datasets=frozenset({"ACTIONS", "INTERACTIONS"}),
        optional_datasets=frozenset({"ACTION_INTERACTIONS", "ITEMS", "USERS"}),
        hyperparameters=(Hyperparameter("action_optimization_period", 14, 7, 28, kind=_FEATURE),),
        batch=False,
    ),
    "ITEM_AFFINITY": Recipe(
        "aws-item-affinity",
        RecipeType.USER_SEGMENTATION,
        optional_datasets=_ITEMS_USERS,
        hyperparameters=_SEGMENTATION,
        realtime=False,
    ),
    "ITEM_ATTRIBUTE_AFFINITY": Recipe(
        "aws-item-attribute-affinity",
        RecipeType.USER_SEGMENTATION,
        required_datasets=frozenset({"INTERACTIONS", "ITEMS"}),
        hyperparameters=_SEGMENTATION,
        realtime=False,
    ),
    "HRNN": Recipe("aws-hrnn", RecipeType.USER_PERSONALIZATION, hyperparameters=_sequence_model(43), legacy=True),
    "HRNN_METADATA": Recipe(
        "aws-hrnn-metadata",
        RecipeType.USER_PERSONALIZATION,
        optional_datasets=_ITEMS_USERS,
        hyperparameters=_sequence_model(43),
        legacy=True,
    ),
    "HRNN_COLDSTART": Recipe(
        "aws-hrnn-coldstart",
        RecipeType.USER_PERSONALIZATION,
        required_datasets=frozenset({"INTERACTIONS", "ITEMS"}),
        hyperparameters=(
            *_sequence_model(149),
            Hyperparameter("cold_start_max_interactions", 15, 0, kind=_FEATURE),
            Hyperparameter("cold_start_max_duration", 5.0, 0.0, kind=_FEATURE),
            Hyperparameter(
                "cold_start_relative_from", "latestItem", choices=("currentTime", "latestItem"), kind=_FEATURE
            ),
        ),
        legacy=True,
    ),
}

for _constant, _recipe in _CATALOGUE.items():
    setattr(Recipe, _constant, _recipe)

RECIPES: Final[Mapping[str, Recipe]] = MappingProxyType({recipe.name: recipe for recipe in _CATALOGUE.values()})
"""Every recipe of the catalogue, by name."""
