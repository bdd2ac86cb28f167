"""Fault injection and the call log, as tests of other programs use them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from personalize_local.personalize import Fault, Settings

from .support import ITEMS_SCHEMA, Builder, Cloud, interactions_csv, items_csv


def test_the_next_calls_fail(cloud: Cloud) -> None:
    client = cloud.personalize
    throttled = {"operation": "List*", "code": "ThrottlingException", "message": "Rate exceeded", "times": 2}
    cloud.service.admin("fail", throttled)
    for listing in (client.list_schemas, client.list_dataset_groups):
        with pytest.raises(client.exceptions.ClientError, match=r"ThrottlingException.*Rate exceeded"):
            listing()
    assert client.list_schemas()["schemas"] == []
    assert cloud.service.admin("status", {})["struck"] == {"ThrottlingException": 2}
    assert cloud.service.admin("status", {})["struck_operations"] == {"ListSchemas": 1, "ListDatasetGroups": 1}


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
        ({"operation": "X"}, "exactly one of code, failure_reason, delay_seconds, stale_seconds"),
        ({"operation": "X", "code": "E", "failure_reason": "r"}, "exactly one of code, failure_reason"),
        ({"operation": "X", "code": "E", "rate": 1.5}, "rate must be above 0 and at most 1, got 1.5"),
        ({"operation": "X", "delay_seconds": -1}, "delay_seconds must be 0 or more, got -1"),
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


def _outcomes(cloud: Cloud, call: Callable[[int], Any], count: int) -> list[str]:
    outcomes = []
    for number in range(count):
        try:
            call(number)
        except cloud.personalize.exceptions.ClientError as error:
            outcomes.append(error.response["Error"]["Code"])
        else:
            outcomes.append("")
    return outcomes


def test_a_rate_hits_the_same_calls_for_a_seed(make_cloud: Callable[..., Cloud]) -> None:
    """Whatever other calls come in between, from whatever thread, and whatever other faults there are."""

    def run(seed: int, *, others: bool) -> list[str]:
        fault = Fault("Describe*", code="ThrottlingException", rate=0.3, seed=seed)
        other = Fault("*", code="InternalFailure", rate=0.3, seed=seed) if others else fault
        cloud = make_cloud(Settings(fail=(fault, other)))
        if others:
            threads = [threading.Thread(target=_outcomes, args=(cloud, _list(cloud), 20)) for _ in range(4)]
            for thread in threads:
                thread.start()
        arn = "arn:aws:personalize:us-east-1:000000000000:schema/none"
        found = _outcomes(cloud, lambda number: cloud.personalize.describe_schema(schemaArn=arn), 200)
        return [code if code == "ThrottlingException" else "" for code in found]

    alone = run(7, others=False)
    assert alone == run(7, others=True)
    assert alone != run(8, others=False)
    assert 40 <= alone.count("ThrottlingException") <= 80


def test_threads_are_hit_as_often_in_whatever_order_they_run(make_cloud: Callable[..., Cloud]) -> None:
    """Calls of one operation from many threads: which of them is hit depends on who comes first, how many does not."""
    fault = Fault("Describe*", code="ThrottlingException", rate=0.3, seed=7)
    cloud = make_cloud(Settings(fail=(fault,)))
    arn = "arn:aws:personalize:us-east-1:000000000000:schema/none"

    def describe(number: int) -> None:
        cloud.personalize.describe_schema(schemaArn=arn)

    with ThreadPoolExecutor(8) as threads:
        found = [code for codes in threads.map(lambda _: _outcomes(cloud, describe, 25), range(8)) for code in codes]
    assert found.count("ThrottlingException") == sum(fault.draw("DescribeSchema", number) for number in range(1, 201))


def _list(cloud: Cloud) -> Callable[[int], Any]:
    return lambda number: cloud.personalize.list_schemas()


def test_a_share_of_what_is_made_fails(make_cloud: Callable[..., Cloud]) -> None:
    fault = Fault("Create*", failure_reason="No room.", rate=0.25, seed=3)
    cloud = make_cloud(Settings(fail=(fault,), quotas={"dataset_groups": 100}))
    build = Builder(cloud)
    arns = [cloud.personalize.create_dataset_group(name=f"g{n}")["datasetGroupArn"] for n in range(60)]
    found = [build.wait("dataset_group", arn, until=("ACTIVE", "CREATE FAILED"))["status"] for arn in arns]
    expected = [fault.draw("CreateDatasetGroup", number) for number in range(1, 61)]
    assert [status == "CREATE FAILED" for status in found] == expected
    assert 6 <= sum(expected) <= 26


def test_a_rate_with_a_number_of_times_ends(cloud: Cloud) -> None:
    cloud.service.faults.add(Fault("ListSchemas", code="InternalFailure", rate=0.5, times=3))
    assert _outcomes(cloud, _list(cloud), 60).count("InternalFailure") == 3
    assert cloud.service.admin("faults", {}) == {"faults": []}


def test_slow_calls(cloud: Cloud) -> None:
    cloud.service.admin("fail", {"operation": "List*", "delay_seconds": 0.2})
    cloud.service.admin("fail", {"operation": "ListSchemas", "code": "ThrottlingException"})
    began = time.monotonic()
    assert _outcomes(cloud, _list(cloud), 1) == ["ThrottlingException"]
    assert time.monotonic() - began >= 0.2
    began = time.monotonic()
    cloud.personalize.list_schemas()
    assert time.monotonic() - began < 0.2


def test_what_is_made_is_not_seen_at_once(cloud: Cloud) -> None:
    client = cloud.personalize
    cloud.service.admin("fail", {"operation": "Create*", "stale_seconds": 0.3, "times": 2})
    old = client.create_schema(name="old", schema=ITEMS_SCHEMA)["schemaArn"]
    group = client.create_dataset_group(name="g")["datasetGroupArn"]
    with pytest.raises(client.exceptions.ResourceNotFoundException, match=f"Resource Arn {old} does not exist"):
        client.describe_schema(schemaArn=old)
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="given dataset group does not exist"):
        client.describe_dataset_group(datasetGroupArn=group)
    assert client.list_schemas()["schemas"] == []
    with pytest.raises(client.exceptions.ResourceAlreadyExistsException):
        client.create_schema(name="old", schema=ITEMS_SCHEMA)
    new = client.create_schema(name="new", schema=ITEMS_SCHEMA)["schemaArn"]
    assert client.describe_schema(schemaArn=new)["schema"]["name"] == "new"
    time.sleep(0.3)
    assert client.describe_schema(schemaArn=old)["schema"]["name"] == "old"
    assert {entry["name"] for entry in client.list_schemas()["schemas"]} == {"old", "new"}


def test_what_datasets_hold_can_be_compared(cloud: Cloud) -> None:
    build = Builder(cloud)
    group = build.group()
    users, items = build.dataset(group), build.dataset(group, "Items", ITEMS_SCHEMA)

    def held() -> dict[str, Any]:
        found: dict[str, Any] = cloud.service.admin("datasets", {})["datasets"]
        return found

    empty = held()
    assert (empty[users]["records"], empty[items]["records"]) == (0, 0)
    build.import_csv(users, interactions_csv())
    build.import_csv(items, items_csv(), name="items")
    first = held()
    assert (first[users]["records"], first[items]["records"]) == (1500, 40)
    assert held() == first
    build.import_csv(users, interactions_csv(seed=2), name="others")
    assert held()[users]["records"] == 1500
    assert held()[users]["imported"] != first[users]["imported"]
    build.import_csv(users, interactions_csv(), name="again")
    assert held() == first
