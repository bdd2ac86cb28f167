from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from personalize_local.personalize import Settings

from ..support import BUCKET, ITEMS_SCHEMA, ROLE, Builder, Cloud

HEADER = "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE\n"
ITEMS_HEADER = "ITEM_ID,GENRES,YEAR\n"
EVENT = {"eventType": "watch", "sentAt": 3, "itemId": "i"}


@pytest.fixture
def few(make_cloud: Callable[..., Cloud]) -> Builder:
    return Builder(make_cloud(Settings(quotas={"min_records_per_interactions_import": 1})))


def start(build: Builder, dataset: str, *, name: str, path: str = "s3://data/out/", **arguments: Any) -> str:
    arn: str = build.personalize.create_dataset_export_job(
        jobName=name,
        datasetArn=dataset,
        roleArn=ROLE,
        jobOutput={"s3DataDestination": {"path": path}},
        **arguments,
    )["datasetExportJobArn"]
    return arn


def export(build: Builder, dataset: str, mode: str | None = None) -> list[str]:
    name = f"export-{mode}"
    job = start(build, dataset, name=name, **({"ingestionMode": mode} if mode else {}))
    assert build.wait("dataset_export_job", job)["ingestionMode"] == (mode or "PUT")
    header, *rows = build.cloud.buckets.objects[BUCKET, f"out/{name}.csv"].decode().splitlines()
    return [header, *sorted(rows)]


def test_interactions(few: Builder) -> None:
    group = few.group()
    dataset = few.dataset(group)
    few.import_csv(dataset, HEADER + 'u,i,3,watch,\n"a ""b"", \\\\c",j,4,watch,2.5\nu,i,3,watch,\n')
    tracker = few.personalize.create_event_tracker(name="t", datasetGroupArn=group)
    few.wait("event_tracker", tracker["eventTrackerArn"])
    for event in (EVENT, {**EVENT, "sentAt": 5, "eventValue": 1}):
        few.cloud.events.put_events(trackingId=tracker["trackingId"], userId="u", sessionId="s", eventList=[event])
    bulk, put = ['"a ""b"", \\\\c",j,4,watch,2.5', "u,i,3,watch,"], ["u,i,3,watch,", "u,i,5,watch,1.0"]
    header = HEADER.strip()
    assert export(few, dataset) == export(few, dataset, "PUT") == [header, *put]
    assert export(few, dataset, "BULK") == [header, *bulk]
    assert export(few, dataset, "ALL") == [header, *bulk, put[1]]
    listed = few.personalize.list_dataset_export_jobs(datasetArn=dataset)["datasetExportJobs"]
    assert [job["jobName"] for job in listed] == ["export-None", "export-PUT", "export-BULK", "export-ALL"]


def test_what_is_exported_can_be_imported(few: Builder) -> None:
    group = few.group()
    dataset = few.dataset(group)
    text = HEADER + 'u,i,3,watch,\n"a ""b"", \\\\c",j,4,watch,2.5\nü,"k,l",5,watch,1e5\n'
    few.import_csv(dataset, text)
    first = export(few, dataset, "BULK")
    few.import_csv(dataset, few.cloud.buckets.objects[BUCKET, "out/export-BULK.csv"].decode(), name="again")
    assert export(few, dataset, "ALL") == first


def test_the_newest_of_each_item(build: Builder) -> None:
    dataset = build.dataset(build.group(), "Items", ITEMS_SCHEMA)
    build.import_csv(dataset, ITEMS_HEADER + "i,Drama,1990\nj,War,\n")
    build.cloud.events.put_items(
        datasetArn=dataset,
        items=[
            {"itemId": "j", "properties": '{"genres": "Peace"}'},
            {"itemId": "k", "properties": '{"genres": "War", "year": 2001}'},
        ],
    )
    header = ITEMS_HEADER.strip()
    assert export(build, dataset, "BULK") == [header, "i,Drama,1990", "j,War,"]
    assert export(build, dataset, "PUT") == [header, "j,Peace,", "k,War,2001"]
    assert export(build, dataset, "ALL") == [header, "i,Drama,1990", "j,Peace,", "k,War,2001"]


def test_an_empty_dataset(build: Builder) -> None:
    assert export(build, build.dataset(build.group()), "ALL") == [HEADER.strip()]


@pytest.mark.parametrize(
    ("path", "refused", "reason"),
    [
        ("s3://nowhere/out/", "", "Invalid S3 output path"),
        ("s3://data/out/", "s3:PutObject", "Insufficient privileges for accessing data in Amazon S3."),
        ("s3://data/out/", "s3:ListBucket", "Insufficient privileges for accessing data in Amazon S3."),
    ],
)
def test_jobs_that_fail(make_cloud: Callable[..., Cloud], path: str, refused: str, reason: str) -> None:
    build = Builder(make_cloud(authorize=lambda action, **request: action != refused))
    job = start(build, build.dataset(build.group()), name="e", path=path)
    assert build.wait("dataset_export_job", job, until=("CREATE FAILED",))["failureReason"] == reason
    assert not build.cloud.buckets.objects


def test_the_destination_is_in_s3(build: Builder) -> None:
    dataset = build.dataset(build.group())
    with pytest.raises(build.personalize.exceptions.InvalidInputException, match=re.escape("s3DataDestination.path")):
        start(build, dataset, name="e", path="https://data/out/")
