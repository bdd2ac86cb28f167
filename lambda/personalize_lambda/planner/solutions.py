"""The solutions of a run: what is created, updated, trained, served, and no longer trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .compare import empty_datasets, holds, refuse_foreign
from .world import ACTIVE, FAILED, STOPPED, UPDATABLE, UPDATABLE_CONFIG, JsonObject, SolutionState, World, solution_of

_VERSION_SETTLED = {ACTIVE, FAILED, STOPPED}
_LATEST = "$LATEST"


def plan_solutions(document: Mapping[str, Any], world: World, failed_imports: Sequence[str]) -> JsonObject:
    """The trainings to stop, and the solutions to create, update, train or serve.

    A solution is trained when it has no version that serves or is on its way, once every declared dataset holds data
    and no import of this run has failed: a model is never made from half of the data.
    """
    empty = empty_datasets(document, world)
    may_train = not empty and not failed_imports
    solutions: list[JsonObject] = []
    waiting: list[str] = []
    for solution in document["solutions"]:
        state = world.solutions.get(solution["solutionArn"])
        refuse_foreign("solution", solution["name"], state)
        newest_first = sorted(state.versions, key=lambda v: v.created, reverse=True) if state else []
        training = next((v for v in newest_first if v.status not in _VERSION_SETTLED), None)
        serving = training or next((v for v in newest_first if v.status == ACTIVE), None)
        is_waiting = serving is None and not may_train
        if is_waiting and empty:
            waiting.append(f"{solution['name']}: data for {', '.join(empty)}")
        step = {
            "name": solution["name"],
            "solutionArn": solution["solutionArn"],
            "create": None if state or is_waiting else _create_solution(document, solution),
            "update": _update_solution(solution, state) if state else None,
            "train": None if serving or is_waiting else _train(solution),
            "solutionVersionArn": serving.arn if serving else None,
            "campaigns": [
                action
                for campaign in ([] if is_waiting else solution["campaigns"])
                if (action := _campaign_action(solution, campaign, world, serving.arn if serving else None))
            ],
        }
        if training or any(step[part] for part in ("create", "update", "train", "campaigns")):
            solutions.append(step)
    declared = {solution["solutionArn"] for solution in document["solutions"]}
    return {
        # first, so that what is wanted no more is not trained, and billed, beside what is
        "trainings": [
            {"name": solution.name, "solutionVersionArn": version.arn}
            for solution in world.solutions.values()
            if solution.owned and solution.arn not in declared
            for version in solution.versions
            if version.status not in _VERSION_SETTLED
        ],
        "solutions": solutions,
        "waitingFor": waiting,
    }


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


def _train(solution: Mapping[str, Any]) -> JsonObject:
    return {"solutionArn": solution["solutionArn"], "trainingMode": "FULL", "tags": solution["tags"]}


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
