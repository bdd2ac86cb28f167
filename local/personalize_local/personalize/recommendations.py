"""Answers of the runtime: recommendations, rankings and actions.

See https://docs.aws.amazon.com/personalize/latest/dg/getting-recommendations.html
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cdk_personalize.filter_expression import Target
from cdk_personalize.recipe import RecipeType

from .columns import Column, folded
from .deployments import Deployment, find_deployment
from .engine import Context, Parameters
from .errors import ServiceError, invalid_input
from .filters import index_of
from .kinds.datasets import columns_of_dataset, dataset_of, entities_of, interactions_of
from .kinds.filters import View, history_of
from .offers import (
    automatic_filter,
    exploration,
    follows_events,
    gives_reasons,
    gives_scores,
    includes_metadata,
    needed,
    takes_context,
    takes_promotions,
    target,
)
from .promotions import Promotion, check_promotion, mixed, seed_of
from .recommenders.data import Array, Event, Mask, Recommendation, Request, Table
from .recommenders.model import Allowed

DEFAULT_RESULTS = 25
MAX_RESULTS = 500
MAX_RESULTS_WITH_METADATA = 50
MAX_METADATA_COLUMNS = 10
DEFAULT_ACTIONS = 5
MAX_ACTIONS = 100
PROMOTED = "Promoted item"
POPULAR = "Popular item"
"""Such an item fills up a list that a filter left too short; it has no score."""

_METADATA_OF = "ITEMS"


@dataclass(frozen=True)
class Prepared:
    """All that a request needs, read at one moment.

    :param kept: what the use case does not leave out by itself.
    :param allowed: what the filter of the request lets through.
    :param metadata: gives the metadata of an item. Default: - none was asked for
    """

    deployment: Deployment
    view: View
    request: Request
    kept: Allowed | None
    allowed: Allowed | None
    promotion: Promotion | None
    metadata: Callable[[str], dict[str, str] | None] | None

    def recommend(self, allowed: Allowed | None, count: int, *, explores: bool = True) -> list[Recommendation]:
        """Ask the model.

        :param explores: whether it explores, if it is to. Otherwise new items are ranked as all others are.
        """
        request = self.request if explores else replace(self.request, exploration=None)
        return self.deployment.version.model.recommend(request, allowed=allowed, count=count)

    def among(self, item_ids: Iterable[str]) -> Allowed:
        """Allow some items only."""
        return lambda ids: self.view.catalogue(ids).among(item_ids)

    def but(self, item_ids: Iterable[str]) -> Allowed:
        """Allow all but some items."""
        return lambda ids: ~self.view.catalogue(ids).among(item_ids)

    def item(self, item_id: str, score: float | None, **further: Any) -> dict[str, Any]:
        """One item of an answer."""
        metadata = self.metadata(item_id) if self.metadata else None
        return {"itemId": item_id, "score": score, "metadata": metadata, **further}


def get_recommendations(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """GetRecommendations."""
    count = parameters.get("numResults", DEFAULT_RESULTS)
    _check_size(count, _most(parameters), "numResults")
    prepared = _prepared(context, parameters)
    offer, promotion = prepared.deployment.offer, prepared.promotion
    others = _both(prepared.kept, prepared.allowed)
    if promotion is None:
        found = [(item, False) for item in prepared.recommend(others, count)]
    else:
        promoted = prepared.recommend(promotion.allowed, promotion.share(count), explores=False)
        others = _both(others, prepared.but([item.item_id for item in promoted]))
        found = mixed(promoted, prepared.recommend(others, count - len(promoted)), promotion)
    scored, reasoned = gives_scores(offer), gives_reasons(offer)
    name = promotion.name if promotion else None
    return _answer(
        context,
        parameters,
        "itemList",
        [
            prepared.item(
                item.item_id,
                item.score if scored and POPULAR not in item.reasons else None,
                promotionName=name if promoted else None,
                reason=_reasons(item, promoted) if reasoned else None,
            )
            for item, promoted in found
        ],
    )


def get_personalized_ranking(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """GetPersonalizedRanking: the scores of the given items sum to 1; items unknown to the model come last."""
    candidates = list(dict.fromkeys(parameters["inputList"]))
    _check_size(len(candidates), _most(parameters), "inputList")
    prepared = _prepared(context, parameters)
    return _answer(
        context,
        parameters,
        "personalizedRanking",
        [prepared.item(item_id, score) for item_id, score in ranked(prepared, candidates)],
    )


def ranked(prepared: Prepared, candidates: Sequence[str]) -> list[tuple[str, float | None]]:
    """Rank items for a user: their scores sum to 1, and those that the model does not know come last, without one."""
    found = prepared.recommend(_both(prepared.among(candidates), prepared.allowed), len(candidates))
    total = sum(item.score for item in found) or 1.0
    known = prepared.view.catalogue(prepared.deployment.version.model.item_ids).place_by_id
    unknown = np.array([item_id for item_id in candidates if item_id not in known], dtype=object)
    if prepared.allowed and len(unknown):
        unknown = unknown[prepared.allowed(unknown)]
    return [*((item.item_id, item.score / total) for item in found), *((item_id, None) for item_id in unknown)]


def get_action_recommendations(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """GetActionRecommendations."""
    count = parameters.get("numResults", DEFAULT_ACTIONS)
    _check_size(count, MAX_ACTIONS, "numResults")
    prepared = _prepared(context, parameters)
    found = prepared.recommend(prepared.allowed, count)
    return _answer(
        context, parameters, "actionList", [{"actionId": item.item_id, "score": item.score} for item in found]
    )


def _prepared(context: Context, parameters: Parameters) -> Prepared:
    with context.engine.state.lock:
        return prepare(context, find_deployment(context, parameters), parameters)


def prepare(context: Context, deployment: Deployment, parameters: Parameters) -> Prepared:
    """Read all that a request needs. The lock must be held.

    :raises ServiceError: if the request does not fit what it goes to.
    """
    offer, group = deployment.offer, deployment.group
    for member in sorted(needed(offer)):
        if member not in parameters:
            raise invalid_input(f"{member} is required by the recipe {offer.name}.")
    view = View.of(context, group, offer, parameters)
    automatic = automatic_filter(offer)
    kept = view.applied(automatic, {}) if automatic else None
    return Prepared(
        deployment=deployment,
        view=view,
        request=_request(context, deployment, view, parameters),
        kept=kept,
        allowed=view.chosen(parameters),
        promotion=_promotion(context, deployment, view, kept, parameters),
        metadata=_metadata(context, deployment, parameters),
    )


def _request(context: Context, deployment: Deployment, view: View, parameters: Parameters) -> Request:
    offer, event_type = deployment.offer, deployment.version.event_type
    group, user = deployment.group, parameters.get("userId")
    acts = target(offer) is Target.ACTION
    items = _later_items(context, deployment, view)
    if offer.recipe_type is RecipeType.RELATED_ITEMS:
        _check_known(context, deployment, items, parameters["itemId"])
        events: Sequence[Event] = [Event(parameters["itemId"], event_type)]
    else:
        events = history_of(context.scope, group, "INTERACTIONS", user) if acts else view.events
    interactions = interactions_of(context.scope, group) if follows_events(offer) else None
    influence = deployment.configuration.get("rankingInfluence", {})
    return Request(
        [event for event in events if event_type in (None, event.event_type)],
        item_id=parameters.get("itemId"),
        user=view.request.user.values,
        context=_context(context, deployment, parameters),
        exploration=exploration(offer, deployment.configuration.get("itemExplorationConfig", {})),
        items=items,
        influence={name: float(weight) for name, weight in influence.items()},
        recent=interactions.put_events() if interactions else (),
        action_history=view.events if acts else (),
    )


def _check_known(context: Context, deployment: Deployment, later: Table | None, item_id: str) -> None:
    error = context.engine.settings.uncertain.unknown_related_item
    known = deployment.version.model.place(item_id) is not None or (later is not None and item_id in index_of(later))
    if error and not known:
        raise ServiceError(error, f"The item {item_id} is not known to {deployment.arn}.")


def _later_items(context: Context, deployment: Deployment, view: View) -> Table | None:
    if not deployment.updates:
        return None
    return deployment.version.auto_update.items(view.table, context.engine.lifecycle.now)


def _context(context: Context, deployment: Deployment, parameters: Parameters) -> Mapping[str, str]:
    """Bring the names of a context into the form of the Interactions schema."""
    given: Mapping[str, str] = parameters.get("context", {})
    if not given:
        return {}
    dataset = dataset_of(context.scope, deployment.group, "INTERACTIONS")
    columns = columns_of_dataset(context.scope, dataset) if dataset else ()
    names = {folded(column.name): column.name for column in columns} if takes_context(deployment.offer) else {}
    unknown = sorted(name for name in given if folded(name) not in names)
    if unknown and context.engine.settings.uncertain.context_must_fit:
        raise invalid_input(
            f"The Interactions dataset has no {', '.join(unknown)}."
            if takes_context(deployment.offer)
            else f"The recipe {deployment.offer.name} takes no context, got {', '.join(unknown)}."
        )
    return {names[folded(name)]: value for name, value in given.items() if folded(name) in names}


def _promotion(
    context: Context, deployment: Deployment, view: View, kept: Allowed | None, parameters: Parameters
) -> Promotion | None:
    if not parameters.get("promotions"):
        return None
    (promotion,) = parameters["promotions"]
    if not takes_promotions(deployment.offer):
        raise invalid_input(f"The recipe {deployment.offer.name} does not support promotions.")
    check_promotion(promotion)
    settings = context.engine.settings
    allowed = _both(kept if settings.uncertain.filters_drop_promoted else None, view.chosen(promotion))
    assert allowed is not None  # noqa: S101 - there is a filter
    return Promotion(
        name=promotion.get("name"),
        percent=promotion["percentPromotedItems"],
        allowed=allowed,
        rounds_up=settings.uncertain.promoted_share_rounds_up,
        seed=seed_of(settings.seed, parameters),
    )


def _metadata(
    context: Context, deployment: Deployment, parameters: Parameters
) -> Callable[[str], dict[str, str] | None] | None:
    asked: Mapping[str, Sequence[str]] = parameters.get("metadataColumns", {})
    if not asked:
        return None
    others = sorted(name for name in asked if name != _METADATA_OF)
    if others:
        raise invalid_input(f"metadataColumns must name the columns of {_METADATA_OF}, got {others[0]}.")
    if not includes_metadata(deployment.offer) and not deployment.configuration.get(
        "enableMetadataWithRecommendations"
    ):
        raise invalid_input(f"Metadata is not enabled for {deployment.arn}.")
    wanted = asked[_METADATA_OF]
    if len(wanted) > MAX_METADATA_COLUMNS:
        raise invalid_input(f"metadataColumns can have at most {MAX_METADATA_COLUMNS} columns, got {len(wanted)}.")
    items = entities_of(context.scope, deployment.group, _METADATA_OF)
    columns = {column.name.lower(): column for column in items[1]} if items else {}
    unknown = [name for name in wanted if name.lower() not in columns]
    if unknown or items is None:
        raise invalid_input(f"The Items dataset has no {', '.join(unknown)}.")
    table = items[0].table(items[1])
    return lambda item_id: _metadata_of(table, [columns[name.lower()] for name in wanted], item_id)


def _metadata_of(table: Table, columns: Sequence[Column], item_id: str) -> dict[str, str] | None:
    """Metadata of an item, as the service gives it: names in lower case, values as strings."""
    row = index_of(table).get(item_id)
    if row is None:
        return None
    values = {
        column: item_id if column.name not in table.columns else table.columns[column.name][row] for column in columns
    }
    return {column.name.lower(): str(value) for column, value in values.items() if value is not None and value == value}


def _reasons(item: Recommendation, promoted: bool) -> list[str] | None:
    return [PROMOTED] if promoted else list(item.reasons) or None


def _both(first: Allowed | None, second: Allowed | None) -> Allowed | None:
    if first is None or second is None:
        return first or second

    def allowed(ids: Array) -> Mask:
        return first(ids) & second(ids)

    return allowed


def _most(parameters: Parameters) -> int:
    return MAX_RESULTS_WITH_METADATA if parameters.get("metadataColumns") else MAX_RESULTS


def _check_size(count: int, limit: int, member: str) -> None:
    if count > limit:
        raise invalid_input(f"{member} can be at most {limit}, got {count}.")


def _answer(
    context: Context, parameters: Parameters, key: str, found: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any]:
    recommendation_id = f"RID-{uuid.uuid4()}"
    arn: str = parameters.get("campaignArn") or parameters["recommenderArn"]
    shown = [item["itemId"] for item in found if "itemId" in item]
    # events that name the answer say by that what the user saw
    context.scope.impressions.remember(recommendation_id, shown, arn.rpartition("/")[2])
    return {key: found, "recommendationId": recommendation_id}
