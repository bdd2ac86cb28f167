"""Campaigns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cdk_personalize.recipe import Recipe

from ..crud import Behaviour, require_active, start_update
from ..engine import Attributes, Context, Parameters
from ..errors import ServiceError, in_use, invalid_input
from ..offers import check_exploration
from ..resources import Parent
from ..state import Record, Scope
from .datasets import columns_of_dataset, dataset_of
from .recipes import find_recipe

LATEST = "/$LATEST"
_VERSION = Parent("solutionVersionArn", "SolutionVersion")
# the solution is not reported, but it must not go away meanwhile
_UPDATED: Sequence[str] = ("solutionVersionArn", "minProvisionedTPS", "campaignConfig", "solutionArn")
_UPDATABLE = ("ACTIVE", "CREATE FAILED")
# what tells how popular and how fresh items are
_INFLUENCED_BY = {"POPULARITY": ("INTERACTIONS", "ITEM_ID"), "FRESHNESS": ("ITEMS", "CREATION_TIMESTAMP")}


def prepare(context: Context, parameters: Parameters) -> Attributes:
    """Find the version to serve, and check the configuration against its recipe."""
    attributes = {"minProvisionedTPS": 1, **parameters, **_version(context, parameters["solutionVersionArn"])}
    _check(context, attributes)
    return attributes


def activated(context: Context, record: Record, result: Any) -> None:
    """Serve the newest version, if there has been one since."""
    _catch_up(context, record)


def described(context: Context, record: Record) -> Attributes:
    """Name the version as it was asked for, if the service does."""
    if context.engine.settings.uncertain.campaign_reports_resolved_version or not record.attributes["followsLatest"]:
        return {}
    return {"solutionVersionArn": record.attributes["solutionArn"] + LATEST}


def update(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """UpdateCampaign: what it serves stays until the update has come through."""
    record = context.scope.get("Campaign", parameters["campaignArn"])
    if record.status not in _UPDATABLE or record.updating:
        status = record.update.progress.status if record.update and record.updating else record.status
        raise in_use(f"The resource {record.arn} is in status {status}, it must be {' or '.join(_UPDATABLE)}.")
    change = {name: value for name, value in parameters.items() if name != "campaignArn"}
    if "solutionVersionArn" in change:
        change |= _version(context, change["solutionVersionArn"])
        _check_solution(context, record, change["solutionArn"])
    wanted = {**record.attributes, **change}
    _check(context, wanted)
    return _deploy(context, record, wanted)


def follow_latest(context: Context, version: Record) -> None:
    """Give a new version to the campaigns of its solution that asked for it."""
    for campaign in context.scope.children("Campaign", "solutionArn", version.attributes["solutionArn"]):
        if campaign.active and not campaign.updating:
            _deploy_newer(context, campaign, version)


def _catch_up(context: Context, record: Record) -> None:
    """Follow the versions that came while the campaign was busy."""
    newest = _active_versions(context, record.attributes["solutionArn"])
    if newest:
        _deploy_newer(context, record, newest[-1])


def _deploy_newer(context: Context, record: Record, version: Record) -> None:
    synchronized = record.attributes.get("campaignConfig", {}).get("syncWithLatestSolutionVersion", False)
    if synchronized and record.attributes["solutionVersionArn"] != version.arn:
        _deploy(context, record, {**record.attributes, "solutionVersionArn": version.arn})


def _deploy(context: Context, record: Record, wanted: Attributes) -> Mapping[str, Any]:
    summary = {name: wanted[name] for name in _UPDATED if name in wanted}

    def done(result: Any) -> None:
        record.attributes.update(wanted)
        if record.status == "CREATE FAILED":
            context.engine.lifecycle.stop(record.progress, "ACTIVE")
        _catch_up(context, record)

    return start_update(context, record, summary, record.kind.update_path, done)


def _version(context: Context, arn: str) -> Attributes:
    """Find the version that is asked for, by its ARN or as the latest of a solution."""
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
    active = _active_versions(context, context.scope.get("Solution", solution_arn).arn)
    if not active:
        code = context.engine.settings.uncertain.latest_without_version
        raise ServiceError(code, f"The solution {solution_arn} has no ACTIVE solution version.")
    return active[-1]


def _active_versions(context: Context, solution_arn: str) -> list[Record]:
    versions = context.scope.children("SolutionVersion", "solutionArn", solution_arn)
    return [version for version in versions if version.active]


def _check_solution(context: Context, record: Record, solution_arn: str) -> None:
    if solution_arn == record.attributes["solutionArn"]:
        return
    if not context.engine.settings.uncertain.update_campaign_across_solutions:
        raise invalid_input(
            f"The campaign {record.arn} serves the solution {record.attributes['solutionArn']}, "
            f"the solution version is of {solution_arn}."
        )


def _check(context: Context, attributes: Parameters) -> None:
    recipe = find_recipe(attributes["recipeArn"])
    configuration = attributes.get("campaignConfig", {})
    if not recipe.realtime:
        raise invalid_input(f"Campaigns cannot serve solution versions of the recipe {recipe.name}.")
    if configuration.get("syncWithLatestSolutionVersion") and not attributes["followsLatest"]:
        raise invalid_input(f"syncWithLatestSolutionVersion needs a solutionVersionArn that ends with {LATEST}.")
    check_exploration(recipe, configuration.get("itemExplorationConfig", {}))
    check_influence(context.scope, attributes["datasetGroupArn"], recipe, configuration.get("rankingInfluence", {}))


def check_influence(scope: Scope, group: str, recipe: Recipe, influence: Mapping[str, Any]) -> None:
    """Check ``rankingInfluence``.

    :param group: the ARN of the dataset group.
    :raises ServiceError: InvalidInputException.
    """
    if influence and not recipe.ranking_influence:
        raise invalid_input(f"The recipe {recipe.name} does not support rankingInfluence.")
    for name, (dataset_type, column) in _INFLUENCED_BY.items():
        if influence.get(name):
            _require_column(scope, group, name, dataset_type, column)


def _require_column(scope: Scope, group: str, influence: str, dataset_type: str, column: str) -> None:
    dataset = dataset_of(scope, group, dataset_type)
    names = [one.name for one in columns_of_dataset(scope, dataset)] if dataset else []
    if column not in names:
        raise invalid_input(f"rankingInfluence {influence} needs the column {column} in a dataset {dataset_type}.")


BEHAVIOUR = Behaviour(prepare=prepare, activated=activated, described=described)
