"""Personalize and S3 without the rest of AWS, as a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from personalize_local.cloud.client import AdminError, LocalCloud
from personalize_local.cloud.process import CloudProcess, StartError, free_port, start
from personalize_local.cloud.settings import CloudSettings
from personalize_local.cloud.standalone import Standalone
from personalize_local.personalize import Personalize, Settings

from ..personalize.support import Buckets
from .conftest import unique, wait_for

Start = Callable[..., LocalCloud]
SCHEMA = json.dumps(
    {
        "type": "record",
        "name": "Interactions",
        "namespace": "com.amazonaws.personalize.schema",
        "fields": [{"name": name, "type": "string"} for name in ("USER_ID", "ITEM_ID")]
        + [{"name": "TIMESTAMP", "type": "long"}],
        "version": "1.0",
    }
)
ROLE = "arn:aws:iam::000000000000:role/personalize"


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, CloudProcess]]:
    started: dict[int, CloudProcess] = {}
    yield started
    for process in started.values():
        process.stop()


@pytest.fixture(scope="module")
def begin(processes: dict[int, CloudProcess], tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Start a local cloud that has only Personalize and S3."""

    def begin(**settings: Any) -> LocalCloud:
        wanted = {"only_personalize": True, **settings}
        log = tmp_path_factory.mktemp("log") / "log"
        process = start(CloudSettings(port=free_port(), exit_with_parent=True, **wanted), log)
        processes[process.port] = process
        return LocalCloud(process.port, log)

    return begin


@pytest.fixture(scope="module")
def alone(begin: Start) -> LocalCloud:
    return begin()


@pytest.fixture
def kill(processes: dict[int, CloudProcess]) -> Callable[[LocalCloud], None]:
    def kill(cloud: LocalCloud) -> None:
        os.killpg(processes[cloud.port].pid, signal.SIGKILL)
        child = processes[cloud.port].child
        assert child is not None
        child.wait(10)

    return kill


def begin_import(cloud: LocalCloud, *, hurry: bool = False) -> tuple[str, str]:
    """Upload a file and begin to import it; the ARNs of the dataset group and of the job."""
    client = cloud.client("personalize")
    bucket, name = unique("bucket"), unique("films")
    rows = [
        f"u{user},i{(user * 7 + step * step) % 30},{1_700_000_000 + step}" for user in range(60) for step in range(25)
    ]
    cloud.client("s3").create_bucket(Bucket=bucket)
    cloud.client("s3").put_object(
        Bucket=bucket, Key="in.csv", Body="\n".join(["USER_ID,ITEM_ID,TIMESTAMP", *rows]).encode()
    )
    group = client.create_dataset_group(name=name)["datasetGroupArn"]
    active(cloud, "dataset_group", hurry=hurry, datasetGroupArn=group)
    schema = client.create_schema(name=name, schema=SCHEMA)["schemaArn"]
    dataset = client.create_dataset(name=name, datasetGroupArn=group, schemaArn=schema, datasetType="Interactions")[
        "datasetArn"
    ]
    active(cloud, "dataset", hurry=hurry, datasetArn=dataset)
    job: str = client.create_dataset_import_job(
        jobName=name, datasetArn=dataset, roleArn=ROLE, dataSource={"dataLocation": f"s3://{bucket}/in.csv"}
    )["datasetImportJobArn"]
    return group, job


def begin_training(cloud: LocalCloud, group: str, *, hurry: bool = False) -> str:
    """Begin a training; the version's ARN."""
    client = cloud.client("personalize")
    recipe = "arn:aws:personalize:::recipe/aws-user-personalization-v2"
    solution = client.create_solution(
        name=unique("films"), datasetGroupArn=group, recipeArn=recipe, performAutoTraining=False
    )["solutionArn"]
    active(cloud, "solution", hurry=hurry, solutionArn=solution)
    version: str = client.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    return version


def import_and_train(cloud: LocalCloud) -> str:
    """Import, and begin a training; the version's ARN."""
    group, job = begin_import(cloud)
    active(cloud, "dataset_import_job", datasetImportJobArn=job)
    return begin_training(cloud, group)


def active(
    cloud: LocalCloud, kind: str, *, client: Any = None, hurry: bool = False, status: str = "ACTIVE", **arn: str
) -> dict[str, Any]:
    """Wait until something is ACTIVE.

    :param hurry: whether to let an hour pass with each look.
    """

    def described() -> dict[str, Any] | None:
        if hurry:
            cloud.advance(3600)
        told = getattr(client or cloud.client("personalize"), f"describe_{kind}")(**arn)
        found: dict[str, Any] = next(value for name, value in told.items() if name != "ResponseMetadata")
        assert "FAILED" not in found["status"], found
        return found if found["status"] == status else None

    found: dict[str, Any] = wait_for(described, str(arn), 30)
    return found


def test_from_a_file_in_s3_to_recommendations(alone: LocalCloud) -> None:
    version = import_and_train(alone)
    active(alone, "solution_version", solutionVersionArn=version)
    campaign = alone.client("personalize").create_campaign(name=unique("c"), solutionVersionArn=version)["campaignArn"]
    active(alone, "campaign", campaignArn=campaign)
    found = alone.client("personalize-runtime").get_recommendations(campaignArn=campaign, userId="u1", numResults=5)
    assert len(found["itemList"]) == 5


def test_it_starts_within_two_seconds_of_cpu_time(begin: Start, processes: dict[int, CloudProcess]) -> None:
    """Of CPU time, since other tests may run at the same time; on an idle machine it is one second of wall clock."""
    cloud = begin()
    spent = Path(f"/proc/{processes[cloud.port].pid}/stat")
    if not spent.exists():
        pytest.skip("needs /proc")
    fields = spent.read_text().rpartition(")")[2].split()
    assert (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") < 2


def test_the_rest_of_aws_is_neither_there_nor_imported(alone: LocalCloud) -> None:
    with pytest.raises(ClientError, match=r"only Personalize and S3, not dynamodb; start it without --only-pers"):
        alone.client("dynamodb").list_tables()
    assert alone.client("sts").get_caller_identity()["Account"] == "000000000000"
    script = """
import sys, personalize_local.cloud.standalone, personalize_local.personalize
from personalize_local.cloud.adapter.objects import EmulatorObjectStore
print(sorted(name for name in sys.modules if name.startswith("ministack.services.")), "ministack.app" in sys.modules)
"""
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "['ministack.services.s3'] False"


@pytest.mark.parametrize("only_personalize", [True, False])
def test_accounts_and_regions_never_see_each_other(
    begin: Start, alone: LocalCloud, personalize_local: LocalCloud, only_personalize: bool
) -> None:
    """Neither in the control plane nor in events nor at runtime, which have another protocol."""
    cloud = alone if only_personalize else personalize_local
    places = [
        (account, region) for account in ("111111111111", "222222222222") for region in ("eu-west-1", "us-west-2")
    ]
    name, trackers = unique("g"), {}
    for account, region in places:
        client = cloud.client("personalize", account=account, region=region)
        group = client.create_dataset_group(name=name)["datasetGroupArn"]
        assert group == f"arn:aws:personalize:{region}:{account}:dataset-group/{name}"
        active(cloud, "dataset_group", client=client, datasetGroupArn=group)
        made = client.create_event_tracker(name=name, datasetGroupArn=group)
        active(cloud, "event_tracker", client=client, eventTrackerArn=made["eventTrackerArn"])
        trackers[account, region] = made["trackingId"]
    event = {"eventType": "watch", "itemId": "i", "sentAt": 1_700_000_000}
    for account, region in places:
        client = cloud.client("personalize", account=account, region=region)
        assert [group["name"] for group in client.list_dataset_groups()["datasetGroups"]] == [name]
        sender = cloud.client("personalize-events", account=account, region=region)
        for place, tracking_id in trackers.items():
            if place == (account, region):
                sender.put_events(trackingId=tracking_id, sessionId="s", eventList=[event])
            else:
                with pytest.raises(ClientError, match="There is no ACTIVE event tracker"):
                    sender.put_events(trackingId=tracking_id, sessionId="s", eventList=[event])
                foreign = f"arn:aws:personalize:{place[1]}:{place[0]}:dataset-group/{name}"
                with pytest.raises(ClientError, match="ResourceNotFoundException"):
                    client.describe_dataset_group(datasetGroupArn=foreign)
    runtime = cloud.client("personalize-runtime", account="111111111111", region="eu-west-1")
    with pytest.raises(ClientError, match="arn:aws:personalize:us-west-2:111111111111:campaign/c"):
        runtime.get_recommendations(campaignArn="arn:aws:personalize:us-west-2:111111111111:campaign/c", userId="u")


def test_requests_without_a_signature(alone: LocalCloud) -> None:
    """As curl sends them: to the default account and Region."""

    def post(path: str, headers: dict[str, str], body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        request = urllib.request.Request(alone.endpoint_url + path, json.dumps(body).encode(), headers, method="POST")
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    name = unique("curl")
    target = {"X-Amz-Target": "AmazonPersonalize.CreateSchema", "Content-Type": "application/x-amz-json-1.1"}
    status, answer = post("/", target, {"name": name, "schema": SCHEMA})
    assert (status, answer["schemaArn"]) == (200, f"arn:aws:personalize:us-east-1:000000000000:schema/{name}")
    json_type = {"Content-Type": "application/json"}
    assert post("/recommendations", json_type, {"campaignArn": "x"})[0] == 400
    assert post("/_personalize/explode", {}, {})[0] == 400


def test_what_only_a_local_cloud_can_do(alone: LocalCloud) -> None:
    client = alone.client("personalize")
    alone.fail("ListRecipes", code="LimitExceededException", rate=1.0)
    with pytest.raises(ClientError, match="Injected by personalize-local"):
        client.list_recipes()
    alone.forget_faults()
    client.list_recipes()
    assert alone.status()["calls"] >= len(alone.calls("ListRecipes", since=0)) >= 2
    with pytest.raises(AdminError, match="advance takes seconds, 0 or more"):
        alone.advance(-1)
    alone.advance(10)
    alone.reset()
    assert alone.status()["resources"] == {}


def test_kill_9_loses_nothing_that_was_acknowledged(begin: Start, kill: Callable[..., None], tmp_path: Path) -> None:
    """In the middle of an import, of a training and of an update, and after events and tags. Time passes as on AWS."""
    settings = {"data": str(tmp_path / "data"), "time_scale": 1}
    under_way = {"status": "CREATE IN_PROGRESS"}
    cloud = begin(**settings)
    group, job = begin_import(cloud, hurry=True)
    cloud.advance(120)
    active(cloud, "dataset_import_job", datasetImportJobArn=job, **under_way)
    kill(cloud)
    cloud = begin(**settings)
    active(cloud, "dataset_import_job", datasetImportJobArn=job, **under_way)
    active(cloud, "dataset_import_job", hurry=True, datasetImportJobArn=job)
    version = begin_training(cloud, group, hurry=True)
    cloud.advance(600)
    active(cloud, "solution_version", solutionVersionArn=version, **under_way)
    kill(cloud)
    cloud = begin(**settings)
    active(cloud, "solution_version", solutionVersionArn=version, **under_way)
    active(cloud, "solution_version", hurry=True, solutionVersionArn=version)

    client = cloud.client("personalize")
    campaign = client.create_campaign(name="live", solutionVersionArn=version)["campaignArn"]
    active(cloud, "campaign", hurry=True, campaignArn=campaign)
    tracker = client.create_event_tracker(name="t", datasetGroupArn=group)["eventTrackerArn"]
    tracking = active(cloud, "event_tracker", hurry=True, eventTrackerArn=tracker)["trackingId"]
    asked = {"campaignArn": campaign, "userId": "stranger", "numResults": 10}
    before = cloud.client("personalize-runtime").get_recommendations(**asked)["itemList"]
    events = [{"eventType": "watch", "itemId": f"i{item}", "sentAt": 1_800_000_000 + item} for item in range(3)]
    cloud.client("personalize-events").put_events(
        trackingId=tracking, userId="stranger", sessionId="s", eventList=events
    )
    after = cloud.client("personalize-runtime").get_recommendations(**asked)["itemList"]
    assert after != before
    tags = [{"tagKey": "team", "tagValue": "films"}]
    client.tag_resource(resourceArn=campaign, tags=tags)
    client.update_campaign(campaignArn=campaign, minProvisionedTPS=7)
    kill(cloud)
    cloud = begin(**settings)
    client = cloud.client("personalize")
    told = active(cloud, "campaign", campaignArn=campaign)
    assert told["latestCampaignUpdate"]["status"].startswith("CREATE ")
    assert client.list_tags_for_resource(resourceArn=campaign)["tags"] == tags
    assert cloud.client("personalize-runtime").get_recommendations(**asked)["itemList"] == after
    cloud.advance(3600)
    wait_for(lambda: active(cloud, "campaign", campaignArn=campaign)["minProvisionedTPS"] == 7, "the update")


def test_objects_and_buckets_survive_kill_9(begin: Start, kill: Callable[..., None], tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    cloud = begin(data=data)
    full, empty = unique("full"), unique("empty")
    for bucket in (full, empty):
        cloud.client("s3").create_bucket(Bucket=bucket)
    cloud.client("s3").put_object(Bucket=full, Key="in.csv", Body=b"rows")
    kill(cloud)
    cloud = begin(data=data)
    assert {bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]} == {full, empty}
    assert cloud.client("s3").get_object(Bucket=full, Key="in.csv")["Body"].read() == b"rows"
    assert cloud.status()["data"].startswith(data)


def test_a_data_directory_that_cannot_be_used_is_told_in_one_line(begin: Start, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(StartError) as refused:
        begin(data=str(file))
    assert str(refused.value) == f"the data directory {file}/personalize cannot be written: Not a directory"


def test_durations_follow_the_time_scale(begin: Start) -> None:
    """A minute of AWS takes 1.2 seconds, or none when time is let pass."""
    cloud = begin(time_scale=0.02)
    began = time.monotonic()
    group = cloud.client("personalize").create_dataset_group(name="g")["datasetGroupArn"]
    active(cloud, "dataset_group", datasetGroupArn=group)
    assert 1.2 <= time.monotonic() - began < 5
    began = time.monotonic()
    second = cloud.client("personalize").create_dataset_group(name="h")["datasetGroupArn"]
    cloud.advance(60)
    active(cloud, "dataset_group", datasetGroupArn=second)
    assert time.monotonic() - began < 1.2


def test_a_body_without_end_takes_little_memory() -> None:
    """What is more than a request can have is read, not kept."""
    scope = {"type": "http", "method": "POST", "path": "/recommendations", "headers": []}
    chunk, chunks, sent = b"x" * 1_000_000, iter(range(200)), []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": bytes(chunk), "more_body": next(chunks) < 199}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    service = Personalize(objects=Buckets(), settings=Settings(time_scale=0))
    tracemalloc.start()
    try:
        asyncio.run(Standalone(service)(scope, receive, send))
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()
        service.close()
    assert sent[0]["status"] == 413
    assert b"more than the 8388608 bytes" in sent[1]["body"]
