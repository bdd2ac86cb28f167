"""What answers requests: campaigns and recommenders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cdk_personalize.recipe import Recipe

from .engine import Context, Parameters
from .errors import ServiceError, invalid_input, not_found
from .offers import ANSWERED_BY, Offer, offer_of, updates_itself
from .serving import TrainedVersion
from .state import Record, Scope
from .uncertain import INCREMENTAL_UPDATE_BY_DEFAULT


@dataclass(frozen=True)
class Deployment:
    """A campaign or a recommender, as it is now.

    :param group: the ARN of its dataset group.
    :param configuration: ``campaignConfig`` or ``recommenderConfig``.
    :param updates: whether it takes up what came after training.
    """

    arn: str
    offer: Offer
    group: str
    version: TrainedVersion
    configuration: Mapping[str, Any]
    updates: bool


def find_deployment(context: Context, parameters: Parameters) -> Deployment:
    """Find what a request is for. The lock must be held.

    :raises ServiceError: if there is none, if it is not ACTIVE, or if it does not answer this operation.
    """
    kinds = {member: kind for member, kind in _KINDS.items() if member in parameters}
    if len(kinds) != 1:
        allowed = " or ".join(_KINDS) if context.operation == "GetRecommendations" else "campaignArn"
        raise invalid_input(f"{allowed} is required{', not both' if kinds else ''}.")
    ((member, kind),) = kinds.items()
    arn = parameters[member]
    record = context.scope.find(kind, arn)
    if record is None:
        raise not_found(f"{kind} {arn} not found.")
    if not record.active:
        code = context.engine.settings.uncertain.inactive_campaign_error
        raise ServiceError(code, f"{kind} {arn} is in status {record.status}, it must be ACTIVE.")
    deployment = _deployment(context.scope, record)
    offer = deployment.offer
    if offer.recipe_type is None or ANSWERED_BY.get(offer.recipe_type) != context.operation:
        raise invalid_input(f"{kind}s of the recipe {offer.name} do not answer {context.operation}.")
    return deployment


_KINDS = {"campaignArn": "Campaign", "recommenderArn": "Recommender"}


def _deployment(scope: Scope, record: Record) -> Deployment:
    attributes = record.attributes
    offer = offer_of(attributes["recipeArn"])
    campaign = record.kind.name == "Campaign"
    trained = attributes["solutionVersionArn"] if campaign else record.arn
    return Deployment(
        arn=record.arn,
        offer=offer,
        group=attributes["datasetGroupArn"],
        version=scope.versions[trained],
        configuration=attributes.get("campaignConfig" if campaign else "recommenderConfig", {}),
        updates=(updates_itself(offer) and (not campaign or _is_newest(scope, trained)))
        or is_updated(scope, trained, offer),
    )


def is_updated(scope: Scope, version_arn: str, offer: Offer) -> bool:
    """Whether changes of items are live without training, as the solution of a version can ask for."""
    version = scope.find("SolutionVersion", version_arn)
    able = isinstance(offer, Recipe) and offer.incremental_update
    if not able or version is None:
        return False
    return bool(version.attributes.get("performIncrementalUpdate", INCREMENTAL_UPDATE_BY_DEFAULT))


def _is_newest(scope: Scope, version_arn: str) -> bool:
    """Whether a solution version is the newest that was trained in full; no other takes new items up."""
    version = scope.find("SolutionVersion", version_arn)
    if version is None or version.attributes["trainingMode"] == "UPDATE":
        return False
    versions = scope.children("SolutionVersion", "solutionArn", version.attributes["solutionArn"])
    return [one for one in versions if one.active][-1] is version
