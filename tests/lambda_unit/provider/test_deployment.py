"""``Custom::PersonalizeDeployment``: hands over the desired state, and takes everything down."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pytest

from personalize_lambda import aws
from personalize_lambda.provider import deployment, is_complete, on_event

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:films"
DOCUMENT = json.dumps({"owner": "films", "datasetGroupArn": "group", "datasets": [1], "solutions": [2]})
PROPERTIES = {
    "WorkflowName": "films",
    "StateMachineArn": MACHINE,
    "LockTable": "lock",
    "DocumentBucket": "data",
    "DocumentKey": "films/desired-state.json",
    "Document": DOCUMENT,
    "Removal": "destroy",
}


class Services:
    """S3, DynamoDB and Step Functions as far as the handlers use them."""

    class exceptions:  # noqa: N801 - boto3's name
        class ExecutionAlreadyExists(Exception):  # noqa: N818
            pass

        class ExecutionDoesNotExist(Exception):  # noqa: N818
            pass

    def __init__(self) -> None:
        self.documents: list[Any] = []
        self.deleted: list[str] = []
        self.started: list[str] = []
        self.inputs: list[Any] = []
        self.items: list[Any] = []
        self.order: list[str] = []
        self.stopped: list[str] = []
        self.holder = ""
        self.holder_status = "RUNNING"
        self.status = "RUNNING"
        self.started_at = datetime.datetime.now(datetime.UTC)

    def put_object(self, *, Body: bytes, **_: Any) -> None:  # noqa: N803
        self.documents.append(json.loads(Body))
        self.order.append("document")

    def put_item(self, *, Item: dict[str, Any], **_: Any) -> None:  # noqa: N803
        self.items.append(Item)
        self.order.append("signal")

    def get_paginator(self, name: str) -> Services:
        assert name == "list_object_versions"
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        key = PROPERTIES["DocumentKey"]
        yield {"Versions": [{"Key": key, "VersionId": "1"}], "DeleteMarkers": [{"Key": key, "VersionId": "2"}]}

    def delete_object(self, *, VersionId: str, **_: Any) -> None:  # noqa: N803
        self.deleted.append(VersionId)

    def get_item(self, **_: Any) -> dict[str, Any]:
        return {"Item": {"execution": {"S": self.holder}}} if self.holder else {}

    def start_execution(self, *, name: str = "unnamed", input: str, **_: Any) -> None:
        if name in self.started:
            raise self.exceptions.ExecutionAlreadyExists
        self.started.append(name)
        self.inputs.append(json.loads(input))
        self.order.append("start")

    def stop_execution(self, *, executionArn: str, **_: Any) -> None:  # noqa: N803
        self.stopped.append(executionArn)
        self.order.append("stop")

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803
        if executionArn == self.holder:
            return {"status": self.holder_status}
        return {"status": self.status, "cause": "because", "startDate": self.started_at}


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    services = Services()
    monkeypatch.setattr(aws.boto3, "client", lambda name, **_: services)
    aws.client.cache_clear()
    yield services
    aws.client.cache_clear()


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    left: list[str] = []
    monkeypatch.setattr(deployment, "remaining", lambda *_, **__: left)
    return left


def send(request_type: str, former: Mapping[str, Any] = MappingProxyType({}), **properties: Any) -> dict[str, Any]:
    event = {
        "RequestType": request_type,
        "ResourceType": "Custom::PersonalizeDeployment",
        "RequestId": "request",
        "ResourceProperties": {**PROPERTIES, **properties},
        **({} if request_type == "Create" else {"PhysicalResourceId": "films"}),
        **({"OldResourceProperties": {**PROPERTIES, **former}} if request_type == "Update" else {}),
    }
    return event | on_event.handler(event, None)


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_desired_state_is_written_and_one_run_started(services: Services, request_type: str) -> None:
    for _ in range(2):  # CloudFormation may send a request again
        event = send(request_type)
    assert event["PhysicalResourceId"] == "films"
    assert services.documents == [json.loads(DOCUMENT)] * 2
    assert services.started == ["deploy-request"]
    assert is_complete.handler(event, None) == {"IsComplete": True}


def test_deletion_declares_nothing_stops_the_run_and_waits(services: Services, left: list[str]) -> None:
    services.holder = "another run"
    left.append("campaign live (ACTIVE)")
    event = send("Delete")
    assert services.documents == [{"owner": "films", "datasetGroupArn": "group", "datasets": [], "solutions": []}]
    assert (services.stopped, services.started) == (["another run"], ["teardown-request"])
    assert is_complete.handler(event, None) == {"IsComplete": False}
    left.clear()
    assert is_complete.handler(event, None) == {"IsComplete": False}
    services.status = "SUCCEEDED"
    assert is_complete.handler(event, None) == {"IsComplete": True}
    assert services.deleted == ["1", "2"]


def test_deletion_waits_for_the_run_that_its_own_has_left_things_to(services: Services, left: list[str]) -> None:
    left.append("solution picks (ACTIVE)")
    event = send("Delete")
    services.status = "SUCCEEDED"
    services.holder = "another run"
    assert is_complete.handler(event, None) == {"IsComplete": False}
    assert services.started == ["teardown-request"]


@pytest.mark.parametrize("holder", ["", "a run that ended without giving the lock back"])
def test_deletion_starts_one_run_a_minute_until_nothing_is_left(
    services: Services, left: list[str], holder: str
) -> None:
    left.append("solution picks (ACTIVE)")
    event = send("Delete")
    services.status, services.holder, services.holder_status = "SUCCEEDED", holder, "FAILED"
    for _ in range(3):
        assert is_complete.handler(event, None) == {"IsComplete": False}
    services.started_at -= datetime.timedelta(minutes=1)
    assert is_complete.handler(event, None) == {"IsComplete": False}
    assert services.started == ["teardown-request", "teardown-request-0", "teardown-request-1"]


def test_an_update_takes_the_place_of_the_run_under_way(services: Services) -> None:
    services.holder = "its run"
    send("Update", former={"StateMachineArn": f"{MACHINE}-former", "LockTable": "former"})
    assert (services.stopped, services.started) == (["its run"], ["deploy-request"])


def test_what_is_retained_is_not_worked_on_any_more(services: Services) -> None:
    services.holder = "its run"
    send("Delete", Removal="retain")
    assert (services.stopped, services.started, services.documents) == (["its run"], [], [])


def test_deletion_gives_up_after_55_minutes_and_names_what_is_left(services: Services, left: list[str]) -> None:
    left.append("campaign live (DELETE IN_PROGRESS)")
    event = send("Delete")
    services.started_at -= datetime.timedelta(minutes=56)
    with pytest.raises(
        RuntimeError, match=r"after 55 minutes .* campaign live \(DELETE IN_PROGRESS\)\. Delete the stack"
    ):
        is_complete.handler(event, None)


def test_failed_removal_fails_the_deletion_with_its_cause(services: Services, left: list[str]) -> None:
    event = send("Delete")
    services.status = "FAILED"
    with pytest.raises(RuntimeError, match="ended FAILED: because"):
        is_complete.handler(event, None)


def test_retained_things_are_left_alone(services: Services, left: list[str]) -> None:
    event = send("Delete", Removal="retain")
    assert is_complete.handler(event, None) == {"IsComplete": True}
    assert (services.documents, services.started, services.deleted) == ([], [], [])


@pytest.mark.parametrize(("request_type", "trigger"), [("Update", "deploy"), ("Delete", "teardown")])
def test_a_request_that_comes_twice_does_not_stop_its_own_run(
    services: Services, request_type: str, trigger: str
) -> None:
    services.holder = "its run"
    send(request_type)
    services.holder = f"{MACHINE.replace(':stateMachine:', ':execution:')}:{trigger}-request"
    send(request_type)
    assert (services.stopped, services.started) == (["its run"], [f"{trigger}-request"])


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_whom_to_tell_is_known_before_the_run_starts_and_not_by_its_input(
    services: Services, request_type: str
) -> None:
    services.holder = "its run"
    send(request_type, Signal="https://signal")
    run = f"{MACHINE.replace(':stateMachine:', ':execution:')}:deploy-request"
    [item] = services.items
    since = float(item.pop("since")["N"])
    assert item == {"id": {"S": "signal"}, "url": {"S": "https://signal"}, "execution": {"S": run}}
    assert since == pytest.approx(time.time(), abs=60)
    assert services.inputs == [{"trigger": "deploy"}]
    # a run that is stopped for this one must not be taken for the one that is waited for
    stopped = ["stop"] if request_type == "Update" else []
    assert services.order == ["document", *stopped, "signal", "start"]


def test_a_removal_tells_nobody(services: Services) -> None:
    send("Delete", Signal="https://signal")
    assert (services.items, services.inputs) == ([], [{"trigger": "teardown"}])


def test_what_is_billed_is_stopped_and_the_rest_is_kept(services: Services) -> None:
    document = {
        "owner": "films",
        "datasets": [1],
        "solutions": [{"solutionArn": "picks", "campaigns": [2]}],
        "recommenders": [{"recommenderArn": "top", "running": True}],
    }
    send("Delete", Removal="stop-billing", Document=json.dumps(document))
    assert services.started == ["teardown-request"]
    assert services.documents == [
        {
            "owner": "films",
            "datasets": [],
            "solutions": [],
            "keptSolutions": ["picks"],
            "recommenders": [{"recommenderArn": "top", "running": False}],
        }
    ]
