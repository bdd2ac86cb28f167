"""Faults as state machines meet them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from personalize_local.cloud.client import LocalCloud

from .conftest import StateMachines, machine, unique


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


COUNTER = """
import boto3, os, uuid
s3 = boto3.client("s3")
def handler(event, context):
    s3.put_object(Bucket=os.environ["CALLS"], Key=str(uuid.uuid4()), Body=b"x")
    return len(s3.list_objects_v2(Bucket=os.environ["CALLS"])["Contents"])
"""


@pytest.mark.parametrize(("code", "calls", "error"), [("Duplicate", 2, None), ("Runtime.ExitError", 1, "Unhandled")])
def test_a_function_gets_an_event_twice_or_loses_its_answer(
    cloud: LocalCloud, function: Callable[..., str], code: str, calls: int, error: str | None
) -> None:
    s3, bucket = cloud.client("s3"), unique("calls")
    s3.create_bucket(Bucket=bucket)
    arn = function(COUNTER, CALLS=bucket)
    name = arn.rpartition(":")[2]
    cloud.fail(f"function:{name}", code=code)
    answer = cloud.client("lambda").invoke(FunctionName=arn)
    assert answer.get("FunctionError") == error
    assert len(s3.list_objects_v2(Bucket=bucket)["Contents"]) == calls
    if error is None:
        assert json.loads(answer["Payload"].read()) == calls
    assert cloud.status()["struck_operations"][f"function:{name}"] == 1
    assert json.loads(cloud.client("lambda").invoke(FunctionName=arn)["Payload"].read()) == calls + 1
