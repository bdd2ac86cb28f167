"""What exists once a plan was carried out, if all of it succeeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .world import (
    ACTIVE,
    FAILED,
    INACTIVE,
    CampaignState,
    ImportJob,
    JsonObject,
    RecommenderState,
    SolutionState,
    SolutionVersion,
    World,
)


def after_imports(document: Mapping[str, Any], world: World, plan: Mapping[str, Any]) -> World:
    """The world with what was imported, and without the users who were deleted.

    :param document: The desired state.
    :param world: What exists.
    :param plan: That of the phase ``imports``.
    """
    names = {step["name"] for step in plan["imports"]}
    done = ImportJob(arn="", name="", status=ACTIVE, created=world.now, mode="FULL")
    imported = {
        dataset["datasetArn"]: replace(
            world.datasets[dataset["datasetArn"]], imports=[*world.datasets[dataset["datasetArn"]].imports, done]
        )
        for dataset in document["datasets"]
        if dataset["name"] in names
    }
    return replace(
        world,
        datasets={**world.datasets, **imported},
        last_deletion=world.now if plan["deletions"] else world.last_deletion,
    )


def after_solutions(world: World, plan: Mapping[str, Any]) -> World:
    """The world with what was trained, which passed the gate, and with what then serves.

    :param world: What exists.
    :param plan: That of the phase ``solutions``.
    """
    solutions, campaigns = dict(world.solutions), dict(world.campaigns)
    for step in plan["solutions"]:
        made = SolutionState(arn=step["solutionArn"], name=step["name"], status=ACTIVE, owned=True, versions=[])
        state = solutions.get(step["solutionArn"], made)
        if state.status == FAILED:
            continue
        versions = _versions(state, step, world.now)
        solutions[state.arn] = replace(state, versions=versions)
        serving = versions[-1].arn if step["train"] else step["solutionVersionArn"]
        for action in step["campaigns"]:
            campaigns[action["campaignArn"]] = _campaign(action, campaigns.get(action["campaignArn"]), serving)
    recommenders = dict(world.recommenders)
    for step in plan["recommenders"]:
        recommenders[step["recommenderArn"]] = _recommender(step, recommenders.get(step["recommenderArn"]))
    return replace(world, solutions=solutions, campaigns=campaigns, recommenders=recommenders)


def _versions(state: SolutionState, step: Mapping[str, Any], now: float) -> list[SolutionVersion]:
    verdicts = {said["resourceArn"]: said["tags"][0]["tagValue"] for said in step["verdicts"]}
    versions = [
        replace(
            version,
            status=ACTIVE if version.arn == step["solutionVersionArn"] else version.status,
            verdict=verdicts.get(version.arn, version.verdict),
        )
        for version in state.versions
    ]
    new = f"{state.arn}/new"
    return [*versions, *([SolutionVersion(arn=new, status=ACTIVE, created=now)] if step["train"] else [])]


def _campaign(action: JsonObject, state: CampaignState | None, serving: str | None) -> CampaignState:
    arguments = action["arguments"]
    version = arguments.get("solutionVersionArn", "/$LATEST")
    if action["action"] == "wait" and state is not None:
        version = state.solution_version_arn
    return CampaignState(
        arn=action["campaignArn"],
        name=action["name"],
        status=ACTIVE,
        update_status=None,
        owned=True,
        solution_version_arn=(serving or "") if version.endswith("/$LATEST") else version,
        configuration=state.configuration if state is not None else {},
    )


def _recommender(step: JsonObject, state: RecommenderState | None) -> RecommenderState:
    made = RecommenderState(
        arn=step["recommenderArn"], name=step["name"], status=ACTIVE, update_status=None, owned=True, configuration={}
    )
    if state is None:
        return made
    status = state.end_status
    for action in step["actions"]:
        status = INACTIVE if action["action"] == "stop" else ACTIVE
    return replace(state, status=status)
