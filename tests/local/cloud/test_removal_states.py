"""The states of a run that delete what is declared no more: each is looked for on all pages of a list."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import Duration

from cdk_personalize.workflow.deadlines import Deadlines
from cdk_personalize.workflow.removal_states import delete_states
from personalize_local.cloud.client import LocalCloud
from tests.told import changes

from .conftest import StateMachines, unique, wait_for

RECIPE = "arn:aws:personalize:::recipe/aws-popularity-count"
DEADLINES = Deadlines(deletion=Duration.minutes(1))
STATES = delete_states("aws", DEADLINES, "Solution", "DatasetGroupArn", "datasetGroupArn")
BEGIN = {"Type": "Pass", "Assign": {"run": "{% $states.context.Execution.Id %}"}, "Next": "Begin solution deletion"}
DEFINITION = {"QueryLanguage": "JSONata", "StartAt": "Begin", "States": {"Begin": BEGIN, **STATES}}


@pytest.fixture(scope="module")
def group(personalize_local: LocalCloud) -> str:
    client = personalize_local.client("personalize")
    arn: str = client.create_dataset_group(name=unique("group"))["datasetGroupArn"]
    wait_for(lambda: client.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]["status"] == "ACTIVE", arn)
    return arn


@pytest.fixture
def solutions(personalize_local: LocalCloud, group: str) -> list[str]:
    """Three, as they are listed."""
    client = personalize_local.client("personalize")

    def active() -> list[str]:
        listed = client.list_solutions(datasetGroupArn=group)["solutions"]
        return [each["solutionArn"] for each in listed if each["status"] == "ACTIVE"]

    before = set(active())
    for _ in range(3):
        client.create_solution(name=unique("old"), datasetGroupArn=group, recipeArn=RECIPE, performAutoTraining=False)
    wait_for(lambda: len(set(active()) - before) == 3, "three solutions")
    return [arn for arn in active() if arn not in before]


def paged(size: int) -> dict[str, Any]:
    """The definition with so many resources on a page."""
    text = json.dumps(DEFINITION)
    assert text.count("'MaxResults': 100") == 1
    return dict(json.loads(text.replace("'MaxResults': 100", f"'MaxResults': {size}")))


def test_what_is_on_the_last_page_is_not_taken_for_gone(
    machines: StateMachines, group: str, solutions: list[str]
) -> None:
    """The service takes its time over a deletion: here it never begins."""
    definition = paged(1)
    definition["States"]["Delete solution"] = {"Type": "Pass", "Next": "Watch Solution deletion"}
    for arn in solutions:
        planned = {"name": "old", "solutionArn": arn, "datasetGroupArn": group}
        output, events = machines.told(definition, planned)
        assert [failure["reason"].partition(",")[0] for failure in output["failures"]] == [
            "Solution deletion was still ACTIVE after 0.0166667 h"
        ]
        assert changes(events) == ["solution DELETION_FAILED"]


def test_what_is_gone_is_told_once_it_is(
    personalize_local: LocalCloud, machines: StateMachines, group: str, solutions: list[str]
) -> None:
    client = personalize_local.client("personalize")
    for arn in reversed(solutions):
        planned = {"name": "old", "solutionArn": arn, "datasetGroupArn": group}
        output, events = machines.told(paged(1), planned)
        assert output == {"name": "old", "failures": []}
        assert (changes(events), events[0]["arn"]) == (["solution DELETED"], arn)
        # it is gone when it is told to be
        assert arn not in [each["solutionArn"] for each in client.list_solutions(datasetGroupArn=group)["solutions"]]


def test_why_something_could_not_be_deleted_is_told(
    personalize_local: LocalCloud, machines: StateMachines, group: str, solutions: list[str]
) -> None:
    personalize_local.fail("DeleteSolution", code="InvalidInputException", message="not now")
    planned = {"name": "old", "solutionArn": solutions[0], "datasetGroupArn": group}
    output, events = machines.told(DEFINITION, planned)
    [failure] = output["failures"]
    assert failure["name"] == "deletion of solution old"
    assert (changes(events), events[0]["reason"]) == (["solution DELETION_FAILED"], failure["reason"])
    assert "not now" in failure["reason"]
