"""An account that conformance tests work in, real or local, and what they do in it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.data_bucket import DataBucket

#: what every resource of a run has: names begin with the run, this tag says it again
TAG = "personalize-conformance"
ROWS = 1200

RECIPE = "arn:aws:personalize:::recipe/aws-user-personalization-v2"
SCHEMA = """{"type": "record", "name": "Interactions", "namespace": "com.amazonaws.personalize.schema", "fields": [
{"name": "USER_ID", "type": "string"}, {"name": "ITEM_ID", "type": "string"}, {"name": "TIMESTAMP", "type": "long"},
{"name": "EVENT_TYPE", "type": "string"}], "version": "1.0"}"""
HEADER = "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE"


def clients(region: str, endpoint_url: str | None = None) -> Callable[[str], Any]:
    """Make clients with the ordinary credentials.

    :param region: the AWS Region.
    :param endpoint_url: Default: - AWS
    """
    session = boto3.Session(region_name=region)
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in made:
            # Not more: a used up quota, which is what some tests look for, is retried like a throttled call.
            config = Config(retries={"mode": "standard", "total_max_attempts": 3})
            made[service] = session.client(service, endpoint_url=endpoint_url, config=config)
        return made[service]

    return client


@dataclass
class Account:
    """An account.

    :param client: makes a boto3 client of a service.
    :param run: what the names of all resources begin with.
    :param poll_seconds: how long to wait between two looks at a status.
    :param patience: how many seconds a resource may take.
    """

    client: Callable[[str], Any]
    run: str
    poll_seconds: float
    patience: float
    _numbers: Any = field(default_factory=itertools.count)

    @property
    def local(self) -> bool:
        """Whether nothing takes long here."""
        return self.poll_seconds < 1

    @property
    def personalize(self) -> Any:
        """The control plane."""
        return self.client("personalize")

    @property
    def tags(self) -> list[dict[str, str]]:
        """The tags of every resource that can have some."""
        return [{"tagKey": TAG, "tagValue": self.run}]

    def name(self, what: str) -> str:
        """A name that nothing else has."""
        return f"{self.run}-{what}-{next(self._numbers)}"

    @cached_property
    def bucket(self) -> DataBucket:
        """Where data is, with the role that Personalize reads it with."""
        made = DataBucket(self.client, self.run, {TAG: self.run})
        if not self.local:
            time.sleep(15)  # a new role takes a while to be known everywhere
        return made

    def create(self, kind: str, *, wait: bool = True, **parameters: Any) -> str:
        """Create a resource with a name and tags, and wait until it is ACTIVE.

        :param kind: in the words of the API, such as `DatasetGroup`.
        :returns: its ARN.
        """
        operation = getattr(self.personalize, f"create_{_snake(kind)}")
        members = self.personalize.meta.service_model.operation_model(f"Create{kind}").input_shape.members
        member = "jobName" if "jobName" in members else "name"
        given = {member: self.name(kind.lower()), **({"tags": self.tags} if "tags" in members else {}), **parameters}
        arn: str = operation(**given)[f"{_member(kind)}Arn"]
        if wait and kind != "Schema":
            self.active(kind, arn)
        return arn

    def describe(self, kind: str, arn: str) -> dict[str, Any]:
        """What the API tells of a resource."""
        describe = getattr(self.personalize, f"describe_{_snake(kind)}")
        found: dict[str, Any] = describe(**{f"{_member(kind)}Arn": arn})[_member(kind)]
        return found

    def ended(self, kind: str, arn: str) -> dict[str, Any]:
        """What the API tells of a resource whose creation is over, well or not."""
        deadline = time.monotonic() + self.patience
        while True:
            found = self.describe(kind, arn)
            if found["status"] in ("ACTIVE", "CREATE FAILED", "CREATE STOPPED"):
                return found
            if time.monotonic() > deadline:
                raise TimeoutError(f"{arn} is {found['status']} after {self.patience:.0f} s")
            time.sleep(self.poll_seconds)

    def active(self, kind: str, arn: str) -> dict[str, Any]:
        """The same for a creation that has to end well."""
        found = self.ended(kind, arn)
        assert found["status"] == "ACTIVE", f"{arn}: {found['status']}: {found.get('failureReason')}"
        return found

    def wait_until(self, condition: Callable[[], Any], what: str) -> Any:
        """Poll until the condition gives something true."""
        deadline = time.monotonic() + self.patience
        while not (found := condition()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {self.patience:.0f} s for {what}")
            time.sleep(self.poll_seconds)
        return found

    @cached_property
    def schema(self) -> str:
        """A schema of interactions with event types."""
        return self.create("Schema", schema=SCHEMA)

    @cached_property
    def group(self) -> str:
        """A dataset group that all tests share, since an account has few."""
        return self.create("DatasetGroup")

    @cached_property
    def group_without_interactions(self) -> str:
        """Another one, whose first dataset of interactions a test makes."""
        return self.create("DatasetGroup")

    @cached_property
    def dataset(self) -> str:
        """Its interactions."""
        return self.create("Dataset", schemaArn=self.schema, datasetGroupArn=self.group, datasetType="Interactions")

    @cached_property
    def tracker(self) -> str:
        """The event tracker of the group."""
        assert self.dataset
        return self.create("EventTracker", datasetGroupArn=self.group)

    @cached_property
    def solution(self) -> str:
        """A solution that nothing has trained, and that trains nothing by itself."""
        assert self.dataset
        return self.new_solution()

    @cached_property
    def version(self) -> str:
        """A trained solution version, of another solution, on data that no other test has left."""
        assert self.import_rows(interactions())["status"] == "ACTIVE"
        return self.create_version(self.new_solution())

    @cached_property
    def campaign(self) -> str:
        """A campaign that serves it."""
        return self.create("Campaign", solutionVersionArn=self.version, minProvisionedTPS=1)

    @cached_property
    def imported(self) -> str:
        """An import of enough interactions to train with."""
        arn: str = self.import_rows(interactions())["datasetImportJobArn"]
        return arn

    def new_solution(self, **parameters: Any) -> str:
        """Make a solution."""
        request = {"recipeArn": RECIPE, "performAutoTraining": False, **parameters}
        return self.create("Solution", datasetGroupArn=self.group, **request)

    def create_version(self, solution: str) -> str:
        """Train, and wait for it."""
        arn: str = self.personalize.create_solution_version(solutionArn=solution, tags=self.tags)["solutionVersionArn"]
        self.active("SolutionVersion", arn)
        return arn

    def import_rows(self, text: str, mode: str = "FULL", *, dataset: str | None = None) -> dict[str, Any]:
        """Import a CSV file, and tell how that ended.

        :param dataset: ARN of the dataset. Default: - the interactions
        """
        location = self.bucket.put(f"{self.name('csv')}.csv", text)
        arn = self.create(
            "DatasetImportJob",
            wait=False,
            datasetArn=dataset or self.dataset,
            dataSource={"dataLocation": location},
            roleArn=self.bucket.role_arn,
            importMode=mode,
        )
        return self.ended("DatasetImportJob", arn)


def error_code(call: Callable[..., Any], **parameters: Any) -> str | None:
    """The code of the error that a call answers with; nothing when it succeeds."""
    try:
        call(**parameters)
    except ClientError as error:
        code: str = error.response["Error"]["Code"]
        return code
    return None


def interactions(rows: int = ROWS, header: str = HEADER, more: str = "") -> str:
    """A CSV file in which 60 users watch 40 items."""
    lines = [f"u{n % 60},i{(n * 7) % 40},{1_700_000_000 + n * 60},watch{more}" for n in range(rows)]
    return "\n".join([header, *lines]) + "\n"


def _snake(kind: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in kind).lstrip("_")


def _member(kind: str) -> str:
    return kind[0].lower() + kind[1:]
