"""Answers of the runtime: recommendations and rankings.

See https://docs.aws.amazon.com/personalize/latest/dg/getting-recommendations.html
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from cdk_personalize.recipe import Recipe, RecipeType

from .columns import Column
from .contents import EntityContents
from .engine import Context, Parameters
from .errors import ServiceError, invalid_input, not_found
from .kinds.datasets import entities_of, interactions_of
from .kinds.filters import allowed_by
from .kinds.recipes import find_recipe
from .recommenders.data import Array, Event, Mask, Request
from .recommenders.model import Allowed
from .serving import TrainedVersion
from .state import Record, Scope

DEFAULT_RESULTS = 25
MAX_RESULTS = 500
MAX_RESULTS_WITH_METADATA = 50
MAX_METADATA_COLUMNS = 10

_NO_SCORES = frozenset({"aws-similar-items", "aws-sims", "aws-popularity-count"})
_METADATA_ALWAYS = frozenset({"aws-user-personalization-v2", "aws-personalized-ranking-v2", "aws-semantic-similarity"})
_RANKING = RecipeType.PERSONALIZED_RANKING
_SEGMENTS_AND_ACTIONS = frozenset({RecipeType.USER_SEGMENTATION, RecipeType.PERSONALIZED_ACTIONS})


@dataclass(frozen=True)
class _Deployed:
    """What a campaign serves: all that a request needs, read at one moment."""

    recipe: Recipe
    version: TrainedVersion
    request: Request
    allowed: Allowed | None
    metadata: Callable[[str], dict[str, str] | None]


def get_recommendations(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """GetRecommendations."""
    unsupported = sorted({"recommenderArn", "promotions"} & set(parameters))
    if unsupported:
        raise ServiceError("InternalFailure", f"{', '.join(unsupported)} of GetRecommendations is not emulated.", 501)
    count = _count(parameters)
    deployed = _deployed(context, parameters)
    if deployed.recipe.recipe_type is _RANKING or deployed.recipe.recipe_type in _SEGMENTS_AND_ACTIONS:
        raise invalid_input(f"Campaigns of the recipe {deployed.recipe.name} do not answer GetRecommendations.")
    found = deployed.version.model.recommend(deployed.request, allowed=deployed.allowed, count=count)
    return _answer("itemList", deployed, [(item.item_id, item.score) for item in found])


def get_personalized_ranking(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """GetPersonalizedRanking: the scores of the given items sum to 1; items unknown to the model come last."""
    candidates = list(dict.fromkeys(parameters["inputList"]))
    _check_size(len(candidates), parameters, "inputList")
    deployed = _deployed(context, parameters)
    if deployed.recipe.recipe_type is not _RANKING:
        raise invalid_input(f"Campaigns of the recipe {deployed.recipe.name} do not answer GetPersonalizedRanking.")
    wanted = set(candidates)

    def allowed(item_ids: Array) -> Mask:
        chosen = np.fromiter((item_id in wanted for item_id in item_ids), np.bool_, len(item_ids))
        return chosen & deployed.allowed(item_ids) if deployed.allowed else chosen

    ranked = deployed.version.model.recommend(deployed.request, allowed=allowed, count=len(candidates))
    total = sum(item.score for item in ranked) or 1.0
    known = set(deployed.version.model.item_ids)
    # a filter is applied to the model's catalogue, so that it never lets an item through that is not in there
    unknown = [] if deployed.allowed else [item_id for item_id in candidates if item_id not in known]
    found: list[tuple[str, float | None]] = [(item.item_id, item.score / total) for item in ranked]
    return _answer("personalizedRanking", deployed, [*found, *((item_id, None) for item_id in unknown)])


def _deployed(context: Context, parameters: Parameters) -> _Deployed:
    scope = context.scope
    with context.engine.state.lock:
        campaign = _campaign(context, parameters)
        recipe = find_recipe(campaign.attributes["recipeArn"])
        version = scope.versions[campaign.attributes["solutionVersionArn"]]
        group = campaign.attributes["datasetGroupArn"]
        request = _request(scope, group, recipe, version, parameters)
        columns = _metadata_columns(scope, campaign, recipe, parameters)
        items = entities_of(scope, group, "ITEMS") if columns else None
        return _Deployed(
            recipe=recipe,
            version=version,
            request=request,
            allowed=allowed_by(context, group, parameters),
            metadata=partial(_metadata, items[0], items[1], columns) if items else lambda item_id: None,
        )


def _campaign(context: Context, parameters: Parameters) -> Record:
    arn = parameters.get("campaignArn")
    if arn is None:
        raise invalid_input("campaignArn is required.")
    campaign = context.scope.find("Campaign", arn)
    if campaign is None:
        raise not_found(f"Campaign {arn} not found.")
    if not campaign.active:
        code = context.engine.settings.uncertain.inactive_campaign_error
        raise ServiceError(code, f"Campaign {arn} is in status {campaign.status}, it must be ACTIVE.")
    return campaign


def _request(scope: Scope, group: str, recipe: Recipe, version: TrainedVersion, parameters: Parameters) -> Request:
    if recipe.recipe_type is RecipeType.RELATED_ITEMS:
        if "itemId" not in parameters:
            raise invalid_input(f"itemId is required by the recipe {recipe.name}.")
        return Request([Event(parameters["itemId"])], item_id=parameters["itemId"])
    if recipe.recipe_type is RecipeType.POPULAR_ITEMS:
        return Request()
    if "userId" not in parameters:
        raise invalid_input(f"userId is required by the recipe {recipe.name}.")
    contents = interactions_of(scope, group)
    events = contents.history(parameters["userId"]) if contents else []
    users = entities_of(scope, group, "USERS")
    user = users[0].row(users[1], parameters["userId"]) if users else None
    return Request(
        [event for event in events if version.event_type in (None, event.event_type)],
        user=user or {},
        context=parameters.get("context", {}),
    )


def _metadata_columns(scope: Scope, campaign: Record, recipe: Recipe, parameters: Parameters) -> Sequence[str]:
    wanted: Sequence[str] = parameters.get("metadataColumns", {}).get("ITEMS", ())
    if not wanted:
        return ()
    configuration = campaign.attributes.get("campaignConfig", {})
    if recipe.name not in _METADATA_ALWAYS and not configuration.get("enableMetadataWithRecommendations"):
        raise invalid_input(f"Metadata is not enabled for the campaign {campaign.arn}.")
    if len(wanted) > MAX_METADATA_COLUMNS:
        raise invalid_input(f"metadataColumns can have at most {MAX_METADATA_COLUMNS} columns, got {len(wanted)}.")
    items = entities_of(scope, campaign.attributes["datasetGroupArn"], "ITEMS")
    known = {column.name.lower() for column in items[1]} if items else set()
    unknown = [name for name in wanted if name.lower() not in known]
    if unknown:
        raise invalid_input(f"The Items dataset has no {', '.join(unknown)}.")
    return wanted


def _count(parameters: Parameters) -> int:
    count: int = parameters.get("numResults", DEFAULT_RESULTS)
    _check_size(count, parameters, "numResults")
    return count


def _check_size(count: int, parameters: Parameters, member: str) -> None:
    limit = MAX_RESULTS_WITH_METADATA if parameters.get("metadataColumns") else MAX_RESULTS
    if count > limit:
        raise invalid_input(f"{member} can be at most {limit}, got {count}.")


def _answer(key: str, deployed: _Deployed, found: Sequence[tuple[str, float | None]]) -> Mapping[str, Any]:
    scored = deployed.recipe.name not in _NO_SCORES
    return {
        key: [
            {"itemId": item_id, "score": score if scored else None, "metadata": deployed.metadata(item_id)}
            for item_id, score in found
        ],
        "recommendationId": f"RID-{uuid.uuid4()}",
    }


def _metadata(
    contents: EntityContents, columns: tuple[Column, ...], wanted: Sequence[str], item_id: str
) -> dict[str, str] | None:
    """Metadata of an item, as the service gives it: names in lower case, values as strings."""
    row = contents.row(columns, item_id)
    if row is None:
        return None
    values = {name.lower(): value for name, value in row.items()}
    return {name.lower(): str(values[name.lower()]) for name in wanted if not _is_null(values[name.lower()])}


def _is_null(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))
