"""The solutions of a run: what is created, updated, trained, served, and no longer trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .compare import empty_datasets, holds, refuse_foreign
from .due import is_due
from .gate import plan_gate, served_versions
from .rollback import rolled_back
from .world import (
    ACTIVE,
    FAILED,
    UPDATABLE,
    UPDATABLE_CONFIG,
    VERDICT_TAG,
    JsonObject,
    SolutionState,
    SolutionVersion,
    World,
    solution_of,
)

_LATEST = "$LATEST"
_FULL, _UPDATE = "FULL", "UPDATE"
_NOTHING: JsonObject = {"solutionVersionArn": None, "campaigns": []}
IDLE: JsonObject = {
    "verdicts": [],
    "create": None,
    "update": None,
    "train": None,
    "trainedUntil": 0,
    "solutionVersionArn": None,
    "isNew": False,
    "gate": None,
    "campaigns": [],
    "otherwise": _NOTHING,
}
"""The members of a step that has nothing to do, beside ``name`` and ``solutionArn``."""


def plan_solutions(
    document: Mapping[str, Any],
    world: World,
    failed_imports: Sequence[str],
    *,
    rollback: str | None = None,
    execution: str = "",
) -> JsonObject:
    """The trainings to stop, and the solutions to create, update, train or serve.

    A solution is trained when it has no version that was trained or is on its way, or when the newest is older than it
    may be, once every declared dataset holds data and no import of this run has failed: a model is never made from half
    of the data. Campaigns serve the newest version that is not refused.

    :param rollback: The version that is to serve whatever is newer. Default: - none
    :param execution: The run, for the record of a rollback.
    """
    empty = empty_datasets(document, world)
    may_train = not empty and not failed_imports
    solutions: list[JsonObject] = []
    waiting: list[str] = []
    for solution in document["solutions"]:
        state = world.solutions.get(solution["solutionArn"])
        refuse_foreign("solution", solution["name"], state)
        found = sorted(state.versions, key=lambda v: v.created, reverse=True) if state else []
        is_rollback = rollback is not None and solution_of(rollback) == solution["solutionArn"]
        versions = rolled_back(found, rollback, execution) if rollback is not None and is_rollback else found
        newest = next((v for v in versions if v.is_trained), None)
        is_waiting = newest is None and not may_train
        if is_waiting and empty:
            waiting.append(f"{solution['name']}: data for {', '.join(empty)}")
        if _knows_deleted(world, versions):
            waiting.append(
                f"{solution['name']}: a training without the users that were deleted, once the one under way has ended"
            )
        mode = _training_mode(solution, world, versions) if may_train and not is_rollback else None
        training = next((v for v in versions if not v.is_settled and not v.is_refused), None)
        ready = next((v for v in versions if v.status == ACTIVE and not v.is_refused), None)
        serving = None if mode else training or ready
        otherwise = _keep_serving(solution, world, versions, ready)
        if mode or serving:
            campaigns = _campaign_actions(solution, world, serving.arn if serving else None)
        else:  # all that was trained is refused, or nothing was
            campaigns, otherwise = [] if is_waiting else otherwise["campaigns"], _NOTHING
        step = {
            "name": solution["name"],
            "solutionArn": solution["solutionArn"],
            "verdicts": [
                {"resourceArn": now.arn, "tags": [{"tagKey": VERDICT_TAG, "tagValue": now.verdict}]}
                for now, before in zip(versions, found, strict=True)
                if now.verdict != before.verdict
            ],
            "create": None if state or is_waiting else _create_solution(document, solution),
            "update": _update_solution(solution, state) if state else None,
            "train": _train(solution, mode) if mode else None,
            # what a call without an answer may have begun is newer than this, in milliseconds
            "trainedUntil": int(max((v.created for v in versions), default=0) * 1000),
            "solutionVersionArn": serving.arn if serving else None,
            "isNew": bool(mode or training) or _is_unserved(solution, world, serving),
            "gate": plan_gate(solution, world, serving),
            "campaigns": campaigns,
            "otherwise": otherwise,
        }
        if versions and not (mode or serving or is_waiting):
            waiting += [
                f"{campaign['name']}: a version of {solution['name']} that is not refused"
                for campaign in solution["campaigns"]
                if campaign["campaignArn"] not in world.campaigns
            ]
        if training or any(step[part] for part in ("verdicts", "create", "update", "train", "campaigns")):
            solutions.append(step)
    declared = {solution["solutionArn"] for solution in document["solutions"]}
    return {
        # first, so that what is wanted no more is not trained, and billed, beside what is
        "trainings": [
            {"name": solution.name, "solutionVersionArn": version.arn}
            for solution in world.solutions.values()
            if solution.owned and solution.arn not in declared
            for version in solution.versions
            if not version.is_settled
        ],
        "solutions": solutions,
        "waitingFor": waiting,
    }


def _training_mode(solution: Mapping[str, Any], world: World, newest_first: Sequence[SolutionVersion]) -> str | None:
    """How a solution is to be trained now; None where it is not. One training at a time, whatever becomes of it."""
    if any(not version.is_settled for version in newest_first):
        return None
    newest = next((version for version in newest_first if version.is_trained), None)
    if newest is None or _is_older_than_deletion(newest, world):
        return _FULL
    schedule = solution.get("training")
    if schedule is None or not is_due(newest.created, schedule["every"], world.now):
        return None
    full = next((version for version in newest_first if version.status == ACTIVE and version.mode != _UPDATE), None)
    # an update goes on from the newest version, and would pass on what that was refused for
    if full is None or newest.is_refused or is_due(full.created, schedule.get("fullEvery", 0), world.now):
        return _FULL
    return _UPDATE


def _is_older_than_deletion(version: SolutionVersion, world: World) -> bool:
    return world.last_deletion is not None and version.created < world.last_deletion


def _knows_deleted(world: World, newest_first: Sequence[SolutionVersion]) -> bool:
    """Whether a training is under way that began before users were deleted; another has to wait for its end."""
    newest = next((version for version in newest_first if version.is_trained), None)
    is_training = any(not version.is_settled for version in newest_first)
    return is_training and newest is not None and _is_older_than_deletion(newest, world)


def _is_unserved(solution: Mapping[str, Any], world: World, version: SolutionVersion | None) -> bool:
    """Whether a version is one that campaigns are about to serve for the first time."""
    if version is None or version.is_chosen or not solution["campaigns"]:
        return False
    return version.arn not in served_versions(solution, world)


def _keep_serving(
    solution: Mapping[str, Any], world: World, versions: Sequence[SolutionVersion], ready: SolutionVersion | None
) -> JsonObject:
    """What to do with the campaigns if the version that is to be served does not come to that: each goes on with its
    own, and new ones join them."""
    known = {version.arn for version in versions}
    ours = [arn for arn in served_versions(solution, world) if arn in known]
    judged = ready is not None and (ready.is_chosen or not solution.get("gate"))
    held = ours[0] if ours else ready.arn if ready is not None and judged else None
    actions = []
    for campaign in solution["campaigns"]:
        state = world.campaigns.get(campaign["campaignArn"])
        version = state.solution_version_arn if state is not None and state.status != FAILED else held
        action = version and _campaign_action(solution, campaign, world, version)
        if action:
            action["arguments"] |= {"solutionVersionArn": version, **action["arguments"]} if action["arguments"] else {}
            actions.append(action)
    return {"solutionVersionArn": held, "campaigns": actions}


def _campaign_actions(solution: Mapping[str, Any], world: World, serve: str | None) -> list[JsonObject]:
    found = (_campaign_action(solution, campaign, world, serve) for campaign in solution["campaigns"])
    return [action for action in found if action]


def _create_solution(document: Mapping[str, Any], solution: Mapping[str, Any]) -> JsonObject:
    return {
        "name": solution["name"],
        "datasetGroupArn": document["datasetGroupArn"],
        **solution["configuration"],
        "tags": solution["tags"],
    }


def _update_solution(solution: Mapping[str, Any], state: SolutionState) -> JsonObject | None:
    """What UpdateSolution is called with; None where the solution is as declared."""
    declared = solution["configuration"]
    config = {name: value for name, value in declared.get("solutionConfig", {}).items() if name in UPDATABLE_CONFIG}
    wanted = {name: value for name, value in declared.items() if name in UPDATABLE}
    wanted |= {"solutionUpdateConfig": config} if config else {}
    # one that could not be created is pruned and made anew
    if state.status == FAILED or holds(state.configuration, wanted):
        return None
    return {"solutionArn": solution["solutionArn"], **wanted}


def _train(solution: Mapping[str, Any], mode: str) -> JsonObject:
    return {"solutionArn": solution["solutionArn"], "trainingMode": mode, "tags": solution["tags"]}


def _campaign_action(
    solution: Mapping[str, Any], campaign: Mapping[str, Any], world: World, serve: str | None
) -> JsonObject | None:
    """Create, update or just wait for a campaign; None where it is as declared. ``serve`` is None for a version yet
    to be trained. A campaign that follows the latest version is told so, and is then left to the service."""
    state = world.campaigns.get(campaign["campaignArn"])
    refuse_foreign("campaign", campaign["name"], state)
    action = {"name": campaign["name"], "campaignArn": campaign["campaignArn"]}
    wanted = campaign["configuration"]
    follows = wanted.get("campaignConfig", {}).get("syncWithLatestSolutionVersion", False)
    # other campaigns are given the version by the state machine, which knows it even if it is yet to be trained
    version = {"solutionVersionArn": f"{solution['solutionArn']}/{_LATEST}"} if follows else {}
    if state is None:
        arguments = {"name": campaign["name"], **wanted, **version, "tags": campaign["tags"]}
        return {**action, "action": "create", "arguments": arguments}
    same = holds(state.configuration, wanted)
    failed = FAILED in (state.status, state.update_status)
    served = state.solution_version_arn
    stale = solution_of(served) != solution["solutionArn"] if follows else served != serve
    if not same or failed or stale:
        arguments = {"campaignArn": campaign["campaignArn"], **wanted, **version}
        return {**action, "action": "update", "arguments": arguments}
    busy = state.status != ACTIVE or state.update_status not in (None, ACTIVE)
    return {**action, "action": "wait", "arguments": {}} if busy else None
