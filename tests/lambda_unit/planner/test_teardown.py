"""A teardown that stops what is billed and keeps the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from personalize_lambda.planner.prune import plan_kept_solutions, plan_prune
from personalize_lambda.planner.recommenders import plan_recommenders
from personalize_lambda.planner.solutions import plan_solutions
from personalize_lambda.planner.world import CampaignState, RecommenderState, SolutionState, SolutionVersion, World

DOCUMENT: dict[str, Any] = {
    "owner": "films",
    "datasetGroupArn": "group",
    "datasets": [],
    "solutions": [],
    "keptSolutions": ["picks"],
    "recommenders": [
        {"name": "top", "recommenderArn": "top", "recipeArn": "r", "configuration": {}, "running": False, "tags": []}
    ],
}


def solution(arn: str, *, training: str = "ACTIVE", **changes: Any) -> SolutionState:
    state = SolutionState(
        arn=arn,
        name=arn,
        status="ACTIVE",
        owned=True,
        versions=[SolutionVersion(arn=f"{arn}/1", status=training, created=1)],
        configuration={"performAutoTraining": False},
    )
    return replace(state, **changes)


CAMPAIGN = CampaignState(
    arn="live",
    name="live",
    status="ACTIVE",
    update_status=None,
    owned=True,
    solution_version_arn="picks/1",
    configuration={},
)
RECOMMENDER = RecommenderState(arn="top", name="top", status="ACTIVE", update_status=None, owned=True, configuration={})


def test_campaigns_go_and_solutions_stay() -> None:
    world = World(solutions={arn: solution(arn) for arn in ("picks", "former")}, campaigns={"live": CAMPAIGN})
    plan = plan_prune(DOCUMENT, world)
    assert [step["name"] for step in plan["campaigns"]] == ["live"]
    assert [step["name"] for step in plan["prunedSolutions"]] == ["former"]
    assert plan["waitingFor"] == []


def test_trainings_are_stopped_and_none_is_begun() -> None:
    world = World(solutions={"picks": solution("picks", training="CREATE IN_PROGRESS")})
    plan = plan_solutions(DOCUMENT, world, [])
    assert [step["solutionVersionArn"] for step in plan["trainings"]] == ["picks/1"]
    assert (plan["solutions"], plan["waitingFor"]) == ([], [])


@pytest.mark.parametrize(
    ("state", "updated"),
    [
        (None, False),
        (solution("picks"), False),
        (solution("picks", configuration={"performAutoTraining": True}), True),
        (solution("picks", configuration={"performAutoTraining": True}, owned=False), False),
        (solution("picks", configuration={"performAutoTraining": True}, status="CREATE FAILED"), False),
    ],
)
def test_automatic_training_is_turned_off(state: SolutionState | None, updated: bool) -> None:
    steps = plan_kept_solutions(DOCUMENT, World(solutions={"picks": state} if state else {}))
    assert [step["update"] for step in steps] == (
        [{"solutionArn": "picks", "performAutoTraining": False}] if updated else []
    )


def test_recommenders_are_stopped_and_stay() -> None:
    for status, actions in (("ACTIVE", ["stop"]), ("INACTIVE", [])):
        world = World(recommenders={"top": replace(RECOMMENDER, status=status)})
        steps = plan_recommenders(DOCUMENT, world, [])["recommenders"]
        assert [action["action"] for step in steps for action in step["actions"]] == actions
        assert plan_prune(DOCUMENT, world)["prunedRecommenders"] == []
