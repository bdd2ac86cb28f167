"""A service that boto3 reaches without any socket, and what tests make in it."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import boto3
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config

from personalize_local.personalize import ObjectStore, Personalize, Settings, StoredObject

ACCOUNT = "000000000000"
REGION = "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/personalize"
BUCKET = "data"
#: time passes as on AWS, unless tests advance it
SLOW = Settings(time_scale=1)
V2 = "arn:aws:personalize:::recipe/aws-user-personalization-v2"

INTERACTIONS_SCHEMA = """{"type": "record", "name": "Interactions", "namespace": "com.amazonaws.personalize.schema",
"fields": [{"name": "USER_ID", "type": "string"}, {"name": "ITEM_ID", "type": "string"},
{"name": "TIMESTAMP", "type": "long"}, {"name": "EVENT_TYPE", "type": "string"},
{"name": "EVENT_VALUE", "type": ["null", "float"]}], "version": "1.0"}"""
ITEMS_SCHEMA = """{"type": "record", "name": "Items", "namespace": "com.amazonaws.personalize.schema",
"fields": [{"name": "ITEM_ID", "type": "string"}, {"name": "GENRES", "type": "string", "categorical": true},
{"name": "YEAR", "type": ["null", "int"]}], "version": "1.0"}"""
USERS_SCHEMA = """{"type": "record", "name": "Users", "namespace": "com.amazonaws.personalize.schema",
"fields": [{"name": "USER_ID", "type": "string"}, {"name": "AGE", "type": "int"}], "version": "1.0"}"""
ACTIONS_SCHEMA = """{"type": "record", "name": "Actions", "namespace": "com.amazonaws.personalize.schema",
"fields": [{"name": "ACTION_ID", "type": "string"}, {"name": "VALUE", "type": ["null", "long"]}],
"version": "1.0"}"""
ACTION_INTERACTIONS_SCHEMA = """{"type": "record", "name": "ActionInteractions",
"namespace": "com.amazonaws.personalize.schema", "fields": [{"name": "USER_ID", "type": "string"},
{"name": "ACTION_ID", "type": "string"}, {"name": "EVENT_TYPE", "type": "string"},
{"name": "TIMESTAMP", "type": "long"}], "version": "1.0"}"""


# one for all, since it keeps the API's models that it has read
_SESSION = boto3.Session("test", "test")

_FINAL = {"ACTIVE", "CREATE FAILED", "CREATE STOPPED"}


class Buckets(ObjectStore):
    """Buckets in memory."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}

    def list(self, bucket: str, prefix: str, *, account: str, region: str) -> list[StoredObject]:
        if bucket != BUCKET:
            raise LookupError(f"the bucket {bucket} does not exist")
        return [
            StoredObject(key, len(body), 0.0, "etag")
            for (holder, key), body in self.objects.items()
            if holder == bucket and key.startswith(prefix)
        ]

    def read(self, bucket: str, key: str, *, account: str, region: str) -> bytes:
        return self.objects[bucket, key]

    def write(self, bucket: str, key: str, body: bytes, *, account: str, region: str) -> None:
        self.objects[bucket, key] = body

    def put(self, key: str, text: str) -> str:
        """Store a file, and give its location."""
        self.objects[BUCKET, key] = text.encode()
        return f"s3://{BUCKET}/{key}"


class Cloud:
    """A service with its buckets, and clients of it."""

    def __init__(self, settings: Settings, **arguments: Any) -> None:
        self.settings = settings
        self.buckets = Buckets()
        self.service = Personalize(objects=self.buckets, settings=settings, **arguments)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.service.admin("advance", {"seconds": seconds})

    @cached_property
    def personalize(self) -> Any:
        """The control plane."""
        return self.client("personalize")

    @cached_property
    def runtime(self) -> Any:
        """Recommendations."""
        return self.client("personalize-runtime")

    @cached_property
    def events(self) -> Any:
        """Events."""
        return self.client("personalize-events")

    def client(self, name: str, *, account: str = ACCOUNT, region: str = REGION) -> Any:
        """Make a client whose requests go to the service as they would over the wire."""
        client = _SESSION.client(
            name, region_name=region, config=Config(retries={"total_max_attempts": 1}, parameter_validation=False)
        )

        def send(request: AWSRequest, **kwargs: Any) -> AWSResponse:
            headers = {
                key: value.decode() if isinstance(value, bytes) else value for key, value in request.headers.items()
            }
            path = "/" + request.url.split("/", 3)[3]
            body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
            status, answer, content = self.service.handle_http(
                request.method, path, headers, body, account=account, region=region
            )
            return AWSResponse(request.url, status, answer, _Raw(content))

        client.meta.events.register("before-send", send)
        return client


class _Raw(io.BytesIO):
    def stream(self, amount: int = 65536, **kwargs: Any) -> Iterator[bytes]:
        yield self.read()


class Builder:
    """Makes what tests need, and waits until it is ACTIVE."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.personalize = cloud.personalize

    def wait(self, kind: str, arn: str, *, until: tuple[str, ...] = ("ACTIVE",), seconds: float = 30) -> dict[str, Any]:
        """Wait for a status, and give the description.

        :param kind: in the words of boto3, such as ``dataset_group``.
        """
        # in a cloud where time passes as it does on AWS it passes here alone, so that tests see what they want to see
        step = 0.0 if self.cloud.settings.time_scale < 1 else 3600.0 if set(until) <= _FINAL else 10.0
        member = kind.split("_")[0] + "".join(word.capitalize() for word in kind.split("_")[1:])
        end = time.monotonic() + seconds
        while True:
            found: dict[str, Any] = getattr(self.personalize, f"describe_{kind}")(**{f"{member}Arn": arn})[member]
            if found["status"] in until:
                return found
            failed = "FAILED" in found["status"] or "STOPPED" in found["status"]
            assert not failed, f"{arn}: {found['status']} {found.get('failureReason')}"
            assert time.monotonic() < end, f"{arn} is still {found['status']}"
            time.sleep(0.005)
            self.cloud.advance(step)

    def group(self, name: str = "films", **arguments: Any) -> str:
        arn: str = self.personalize.create_dataset_group(name=name, **arguments)["datasetGroupArn"]
        self.wait("dataset_group", arn)
        return arn

    def schema(self, name: str, text: str) -> str:
        arn: str = self.personalize.create_schema(name=name, schema=text)["schemaArn"]
        return arn

    def dataset(self, group: str, kind: str = "Interactions", text: str = INTERACTIONS_SCHEMA) -> str:
        name = f"{group.rpartition('/')[2]}-{kind.lower()}"
        schema = self.schema(name, text)
        arn: str = self.personalize.create_dataset(
            name=name, schemaArn=schema, datasetGroupArn=group, datasetType=kind
        )["datasetArn"]
        self.wait("dataset", arn)
        return arn

    def start_import(self, dataset: str, text: str, *, name: str = "job", mode: str = "FULL") -> str:
        location = self.cloud.buckets.put(f"{name}.csv", text)
        arn: str = self.personalize.create_dataset_import_job(
            jobName=name,
            datasetArn=dataset,
            dataSource={"dataLocation": location},
            roleArn=ROLE,
            importMode=mode,
        )["datasetImportJobArn"]
        return arn

    def import_csv(self, dataset: str, text: str, *, name: str = "job", mode: str = "FULL") -> str:
        arn = self.start_import(dataset, text, name=name, mode=mode)
        self.wait("dataset_import_job", arn)
        return arn

    def failed_import(self, dataset: str, text: str, *, name: str = "job", mode: str = "FULL") -> str:
        arn = self.start_import(dataset, text, name=name, mode=mode)
        reason: str = self.wait("dataset_import_job", arn, until=("CREATE FAILED",))["failureReason"]
        return reason

    def solution(self, group: str, name: str = "picks", **arguments: Any) -> str:
        request = {"recipeArn": V2, "performAutoTraining": False, **arguments}
        arn: str = self.personalize.create_solution(name=name, datasetGroupArn=group, **request)["solutionArn"]
        self.wait("solution", arn)
        return arn

    def version(self, solution: str, **arguments: Any) -> str:
        arn: str = self.personalize.create_solution_version(solutionArn=solution, **arguments)["solutionVersionArn"]
        self.wait("solution_version", arn)
        return arn

    def campaign(self, version: str, name: str = "live", **arguments: Any) -> str:
        arn: str = self.personalize.create_campaign(name=name, solutionVersionArn=version, **arguments)["campaignArn"]
        self.wait("campaign", arn)
        return arn


def interactions_csv(*, users: int = 60, per_user: int = 25, items: int = 40, seed: int = 1) -> str:
    """Two tastes: even users like the first half of the items, odd users the second."""
    chance = random.Random(seed)
    rows = ["USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE"]
    for user in range(users):
        half = range(items // 2) if user % 2 == 0 else range(items // 2, items)
        for step in range(per_user):
            item = chance.choice(half)
            rows.append(f"u{user},i{item},{1_700_000_000 + step * 3600 + user},watch,{chance.randint(1, 5)}")
    return "\n".join(rows) + "\n"


def items_csv(*, items: int = 40) -> str:
    """The first half are dramas, the second half comedies."""
    rows = ["ITEM_ID,GENRES,YEAR"]
    rows += [f"i{item},{'Drama' if item < items // 2 else 'Comedy|Fun'},{1980 + item}" for item in range(items)]
    return "\n".join(rows) + "\n"
