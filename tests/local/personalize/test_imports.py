from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import pytest

from personalize_local.personalize import Settings, Uncertain

from .support import (
    ACTION_INTERACTIONS_SCHEMA,
    ACTIONS_SCHEMA,
    ITEMS_SCHEMA,
    ROLE,
    SLOW,
    Builder,
    Cloud,
    interactions_csv,
    items_csv,
)

HEADER = "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE\n"
CONFORM = "rows that do not conform to the dataset schema"


@pytest.fixture
def few(make_cloud: Callable[..., Cloud]) -> Builder:
    """A service that takes imports of a single record."""
    return Builder(make_cloud(Settings(quotas={"min_records_per_interactions_import": 1})))


def rows(cloud: Cloud, dataset: str) -> int:
    state = cloud.service._engine.state.scope("000000000000", "us-east-1")
    return len(state.datasets[dataset])


@pytest.mark.parametrize(
    ("text", "reason", "logged"),
    [
        (
            "USER_ID,ITEM_ID\nu,i\n",
            "Input CSV is missing the following columns:[TIMESTAMP, EVENT_TYPE, EVENT_VALUE].",
            "line 1: the header lacks TIMESTAMP, EVENT_TYPE, EVENT_VALUE",
        ),
        ("", "Input CSV is missing the following columns:[USER_ID,", "line 1"),
        ("\ufeff" + HEADER, "missing the following columns:[USER_ID]", "byte order mark"),
        (HEADER + "u,i,1,w,1\nu,i,yesterday,w,1\n", CONFORM, "line 3, column TIMESTAMP: 'yesterday' is not a long"),
        (HEADER + "u,i,1.5,w,1\n", CONFORM, "line 2, column TIMESTAMP: '1.5' is not a long, Unix time in seconds"),
        (HEADER + "u,i,1_000,w,1\n", CONFORM, "line 2, column TIMESTAMP: '1_000'"),
        (HEADER + "u,i,,w,1\n", CONFORM, "line 2, column TIMESTAMP: is empty"),
        (HEADER + "u,i,99999999999999999999,w,1\n", CONFORM, "line 2, column TIMESTAMP"),
        (HEADER + "u,i,1,w,1\n,i,1,w,1\n", CONFORM, "line 3, column USER_ID: is empty"),
        (HEADER + "u,,1,w,1\n", CONFORM, "line 2, column ITEM_ID: is empty"),
        (HEADER + "u,i,1,,1\n", CONFORM, "line 2, column EVENT_TYPE: is empty"),
        (HEADER + "u,i,1,w,much\n", CONFORM, "line 2, column EVENT_VALUE: 'much' is not a float"),
        (HEADER + "u,i,1,w,1e999\n", CONFORM, "line 2, column EVENT_VALUE: '1e999' is not a float"),
        (HEADER.replace("USER_ID", '"USER_ID"'), "following columns:[USER_ID].", "must not have quotes"),
        ('"X",' + HEADER, CONFORM, "line 1: the header has quotes"),
        ("USER_ID," + HEADER, CONFORM, "line 1: the header has USER_ID more than once"),
        (HEADER + "\nu,i,1,w,1\n", CONFORM, "line 2: has 0 values, the header has 5"),
        (HEADER + "u,i,1,w,nan\n", CONFORM, "line 2, column EVENT_VALUE: 'nan' is not a float"),
        (HEADER + "u,i,1,w\n", CONFORM, "line 2: has 4 values, the header has 5"),
        (HEADER + "u,i,1,w,1,2\n", CONFORM, "line 2: has 6 values"),
        (HEADER + 'u,"i,j",1,w,1\nu,i,x,w,1\n', CONFORM, "line 3, column TIMESTAMP"),
        (HEADER + 'u,i,1,w,1\nu,"i\nj",x,w,1\n', CONFORM, "line 3: the record that begins here has several lines"),
        (HEADER + 'u,"i\r\rj",1,w,1\nu,i,1\n', CONFORM, "line 2: the record that begins here has several lines"),
        (HEADER + "u,i\\\nj,1,w,1\n", CONFORM, "line 2: the record that begins here has several lines"),
        (HEADER + 'u,"i"j,1,w,1\n', CONFORM, "line 2: "),
        (HEADER + "x" * 257 + ",i,1,w,1\n", "Length cannot be more than 256 characters for USER_ID.", "line 2"),
        (HEADER + "u,i,1," + "x" * 1001 + ",1\n", "Length cannot be more than 1000 characters for EVENT_TYPE.", "line"),
    ],
)
def test_bad_files(few: Builder, caplog: pytest.LogCaptureFixture, text: str, reason: str, logged: str) -> None:
    dataset = few.dataset(few.group())
    assert reason in few.failed_import(dataset, text)
    records = [record for record in caplog.records if record.name == "personalize_local.import"]
    assert len(records) == 1
    message = records[0].getMessage()
    assert message.startswith("s3://data/job.csv, line ")
    assert logged in message
    assert rows(few.cloud, dataset) == 0


def test_not_utf8(few: Builder, caplog: pytest.LogCaptureFixture) -> None:
    dataset = few.dataset(few.group())
    few.cloud.buckets.objects["data", "x.csv"] = HEADER.encode() + b"u,i,1,w,1\n\xff,i,1,w,1\n"
    job = few.personalize.create_dataset_import_job(
        jobName="x", datasetArn=dataset, dataSource={"dataLocation": "s3://data/x.csv"}, roleArn=ROLE
    )["datasetImportJobArn"]
    few.wait("dataset_import_job", job, until=("CREATE FAILED",))
    assert "s3://data/x.csv, line 3: is not UTF-8" in caplog.text


def test_good_files(few: Builder) -> None:
    dataset = few.dataset(few.group())
    text = 'TIMESTAMP,EXTRA,EVENT_VALUE,USER_ID,ITEM_ID,EVENT_TYPE\r\n1,x,,"a, ""b"" \\"c\\"",ï,w\r\n\r\n'
    few.import_csv(dataset, text)
    scope = few.cloud.service._engine.state.scope("000000000000", "us-east-1")
    history = scope.datasets[dataset].history('a, "b" "c"')  # type: ignore[union-attr]
    assert [tuple(event) for event in history] == [("ï", "w", 1.0)]


def test_identical_records_count_once(few: Builder) -> None:
    dataset = few.dataset(few.group())
    line = "u,i,1,w,1\n"
    others = "u,i,1,w,2\nu,i,1,v,1\nu,i,1,w,\nu,i,2,w,1\nu,j,1,w,1\n"
    few.import_csv(dataset, HEADER + line + others + line + line + "u,i,1,w,\n")
    assert rows(few.cloud, dataset) == 6


def test_full_replaces_and_incremental_adds(few: Builder) -> None:
    dataset = few.dataset(few.group())
    with pytest.raises(few.personalize.exceptions.InvalidInputException, match="must have the importMode FULL"):
        few.start_import(dataset, HEADER, mode="INCREMENTAL")
    few.import_csv(dataset, HEADER + "u,i,1,w,1\nu,i,2,w,1\n", name="a")
    few.import_csv(dataset, HEADER + "u,i,2,w,1\nu,i,3,w,1\n", name="b", mode="INCREMENTAL")
    assert rows(few.cloud, dataset) == 3
    few.import_csv(dataset, HEADER + "u,i,4,w,1\n", name="c")
    assert rows(few.cloud, dataset) == 1


def test_a_failed_import_leaves_what_was_there(few: Builder) -> None:
    dataset = few.dataset(few.group())
    few.import_csv(dataset, HEADER + "u,i,1,w,1\n", name="a")
    few.failed_import(dataset, HEADER + "u,i,x,w,1\n", name="b")
    assert rows(few.cloud, dataset) == 1


@pytest.mark.parametrize("mode", ["FULL", "INCREMENTAL"])
def test_an_interactions_import_needs_a_thousand_records(build: Builder, mode: str) -> None:
    dataset = build.dataset(build.group())
    build.import_csv(dataset, interactions_csv(users=50, per_user=20))
    others = interactions_csv(users=37, per_user=27).replace("watch", "click")
    reason = build.failed_import(dataset, others, name="few", mode=mode)
    assert "number of records is 999, the minimum is 1000" in reason


@pytest.mark.parametrize(("new_only", "reason"), [(True, "number of records is 0"), (False, None)])
def test_whether_known_records_count(make_cloud: Callable[..., Cloud], new_only: bool, reason: str | None) -> None:
    settings = Settings(uncertain=Uncertain(incremental_counts_new_only=new_only))
    build = Builder(make_cloud(settings))
    dataset = build.dataset(build.group())
    text = interactions_csv(users=50, per_user=20)
    build.import_csv(dataset, text)
    if reason:
        assert reason in build.failed_import(dataset, text, name="again", mode="INCREMENTAL")
    else:
        build.import_csv(dataset, text, name="again", mode="INCREMENTAL")
    assert rows(build.cloud, dataset) == 1000


def test_an_incremental_import_is_small(make_cloud: Callable[..., Cloud]) -> None:
    build = Builder(make_cloud(Settings(quotas={"max_bytes_per_incremental_import": 40_000})))
    dataset = build.dataset(build.group())
    build.import_csv(dataset, interactions_csv(users=50, per_user=40))
    text = interactions_csv(users=50, per_user=40).replace("watch", "click")
    assert f"The files have {len(text)} bytes, at most 40000 are allowed." in build.failed_import(
        dataset, text, name="large", mode="INCREMENTAL"
    )


@pytest.mark.parametrize(("kind", "schema"), [("Actions", ACTIONS_SCHEMA), ("Items", ITEMS_SCHEMA)])
def test_entities_need_no_thousand(build: Builder, kind: str, schema: str) -> None:
    text = "ACTION_ID,VALUE\na,3\nb,\na,4\n" if kind == "Actions" else items_csv(items=2)
    dataset = build.dataset(build.group(), kind, schema)
    build.import_csv(dataset, text)
    assert rows(build.cloud, dataset) == 2


def test_interactions_with_actions(few: Builder, build: Builder) -> None:
    text = "USER_ID,ACTION_ID,EVENT_TYPE,TIMESTAMP\nu,a,TAKEN,1\nu,b,VIEWED,2\nu,a,TAKEN,1\n"
    dataset = few.dataset(few.group(), "Action_Interactions", ACTION_INTERACTIONS_SCHEMA)
    few.import_csv(dataset, text)
    scope = few.cloud.service._engine.state.scope("000000000000", "us-east-1")
    history = scope.datasets[dataset].history("u")  # type: ignore[union-attr]
    assert [tuple(event) for event in history] == [("a", "TAKEN", 1.0), ("b", "VIEWED", 2.0)]
    dataset = build.dataset(build.group(), "Action_Interactions", ACTION_INTERACTIONS_SCHEMA)
    assert build.failed_import(dataset, text) == (
        "Failed to create a data import job for Action_Interactions dataset. The number of records is 3, "
        "the minimum is 1000."
    )


def test_the_last_item_wins(build: Builder) -> None:
    dataset = build.dataset(build.group(), "Items", ITEMS_SCHEMA)
    build.import_csv(dataset, "ITEM_ID,GENRES,YEAR\ni,Drama,1990\nj,Drama,\ni,Comedy,1991\n", name="a")
    build.import_csv(dataset, "ITEM_ID,GENRES,YEAR\nk,War,2000\nj,Thriller,1999\n", name="b", mode="INCREMENTAL")
    build.cloud.events.put_items(
        datasetArn=dataset, items=[{"itemId": "k", "properties": '{"genres": "Peace", "year": 2001}'}]
    )
    assert table(build.cloud, dataset) == {"i": ("Comedy", 1991), "j": ("Thriller", 1999), "k": ("Peace", 2001)}
    build.import_csv(dataset, "ITEM_ID,GENRES,YEAR\ni,Drama,1990\n", name="c")
    assert table(build.cloud, dataset) == {"i": ("Drama", 1990), "k": ("Peace", 2001)}
    build.import_csv(dataset, "ITEM_ID,GENRES,YEAR\nk,Bulk,1990\n", name="d")
    assert table(build.cloud, dataset) == {"k": ("Bulk", 1990)}


def table(cloud: Cloud, dataset: str) -> dict[str, Any]:
    from personalize_local.personalize.columns import columns_of

    contents = cloud.service._engine.state.scope("000000000000", "us-east-1").datasets[dataset]
    found = contents.table(columns_of(ITEMS_SCHEMA))  # type: ignore[union-attr]
    return dict(zip(found.ids, zip(found.columns["GENRES"], found.columns["YEAR"], strict=True), strict=True))


def test_folders(few: Builder, caplog: pytest.LogCaptureFixture) -> None:
    dataset = few.dataset(few.group())
    for name, text in (
        ("in/a.csv", HEADER + "u,i,1,w,1\n"),
        ("in/deep/b.csv", HEADER + "u,i,2,w,1\n"),
        ("in/readme.txt", "not data"),
        ("inside.csv", HEADER + "u,i,3,w,1\n"),
    ):
        few.cloud.buckets.put(name, text)

    def run(name: str, location: str, until: str) -> str:
        arn = few.personalize.create_dataset_import_job(
            jobName=name, datasetArn=dataset, dataSource={"dataLocation": location}, roleArn=ROLE
        )["datasetImportJobArn"]
        reason: str = few.wait("dataset_import_job", arn, until=(until,)).get("failureReason", "")
        return reason

    run("folder", "s3://data/in/", "ACTIVE")
    assert rows(few.cloud, dataset) == 2
    few.cloud.buckets.put("in/deep/b.csv", "EXTRA," + HEADER + "x,u,i,2,w,1\n")
    assert CONFORM in run("other", "s3://data/in/", "CREATE FAILED")
    assert "in/deep/b.csv, line 1: the header must be that of the other files, USER_ID,ITEM_ID," in caplog.text
    few.cloud.buckets.put("in/deep/b.csv", "A,B\n1,2\n")
    assert "missing the following columns" in run("bad", "s3://data/in/", "CREATE FAILED")
    assert "s3://data/in/deep/b.csv, line 1" in caplog.text
    for number, location in enumerate(
        ("s3://data/in", "s3://data/none.csv", "s3://data/none/", "s3://other/a.csv", "https://data/a.csv")
    ):
        assert run(f"none{number}", location, "CREATE FAILED") == "Invalid Data location."


def test_permissions(make_cloud: Callable[..., Cloud], caplog: pytest.LogCaptureFixture) -> None:
    asked: list[dict[str, str]] = []

    def authorize(**request: str) -> bool:
        asked.append(request)
        return request["action"] != "s3:GetObject"

    build = Builder(make_cloud(authorize=authorize))
    dataset = build.dataset(build.group())
    reason = build.failed_import(dataset, interactions_csv())
    assert reason == (
        "Failed to create a data import job for Interactions dataset. "
        "Insufficient privileges for accessing data in Amazon S3."
    )
    assert asked[0] == {
        "action": "s3:ListBucket",
        "resource": "arn:aws:s3:::data",
        "role_arn": ROLE,
        "account": "000000000000",
        "region": "us-east-1",
    }
    assert asked[1]["resource"] == "arn:aws:s3:::data/job.csv"
    assert "may not s3:GetObject" in caplog.text


def test_a_role_is_required(build: Builder) -> None:
    dataset = build.dataset(build.group())
    with pytest.raises(build.personalize.exceptions.InvalidInputException, match="roleArn is required"):
        build.personalize.create_dataset_import_job(
            jobName="j", datasetArn=dataset, dataSource={"dataLocation": "s3://data/x.csv"}
        )


def test_milliseconds_are_pointed_out(few: Builder, caplog: pytest.LogCaptureFixture) -> None:
    dataset = few.dataset(few.group())
    few.import_csv(dataset, HEADER + "u,i,1700000000000,w,1\n")
    assert "column TIMESTAMP: seems to be in milliseconds" in caplog.text


def test_a_dataset_in_use_cannot_be_deleted(make_cloud: Callable[..., Cloud]) -> None:
    build = Builder(make_cloud(SLOW))
    dataset = build.dataset(build.group())
    job = build.start_import(dataset, interactions_csv())
    with pytest.raises(build.personalize.exceptions.ResourceInUseException, match="job, which is in status CREATE"):
        build.personalize.delete_dataset(datasetArn=dataset)
    build.wait("dataset_import_job", job)
    build.personalize.delete_dataset(datasetArn=dataset)


def test_a_hundred_thousand_rows_take_well_under_a_second(build: Builder, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    dataset = build.dataset(build.group())
    text = interactions_csv(users=1000, per_user=100, items=1700)
    start = time.perf_counter()
    build.import_csv(dataset, text)
    assert time.perf_counter() - start < 1.5  # measured: 0.2; a busy machine may take longer
    assert "imported 100000 records into Interactions" in caplog.text


def test_whether_columns_have_an_order(make_cloud: Callable[..., Cloud], caplog: pytest.LogCaptureFixture) -> None:
    quotas = {"min_records_per_interactions_import": 1}
    build = Builder(make_cloud(Settings(quotas=quotas, uncertain=Uncertain(csv_columns_in_order=True))))
    dataset = build.dataset(build.group())
    build.import_csv(dataset, "EXTRA," + HEADER + "x,u,i,1,w,1\n", name="good")
    assert CONFORM in build.failed_import(dataset, "ITEM_ID,USER_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE\n", name="bad")
    assert "line 1: the columns must have the order of the schema's fields, USER_ID,ITEM_ID," in caplog.text
