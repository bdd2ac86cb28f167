"""Versions of several recipes that tests share, and batch jobs that use them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from personalize_local.personalize import Settings
from personalize_local.personalize.recommenders import Interactions, TrainingData, train
from personalize_local.personalize.resources import KINDS
from personalize_local.personalize.serving import TrainedVersion
from personalize_local.personalize.state import Progress, Record

from .support import ACCOUNT, BUCKET, REGION, ROLE, USERS_SCHEMA, Builder, Cloud, interactions_csv

RECIPE = "arn:aws:personalize:::recipe/"
ITEMS_SCHEMA = """{"type": "record", "name": "Items", "namespace": "com.amazonaws.personalize.schema",
"fields": [{"name": "ITEM_ID", "type": "string"}, {"name": "TITLE", "type": "string", "itemName": true},
{"name": "GENRES", "type": "string", "categorical": true}, {"name": "YEAR", "type": ["null", "int"]},
{"name": "CREATION_TIMESTAMP", "type": "long"}, {"name": "PLOT", "type": "string", "textual": true}],
"version": "1.0"}"""
ITEMS = 40


def items_csv() -> str:
    """The first half are dramas of the sea, the second half comedies in space; even ones are for children."""
    rows = ["ITEM_ID,TITLE,GENRES,YEAR,CREATION_TIMESTAMP,PLOT"]
    for item in range(ITEMS):
        drama = item < ITEMS // 2
        genres = ("Drama" if drama else "Comedy") + ("|Children" if item % 2 == 0 else "")
        plot = f"A {'sailor and a whale' if drama else 'rocket and a planet'} in story {item}."
        rows.append(f"i{item},Film {item},{genres},{1980 + item},{1_600_000_000 + item},{plot}")
    return "\n".join(rows) + "\n"


#: time passes so fast that jobs take no time but for the work
FAST = Settings(time_scale=0.00001, quotas={"solutions_per_dataset_group": 20})


class Jobs(Builder):
    """Batch jobs of a group that has no data."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.group_arn = self.group()
        self._jobs = 0

    def planted(self, recipe: str = "aws-popularity-count", *, region: str = REGION) -> str:
        """The version of a recipe that was trained on next to nothing."""
        scope, now = self.cloud.service._engine.state.scope(ACCOUNT, region), time.time()
        arn = scope.arn(f"solution/{recipe}/0")
        attributes = {"recipeArn": RECIPE + recipe, "datasetGroupArn": self.group_arn, "name": recipe}
        scope.add(Record(KINDS["SolutionVersion"], arn, attributes, Progress("ACTIVE", now, now)))
        model = train("aws-popularity-count", TrainingData(Interactions(["u"] * 3, ["a", "a", "b"], [1, 2, 3])))
        scope.versions[arn] = TrainedVersion(model, {})
        return arn

    def filter(self, name: str, expression: str) -> str:
        """Make a filter."""
        arn: str = self.personalize.create_filter(
            name=name, datasetGroupArn=self.group_arn, filterExpression=expression
        )["filterArn"]
        self.wait("filter", arn)
        return arn

    def start(self, kind: str, version: str, source: str, **arguments: Any) -> str:
        """Start a job that writes into a folder of its own.

        :param kind: ``inference`` or ``segment``.
        """
        self._jobs += 1
        request = {
            "jobName": f"job-{self._jobs}",
            "solutionVersionArn": version,
            "jobInput": {"s3DataSource": {"path": source}},
            "jobOutput": {"s3DataDestination": {"path": f"s3://{BUCKET}/out-{self._jobs}/"}},
            "roleArn": ROLE,
            **arguments,
        }
        arn: str = getattr(self.personalize, f"create_batch_{kind}_job")(**request)[f"batch{kind.capitalize()}JobArn"]
        return arn

    def run(
        self, kind: str, version: str, lines: Iterable[Mapping[str, Any] | str], **arguments: Any
    ) -> list[dict[str, Any]]:
        """Let a job answer some lines."""
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        source = self.cloud.buckets.put(f"in-{self._jobs}.json", "\n".join(texts) + "\n")
        self.wait(f"batch_{kind}_job", self.start(kind, version, source, **arguments))
        return self.output(f"in-{self._jobs - 1}.json.out")

    def output(self, name: str) -> list[dict[str, Any]]:
        """Read a file of the newest job."""
        body = self.cloud.buckets.objects[BUCKET, f"out-{self._jobs}/{name}"]
        return [json.loads(line) for line in body.decode().splitlines()]

    def failed(self, kind: str, version: str, source: str, **arguments: Any) -> str:
        """Let a job fail, and give its reason."""
        arn = self.start(kind, version, source, **arguments)
        reason: str = self.wait(f"batch_{kind}_job", arn, until=("CREATE FAILED",))["failureReason"]
        return reason


class Batches(Jobs):
    """Data of a group, versions by recipe, and their jobs."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.import_csv(self.dataset(self.group_arn), interactions_csv(), name="interactions")
        self.items_arn = self.dataset(self.group_arn, "Items", ITEMS_SCHEMA)
        self.import_csv(self.items_arn, items_csv(), name="items")
        ages = "".join(f"u{user},{10 + user}\n" for user in range(60))
        self.import_csv(self.dataset(self.group_arn, "Users", USERS_SCHEMA), "USER_ID,AGE\n" + ages, name="users")
        self._versions: dict[str, str] = {}

    def trained(self, recipe: str, **arguments: Any) -> str:
        """The version of a recipe; trained when it is first asked for."""
        key = recipe + json.dumps(arguments, sort_keys=True)
        if key not in self._versions:
            name = f"{recipe}-{len(self._versions)}"
            solution = self.solution(self.group_arn, name, recipeArn=RECIPE + recipe, **arguments)
            self._versions[key] = self.version(solution)
        return self._versions[key]
