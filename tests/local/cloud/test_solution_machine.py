"""The workflow's state machine for a solution changes in place what can be changed so."""

from __future__ import annotations

from typing import Any

import pytest

from cdk_personalize.workflow.deadlines import Deadlines
from cdk_personalize.workflow.solution_definition import solution_definition
from personalize_local.cloud.client import LocalCloud

from .conftest import StateMachines, unique, wait_for

RECIPE = "arn:aws:personalize:::recipe/aws-user-personalization-v2"
DEFINITION = solution_definition(partition="aws", deadlines=Deadlines())


def plan(arn: str, schedule: str) -> dict[str, Any]:
    return {
        "name": "picks",
        "solutionArn": arn,
        "create": None,
        "update": {
            "SolutionArn": arn,
            "PerformAutoTraining": True,
            "SolutionUpdateConfig": {"AutoTrainingConfig": {"SchedulingExpression": schedule}},
        },
        "train": None,
        "solutionVersionArn": None,
        "campaigns": [],
    }


@pytest.fixture(scope="module")
def solution(personalize_local: LocalCloud) -> str:
    client = personalize_local.client("personalize")
    group = client.create_dataset_group(name=unique("group"))["datasetGroupArn"]
    wait_for(lambda: client.describe_dataset_group(datasetGroupArn=group)["datasetGroup"]["status"] == "ACTIVE", group)
    created = client.create_solution(
        name=unique("picks"), datasetGroupArn=group, recipeArn=RECIPE, performAutoTraining=False
    )
    arn: str = created["solutionArn"]
    wait_for(lambda: client.describe_solution(solutionArn=arn)["solution"]["status"] == "ACTIVE", arn)
    return arn


def test_training_is_turned_on(personalize_local: LocalCloud, machines: StateMachines, solution: str) -> None:
    output = machines.output(DEFINITION, plan(solution, "rate(3 days)"))

    assert (output["failures"], output["solutionVersionArn"]) == ([], None)
    found = personalize_local.client("personalize").describe_solution(solutionArn=solution)["solution"]
    assert found["performAutoTraining"] is True
    assert found["solutionConfig"]["autoTrainingConfig"] == {"schedulingExpression": "rate(3 days)"}
    assert found["latestSolutionUpdate"]["status"] == "ACTIVE"


def test_an_update_that_is_refused_is_told_at_the_end(machines: StateMachines, solution: str) -> None:
    output = machines.output(DEFINITION, plan(solution, "rate(99 days)"))

    [failure] = output["failures"]
    assert failure["name"] == "update of solution picks"
    assert "schedulingExpression must be from 1 to 30 days" in failure["reason"]
