"""The check of files before they are imported."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from personalize_lambda import aws
from personalize_lambda.workflow import check_import, files

FIELDS = [
    {"name": "USER_ID", "type": "string"},
    {"name": "ITEM_ID", "type": "string"},
    {"name": "TIMESTAMP", "type": "long"},
]
DATASETS = [
    {"name": "interactions", "type": "INTERACTIONS", "fields": FIELDS},
    {"name": "items", "type": "ITEMS", "fields": [FIELDS[1], {"name": "GENRE", "type": ["null", "string"]}]},
]
ACTION = {"name": "ACTION_ID", "type": "string"}
DATASETS.append(
    {"name": "action_interactions", "type": "ACTION_INTERACTIONS", "fields": [FIELDS[0], ACTION, FIELDS[2]]}
)
DOCUMENT = {"bucket": "data", "key": "cdk-personalize/films/desired-state.json"}
ITEMS = "ITEM_ID,GENRE\ni1,drama\n"


def interactions(count: int = 1000, *, header: str = "USER_ID,ITEM_ID,TIMESTAMP") -> str:
    return header + "\n" + "".join(f"u{n},i{n},{1_700_000_000 + n}\n" for n in range(count))


def error(code: str, operation: str = "GetObject") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"{code}: told so"}}, operation)


class Bucket:
    """S3 as far as the function uses it: ranges, and what they are asked for."""

    def __init__(self, **texts: str) -> None:
        self.bodies = {"data/" + DOCUMENT["key"]: json.dumps({"datasets": DATASETS}).encode()}
        self.bodies |= {f"data/{key}": text.encode() for key, text in texts.items()}
        self.ranges: list[tuple[str, int, int]] = []
        self.denied: set[str] = set()
        self.replaced: set[str] = set()

    def get_paginator(self, name: str) -> Bucket:
        assert name == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803 - boto3's names
        for name, body in self.bodies.items():
            bucket, _, key = name.partition("/")
            if bucket == Bucket and key.startswith(Prefix):
                yield {"Contents": [{"Key": key, "ETag": f'"{len(body)}"', "Size": len(body)}]}

    def get_object(self, *, Bucket: str, Key: str, Range: str = "", IfMatch: str = "") -> dict[str, Any]:  # noqa: N803
        body = self.bodies[f"{Bucket}/{Key}"]
        if Key in self.denied:
            raise error("AccessDenied")
        if Key in self.replaced:
            raise error("PreconditionFailed")
        if not Range:
            return {"Body": io.BytesIO(body)}
        assert IfMatch == f'"{len(body)}"'
        first, last = (int(part) for part in re.findall(r"\d+", Range))
        assert 0 <= first <= last < len(body)
        self.ranges.append((Key, first, last))
        return {"Body": io.BytesIO(body[first : last + 1])}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:  # noqa: N803
        assert ContentType == "application/json"
        self.bodies[f"{Bucket}/{Key}"] = Body

    def report(self, job: str = "job-1") -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.bodies[f"data/cdk-personalize/films/imports/{job}.json"])
        return found


class Context:
    """The context of a function that is stopped after so many looks at the time."""

    def __init__(self, looks: int = 10**6) -> None:
        self.looks = looks

    def get_remaining_time_in_millis(self) -> int:
        self.looks -= 1
        return 600_000 if self.looks >= 0 else 100_000


@pytest.fixture
def check(clients: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.setattr(aws, "PATIENCE_SECONDS", -1)

    def run(
        bucket: Bucket,
        *locations: str,
        name: str = "interactions",
        mode: str = "FULL",
        context: Context | None = None,
    ) -> str:
        clients(s3=bucket)
        jobs = [
            {"jobName": f"job-{n}", "location": f"s3://data/{location}", "mode": mode}
            for n, location in enumerate(locations or ("in/",), 1)
        ]
        event = {"document": DOCUMENT, "name": name, "jobs": jobs}
        return check_import.handler(event, context or Context())["reason"]

    return run


def test_good_files_are_reported_and_let_through(check: Callable[..., str]) -> None:
    bucket = Bucket(**{"in/b/2.csv": interactions(400), "in/1.csv": interactions(600), "in/notes.txt": "x"})
    assert check(bucket) == ""
    assert bucket.report() == {
        "dataset": "interactions",
        "jobName": "job-1",
        "location": "s3://data/in/",
        "importMode": "FULL",
        "complete": True,
        "records": 1000,
        "problems": [],
        "notes": [],
        "files": [
            {"location": f"s3://data/in/{key}", "bytes": len(interactions(count)), "records": count, "whole": True}
            for key, count in (("1.csv", 600), ("b/2.csv", 400))
        ],
    }


def test_a_bad_file_is_named_with_line_column_value_and_report(check: Callable[..., str]) -> None:
    bucket = Bucket(
        **{"in/1.csv": interactions() + "u,,soon\n", "in/2.csv": "USER_ID,ITEM_ID,TIMESTAMP\nu,i,soon\nu\n"}
    )
    assert check(bucket) == (
        "s3://data/in/2.csv, line 2, column TIMESTAMP: 'soon' is not a long, Unix time in seconds, and 1 more. Nothing "
        "was imported; mend it and upload it again. All that was found: "
        "s3://data/cdk-personalize/films/imports/job-1.json"
    )
    assert bucket.report()["problems"][1] == "s3://data/in/2.csv, line 3: has 1 values, the header has 3"


@pytest.mark.parametrize(
    ("name", "mode", "text", "reason"),
    [
        (
            "interactions",
            "FULL",
            interactions(999),
            "has 999 records, a FULL import of interactions needs at least 1000",
        ),
        ("interactions", "INCREMENTAL", interactions(5), "has 5 records, an INCREMENTAL import of interactions needs"),
        ("interactions", "FULL", interactions(1000), ""),
        ("items", "FULL", ITEMS, ""),
        ("items", "INCREMENTAL", ITEMS, ""),
        ("items", "FULL", "", "line 1: the header lacks ITEM_ID, GENRE"),
        ("users", "FULL", ITEMS, "it is declared no more"),
    ],
)
def test_least_records(check: Callable[..., str], name: str, mode: str, text: str, reason: str) -> None:
    found = check(Bucket(**{"in/1.csv": text}), name=name, mode=mode)
    assert reason in found
    assert bool(reason) == bool(found)


def test_few_action_interactions_are_noted_since_the_service_may_take_them(check: Callable[..., str]) -> None:
    bucket = Bucket(**{"in/1.csv": "USER_ID,ACTION_ID,TIMESTAMP\nu,a,1700000000\n"})
    assert check(bucket, name="action_interactions") == ""
    [note] = bucket.report()["notes"]
    assert "has 1 records, a FULL import of action_interactions needs at least 1000, as far as is known" in note
    assert "needs at least 1000" in check(bucket, name="action_interactions", mode="INCREMENTAL")


def test_files_must_share_their_header(check: Callable[..., str]) -> None:
    other = "ITEM_ID,USER_ID,TIMESTAMP"
    bucket = Bucket(**{"in/1.csv": interactions(), "in/2.csv": interactions(1, header=other)})
    assert (
        "s3://data/in/2.csv, line 1: the header must be that of the other files, USER_ID,ITEM_ID,TIMESTAMP, it is "
        "ITEM_ID,USER_ID,TIMESTAMP"
    ) in check(bucket)


def test_no_more_is_read_of_large_files_than_the_sample(
    check: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_import, "RANGE_BYTES", 10_000)
    text = interactions(100_000)
    bucket = Bucket(**{"in/1.csv": text})
    assert check(bucket) == ""
    assert sum(last + 1 - first for _, first, last in bucket.ranges) < 60_000 < len(text)
    assert bucket.report()["files"][0] == {
        "location": "s3://data/in/1.csv",
        "bytes": len(text),
        "records": 1000,
        "whole": False,
    }


def test_every_job_of_a_dataset_is_checked_in_one_invocation(check: Callable[..., str]) -> None:
    bucket = Bucket(**{"more/1.csv": interactions(), "more/12.csv": "USER_ID\n", "more/2/a.csv": interactions()})
    reason = check(bucket, "more/1.csv", "more/12.csv", "more/2/", mode="INCREMENTAL")
    assert reason.startswith("s3://data/more/12.csv, line 1: the header lacks ITEM_ID, TIMESTAMP")
    assert [bucket.report(f"job-{n}")["records"] for n in (1, 2, 3)] == [1000, 0, 1000]


def test_what_is_too_large_for_a_mode_is_refused(check: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(check_import.MAXIMUM_BYTES, ("INTERACTIONS", "INCREMENTAL"), 1000)
    bucket = Bucket(**{"in/1.csv": interactions()})
    assert check(bucket) == ""
    assert re.match(r"s3://data/in/: has \d+ bytes, at most 1000 can be imported", check(bucket, mode="INCREMENTAL"))


def test_files_that_are_gone(check: Callable[..., str]) -> None:
    assert check(Bucket()).startswith("s3://data/in/: there is no CSV file any more")


@pytest.mark.parametrize("looks", [0, 1, 2])
def test_when_the_time_has_passed_it_counts_what_was_checked(check: Callable[..., str], looks: int) -> None:
    bucket = Bucket(**{f"in/{n}.csv": interactions(10) for n in range(3)})
    assert check(bucket, context=Context(looks)) == ""
    report = bucket.report()
    assert (report["complete"], len(report["files"])) == (False, looks)
    assert report["notes"] == [
        f"s3://data/in/{looks}.csv: there was no time to read more; {3 - looks} of 3 files are not checked"
    ]


def test_a_file_that_is_replaced_meanwhile_is_left_to_the_service(check: Callable[..., str]) -> None:
    bucket = Bucket(**{"in/1.csv": interactions()})
    bucket.replaced.add("in/1.csv")
    assert check(bucket) == ""
    assert bucket.report()["notes"] == ["s3://data/in/1.csv: was replaced or deleted while it was read"]


def test_what_may_not_be_read_says_what_to_allow(check: Callable[..., str]) -> None:
    bucket = Bucket(**{"in/1.csv": interactions()})
    bucket.denied.add("in/1.csv")
    reason = check(bucket)
    assert "the function that checks files may not read them: AccessDenied: told so" in reason
    assert "to call s3:ListBucket, s3:GetObject and kms:Decrypt" in reason
    assert bucket.report()["complete"] is False


def test_other_errors_end_the_check(check: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = Bucket(**{"in/1.csv": interactions()})

    def broken(*_: object) -> None:
        raise error("InvalidObjectState")

    monkeypatch.setattr(files.RangedFile, "readinto", broken)
    with pytest.raises(ClientError, match="InvalidObjectState"):
        check(bucket)


def test_a_report_does_not_grow_without_bounds(check: Callable[..., str]) -> None:
    bad = {f"in/{n:03}.csv": "USER_ID\n" for n in range(200)}
    bucket = Bucket(**bad)
    assert "and 99 more" in check(bucket)
    assert (len(bucket.report()["problems"]), bucket.report()["complete"]) == (100, False)
