"""Faults as state machines meet them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from personalize_local.cloud.client import LocalCloud

from .conftest import StateMachines, machine


@pytest.fixture
def cloud(personalize_local: LocalCloud) -> Iterator[LocalCloud]:
    yield personalize_local
    personalize_local.forget_faults()


def task(resource: str, **more: object) -> dict[str, object]:
    return {"Type": "Task", "Resource": f"arn:aws:states:::aws-sdk:{resource}", "Arguments": {}, **more}


RETRY = {"ErrorEquals": ["Personalize.PersonalizeException"], "IntervalSeconds": 1, "MaxAttempts": 3}


def test_a_state_machine_that_retries_gets_through(cloud: LocalCloud, machines: StateMachines) -> None:
    cloud.fail("ListSchemas", code="ThrottlingException", times=2)
    since = max((call["number"] for call in cloud.calls()), default=0)
    machines.output(machine(task("personalize:listSchemas", Retry=[RETRY])))
    errors = [call["error"] for call in cloud.calls("ListSchemas", since=since)]
    assert errors == ["ThrottlingException", "ThrottlingException", None]


@pytest.mark.parametrize(
    ("resource", "operation", "error"),
    [
        ("personalize:listRecipes", "ListRecipes", "Personalize.PersonalizeException"),
        ("sqs:listQueues", "sqs:ListQueues", "Sqs.ThrottlingException"),
        ("sqs:listQueues", "sqs:*", "Sqs.ThrottlingException"),
    ],
)
def test_a_state_machine_that_does_not_retry_fails(
    cloud: LocalCloud, machines: StateMachines, resource: str, operation: str, error: str
) -> None:
    cloud.fail(operation, code="ThrottlingException", message="slow down", rate=1.0)
    ended = machines.run(machine(task(resource)))
    assert (ended["status"], ended["error"]) == ("FAILED", error)
    assert "slow down" in ended["cause"]


def test_faults_of_any_operation_are_those_of_personalize(cloud: LocalCloud, machines: StateMachines) -> None:
    cloud.fail("*", code="LimitExceededException", rate=1.0)
    assert json.dumps(machines.output(machine(task("sqs:listQueues"))))
