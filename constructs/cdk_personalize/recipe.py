"""The recipes of Amazon Personalize, as data.

This module is pure: it knows nothing of the CDK.

Source: https://docs.aws.amazon.com/personalize/latest/dg/working-with-predefined-recipes.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import ClassVar, Final

from cdk_personalize.facts.hyperparameters import Hyperparameter as Hyperparameter
from cdk_personalize.facts.hyperparameters import ParameterKind as ParameterKind
from cdk_personalize.facts.hyperparameters import hyperparameters_of
from cdk_personalize.facts.limits import NAME_LENGTH
from cdk_personalize.facts.names import NAME


class RecipeType(Enum):
    """What a recipe produces."""

    USER_PERSONALIZATION = "USER_PERSONALIZATION"
    """Items for a user."""
    PERSONALIZED_RANKING = "PERSONALIZED_RANKING"
    """A given list of items, ordered for a user."""
    RELATED_ITEMS = "RELATED_ITEMS"
    """Items for an item."""
    POPULAR_ITEMS = "POPULAR_ITEMS"
    """Items that are popular, or become so."""
    PERSONALIZED_ACTIONS = "PERSONALIZED_ACTIONS"
    """Actions for a user."""
    USER_SEGMENTATION = "USER_SEGMENTATION"
    """Users for an item or an attribute of items."""


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
    :param themes: Whether batch inference jobs can name what the items of a result have in common.
    :param exploration: Whether a campaign takes an item exploration configuration.
    :param events_config: Whether events can have weights and thresholds of their own.
    :param optimization_objective: Whether an item attribute can be optimized for.
    :param incremental_update: Whether item changes can go live without training.
    :param ranking_influence: Whether popularity or freshness can influence the ranking.
    :param item_marks: Marks of columns that items must have, such as ``"itemName"``.
    :param item_attributes: Whether items must have a column that is neither reserved nor textual.
    :param update_training: Whether a training can take up only what is new since the last one.
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
    themes: bool = False
    exploration: bool = False
    events_config: bool = False
    optimization_objective: bool = False
    incremental_update: bool = False
    ranking_influence: bool = False
    item_marks: tuple[str, ...] = ()
    item_attributes: bool = False
    update_training: bool = False
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
        if not NAME.fullmatch(name):
            raise ValueError(
                f"name must be the name of a recipe (1 to {NAME_LENGTH} letters, digits, hyphens and underscores), "
                f"got {name!r}"
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


_ITEMS_USERS = frozenset({"ITEMS", "USERS"})

_CATALOGUE: Final[Mapping[str, Recipe]] = {
    "USER_PERSONALIZATION_V2": Recipe(
        "aws-user-personalization-v2",
        RecipeType.USER_PERSONALIZATION,
        optional_datasets=_ITEMS_USERS,
        events_config=True,
    ),
    "USER_PERSONALIZATION": Recipe(
        "aws-user-personalization",
        RecipeType.USER_PERSONALIZATION,
        optional_datasets=_ITEMS_USERS,
        exploration=True,
        optimization_objective=True,
        update_training=True,
    ),
    "PERSONALIZED_RANKING_V2": Recipe(
        "aws-personalized-ranking-v2",
        RecipeType.PERSONALIZED_RANKING,
        optional_datasets=_ITEMS_USERS,
        events_config=True,
    ),
    "PERSONALIZED_RANKING": Recipe(
        "aws-personalized-ranking",
        RecipeType.PERSONALIZED_RANKING,
        optional_datasets=_ITEMS_USERS,
        optimization_objective=True,
    ),
    "SIMILAR_ITEMS": Recipe(
        "aws-similar-items",
        RecipeType.RELATED_ITEMS,
        optional_datasets=frozenset({"ITEMS"}),
        themes=True,
    ),
    "SEMANTIC_SIMILARITY": Recipe(
        "aws-semantic-similarity",
        RecipeType.RELATED_ITEMS,
        required_datasets=frozenset({"ITEMS"}),
        optional_datasets=frozenset({"INTERACTIONS"}),
        incremental_update=True,
        ranking_influence=True,
        item_marks=("itemName", "textual"),
    ),
    "SIMS": Recipe(
        "aws-sims",
        RecipeType.RELATED_ITEMS,
    ),
    "TRENDING_NOW": Recipe(
        "aws-trending-now",
        RecipeType.POPULAR_ITEMS,
        batch=False,
    ),
    "POPULARITY_COUNT": Recipe("aws-popularity-count", RecipeType.POPULAR_ITEMS),
    "NEXT_BEST_ACTION": Recipe(
        "aws-next-best-action",
        RecipeType.PERSONALIZED_ACTIONS,
        required_datasets=frozenset({"ACTIONS", "INTERACTIONS"}),
        optional_datasets=frozenset({"ACTION_INTERACTIONS", "ITEMS", "USERS"}),
        batch=False,
    ),
    "ITEM_AFFINITY": Recipe(
        "aws-item-affinity",
        RecipeType.USER_SEGMENTATION,
        optional_datasets=_ITEMS_USERS,
        realtime=False,
    ),
    "ITEM_ATTRIBUTE_AFFINITY": Recipe(
        "aws-item-attribute-affinity",
        RecipeType.USER_SEGMENTATION,
        required_datasets=frozenset({"INTERACTIONS", "ITEMS"}),
        item_attributes=True,
        realtime=False,
    ),
    "HRNN": Recipe("aws-hrnn", RecipeType.USER_PERSONALIZATION, legacy=True),
    "HRNN_METADATA": Recipe(
        "aws-hrnn-metadata",
        RecipeType.USER_PERSONALIZATION,
        optional_datasets=_ITEMS_USERS,
        legacy=True,
    ),
    "HRNN_COLDSTART": Recipe(
        "aws-hrnn-coldstart",
        RecipeType.USER_PERSONALIZATION,
        required_datasets=frozenset({"INTERACTIONS", "ITEMS"}),
        update_training=True,
        legacy=True,
    ),
}

_COMPLETE: Final = {
    constant: replace(recipe, hyperparameters=hyperparameters_of(recipe.name))
    for constant, recipe in _CATALOGUE.items()
}

for _constant, _recipe in _COMPLETE.items():
    setattr(Recipe, _constant, _recipe)

RECIPES: Final[Mapping[str, Recipe]] = MappingProxyType({recipe.name: recipe for recipe in _COMPLETE.values()})
"""Every recipe of the catalogue, by name."""
