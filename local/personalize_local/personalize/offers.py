"""What recipes and use cases offer at runtime, as data.

See https://docs.aws.amazon.com/personalize/latest/dg/getting-real-time-recommendations.html
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, TypeAlias

from cdk_personalize.filter_expression import Target
from cdk_personalize.recipe import RECIPES, Recipe, RecipeType
from cdk_personalize.use_case import USE_CASES, UseCase

from .errors import invalid_input
from .filters import CompiledFilter
from .recommenders.data import Exploration
from .uncertain import AUTOMATIC_EXPLORATION_WEIGHT, LEAST_AGE_CUT_OFF, USE_CASES_WITHOUT_SCORES

Offer: TypeAlias = Recipe | UseCase

_WEIGHT: Final = "explorationWeight"
_AGE: Final = "explorationItemAgeCutOff"
_EXPLORATION: Final[Mapping[str, tuple[float, float]]] = {_WEIGHT: (0.0, 1.0), _AGE: (LEAST_AGE_CUT_OFF, math.inf)}
_DEFAULT_EXPLORATION: Final = Exploration(weight=0.3, age_cut_off=30.0)

ANSWERED_BY: Final[Mapping[RecipeType, str]] = {
    RecipeType.USER_PERSONALIZATION: "GetRecommendations",
    RecipeType.RELATED_ITEMS: "GetRecommendations",
    RecipeType.POPULAR_ITEMS: "GetRecommendations",
    RecipeType.PERSONALIZED_RANKING: "GetPersonalizedRanking",
    RecipeType.PERSONALIZED_ACTIONS: "GetActionRecommendations",
}
"""The operation that campaigns and recommenders of a type answer."""

_USER: Final = frozenset({"userId"})
_NEEDED: Final[Mapping[RecipeType, frozenset[str]]] = {
    RecipeType.USER_PERSONALIZATION: _USER,
    RecipeType.PERSONALIZED_RANKING: _USER,
    RecipeType.PERSONALIZED_ACTIONS: _USER,
    RecipeType.RELATED_ITEMS: frozenset({"itemId"}),
}
_TARGETS: Final[Mapping[RecipeType, Target]] = {
    RecipeType.PERSONALIZED_ACTIONS: Target.ACTION,
    RecipeType.USER_SEGMENTATION: Target.USER,
}
_WITH_CONTEXT: Final = frozenset({RecipeType.USER_PERSONALIZATION, RecipeType.PERSONALIZED_RANKING})
_WITHOUT_SCORES: Final = frozenset({"aws-similar-items", "aws-sims", "aws-popularity-count", *USE_CASES_WITHOUT_SCORES})
_METADATA_INCLUDED: Final = frozenset(
    {"aws-user-personalization-v2", "aws-personalized-ranking-v2", "aws-semantic-similarity"}
)
_WITH_REASONS: Final = frozenset({"aws-user-personalization-v2"})
# they take new items or actions up without training
_UPDATED_BY_ITSELF: Final = frozenset(
    {"aws-user-personalization-v2", "aws-user-personalization", "aws-next-best-action"}
)
_FOLLOWING: Final = frozenset({"aws-trending-now", "aws-vod-trending-now"})
_EXPLORES_BY_ITSELF: Final = frozenset({"aws-user-personalization-v2", "aws-next-best-action"})
_AUTOMATIC_EXPLORATION: Final = Exploration(AUTOMATIC_EXPLORATION_WEIGHT, _DEFAULT_EXPLORATION.age_cut_off)
_WITH_PROMOTIONS: Final = frozenset(
    {
        "aws-user-personalization-v2",
        "aws-user-personalization",
        "aws-similar-items",
        "aws-sims",
        "aws-trending-now",
        "aws-popularity-count",
    }
)


def find_offer(arn: str) -> Offer | None:
    """Look a recipe or a use case up by its ARN."""
    name = arn.rpartition("/")[2]
    return RECIPES.get(name) or USE_CASES.get(name)


def offer_of(arn: str) -> Offer:
    """Look the recipe up of what there is already.

    :raises LookupError: if there is none.
    """
    offer = find_offer(arn)
    if offer is None:
        raise LookupError(f"there is no recipe {arn}")
    return offer


def needed(offer: Offer) -> frozenset[str]:
    """The members that a request must have."""
    if isinstance(offer, UseCase):
        return offer.request
    return _NEEDED.get(offer.recipe_type, frozenset()) if offer.recipe_type else frozenset()


def target(offer: Offer) -> Target:
    """What it recommends."""
    return _TARGETS.get(offer.recipe_type, Target.ITEM) if offer.recipe_type else Target.ITEM


def takes_context(offer: Offer) -> bool:
    """Whether the context of a request counts."""
    return offer.recipe_type in _WITH_CONTEXT


def gives_scores(offer: Offer) -> bool:
    """Whether its answers have scores."""
    return offer.name not in _WITHOUT_SCORES


def gives_reasons(offer: Offer) -> bool:
    """Whether its answers say why an item is in there."""
    return offer.name in _WITH_REASONS


def includes_metadata(offer: Offer) -> bool:
    """Whether metadata can be asked for without having been enabled."""
    return offer.name in _METADATA_INCLUDED


def updates_itself(offer: Offer) -> bool:
    """Whether it takes up what comes after training."""
    return offer.exploration if isinstance(offer, UseCase) else offer.name in _UPDATED_BY_ITSELF


def follows_events(offer: Offer) -> bool:
    """Whether it follows what all users do after training."""
    return offer.name in _FOLLOWING


def takes_promotions(offer: Offer) -> bool:
    """Whether requests can promote items."""
    return isinstance(offer, UseCase) or offer.name in _WITH_PROMOTIONS


def exploration(offer: Offer, configuration: Mapping[str, str]) -> Exploration | None:
    """How it explores.

    :param configuration: ``itemExplorationConfig``, already checked.
    """
    if offer.name in _EXPLORES_BY_ITSELF:
        return _AUTOMATIC_EXPLORATION
    if not offer.exploration:
        return None
    return Exploration(
        weight=float(configuration.get(_WEIGHT, _DEFAULT_EXPLORATION.weight)),
        age_cut_off=float(configuration.get(_AGE, _DEFAULT_EXPLORATION.age_cut_off)),
    )


def check_exploration(offer: Offer, configuration: Mapping[str, Any]) -> None:
    """Check ``itemExplorationConfig``.

    :param configuration: as in the API: numbers as strings.
    :raises ServiceError: InvalidInputException.
    """
    if configuration and not offer.exploration:
        raise invalid_input(f"The recipe {offer.name} does not support itemExplorationConfig.")
    for name, value in configuration.items():
        if name not in _EXPLORATION:
            raise invalid_input(f"itemExplorationConfig has {', '.join(_EXPLORATION)}, got {name}.")
        least, most = _EXPLORATION[name]
        try:
            right = least <= float(value) <= most and math.isfinite(float(value))
        except ValueError:
            right = False
        if not right:
            raise invalid_input(f"{name} must be a number from {least} to {most}, got {value}.")


@cache
def automatic_filter(offer: Offer) -> CompiledFilter | None:
    """The filter that a use case applies by itself, before that of a request."""
    if not isinstance(offer, UseCase) or offer.dropped is None:
        return None
    return CompiledFilter.parse(f'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("{offer.dropped}")')
