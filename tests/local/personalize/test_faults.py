"""Fault injection and the call log, as tests of other programs use them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from personalize_local.personalize import Fault, Settings

from .support import Builder, Cloud


def test_the_next_calls_fail(cloud: Cloud) -> None:
    client = cloud.personalize
    throttled = {"operation": "List*", "code": "ThrottlingException", "message": "Rate exceeded", "times": 2}
    cloud.service.admin("fail", throttled)
    for listing in (client.list_schemas, client.list_dataset_groups):
        with pytest.raises(client.exceptions.ClientError, match=r"ThrottlingException.*Rate exceeded"):
            listing()
    assert client.list_schemas()["schemas"] == []


def test_what_is_made_fails(make_cloud: Callable[..., Cloud]) -> None:
    fault = Fault("CreateDatasetGroup", failure_reason="No permission to use the key.", name="secret-*")
    cloud = make_cloud(Settings(fail=(fault,)))
    build = Builder(cloud)
    build.group("open")
    arn = cloud.personalize.create_dataset_group(name="secret-films")["datasetGroupArn"]
    found = build.wait("dataset_group", arn, until=("CREATE FAILED",))
    assert found["failureReason"] == "No permission to use the key."
    with pytest.raises(cloud.personalize.exceptions.ResourceAlreadyExistsException):
        cloud.personalize.create_dataset_group(name="secret-films")
    cloud.personalize.delete_dataset_group(datasetGroupArn=arn)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"operation": "X"}, "either a code or a failure_reason"),
        ({"operation": "X", "code": "E", "failure_reason": "r"}, "either a code or a failure_reason"),
        ({"operation": "X", "code": "E", "times": 0}, "times must be 1 or more"),
        ({"code": "E"}, "operation"),
        ({"operation": "X", "kode": "E"}, "kode"),
    ],
)
def test_wrong_faults(cloud: Cloud, fault: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cloud.service.admin("fail", fault)
    assert cloud.service.admin("faults", {}) == {"faults": []}


def test_faults_can_be_forgotten(cloud: Cloud) -> None:
    cloud.service.admin("fail", {"operation": "ListSchemas", "code": "InternalFailure", "status": 500})
    assert cloud.service.admin("faults", {})["faults"][0]["code"] == "InternalFailure"
    cloud.service.admin("forget_faults", {})
    cloud.personalize.list_schemas()


def test_calls_are_logged(cloud: Cloud, build: Builder) -> None:
    build.group()
    with pytest.raises(cloud.personalize.exceptions.ResourceAlreadyExistsException):
        cloud.personalize.create_dataset_group(name="films")
    good, bad = cloud.service.admin("calls", {"operation": "CreateDatasetGroup"})["calls"]
    assert good["request"] == {"name": "films"}
    assert (good["error"], bad["error"]) == (None, "ResourceAlreadyExistsException")
    assert good["time"] <= bad["time"]
    assert [call["number"] for call in cloud.service.admin("calls", {"since": bad["number"] - 1})["calls"]] == [
        bad["number"]
    ]
    cloud.service.admin("forget_calls", {})
    cloud.personalize.list_schemas()
    assert [call.number for call in cloud.service.calls.find()] == [bad["number"] + 1]


def test_the_log_has_an_end(make_cloud: Callable[..., Cloud]) -> None:
    cloud = make_cloud(Settings(remembered_calls=3))
    for _ in range(5):
        cloud.personalize.list_schemas()
    assert [call.number for call in cloud.service.calls.find("ListSchemas")] == [3, 4, 5]


def test_reset(cloud: Cloud, build: Builder) -> None:
    build.group()
    cloud.service.admin("reset", {})
    assert cloud.personalize.list_dataset_groups()["datasetGroups"] == []
    build.group()


def test_unknown_actions(cloud: Cloud) -> None:
    with pytest.raises(ValueError, match=r"must be one of .*calls.*, got 'explode'"):
        cloud.service.admin("explode", {})
    with pytest.raises(ValueError, match="colour"):
        cloud.service.admin("calls", {"colour": "red"})
