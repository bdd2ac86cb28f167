"""Lets 8 processes make mixed calls to one local cloud, and checks every answer.

`python -m benchmarks.soak --seconds 60`

Each process speaks HTTP itself, both protocols. It has a dataset group and users of its own and shares a campaign, an
event tracker and a filter with others, so that it knows what every answer must be. No answer may be wrong, none may
take longer than 30 s, and no error may come but the one that was asked for.
"""

from __future__ import annotations

import http.client
import json
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

PROCESSES = 8
#: processes of one account; each has a dataset group at all times and a second one at some, 5 are allowed
_PER_ACCOUNT = 2
_ACCOUNTS = PROCESSES // _PER_ACCOUNT
_TIMEOUT = 30.0
_BUCKET = "soak"
_REGION = "us-east-1"
_ITEMS = 40
_ROLE = "arn:aws:iam::000000000000:role/personalize"
_RECIPE = "arn:aws:personalize:::recipe/aws-user-personalization-v2"
SCHEMA = json.dumps(
    {
        "type": "record",
        "name": "Interactions",
        "namespace": "com.amazonaws.personalize.schema",
        "fields": [{"name": name, "type": "string"} for name in ("USER_ID", "ITEM_ID", "EVENT_TYPE")]
        + [{"name": "TIMESTAMP", "type": "long"}],
        "version": "1.0",
    }
)


class WrongAnswerError(AssertionError):
    """The local cloud has answered what it must not."""


class RefusedError(Exception):
    """The local cloud has answered with an error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass(frozen=True)
class Shared:
    """What the processes of one account share."""

    account: str
    campaign: str
    filter: str
    tracking_id: str
    solution: str


@dataclass
class Outcome:
    """What one process has seen.

    :param calls: how many calls of each operation it has made.
    :param wrong: what was wrong.
    :param slowest: how long the slowest call has taken, in seconds.
    """

    calls: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0


class Caller:
    """Makes calls over one connection."""

    def __init__(self, port: int, account: str, outcome: Outcome) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
        self._headers = _signed(account, "personalize")
        self._outcome = outcome

    def control(self, operation: str, **members: Any) -> dict[str, Any]:
        """Call the control plane."""
        return self._call(operation, "/", {"X-Amz-Target": f"AmazonPersonalize.{operation}"}, members)

    def rest(self, path: str, **members: Any) -> dict[str, Any]:
        """Call the runtime or events."""
        return self._call(path, path, {}, members)

    def _call(self, name: str, path: str, headers: Mapping[str, str], members: Mapping[str, Any]) -> dict[str, Any]:
        began = time.perf_counter()
        self._connection.request("POST", path, json.dumps(members), {**self._headers, **headers})
        answer = self._connection.getresponse()
        body: dict[str, Any] = json.loads(answer.read() or b"{}")
        self._outcome.calls[name] += 1
        self._outcome.slowest = max(self._outcome.slowest, time.perf_counter() - began)
        if answer.status != 200:
            raise RefusedError(body.get("__type", str(answer.status)), body.get("message", ""))
        return body

    def wait(self, operation: str, member: str, arn: str) -> dict[str, Any]:
        """Describe until it is ACTIVE."""
        end = time.monotonic() + _TIMEOUT
        while True:
            found: dict[str, Any] = self.control(operation, **{f"{member}Arn": arn})[member]
            if found["status"] == "ACTIVE":
                return found
            _must("FAILED" not in found["status"], f"{arn}: {found}")
            _must(time.monotonic() < end, f"{arn} is {found['status']} after {_TIMEOUT} s")
            time.sleep(0.02)

    def gone(self, operation: str, member: str, arn: str) -> None:
        """Describe until it is not there any more."""
        end = time.monotonic() + _TIMEOUT
        while self.refused(lambda: self.control(operation, **{f"{member}Arn": arn})) != "ResourceNotFoundException":
            _must(time.monotonic() < end, f"{arn} is still there after {_TIMEOUT} s")
            time.sleep(0.02)

    def refused(self, call: Callable[[], Any]) -> str:
        """The code of the error that a call is answered with; empty if it succeeds."""
        try:
            call()
        except RefusedError as error:
            return error.code
        return ""


class Worker:
    """One process: does one thing after the other, and knows what must come out."""

    def __init__(self, number: int, port: int, shared: Shared, others: Shared, outcome: Outcome) -> None:
        self._chance = random.Random(number)
        self._name = f"w{number}"
        self._cloud = Caller(port, shared.account, outcome)
        self._shared = shared
        self._others = others
        self._count = 0
        self._watched: dict[str, set[str]] = {}
        self._imported = 0
        self._trains = number < _ACCOUNTS
        self._dataset = self._own_dataset()

    def step(self) -> None:
        """Do one of the things at random."""
        self._count += 1
        things, weights = zip(
            *(
                (self._schema, 4),
                (self._group, 1),
                (self._import, 2),
                (self._events_and_recommendations, 30),
                (self._solution, 2),
                (self._train, 1 if self._trains else 0),
                (self._foreign, 4),
                (self._bad, 4),
            ),
            strict=True,
        )
        self._chance.choices(things, weights)[0]()

    def check_all(self) -> None:
        """Look at the end whether everything is still as it was left."""
        for user in self._watched:
            self._recommendations_without_watched(user)
        found = self._cloud.control("DescribeDataset", datasetArn=self._dataset)["dataset"]
        _must(found["status"] == "ACTIVE", f"{self._dataset}: {found}")
        jobs, token = [], None
        while True:
            more: dict[str, str] = {"nextToken": token} if token else {}
            page = self._cloud.control("ListDatasetImportJobs", datasetArn=self._dataset, maxResults=100, **more)
            jobs += page["datasetImportJobs"]
            if (token := page.get("nextToken")) is None:
                break
        _must(len(jobs) == self._imported, f"{self._dataset} has {len(jobs)} import jobs, expected {self._imported}")

    def _own_dataset(self) -> str:
        group = self._cloud.control("CreateDatasetGroup", name=self._name)["datasetGroupArn"]
        self._cloud.wait("DescribeDatasetGroup", "datasetGroup", group)
        schema = self._cloud.control("CreateSchema", name=self._name, schema=SCHEMA)["schemaArn"]
        made = self._cloud.control(
            "CreateDataset", name=self._name, datasetGroupArn=group, schemaArn=schema, datasetType="Interactions"
        )
        arn: str = made["datasetArn"]
        self._cloud.wait("DescribeDataset", "dataset", arn)
        return arn

    def _new_name(self) -> str:
        return f"{self._name}-{self._count}"

    def _schema(self) -> None:
        name = self._new_name()
        arn = self._cloud.control("CreateSchema", name=name, schema=SCHEMA)["schemaArn"]
        found = self._cloud.control("DescribeSchema", schemaArn=arn)["schema"]
        _must((found["name"], found["schema"]) == (name, SCHEMA), f"{arn}: {found}")
        again = self._cloud.refused(lambda: self._cloud.control("CreateSchema", name=name, schema=SCHEMA))
        _must(again == "ResourceAlreadyExistsException", f"a second schema {name}: {again}")
        self._cloud.control("DeleteSchema", schemaArn=arn)
        self._cloud.gone("DescribeSchema", "schema", arn)

    def _group(self) -> None:
        name = self._new_name()
        tags = [{"tagKey": "owner", "tagValue": name}]
        arn = self._cloud.control("CreateDatasetGroup", name=name, tags=tags)["datasetGroupArn"]
        self._cloud.wait("DescribeDatasetGroup", "datasetGroup", arn)
        found = self._cloud.control("ListTagsForResource", resourceArn=arn)["tags"]
        _must(found == tags, f"the tags of {arn}: {found}")
        self._cloud.control("DeleteDatasetGroup", datasetGroupArn=arn)
        self._cloud.gone("DescribeDatasetGroup", "datasetGroup", arn)

    def _import(self) -> None:
        made = self._cloud.control(
            "CreateDatasetImportJob",
            jobName=self._new_name(),
            datasetArn=self._dataset,
            roleArn=_ROLE,
            dataSource={"dataLocation": f"s3://{_BUCKET}-{self._shared.account}/in.csv"},
        )
        self._imported += 1
        self._cloud.wait("DescribeDatasetImportJob", "datasetImportJob", made["datasetImportJobArn"])

    def _events_and_recommendations(self) -> None:
        user = f"{self._name}-u{self._chance.randrange(20)}"
        item = f"i{self._chance.randrange(_ITEMS)}"
        event = {"eventType": "watch", "itemId": item, "sentAt": 1_800_000_000 + self._count}
        self._cloud.rest("/events", trackingId=self._shared.tracking_id, userId=user, sessionId=user, eventList=[event])
        self._watched.setdefault(user, set()).add(item)
        self._recommendations_without_watched(user)

    def _recommendations_without_watched(self, user: str) -> None:
        answer = self._cloud.rest(
            "/recommendations",
            campaignArn=self._shared.campaign,
            userId=user,
            filterArn=self._shared.filter,
            numResults=_ITEMS,
        )
        found = [entry["itemId"] for entry in answer["itemList"]]
        unseen = {f"i{item}" for item in range(_ITEMS)} - self._watched[user]
        _must(set(found) == unseen, f"{user} has not watched {sorted(unseen)}, was recommended {sorted(found)}")
        _must(len(found) == len(set(found)), f"{user} was recommended items twice: {found}")
        scores = [entry["score"] for entry in answer["itemList"]]
        _must(scores == sorted(scores, reverse=True), f"the scores of {user} are in no order: {scores}")

    def _solution(self) -> None:
        group = self._dataset.replace(":dataset/", ":dataset-group/").rpartition("/")[0]
        arn = self._cloud.control(
            "CreateSolution",
            name=self._new_name(),
            datasetGroupArn=group,
            recipeArn=_RECIPE,
            performAutoTraining=False,
        )["solutionArn"]
        self._cloud.wait("DescribeSolution", "solution", arn)
        blocked = self._cloud.refused(lambda: self._cloud.control("DeleteDatasetGroup", datasetGroupArn=group))
        _must(blocked == "ResourceInUseException", f"the deletion of {group}: {blocked}")
        self._cloud.control("DeleteSolution", solutionArn=arn)
        self._cloud.gone("DescribeSolution", "solution", arn)

    def _train(self) -> None:
        arn = self._cloud.control("CreateSolutionVersion", solutionArn=self._shared.solution)["solutionVersionArn"]
        self._cloud.wait("DescribeSolutionVersion", "solutionVersion", arn)
        metrics = self._cloud.control("GetSolutionMetrics", solutionVersionArn=arn)["metrics"]
        _must(0 < metrics["coverage"] <= 1, f"the metrics of {arn}: {metrics}")

    def _foreign(self) -> None:
        """What another account has does not exist."""
        code = self._cloud.refused(lambda: self._cloud.control("DescribeCampaign", campaignArn=self._others.campaign))
        _must(code == "ResourceNotFoundException", f"the campaign of another account: {code}")
        event = {"eventType": "watch", "itemId": "i1", "sentAt": 1}
        code = self._cloud.refused(
            lambda: self._cloud.rest("/events", trackingId=self._others.tracking_id, sessionId="s", eventList=[event])
        )
        _must(code == "InvalidInputException", f"the event tracker of another account: {code}")

    def _bad(self) -> None:
        code = self._cloud.refused(lambda: self._cloud.control("CreateDatasetGroup", name="not a name"))
        _must(code == "InvalidInputException", f"a bad name: {code}")


def work(number: int, port: int, seconds: float, shared: list[Shared]) -> Outcome:
    """Be one of the processes."""
    outcome = Outcome()
    try:
        worker = Worker(number, port, shared[number % _ACCOUNTS], shared[(number + 1) % _ACCOUNTS], outcome)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            worker.step()
        worker.check_all()
    except Exception as error:
        outcome.wrong.append(f"process {number}: {type(error).__name__}: {error}")
    return outcome


def prepare(port: int) -> list[Shared]:
    """Make what the processes share: in each account data, a campaign, an event tracker and a filter."""
    shared = []
    for number in range(_ACCOUNTS):
        account = f"{number + 1:012d}"
        bucket = f"{_BUCKET}-{account}"
        _put(port, account, f"/{bucket}", "")
        _put(port, account, f"/{bucket}/in.csv", _csv())
        shared.append(_prepare_account(Caller(port, account, Outcome()), account, bucket))
    return shared


def _put(port: int, account: str, path: str, body: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
    connection.request("PUT", path, body, _signed(account, "s3"))
    answer = connection.getresponse()
    _must(answer.status == 200, f"PUT {path}: {answer.status} {answer.read()!r}")
    connection.close()


def _signed(account: str, service: str) -> dict[str, str]:
    """The header that tells account, Region and service; nobody checks the signature."""
    credential = f"{account}/20260101/{_REGION}/{service}/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"}


def _csv() -> str:
    rows = [
        f"u{user},i{(user * 7 + step * (1 + user % 3)) % _ITEMS},watch,{1_700_000_000 + step}"
        for user in range(60)
        for step in range(25)
    ]
    return "\n".join(["USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP", *rows])


def _prepare_account(cloud: Caller, account: str, bucket: str) -> Shared:
    group = cloud.control("CreateDatasetGroup", name="shared")["datasetGroupArn"]
    cloud.wait("DescribeDatasetGroup", "datasetGroup", group)
    schema = cloud.control("CreateSchema", name="shared", schema=SCHEMA)["schemaArn"]
    dataset = cloud.control(
        "CreateDataset", name="shared", datasetGroupArn=group, schemaArn=schema, datasetType="Interactions"
    )["datasetArn"]
    cloud.wait("DescribeDataset", "dataset", dataset)
    source = {"dataLocation": f"s3://{bucket}/in.csv"}
    job = cloud.control(
        "CreateDatasetImportJob", jobName="shared", datasetArn=dataset, roleArn=_ROLE, dataSource=source
    )["datasetImportJobArn"]
    cloud.wait("DescribeDatasetImportJob", "datasetImportJob", job)
    solution = cloud.control(
        "CreateSolution", name="shared", datasetGroupArn=group, recipeArn=_RECIPE, performAutoTraining=False
    )["solutionArn"]
    cloud.wait("DescribeSolution", "solution", solution)
    version = cloud.control("CreateSolutionVersion", solutionArn=solution)["solutionVersionArn"]
    tracker = cloud.control("CreateEventTracker", name="shared", datasetGroupArn=group)
    expression = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")'
    filter_arn = cloud.control("CreateFilter", name="shared", datasetGroupArn=group, filterExpression=expression)[
        "filterArn"
    ]
    cloud.wait("DescribeFilter", "filter", filter_arn)
    cloud.wait("DescribeEventTracker", "eventTracker", tracker["eventTrackerArn"])
    cloud.wait("DescribeSolutionVersion", "solutionVersion", version)
    campaign = cloud.control("CreateCampaign", name="shared", solutionVersionArn=version)["campaignArn"]
    cloud.wait("DescribeCampaign", "campaign", campaign)
    return Shared(account, campaign, filter_arn, tracker["trackingId"], solution)


def soak(port: int, seconds: float, shared: list[Shared]) -> Outcome:
    """Run all processes against the local cloud on a port, and sum up."""
    total = Outcome()
    with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn")) as pool:
        running = [pool.submit(work, number, port, seconds, shared) for number in range(PROCESSES)]
        for outcome in (process.result() for process in running):
            total.calls.update(outcome.calls)
            total.wrong += outcome.wrong
            total.slowest = max(total.slowest, outcome.slowest)
    return total


def _must(condition: bool, text: str) -> None:
    if not condition:
        raise WrongAnswerError(text)


def main(seconds: Annotated[float, typer.Option(help="How long it lasts.")] = 60) -> None:
    """Start a local cloud, let it soak, and print."""
    from personalize_local.cloud.process import free_port, start
    from personalize_local.cloud.settings import CloudSettings

    with tempfile.TemporaryDirectory() as folder:
        settings = CloudSettings(port=free_port(), only_personalize=True, data=f"{folder}/data", exit_with_parent=True)
        process = start(settings, Path(folder) / "log")
        try:
            outcome = soak(process.port, seconds, prepare(process.port))
        finally:
            process.stop()
    calls = outcome.calls.total()
    sys.stdout.write(f"{calls} calls in {seconds:.0f} s by {PROCESSES} processes; ")
    sys.stdout.write(f"slowest {outcome.slowest:.2f} s; {len(outcome.wrong)} wrong\n")
    for name, count in outcome.calls.most_common():
        sys.stdout.write(f"  {count:7d} {name}\n")
    if outcome.wrong:
        sys.exit("\n".join(outcome.wrong))


if __name__ == "__main__":
    typer.run(main)
