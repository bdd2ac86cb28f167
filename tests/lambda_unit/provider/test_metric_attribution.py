"""Custom::PersonalizeMetricAttribution against the emulated service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from personalize_lambda.provider import is_complete, lifecycle
from personalize_local.personalize import Settings
from personalize_local.personalize.faults import Fault
from tests.lambda_unit.provider.conftest import Stack
from tests.local.personalize.support import BUCKET, ROLE, Builder

TYPE = "Custom::PersonalizeMetricAttribution"
ARN = "arn:aws:personalize:us-east-1:000000000000:metric-attribution/films"
GROUP = "arn:aws:personalize:us-east-1:000000000000:dataset-group/films"
WATCHES = {"EventType": "watch", "MetricName": "watches", "Expression": "SAMPLECOUNT()"}
VALUES = {"EventType": "buy", "MetricName": "values", "Expression": "SUM(Interactions.EVENT_VALUE)"}
CLICKS = {"EventType": "click", "MetricName": "clicks", "Expression": "SAMPLECOUNT()"}


def properties(
    *metrics: dict[str, str], path: str | None = f"s3://{BUCKET}/reports/", **changes: Any
) -> dict[str, Any]:
    given = {
        "Name": "films",
        "DatasetGroupArn": GROUP,
        "Metrics": list(metrics),
        "RoleArn": ROLE,
        "Path": path,
        **changes,
    }
    return {name: value for name, value in given.items() if value is not None}


def metrics(stack: Stack) -> dict[str, tuple[str, str]]:
    found = stack.cloud.personalize.list_metric_attribution_metrics(metricAttributionArn=ARN)["metrics"]
    return {each["metricName"]: (each["eventType"], each["expression"]) for each in found}


def describe(stack: Stack) -> dict[str, Any] | None:
    try:
        return dict(stack.cloud.personalize.describe_metric_attribution(metricAttributionArn=ARN)["metricAttribution"])
    except ClientError:
        return None


@pytest.fixture
def films(stack: Stack) -> Stack:
    return filled(stack)


def filled(stack: Stack) -> Stack:
    build = Builder(stack.cloud)
    build.dataset(build.group())
    return stack


def test_create_waits_until_it_is_active(films: Stack) -> None:
    told = films.create(TYPE, **properties(WATCHES, VALUES))

    assert (told["PhysicalResourceId"], told["Data"]) == (ARN, {"MetricAttributionArn": ARN})
    found = describe(films)
    assert found is not None
    assert found["status"] == "ACTIVE"
    assert found["metricsOutputConfig"] == {
        "roleArn": ROLE,
        "s3DataDestination": {"path": f"s3://{BUCKET}/reports/"},
    }
    assert metrics(films) == {
        "WATCHES": ("WATCH", "SAMPLECOUNT()"),
        "VALUES": ("BUY", "SUM(Interactions.EVENT_VALUE)"),
    }


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param((WATCHES, CLICKS), id="one for another"),
        pytest.param((CLICKS,), id="others"),
        pytest.param((WATCHES, VALUES, CLICKS), id="one more"),
        pytest.param((WATCHES, {**VALUES, "EventType": "sell"}), id="another event type"),
        pytest.param((WATCHES, {**VALUES, "Expression": "SAMPLECOUNT()"}), id="another expression"),
    ],
)
def test_metrics_change_in_place(films: Stack, wanted: tuple[dict[str, str], ...]) -> None:
    former = properties(WATCHES, VALUES)
    films.create(TYPE, **former)
    before = describe(films)

    told = films.update(TYPE, ARN, former, **properties(*wanted))

    assert told["PhysicalResourceId"] == ARN
    assert metrics(films) == {
        each["MetricName"].upper(): (each["EventType"].upper(), each["Expression"]) for each in wanted
    }
    after = describe(films)
    assert before is not None
    assert after is not None
    assert after["creationDateTime"] == before["creationDateTime"]


def test_where_reports_go_changes_in_place(films: Stack) -> None:
    former = properties(WATCHES)
    films.create(TYPE, **former)

    films.update(TYPE, ARN, former, **properties(WATCHES, path=None))

    found = describe(films)
    assert found is not None
    assert (found["status"], found["metricsOutputConfig"]) == ("ACTIVE", {"roleArn": ROLE})


def test_upper_and_lower_case_are_no_change(films: Stack) -> None:
    former = properties(WATCHES)
    films.create(TYPE, **former)
    upper = {name: value.upper() for name, value in WATCHES.items()}

    told = films.start("Update", TYPE, properties(upper), PhysicalResourceId=ARN, OldResourceProperties=former)

    assert told["UpdatingSince"] is None
    assert is_complete.handler(told, None) == {"IsComplete": True}


def test_an_update_is_not_complete_while_it_goes_on(make_stack: Callable[..., Stack]) -> None:
    films = filled(make_stack(Settings(time_scale=0.0005)))
    former = properties(WATCHES)
    films.create(TYPE, **former)

    event = films.start("Update", TYPE, properties(CLICKS), PhysicalResourceId=ARN, OldResourceProperties=former)

    assert is_complete.handler(event, None) == {"IsComplete": False}


def test_a_failed_update_is_told_and_can_be_taken_back(films: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "APPEAR_SECONDS", 0.02)
    former, wanted = properties(WATCHES), properties(CLICKS)
    films.create(TYPE, **former)
    films.cloud.service.faults.add(Fault("UpdateMetricAttribution", failure_reason="The service is tired."))

    with pytest.raises(RuntimeError, match="could not be changed, it is ACTIVE as it was before: "):
        films.update(TYPE, ARN, former, **wanted)
    films.update(TYPE, ARN, wanted, **former)

    assert metrics(films) == {"WATCHES": ("WATCH", "SAMPLECOUNT()")}


@pytest.mark.parametrize("change", [{"Name": "series"}, {"DatasetGroupArn": f"{GROUP}2"}])
def test_it_never_becomes_another(films: Stack, change: dict[str, str]) -> None:
    former = properties(WATCHES)
    films.create(TYPE, **former)

    with pytest.raises(RuntimeError, match=r"the name and the dataset group .* cannot change"):
        films.update(TYPE, ARN, former, **{**former, **change})


def test_a_retried_create_takes_on_what_there_is(films: Stack) -> None:
    films.create(TYPE, **properties(WATCHES))

    told = films.create(TYPE, **properties(WATCHES, CLICKS))

    assert told["PhysicalResourceId"] == ARN
    assert set(metrics(films)) == {"WATCHES", "CLICKS"}


def test_that_of_another_dataset_group_is_left_alone(films: Stack) -> None:
    films.create(TYPE, **properties(WATCHES))
    build = Builder(films.cloud)
    other = build.group("series")
    build.dataset(other)

    with pytest.raises(RuntimeError, match=f"exists already for {GROUP}, not for {other}"):
        films.create(TYPE, **properties(CLICKS, DatasetGroupArn=other))


def test_a_failed_create_says_so_and_leaves_nothing(films: Stack) -> None:
    films.cloud.service.faults.add(Fault("CreateMetricAttribution", failure_reason="The service is tired."))

    with pytest.raises(RuntimeError, match=f"^metric attribution {ARN} could not be created: The service is tired"):
        films.create(TYPE, **properties(WATCHES))
    films.delete(TYPE, ARN)

    assert describe(films) is None


def test_delete_waits_until_it_is_gone(films: Stack) -> None:
    films.create(TYPE, **properties(WATCHES))

    films.delete(TYPE, ARN, **properties(WATCHES))
    films.delete(TYPE, ARN, **properties(WATCHES))

    assert describe(films) is None
