from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from personalize_local.personalize import Settings, Uncertain
from personalize_local.personalize.kinds.metric_attributions import REPORT_NAME

from ..support import (
    ACCOUNT,
    ITEMS_SCHEMA,
    REGION,
    ROLE,
    SLOW,
    Builder,
    Cloud,
)

HEADER = "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE\n"
COUNT = {"eventType": "watch", "metricName": "watches", "expression": "SAMPLECOUNT()"}
YEARS = {"eventType": "Buy", "metricName": "Years", "expression": "SUM(Items.YEAR)"}
VALUES = {"eventType": "watch", "metricName": "values", "expression": "SUM(Interactions.EVENT_VALUE)"}
OUTPUT = {"roleArn": ROLE, "s3DataDestination": {"path": "s3://data/reports"}}
NOW = int(time.time()) // 900 * 900


class CloudWatch:
    """Keeps what it gets."""

    def __init__(self) -> None:
        self.values: list[tuple[str, float, dict[str, str], float]] = []

    def put(
        self, namespace: str, name: str, value: float, *, dimensions: Mapping[str, str], timestamp: float, **scope: str
    ) -> None:
        assert scope == {"account": ACCOUNT, "region": REGION}
        self.values.append((name, value, dict(dimensions), timestamp))


@pytest.fixture
def watch() -> CloudWatch:
    return CloudWatch()


@pytest.fixture
def few(make_cloud: Callable[..., Cloud], watch: CloudWatch) -> Builder:
    return Builder(make_cloud(Settings(quotas={"min_records_per_interactions_import": 1}), metrics=watch))


def filled(build: Builder) -> str:
    """A group with a tracker and two items."""
    group = build.group()
    build.dataset(group)
    items = build.dataset(group, "Items", ITEMS_SCHEMA)
    build.import_csv(items, "ITEM_ID,GENRES,YEAR\ni,Drama,1990\nj,War,\n", name="items")
    return group


def start(build: Builder, group: str, *metrics: dict[str, str], output: Any = None, name: str = "m") -> str:
    arn: str = build.personalize.create_metric_attribution(
        name=name, datasetGroupArn=group, metrics=[*metrics], metricsOutputConfig=output or OUTPUT
    )["metricAttributionArn"]
    return arn


def create(build: Builder, group: str, *metrics: dict[str, str], output: Any = None) -> str:
    arn = start(build, group, *metrics, output=output)
    build.wait("metric_attribution", arn)
    return arn


def listed(build: Builder, arn: str) -> list[tuple[str, str]]:
    found = build.personalize.list_metric_attribution_metrics(metricAttributionArn=arn)["metrics"]
    return [(metric["metricName"], metric["eventType"]) for metric in found]


def reports(build: Builder, method: str, count: int = 1) -> list[list[str]]:
    """All rows of the reports of a kind, when there are as many as they have to be."""
    prefix = "reports/" + REPORT_NAME.partition("{")[0] + method
    end = time.monotonic() + 20
    while True:
        found = [body for (_, key), body in sorted(build.cloud.buckets.objects.items()) if key.startswith(prefix)]
        if len(found) >= count or time.monotonic() > end:
            break
        time.sleep(0.01)
    assert len(found) == count
    return [row for body in found for row in list(csv.reader(io.StringIO(body.decode())))[1:]]


def put(build: Builder, group: str, *events: dict[str, Any]) -> None:
    tracker = build.personalize.create_event_tracker(name="t", datasetGroupArn=group)
    build.wait("event_tracker", tracker["eventTrackerArn"])
    build.cloud.events.put_events(
        trackingId=tracker["trackingId"], userId="u", sessionId="s", eventList=[{"itemId": "i", **e} for e in events]
    )


def test_names_are_in_upper_case(few: Builder) -> None:
    group = filled(few)
    arn = create(few, group, COUNT, YEARS, VALUES)
    assert arn.endswith(":metric-attribution/m")
    found = few.wait("metric_attribution", arn)
    assert found["metricsOutputConfig"] == OUTPUT
    assert "metrics" not in found
    assert listed(few, arn) == [("WATCHES", "WATCH"), ("YEARS", "BUY"), ("VALUES", "WATCH")]
    page = few.personalize.list_metric_attribution_metrics(metricAttributionArn=arn, maxResults=2)
    assert len(page["metrics"]) == 2
    rest = few.personalize.list_metric_attribution_metrics(
        metricAttributionArn=arn, maxResults=2, nextToken=page["nextToken"]
    )
    assert [metric["metricName"] for metric in rest["metrics"]] == ["VALUES"]
    assert few.personalize.list_metric_attributions(datasetGroupArn=group)["metricAttributions"][0]["name"] == "m"


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        (
            [{**COUNT, "expression": "COUNT()"}],
            r"Metric WATCHES: the expression must be SAMPLECOUNT\(\), .*'COUNT\(\)'",
        ),
        ([{**YEARS, "expression": "SUM(Items.GENRES)"}], "GENRES is not a numeric column .*ITEMS; it has YEAR"),
        ([{**YEARS, "expression": "SUM(Interactions.YEAR)"}], "it has TIMESTAMP, EVENT_VALUE"),
        ([COUNT, {**YEARS, "metricName": "Watches"}], "metricName WATCHES is there more than once"),
        ([{**COUNT, "metricName": f"m{number}"} for number in range(11)], "less than or equal to 10"),
        ([], "has 1 to 10 metrics, got 0"),
    ],
)
def test_wrong_metrics(few: Builder, metrics: list[dict[str, str]], message: str) -> None:
    group = filled(few)
    with pytest.raises(few.personalize.exceptions.InvalidInputException, match=message):
        start(few, group, *metrics)


def test_event_types_are_needed(few: Builder) -> None:
    with pytest.raises(few.personalize.exceptions.InvalidInputException, match="the column EVENT_TYPE"):
        start(few, few.group(), COUNT)


@pytest.mark.parametrize("code", ["LimitExceededException", "ResourceAlreadyExistsException"])
def test_one_per_group(make_cloud: Callable[..., Cloud], code: str) -> None:
    build = Builder(make_cloud(Settings(uncertain=Uncertain(second_metric_attribution_error=code))))
    group = filled(build)
    create(build, group, COUNT)
    with pytest.raises(getattr(build.personalize.exceptions, code), match="already has the metric attribution"):
        start(build, group, COUNT, name="n")


def test_it_keeps_its_group_and_the_interactions(few: Builder) -> None:
    group = filled(few)
    create(few, group, COUNT)
    client = few.personalize
    datasets = client.list_datasets(datasetGroupArn=group)["datasets"]
    interactions = next(each["datasetArn"] for each in datasets if each["datasetType"] == "INTERACTIONS")
    for refused in (
        lambda: client.delete_dataset(datasetArn=interactions),
        lambda: client.delete_dataset_group(datasetGroupArn=group),
    ):
        with pytest.raises(client.exceptions.ResourceInUseException, match="metric-attribution/m"):
            refused()


@pytest.mark.parametrize("refused", ["cloudwatch:PutMetricData", "s3:PutObject", "s3:ListBucket"])
def test_it_has_to_be_able_to_report(make_cloud: Callable[..., Cloud], refused: str) -> None:
    build = Builder(make_cloud(authorize=lambda action, **request: action != refused))
    group = build.group()
    build.dataset(group)
    failed = build.wait("metric_attribution", start(build, group, COUNT), until=("CREATE FAILED",))
    assert f"{ROLE} may not {refused}" in failed["failureReason"]


def test_updates(make_cloud: Callable[..., Cloud]) -> None:
    build = Builder(make_cloud(SLOW))
    group = build.group()
    build.dataset(group)
    arn = create(build, group, COUNT, VALUES)
    update = build.personalize.update_metric_attribution
    errors = build.personalize.exceptions
    with pytest.raises(errors.InvalidInputException, match="removeMetrics has NONE"):
        update(metricAttributionArn=arn, removeMetrics=["none"])
    with pytest.raises(errors.ResourceAlreadyExistsException, match="WATCHES already exists"):
        update(metricAttributionArn=arn, addMetrics=[COUNT])
    with pytest.raises(errors.InvalidInputException, match="metricAttributionArn is required"):
        update(removeMetrics=["values"])
    update(
        metricAttributionArn=arn,
        addMetrics=[{**VALUES, "metricName": "more"}],
        removeMetrics=["values"],
        metricsOutputConfig={"roleArn": ROLE},
    )
    assert build.personalize.describe_metric_attribution(metricAttributionArn=arn)["metricAttribution"]["status"] == (
        "UPDATE PENDING"
    )
    assert listed(build, arn) == [("WATCHES", "WATCH"), ("VALUES", "WATCH")]
    with pytest.raises(errors.ResourceInUseException, match="UPDATE PENDING"):
        update(metricAttributionArn=arn, removeMetrics=["watches"])
    assert build.wait("metric_attribution", arn)["metricsOutputConfig"] == {"roleArn": ROLE}
    assert listed(build, arn) == [("WATCHES", "WATCH"), ("MORE", "WATCH")]
    build.personalize.delete_metric_attribution(metricAttributionArn=arn)
    build.cloud.advance(3600)
    end = time.monotonic() + 10
    while build.personalize.list_metric_attributions()["metricAttributions"]:
        assert time.monotonic() < end
        time.sleep(0.005)


def test_events_are_reported(few: Builder, watch: CloudWatch) -> None:
    group = filled(few)
    create(few, group, COUNT, YEARS, VALUES)
    few.cloud.service._engine.state.scope(ACCOUNT, REGION).impressions.remember("r", ["i"], "live")
    old = NOW - 15 * 24 * 3600
    put(
        few,
        group,
        {"eventType": "watch", "sentAt": NOW, "eventValue": 2.5, "recommendationId": "r"},
        {"eventType": "Watch", "sentAt": NOW + 899, "eventValue": 1, "recommendationId": "r"},
        {"eventType": "Watch", "sentAt": NOW + 899, "eventValue": 1, "recommendationId": "r"},
        {
            "eventType": "watch",
            "sentAt": NOW,
            "recommendationId": "r",
            "metricAttribution": {"eventAttributionSource": "mail"},
        },
        {"eventType": "buy", "sentAt": NOW},
        {"eventType": "buy", "sentAt": NOW, "itemId": "j"},
        {"eventType": "watch", "sentAt": old},
    )
    undefined = "SOURCE_NAME_UNDEFINED"
    assert reports(few, "PutEvents") == [
        ["VALUES", "WATCH", "3.5", "sum", "live", str(NOW)],
        ["WATCHES", "WATCH", "1.0", "samplecount", undefined, str(old)],
        ["WATCHES", "WATCH", "2.0", "samplecount", "live", str(NOW)],
        ["WATCHES", "WATCH", "1.0", "samplecount", "mail", str(NOW)],
        ["YEARS", "BUY", "1990.0", "sum", undefined, str(NOW)],
    ]
    assert [(name, value, at["EVENT_ATTRIBUTION_SOURCE"], when) for name, value, at, when in watch.values] == [
        ("VALUES", 3.5, "live", NOW),
        ("WATCHES", 2.0, "live", NOW),
        ("WATCHES", 1.0, "mail", NOW),
        ("YEARS", 1990.0, undefined, NOW),
    ]


def test_imports_are_reported_when_they_ask_for_it(few: Builder, watch: CloudWatch) -> None:
    group = filled(few)
    create(few, group, COUNT, YEARS)

    def run(name: str, mode: str, *, publish: bool) -> None:
        rows = (f"{name},i,{NOW},watch,\n", f"{name},i,{NOW},buy,\n", f"{name},j,{NOW},buy,\n")
        location = few.cloud.buckets.put(f"{name}.csv", HEADER + "".join(rows))
        dataset = next(
            dataset["datasetArn"]
            for dataset in few.personalize.list_datasets(datasetGroupArn=group)["datasets"]
            if dataset["datasetType"] == "INTERACTIONS"
        )
        job = few.personalize.create_dataset_import_job(
            jobName=name,
            datasetArn=dataset,
            dataSource={"dataLocation": location},
            roleArn=ROLE,
            importMode=mode,
            publishAttributionMetricsToS3=publish,
        )["datasetImportJobArn"]
        few.wait("dataset_import_job", job)

    expected = [
        ["WATCHES", "WATCH", "1.0", "samplecount", "SOURCE_NAME_UNDEFINED", str(NOW)],
        ["YEARS", "BUY", "1990.0", "sum", "SOURCE_NAME_UNDEFINED", str(NOW)],
    ]
    run("silent", "FULL", publish=False)
    assert not any("FULL" in key for _, key in few.cloud.buckets.objects)
    run("full", "FULL", publish=True)
    assert reports(few, "FULL") == expected
    assert watch.values == []
    run("more", "INCREMENTAL", publish=True)
    assert reports(few, "INCREMENTAL") == expected
    assert [value[:2] for value in watch.values] == [("WATCHES", 1.0), ("YEARS", 1990.0)]


@pytest.mark.parametrize("output", [None, {"roleArn": ROLE}])
def test_imports_need_somewhere_to_report_to(few: Builder, output: dict[str, str] | None) -> None:
    group = filled(few)
    if output:
        create(few, group, COUNT, output=output)
    datasets = few.personalize.list_datasets(datasetGroupArn=group)["datasets"]
    for message, dataset in (("needs an ACTIVE metric attribution", datasets[0]), ("is for Interactions", datasets[1])):
        with pytest.raises(few.personalize.exceptions.InvalidInputException, match=message):
            few.personalize.create_dataset_import_job(
                jobName="j",
                datasetArn=dataset["datasetArn"],
                dataSource={"dataLocation": "s3://data/x.csv"},
                roleArn=ROLE,
                publishAttributionMetricsToS3=True,
            )
