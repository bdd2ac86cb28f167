"""Campaigns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..crud import Behaviour, require_active, start_update
from ..engine import Attributes, Context, Parameters
from ..errors import ServiceError, in_use, invalid_input
from ..lifecycle import CREATE
from ..resources import Parent
from ..state import Record
from .recipes import find_recipe

LATEST = "/$LATEST"
_VERSION = Parent("solutionVersionArn", "SolutionVersion")
# the solution is not reported, but it must not go away meanwhile
_UPDATED: Sequence[str] = ("solutionVersionArn", "minProvisionedTPS", "campaignConfig", "solutionArn")
_UPDATABLE = ("ACTIVE", "CREATE FAILED")


def prepare(context: Context, parameters: Parameters) -> Attributes:
    """Find the version to serve, and check the configuration against its recipe."""
    attributes = {"minProvisionedTPS": 1, **parameters, **_version(context, parameters)}
    _check(attributes, parameters["solutionVersionArn"])
    return attributes


def update(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """UpdateCampaign: what it serves stays until the update has come through."""
    record = context.scope.get("Campaign", parameters["campaignArn"])
    if record.status not in _UPDATABLE or record.updating:
        status = record.update.progress.status if record.update and record.updating else record.status
        raise in_use(f"The resource {record.arn} is in status {status}, it must be {' or '.join(_UPDATABLE)}.")
    change = {name: value for name, value in parameters.items() if name != "campaignArn"}
    if "solutionVersionArn" in change:
        found = _version(context, change)
        _check_solution(context, record, found["solutionArn"])
        change |= found
        record.attributes["followsLatest"] = parameters["solutionVersionArn"].endswith(LATEST)
    asked = parameters.get("solutionVersionArn", LATEST if record.attributes.get("followsLatest") else "")
    wanted = {**record.attributes, **change}
    _check(wanted, asked)
    return _deploy(context, record, wanted)


def follow_latest(context: Context, version: Record) -> None:
    """Give a new version to the campaigns of its solution that asked for it."""
    for campaign in context.scope.children("Campaign", "solutionArn", version.attributes["solutionArn"]):
        synchronized = campaign.attributes.get("campaignConfig", {}).get("syncWithLatestSolutionVersion", False)
        if synchronized and campaign.active and not campaign.updating:
            _deploy(context, campaign, {**campaign.attributes, "solutionVersionArn": version.arn})


def _deploy(context: Context, record: Record, wanted: Attributes) -> Mapping[str, Any]:
    summary = {name: wanted[name] for name in _UPDATED if name in wanted}

    def done(result: Any) -> None:
        record.attributes.update(wanted)
        if record.status == "CREATE FAILED":
            context.engine.lifecycle.stop(record.progress, "ACTIVE")

    return start_update(context, record, summary, CREATE, done)


def _version(context: Context, parameters: Parameters) -> Attributes:
    """Find the version that is asked for, by its ARN or as the latest of a solution."""
    arn = parameters["solutionVersionArn"]
    follows = arn.endswith(LATEST)
    version = _latest(context, arn.removesuffix(LATEST)) if follows else require_active(context, _VERSION, arn)
    return {
        "solutionVersionArn": version.arn,
        "solutionArn": version.attributes["solutionArn"],
        "datasetGroupArn": version.attributes["datasetGroupArn"],
        "recipeArn": version.attributes["recipeArn"],
        "followsLatest": follows,
    }


def _latest(context: Context, solution_arn: str) -> Record:
    solution = context.scope.get("Solution", solution_arn)
    versions = context.scope.children("SolutionVersion", "solutionArn", solution.arn)
    active = [version for version in versions if version.active]
    if not active:
        code = context.engine.settings.uncertain.latest_without_version
        raise ServiceError(code, f"The solution {solution_arn} has no ACTIVE solution version.")
    return active[-1]


def _check_solution(context: Context, record: Record, solution_arn: str) -> None:
    if solution_arn == record.attributes["solutionArn"]:
        return
    if not context.engine.settings.uncertain.update_campaign_across_solutions:
        raise invalid_input(
            f"The campaign {record.arn} serves the solution {record.attributes['solutionArn']}, "
            f"the solution version is of {solution_arn}."
        )


def _check(attributes: Parameters, asked: str) -> None:
    recipe = find_recipe(attributes["recipeArn"])
    configuration = attributes.get("campaignConfig", {})
    if not recipe.realtime:
        raise invalid_input(f"Campaigns cannot serve solution versions of the recipe {recipe.name}.")
    if configuration.get("syncWithLatestSolutionVersion") and not asked.endswith(LATEST):
        raise invalid_input(f"syncWithLatestSolutionVersion needs a solutionVersionArn that ends with {LATEST}.")
    wanted = {
        "itemExplorationConfig": recipe.exploration,
        "rankingInfluence": recipe.ranking_influence,
    }
    refused = [name for name, supported in wanted.items() if configuration.get(name) and not supported]
    if refused:
        raise invalid_input(f"The recipe {recipe.name} does not support {', '.join(refused)}.")


BEHAVIOUR = Behaviour(prepare=prepare)
