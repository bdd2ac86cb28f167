"""What survives a restart: everything that was acknowledged, and everything that was under way."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from personalize_local.personalize import Settings
from personalize_local.personalize.auto_training import DAY
from personalize_local.personalize.contents import InteractionsContents
from personalize_local.personalize.store import FORMAT, StoreError

from .kinds.test_recommenders import Videos
from .scenario import BUSY, STEPS, World
from .support import (
    BUCKET,
    ITEMS_SCHEMA,
    ROLE,
    SLOW,
    USERS_SCHEMA,
    V2,
    Builder,
    Cloud,
    interactions_csv,
    items_csv,
)

Restart = Callable[[Cloud], Cloud]
NEWER_ITEMS_SCHEMA = ITEMS_SCHEMA.replace(
    '{"name": "YEAR"', '{"name": "COUNTRY", "type": ["null", "string"]}, {"name": "YEAR"'
)
_DESCRIBED = (
    ("Schemas", "schema", "schemas"),
    ("DatasetGroups", "dataset_group", "datasetGroups"),
    ("Datasets", "dataset", "datasets"),
    ("DatasetImportJobs", "dataset_import_job", "datasetImportJobs"),
    ("Solutions", "solution", "solutions"),
    ("SolutionVersions", "solution_version", "solutionVersions"),
    ("Campaigns", "campaign", "campaigns"),
    ("EventTrackers", "event_tracker", "eventTrackers"),
    ("Filters", "filter", "Filters"),
)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A directory that has one of everything, and the ARNs."""
    cloud = Cloud(Settings(data=tmp_path_factory.mktemp("template") / "0"))
    made = in_production(Builder(cloud))
    cloud.service.close()
    assert cloud.settings.data is not None
    return cloud.settings.data, made


@pytest.fixture
def made(template: tuple[Path, dict[str, str]], tmp_path: Path) -> dict[str, str]:
    """Have one of everything in the service of the test from its start."""
    shutil.copytree(template[0], tmp_path / "0")
    return template[1]


@pytest.fixture
def kept(make_cloud: Callable[..., Cloud], tmp_path: Path) -> Cloud:
    return make_cloud(Settings(data=tmp_path / "0"))


@pytest.fixture
def slow(make_cloud: Callable[..., Cloud], tmp_path: Path) -> Cloud:
    """Time passes as on AWS, unless it is advanced."""
    return make_cloud(replace(SLOW, data=tmp_path / "0"))


@pytest.fixture
def killed(make_cloud: Callable[..., Cloud], tmp_path: Path) -> Restart:
    """Start another service on what is in the directory at this moment, which is what kill -9 would leave there."""

    def restart(cloud: Cloud) -> Cloud:
        assert cloud.settings.data is not None
        copy = tmp_path / str(int(cloud.settings.data.name) + 1)
        shutil.copytree(cloud.settings.data, copy)
        cloud.service.close()
        again = make_cloud(replace(cloud.settings, data=copy))
        again.buckets.objects.update(cloud.buckets.objects)
        return again

    return restart


def everything(cloud: Cloud) -> dict[str, Any]:
    """All that the control plane tells, by ARN."""
    client = cloud.personalize
    told: dict[str, Any] = {}
    for plural, kind, key in _DESCRIBED:
        listed = getattr(client, "list_" + "".join(f"_{c.lower()}" if c.isupper() else c for c in plural)[1:])()[key]
        told[plural] = list(listed)
        for entry in listed:
            arn = next(value for name, value in entry.items() if name.endswith("Arn") and "recipe" not in name)
            member = next(name for name, value in entry.items() if value == arn)
            told[arn] = getattr(client, f"describe_{kind}")(**{member: arn})
            told[arn].pop("ResponseMetadata")
            if kind != "schema":
                told[arn]["tags"] = client.list_tags_for_resource(resourceArn=arn)["tags"]
    return told


def in_production(build: Builder) -> dict[str, str]:
    """Make one of everything."""
    cloud = build.cloud
    group = build.group(tags=[{"tagKey": "team", "tagValue": "films"}])
    interactions = build.dataset(group)
    items = build.dataset(group, "Items", ITEMS_SCHEMA)
    users = build.dataset(group, "Users", USERS_SCHEMA)
    build.import_csv(interactions, interactions_csv())
    build.import_csv(items, items_csv(), name="items")
    tracker = cloud.personalize.create_event_tracker(name="t", datasetGroupArn=group)
    build.wait("event_tracker", tracker["eventTrackerArn"])
    solution = build.solution(group)
    campaign = build.campaign(build.version(solution))
    expression = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")'
    filter_arn = cloud.personalize.create_filter(name="f", datasetGroupArn=group, filterExpression=expression)
    build.wait("filter", filter_arn["filterArn"])
    return {
        "group": group,
        "interactions": interactions,
        "items": items,
        "users": users,
        "tracking_id": tracker["trackingId"],
        "tracker": tracker["eventTrackerArn"],
        "solution": solution,
        "campaign": campaign,
        "filter": filter_arn["filterArn"],
    }


def watched(cloud: Cloud, tracking_id: str, item: str, *, user: str = "u0", **event: Any) -> None:
    cloud.events.put_events(
        trackingId=tracking_id,
        userId=user,
        sessionId=f"s-{user}",
        eventList=[{"eventType": "watch", "sentAt": 1_800_000_000, "itemId": item, **event}],
    )


def recommended(cloud: Cloud, campaign: str, user: str = "u0", **arguments: Any) -> list[dict[str, Any]]:
    found = cloud.runtime.get_recommendations(campaignArn=campaign, userId=user, numResults=10, **arguments)
    items: list[dict[str, Any]] = found["itemList"]
    return items


def status_becomes(cloud: Cloud, group: str, status: str) -> None:
    """Wait without letting time pass; a thread needs its moment."""
    end = time.monotonic() + 5
    client = cloud.personalize
    while client.describe_dataset_group(datasetGroupArn=group)["datasetGroup"]["status"] != status:
        assert time.monotonic() < end
        time.sleep(0.005)


def test_everything_survives(made: dict[str, str], kept: Cloud, killed: Restart) -> None:
    build = Builder(kept)
    kept.personalize.tag_resource(resourceArn=made["solution"], tags=[{"tagKey": "a", "tagValue": "b"}])
    kept.personalize.update_campaign(campaignArn=made["campaign"], minProvisionedTPS=7)
    kept.events.put_items(datasetArn=made["items"], items=[{"itemId": "i1", "properties": '{"genres": "New"}'}])
    kept.events.put_users(datasetArn=made["users"], users=[{"userId": "u0", "properties": '{"age": 7}'}])
    for item in ("i3", "i9"):
        watched(kept, made["tracking_id"], item)
    only_new = kept.personalize.create_filter(
        name="new", datasetGroupArn=made["group"], filterExpression='INCLUDE ItemID WHERE Items.GENRES IN ("New")'
    )["filterArn"]
    build.wait("filter", only_new)

    def update_came_through() -> bool:
        campaign = kept.personalize.describe_campaign(campaignArn=made["campaign"])["campaign"]
        return bool(campaign["latestCampaignUpdate"]["status"] == "ACTIVE")

    while not update_came_through():
        pass
    told = everything(kept)
    answers = [recommended(kept, made["campaign"], user) for user in ("u0", "u1", "nobody")]
    unseen = recommended(kept, made["campaign"], filterArn=made["filter"])
    version = kept.personalize.list_solution_versions()["solutionVersions"][0]["solutionVersionArn"]
    metrics = kept.personalize.get_solution_metrics(solutionVersionArn=version)["metrics"]
    again = killed(kept)
    assert everything(again) == told
    assert [recommended(again, made["campaign"], user) for user in ("u0", "u1", "nobody")] == answers
    assert recommended(again, made["campaign"], filterArn=made["filter"]) == unseen
    assert {"i3", "i9"}.isdisjoint(item["itemId"] for item in unseen)
    assert [item["itemId"] for item in recommended(again, made["campaign"], filterArn=only_new)] == ["i1"]
    assert again.personalize.get_solution_metrics(solutionVersionArn=version)["metrics"] == metrics
    # and it is no museum
    watched(again, made["tracking_id"], "i15")
    assert everything(killed(again)) == told


def test_every_operation_answers_the_same(tmp_path: Path) -> None:
    """One of everything that the API can make, and things in the middle of being made."""
    world = World(data=tmp_path / "0")
    for step in (*STEPS, *BUSY):
        world.do(step)

    def told(world: World) -> dict[str, Any]:
        reads = [step for step in STEPS if step.operation.startswith(("Describe", "Get", "List"))]
        requests = {json.dumps([step.operation, world.resolve(step.request)]): step for step in reads}
        found = {}
        for request, step in requests.items():
            answer = world.send(step.operation, world.resolve(step.request))
            found[request] = (answer.status, {k: v for k, v in answer.body.items() if k != "recommendationId"})
        return found

    before, records = told(world), [(each.arn, each.status, each.tags) for each in world.records()]
    assert len(before) > 40
    shutil.copytree(tmp_path / "0", tmp_path / "1")
    world.close()
    again = World(data=tmp_path / "1")
    again.saved = world.saved
    try:
        assert [(each.arn, each.status, each.tags) for each in again.records()] == records
        after = told(again)
        assert after.keys() == before.keys()
        for request, answer in before.items():
            assert after[request] == answer, request
        # and what is in the middle of being made gets made
        again.settle()
        assert [each.arn for each in again.records() if "FAILED" in each.status] == []
    finally:
        again.close()


def test_events_are_known_again(made: dict[str, str], kept: Cloud, killed: Restart) -> None:
    """Users of sessions, ids of events and identical events, as if there had been no restart."""
    send = {"trackingId": made["tracking_id"], "sessionId": "s"}
    event = {"eventType": "watch", "sentAt": 1_800_000_000, "itemId": "i1", "eventId": "once"}
    kept.events.put_events(**send, eventList=[event])
    kept.events.put_events(**send, userId="new", eventList=[{**event, "eventId": "twice", "itemId": "i2"}])
    again = killed(kept)
    again.events.put_events(**send, eventList=[event, {**event, "eventId": "other"}, {**event, "itemId": "i9"}])
    again.events.put_events(**send, eventList=[{**event, "eventId": "third", "itemId": "i3"}])
    unseen = recommended(again, made["campaign"], "new", filterArn=made["filter"])
    assert {"i1", "i2", "i3"}.isdisjoint(item["itemId"] for item in unseen)
    contents = again.service._engine.state.scope("000000000000", "us-east-1").datasets[made["interactions"]]
    assert len(contents) == 1500 + 3


@pytest.mark.parametrize("mode", ["FULL", "INCREMENTAL"])
def test_rows_stay_older_or_newer_than_imports(made: dict[str, str], kept: Cloud, killed: Restart, mode: str) -> None:
    build = Builder(kept)

    def put(item: str, genre: str) -> None:
        properties = f'{{"genres": "{genre}"}}'
        kept.events.put_items(datasetArn=made["items"], items=[{"itemId": item, "properties": properties}])

    put("i1", "Older")
    build.import_csv(made["items"], items_csv(), name="second", mode=mode)
    put("i2", "Newer")
    again = killed(kept)
    wanted = Builder(again)
    for genre in ("Older", "Newer"):
        arn = again.personalize.create_filter(
            name=genre,
            datasetGroupArn=made["group"],
            filterExpression=f'INCLUDE ItemID WHERE Items.GENRES IN ("{genre}")',
        )["filterArn"]
        wanted.wait("filter", arn)
        found = [item["itemId"] for item in recommended(again, made["campaign"], filterArn=arn)]
        assert found == (["i2"] if genre == "Newer" else [])


def test_an_import_and_a_training_go_on(slow: Cloud, killed: Restart) -> None:
    build = Builder(slow)
    interactions = build.dataset(build.group())
    job = build.start_import(interactions, interactions_csv())
    build.wait("dataset_import_job", job, until=("CREATE IN_PROGRESS",))
    slow = killed(slow)
    build = Builder(slow)
    assert build.wait("dataset_import_job", job)["status"] == "ACTIVE"
    solution = build.solution(slow.personalize.list_dataset_groups()["datasetGroups"][0]["datasetGroupArn"])
    version = slow.personalize.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    build.wait("solution_version", version, until=("CREATE IN_PROGRESS",))
    slow = killed(killed(slow))
    build = Builder(slow)
    build.wait("solution_version", version)
    assert len(recommended(slow, build.campaign(version))) == 10


def test_time_that_has_passed_counts(slow: Cloud, killed: Restart) -> None:
    group = slow.personalize.create_dataset_group(name="films")["datasetGroupArn"]
    slow.advance(40)
    again = killed(slow)
    status_becomes(again, group, "CREATE IN_PROGRESS")
    again.advance(10)
    again = killed(again)
    status_becomes(again, group, "CREATE IN_PROGRESS")
    again.advance(11)
    status_becomes(again, group, "ACTIVE")


def test_what_shall_fail_fails(slow: Cloud, killed: Restart) -> None:
    slow.service.admin("fail", {"operation": "CreateDatasetGroup", "failure_reason": "No."})
    group = slow.personalize.create_dataset_group(name="films")["datasetGroupArn"]
    again = killed(slow)
    found = Builder(again).wait("dataset_group", group, until=("CREATE FAILED",))
    assert found["failureReason"] == "No."


def test_updates_stops_and_deletions_go_on(made: dict[str, str], slow: Cloud, killed: Restart) -> None:
    build = Builder(slow)
    client = slow.personalize
    newer = build.schema("newer", NEWER_ITEMS_SCHEMA)
    second = client.create_solution_version(solutionArn=made["solution"])["solutionVersionArn"]
    build.wait("solution_version", second, until=("CREATE IN_PROGRESS",))
    client.stop_solution_version_creation(solutionVersionArn=second)
    client.update_solution(solutionArn=made["solution"], performAutoTraining=False)
    client.update_campaign(campaignArn=made["campaign"], minProvisionedTPS=9)
    client.update_dataset(datasetArn=made["items"], schemaArn=newer)
    client.delete_filter(filterArn=made["filter"])
    client.delete_event_tracker(eventTrackerArn=made["tracker"])
    again = killed(slow)
    build = Builder(again)
    assert again.personalize.describe_dataset(datasetArn=made["items"])["dataset"]["status"].startswith("UPDATE")
    again.advance(3600)
    build.wait("solution_version", second, until=("CREATE STOPPED",))
    build.wait("dataset", made["items"])
    told = everything(again)
    assert told[made["items"]]["dataset"]["schemaArn"] == newer
    assert told[made["campaign"]]["campaign"]["minProvisionedTPS"] == 9
    assert told[made["solution"]]["solution"]["latestSolutionUpdate"]["status"] == "ACTIVE"
    assert (told["Filters"], told["EventTrackers"]) == ([], [])


def test_a_recommender_stops_and_starts_and_a_retraining_goes_on(slow: Cloud, killed: Restart) -> None:
    videos = Videos(slow)
    arn = videos.recommender()
    for operation, status in (("stop_recommender", "INACTIVE"), ("start_recommender", "ACTIVE")):
        getattr(slow.personalize, operation)(recommenderArn=arn)
        slow = killed(slow)
        assert Builder(slow).wait("recommender", arn, until=(status,))["status"] == status
    columns = {"excludedDatasetColumns": {"INTERACTIONS": ["DEVICE"]}}
    slow.personalize.update_recommender(recommenderArn=arn, recommenderConfig={"trainingDataConfig": columns})
    slow = killed(slow)
    end = time.monotonic() + 20
    while (found := slow.personalize.describe_recommender(recommenderArn=arn)["recommender"])[
        "latestRecommenderUpdate"
    ]["status"] != "ACTIVE":
        assert time.monotonic() < end
        slow.advance(3600)
        time.sleep(0.01)
    assert found["recommenderConfig"]["trainingDataConfig"] == columns
    assert len(slow.runtime.get_recommendations(recommenderArn=arn, userId="u1")["itemList"]) > 0


def test_the_weekly_training_of_a_recommender_goes_on(slow: Cloud, killed: Restart) -> None:
    """Its clock does, and a training that was under way."""
    arn = Videos(slow).recommender()

    def until(condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.005)

    def under_way(cloud: Cloud) -> bool:
        scope = cloud.service._engine.state.scope("000000000000", "us-east-1")
        return bool(scope.get("Recommender", arn).attributes.get("retrainingUnderWay"))

    slow.advance(6 * DAY)
    slow = killed(slow)
    assert not under_way(slow)
    slow.advance(1.1 * DAY)
    until(lambda: under_way(slow))
    again = killed(slow)
    assert under_way(again)
    # less than a week, so that it is not the next one
    again.advance(DAY)
    until(lambda: not under_way(again))
    assert len(again.runtime.get_recommendations(recommenderArn=arn, userId="u1")["itemList"]) > 0


def test_a_campaign_that_follows_the_newest_version_has_it_after_a_restart(
    made: dict[str, str], slow: Cloud, killed: Restart
) -> None:
    """The update was begun by the service, not by a call that could be made again."""
    build = Builder(slow)
    follower = build.campaign(
        f"{made['solution']}/$LATEST", "follower", campaignConfig={"syncWithLatestSolutionVersion": True}
    )
    version = build.version(made["solution"])
    assert slow.personalize.describe_campaign(campaignArn=follower)["campaign"]["latestCampaignUpdate"]
    again = killed(slow)
    campaign = Builder(again).wait("campaign", follower)
    assert campaign["solutionVersionArn"] == version
    assert campaign["latestCampaignUpdate"]["status"] == "ACTIVE"


def test_automatic_training_keeps_its_schedule(made: dict[str, str], slow: Cloud, killed: Restart) -> None:
    """The first training is due half an hour after the solution is ACTIVE, restart or not."""
    client = slow.personalize
    arn = client.create_solution(name="automatic", datasetGroupArn=made["group"], recipeArn=V2)["solutionArn"]
    slow.advance(20)
    end = time.monotonic() + 5
    while client.describe_solution(solutionArn=arn)["solution"]["status"] != "ACTIVE":
        assert time.monotonic() < end
    slow.advance(900)
    assert client.list_solution_versions(solutionArn=arn)["solutionVersions"] == []
    again = killed(slow)
    again.advance(600)
    time.sleep(0.05)
    assert again.personalize.list_solution_versions(solutionArn=arn)["solutionVersions"] == []
    again.advance(400)
    end = time.monotonic() + 5
    while not (found := again.personalize.list_solution_versions(solutionArn=arn)["solutionVersions"]):
        assert time.monotonic() < end
    assert found[0]["trainingType"] == "AUTOMATIC"
    # which goes on after the next restart, too
    third = killed(again)
    Builder(third).wait("solution_version", found[0]["solutionVersionArn"])


def count_watches(made: dict[str, str], cloud: Cloud) -> None:
    metric = {"eventType": "WATCH", "metricName": "WATCHED", "expression": "SAMPLECOUNT()"}
    output = {"roleArn": ROLE, "s3DataDestination": {"path": f"s3://{BUCKET}/reports/"}}
    arn = cloud.personalize.create_metric_attribution(
        name="m", datasetGroupArn=made["group"], metrics=[metric], metricsOutputConfig=output
    )["metricAttributionArn"]
    Builder(cloud).wait("metric_attribution", arn)
    for item in ("i1", "i2"):
        watched(cloud, made["tracking_id"], item, **SHELF)


def report_of_watches(cloud: Cloud) -> bytes:
    cloud.advance(3600)
    end = time.monotonic() + 5
    while not (
        reports := [
            body
            for (_, key), body in cloud.buckets.objects.items()
            if key.startswith("reports/") and b"WATCHED" in body
        ]
    ):
        assert time.monotonic() < end
        time.sleep(0.01)
    return reports[0]


SHELF = {"metricAttribution": {"eventAttributionSource": "shelf"}}


def test_what_was_counted_is_reported(made: dict[str, str], slow: Cloud, killed: Restart) -> None:
    """The report of a metric attribution comes a quarter of an hour after the events, with those before a restart."""
    count_watches(made, slow)
    again = killed(slow)
    watched(again, made["tracking_id"], "i3", **SHELF)
    assert b"WATCHED,WATCH,3.0,samplecount,shelf," in report_of_watches(again)


def test_a_report_that_was_not_written_is_made_again(
    made: dict[str, str], slow: Cloud, killed: Restart, monkeypatch: pytest.MonkeyPatch
) -> None:
    count_watches(made, slow)
    begun, done = threading.Event(), threading.Event()

    def never(*arguments: Any, **scope: str) -> None:
        begun.set()
        done.wait(20)

    monkeypatch.setattr(slow.buckets, "write", never)
    slow.advance(3600)
    assert begun.wait(20)
    # what is counted meanwhile is not part of it
    watched(slow, made["tracking_id"], "i3", **SHELF)
    again = killed(slow)
    done.set()
    assert b"WATCHED,WATCH,3.0,samplecount,shelf," in report_of_watches(again)


@pytest.mark.parametrize("restarts", [1, 2])
def test_what_was_shown_is_known_again(made: dict[str, str], kept: Cloud, killed: Restart, restarts: int) -> None:
    """Whoever got recommendations can name them in events after any number of restarts."""
    asked = {"campaignArn": made["campaign"], "userId": "u0", "numResults": 5}
    answer = kept.runtime.get_recommendations(**asked)
    for _ in range(restarts):
        kept = killed(kept)
    later = kept.runtime.get_recommendations(**asked)
    for given in (answer, later):
        watched(kept, made["tracking_id"], "i1", recommendationId=given["recommendationId"])
    scope = kept.service._engine.state.scope("000000000000", "us-east-1")
    contents = scope.datasets[made["interactions"]]
    assert isinstance(contents, InteractionsContents)
    seen = "|".join(item["itemId"] for item in answer["itemList"])
    put = [event.values["IMPRESSION"] for _, events in contents._put() for event in events.values()]
    assert put == [seen, "|".join(item["itemId"] for item in later["itemList"])]
    kept.service.reset()
    again = killed(kept).service._engine.state.scope("000000000000", "us-east-1")
    assert again.impressions.find(answer["recommendationId"]) is None


def test_what_is_deleted_leaves_no_file(made: dict[str, str], kept: Cloud, killed: Restart) -> None:
    client = kept.personalize
    data = kept.settings.data
    assert data is not None

    def files() -> int:
        return len([*data.glob("*/*.npz")])

    assert files() == 3
    client.delete_campaign(campaignArn=made["campaign"])
    while client.list_campaigns()["campaigns"]:
        pass
    client.delete_solution(solutionArn=made["solution"])
    while client.list_solutions()["solutions"]:
        pass
    assert files() == 2
    client.delete_event_tracker(eventTrackerArn=made["tracker"])
    client.delete_filter(filterArn=made["filter"])
    while client.list_event_trackers()["eventTrackers"] or client.list_filters()["Filters"]:
        pass
    for kind in ("interactions", "items", "users"):
        client.delete_dataset(datasetArn=made[kind])
    while client.list_datasets()["datasets"]:
        pass
    assert files() == 0
    again = killed(kept)
    assert everything(again)["Datasets"] == []


def test_a_reset_is_kept(made: dict[str, str], kept: Cloud, killed: Restart) -> None:
    kept.service.admin("reset", {})
    Builder(kept).group("after")
    again = killed(kept)
    assert [group["name"] for group in again.personalize.list_dataset_groups()["datasetGroups"]] == ["after"]
    assert again.settings.data is not None
    assert [*again.settings.data.glob("*/*.npz")] == []


def test_accounts_and_regions_stay_apart(kept: Cloud, killed: Restart) -> None:
    where = [("111111111111", "eu-west-1"), ("111111111111", "us-east-1"), ("222222222222", "cn-north-1")]
    for account, region in where:
        kept.client("personalize", account=account, region=region).create_schema(name="s", schema=ITEMS_SCHEMA)
    again = killed(kept)
    for account, region in where:
        listed = again.client("personalize", account=account, region=region).list_schemas()["schemas"]
        assert [entry["schemaArn"].split(":")[3:5] for entry in listed] == [[region, account]]


def test_nothing_is_written_without_a_directory(
    build: Builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    build.import_csv(build.dataset(build.group()), interactions_csv())
    assert [*tmp_path.iterdir()] == []


def test_nothing_is_pickled(made: dict[str, str], kept: Cloud) -> None:
    data = kept.settings.data
    assert data is not None
    for path in (path for path in data.rglob("*") if path.is_file()):
        assert b"pickle" not in path.read_bytes()
        assert b"numpy.core" not in path.read_bytes()


def test_a_directory_serves_one_service_at_a_time(kept: Cloud, make_cloud: Callable[..., Cloud]) -> None:
    with pytest.raises(StoreError, match="is in use by another local cloud"):
        make_cloud(kept.settings)
    kept.service.close()
    make_cloud(kept.settings)


def test_directories_that_cannot_be_used(make_cloud: Callable[..., Cloud], tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("not a directory")
    with pytest.raises(StoreError, match=r"below cannot be written: Not a directory"):
        make_cloud(Settings(data=file / "below"))
    other = tmp_path / "other"
    other.mkdir()
    (other / "state.sqlite").write_text("not a database, but long enough to be taken for the header of one")
    with pytest.raises(StoreError, match=r"other cannot be used: file is not a database"):
        make_cloud(Settings(data=other))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_without_write_permission(make_cloud: Callable[..., Cloud], tmp_path: Path) -> None:
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(StoreError, match="cannot be written: Permission denied"):
        make_cloud(Settings(data=tmp_path / "below"))


def test_a_newer_format_is_left_alone(kept: Cloud, make_cloud: Callable[..., Cloud]) -> None:
    kept.service.close()
    assert kept.settings.data is not None
    with sqlite3.connect(kept.settings.data / "state.sqlite") as database:
        database.execute("UPDATE facts SET value = ? WHERE name = 'format'", (str(FORMAT + 1),))
    with pytest.raises(StoreError, match=f"has the format {FORMAT + 1}, this personalize-local knows .* {FORMAT};"):
        make_cloud(kept.settings)
