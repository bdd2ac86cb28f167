from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from personalize_local.personalize import Settings, StoredObject

from ..support import (
    ACCOUNT,
    ACTION_INTERACTIONS_SCHEMA,
    REGION,
    ROLE,
    SLOW,
    USERS_SCHEMA,
    Buckets,
    Builder,
    Cloud,
)

HEADER = "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE\n"
QUOTAS = {"min_records_per_interactions_import": 1, "max_bytes_per_data_deletion": 1000}


@pytest.fixture
def few(make_cloud: Callable[..., Cloud]) -> Builder:
    return Builder(make_cloud(Settings(time_scale=0, quotas=QUOTAS)))


def start(build: Builder, group: str, location: str, name: str = "d") -> str:
    arn: str = build.personalize.create_data_deletion_job(
        jobName=name, datasetGroupArn=group, dataSource={"dataLocation": location}, roleArn=ROLE
    )["dataDeletionJobArn"]
    return arn


def reason(build: Builder, group: str, location: str, name: str = "d") -> str:
    found: str = build.wait("data_deletion_job", start(build, group, location, name), until=("FAILED",))[
        "failureReason"
    ]
    return found


def filled(build: Builder) -> str:
    """A group with three users everywhere; two events of one of them came one by one, with no user at first."""
    group = build.group()
    interactions = build.dataset(group)
    build.import_csv(interactions, HEADER + "a,i,1,w,\na,j,2,w,\nb,i,1,w,\nc,i,1,w,\n", name="interactions")
    build.import_csv(build.dataset(group, "Users", USERS_SCHEMA), "USER_ID,AGE\na,1\nb,2\n", name="users")
    actions = build.dataset(group, "Action_Interactions", ACTION_INTERACTIONS_SCHEMA)
    build.import_csv(actions, "USER_ID,ACTION_ID,EVENT_TYPE,TIMESTAMP\na,x,TAKEN,1\nb,x,TAKEN,1\n", name="actions")
    tracker = build.personalize.create_event_tracker(name="t", datasetGroupArn=group)
    build.wait("event_tracker", tracker["eventTrackerArn"])
    for number, user in enumerate(({}, {"userId": "a"})):
        event = {"eventType": "w", "sentAt": 10 + number, "itemId": "k"}
        build.cloud.events.put_events(trackingId=tracker["trackingId"], sessionId="s", eventList=[event], **user)
    return group


def histories(build: Builder) -> dict[str, list[str]]:
    scope = build.cloud.service._engine.state.scope(ACCOUNT, REGION)
    contents = next(contents for arn, contents in scope.datasets.items() if arn.endswith("/INTERACTIONS"))
    return {user: [event.item_id for event in contents.history(user)] for user in "abc"}  # type: ignore[union-attr]


def sizes(build: Builder) -> dict[str, int]:
    scope = build.cloud.service._engine.state.scope(ACCOUNT, REGION)
    return {arn.rpartition("/")[2]: len(contents) for arn, contents in scope.datasets.items()}


def test_users_are_gone_everywhere(few: Builder) -> None:
    group = filled(few)
    assert sizes(few) == {"INTERACTIONS": 6, "USERS": 2, "ACTION_INTERACTIONS": 2}
    few.cloud.buckets.put("gone/1.csv", "USER_ID\na\nnobody\n")
    few.cloud.buckets.put("gone/deep/2.csv", "USER_ID\nc\n")
    few.cloud.buckets.put("gone/notes.txt", "b")
    done = few.wait("data_deletion_job", start(few, group, "s3://data/gone/"), until=("COMPLETED",))
    assert done["numDeleted"] == 4 + 1 + 1 + 1
    assert sizes(few) == {"INTERACTIONS": 1, "USERS": 1, "ACTION_INTERACTIONS": 1}
    assert histories(few) == {"a": [], "b": ["i"], "c": []}
    assert (
        few.personalize.list_data_deletion_jobs(datasetGroupArn=group)["dataDeletionJobs"][0]["status"] == "COMPLETED"
    )


def test_what_comes_later_stays(few: Builder) -> None:
    group = filled(few)
    location = few.cloud.buckets.put("gone.csv", "USER_ID\na\n")
    few.wait("data_deletion_job", start(few, group, location), until=("COMPLETED",))
    tracker = few.personalize.list_event_trackers()["eventTrackers"][0]["eventTrackerArn"]
    tracking_id = few.wait("event_tracker", tracker)["trackingId"]
    event = {"eventType": "w", "sentAt": 20, "itemId": "z"}
    few.cloud.events.put_events(trackingId=tracking_id, sessionId="s", userId="a", eventList=[event])
    assert histories(few)["a"] == ["z"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("USER_ID,AGE\na,1\n", "single column USER_ID"),
        ("a\n", "single column USER_ID"),
        ("USER_ID\na\n\nb\n", "single column USER_ID"),
        ("USER_ID\n" + "a\n" * 600, "The files have 1208 bytes, at most 1000 are allowed"),
    ],
)
def test_wrong_files(few: Builder, text: str, problem: str) -> None:
    assert problem in reason(few, few.group(), few.cloud.buckets.put("gone.csv", text))


@pytest.mark.parametrize("location", ["s3://data/none.csv", "s3://data/none/", "s3://nowhere/a.csv", "https://data/x"])
def test_wrong_locations(few: Builder, location: str) -> None:
    assert reason(few, few.group(), location) == "Invalid Data location."


def test_permissions(make_cloud: Callable[..., Cloud]) -> None:
    build = Builder(make_cloud(Settings(time_scale=0), authorize=lambda action, **request: action != "s3:GetObject"))
    location = build.cloud.buckets.put("gone.csv", "USER_ID\na\n")
    assert reason(build, build.group(), location) == "Insufficient privileges for accessing data in Amazon S3."


def test_keys_of_customers_are_refused(few: Builder, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Buckets.list

    def encrypted(self: Buckets, bucket: str, prefix: str, *, account: str, region: str) -> list[StoredObject]:
        found = plain(self, bucket, prefix, account=account, region=region)
        return [dataclasses.replace(entry, kms_key_id="arn:aws:kms:us-east-1:000000000000:key/k") for entry in found]

    monkeypatch.setattr(Buckets, "list", encrypted)
    location = few.cloud.buckets.put("gone.csv", "USER_ID\na\n")
    assert "gone.csv is encrypted with a key of AWS KMS" in reason(few, few.group(), location)


def test_five_may_wait(make_cloud: Callable[..., Cloud]) -> None:
    build = Builder(make_cloud(SLOW))
    group = build.group()
    jobs = [start(build, group, "s3://data/gone.csv", f"d{number}") for number in range(5)]
    with pytest.raises(build.personalize.exceptions.LimitExceededException, match="More than 5 resources with PENDING"):
        start(build, group, "s3://data/gone.csv", "d5")
    listed = build.personalize.list_data_deletion_jobs()["dataDeletionJobs"]
    assert [job["dataDeletionJobArn"] for job in listed] == jobs[::-1]
    assert {job["status"] for job in listed} == {"PENDING"}
    build.wait("data_deletion_job", jobs[0], until=("IN_PROGRESS", "FAILED"))
