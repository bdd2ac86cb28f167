"""One fault run: an app is deployed, gets data, is trained again, changed and destroyed while things go wrong."""

from __future__ import annotations

import csv
import io
import json
import threading
import time
import traceback
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from personalize_local.cloud.client import LocalCloud
from tools import assembly
from tools.fault_apps import EVERY_DAYS, FIRST, THROUGHPUT, TRAINING, Kind
from tools.fault_plan import CONTROL_PLANE, PHASES, Plan

PATIENCE_SECONDS: Final = 90
#: how often a deployment or a run is done again until nothing is left to do
TRIES: Final = 4
#: how many times in a row, 0.1 s apart, no run may be under way
_IDLE: Final = 3
_DAY: Final = 86_400
#: how soon a run follows the one that is stopped for it
_HANDED_OVER: Final = timedelta(seconds=3)
_WORK: Final = ("Create", "Update", "Delete", "Start", "Stop")
#: what stays when data is retained
_RETAINED: Final = frozenset({"DatasetGroup", "Dataset", "Schema"})
#: what nobody can delete: the service lists for how things came to be
_RECORDS: Final = frozenset(
    {"BatchInferenceJob", "BatchSegmentJob", "DataDeletionJob", "DatasetExportJob", "DatasetImportJob"}
)
_DONE: Final = ("ACTIVE", "COMPLETED")


class BrokenPromiseError(AssertionError):
    """A promise was broken; the text says which."""


@dataclass(frozen=True)
class App:
    """What is deployed.

    :param kind: what it is.
    :param stacks: its stack by variant.
    """

    kind: Kind
    stacks: Mapping[str, assembly.Stack]

    @property
    def first(self) -> assembly.Stack:
        """As it is deployed first."""
        return self.stacks[FIRST]


@dataclass
class Outcome:
    """What came of a fault run.

    :param broken: the promise that was broken. Default: - none
    :param told: whether a permanent fault was told in the service's own words.
    :param calls: how many calls Personalize got.
    :param errors: how many of them it answered with an error.
    :param trainings: how many solution versions or recommenders were created.
    :param needed: how many had to be.
    :param orphans: how many resources were left behind.
    :param struck: how often what went wrong.
    :param called: how often each operation of Personalize was called, but those that recommend.
    :param struck_operations: how often something went wrong with each operation.
    :param client_errors: how many recommendations were asked for in vain.
    :param answers: how many recommendations were asked for and got.
    :param again: how many deployments and runs had to be done again.
    """

    seed: int
    kind: str
    broken: str | None = None
    told: bool = False
    calls: int = 0
    errors: int = 0
    trainings: int = 0
    needed: int = 0
    orphans: int = 0
    client_errors: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    called: Counter[str] = field(default_factory=Counter)
    struck_operations: Counter[str] = field(default_factory=Counter)
    answers: int = 0
    again: int = 0
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)


@dataclass
class FaultRun:
    """The life of one app in a local cloud that holds nothing else.

    :param cloud: the local cloud.
    :param app: what is deployed.
    :param plan: what goes wrong.
    """

    cloud: LocalCloud
    app: App
    plan: Plan

    def run(self) -> Outcome:
        """Live through it; leaves the local cloud empty."""
        self._outcome = Outcome(self.plan.seed, self.plan.kind)
        self._client: _Client | None = None
        self._needed = 0
        begin = time.monotonic()
        try:
            self._live()
        except AssertionError as error:
            self._outcome.broken = f"{type(error).__name__}: {error}"
        except Exception:
            self._outcome.broken = traceback.format_exc()
        try:
            if self._client:
                self._client.stop()
            self._count()
            self._tidy()
        except Exception:
            self._outcome.broken = f"{self._outcome.broken or ''}\n{traceback.format_exc()}".strip()
        self._outcome.seconds = time.monotonic() - begin
        return self._outcome

    def _live(self) -> None:
        if not self._create():
            return
        self._add_data()
        self._retrain()
        self._change()
        self._must_be_settled()
        self._destroy()

    # --- the phases

    def _create(self) -> bool:
        """Deploy; whether there is anything then."""
        if self.plan.accident == "a rollback in the middle of creation":
            self.cloud.fail("CreateFilter", code="InvalidInputException", message=self.plan.reason, rate=1.0)
            self._must_fail(self.app.first)
            self.cloud.forget_faults()
        with self._trouble("create"):
            if self.plan.fails_deployment:
                self._must_fail(self.app.first)
                self._outcome.told = True
                self.cloud.forget_faults()
            self._outputs = self._deploy(self.app.first)
        self._queue = self._subscribe()
        self._settled()
        return True

    def _add_data(self) -> None:
        runs = len(self._runs())
        serves = "Recommender" if self.app.kind.is_domain else "Campaign"
        self._client = _Client(self.cloud, {f"{serves.lower()}Arn": self._outputs[serves]})
        with self._trouble("data"):
            self._upload()
            if self.plan.accident == "the same event twice":
                self._upload()
            if self.plan.permanent and not self.plan.fails_deployment:
                self._settled(more_than=runs)
                self._must_have_told()
                if self.plan.permanent == self.app.kind.trains:
                    # what failed is billed, too
                    self._needed += self._failed_trainings()
                self.cloud.forget_faults()
            elif self.plan.accident == "a run is aborted":
                self._abort(runs)
            elif self.plan.accident == "a deployment in the middle of a run":
                _wait(lambda: len(self._runs()) > runs, "a run for the files")
                time.sleep(self.plan.moment)
                self._deploy(self.app.stacks[THROUGHPUT])
            else:
                self._settled(more_than=runs)
        self._converge()
        self._needed += self._first_trainings()
        self._data = self._datasets()
        self._must_hold_what_was_uploaded()
        client = self._client
        _wait(lambda: bool(client.answers) or client.error is not None, "an answer to the client")

    def _retrain(self) -> None:
        runs = len(self._runs())
        with self._trouble("retrain"):
            if self.plan.scheduled or self.app.kind.is_domain:
                self.cloud.advance(EVERY_DAYS * _DAY)
            else:
                arn = self._outputs["Solution"]
                owner = self._read(lambda p: p.list_tags_for_resource(resourceArn=arn))["tags"]
                self._read(lambda p: p.create_solution_version(solutionArn=arn, tags=owner))
            # a recommender is trained again by the service
            self._needed += not self.app.kind.is_domain
            self._start()
            if self.plan.accident == "a run is aborted":
                self._abort(runs)
            else:
                run = self._settled(more_than=runs)
                if self.plan.accident == "the same event twice":
                    self._finish_again(run)
        self._converge()
        if self.app.kind.is_domain:
            return
        versions = self.cloud.client("personalize").list_solution_versions(solutionArn=self._outputs["Solution"])
        newest = max(versions["solutionVersions"], key=lambda version: version["creationDateTime"])
        campaign = self._campaign()
        if campaign["solutionVersionArn"] != newest["solutionVersionArn"]:
            raise BrokenPromiseError(f"the campaign serves {campaign['solutionVersionArn']}, not the newest version")

    def _change(self) -> None:
        changed = TRAINING if self.plan.trains else THROUGHPUT
        runs = len(self._runs())
        with self._trouble("change"):
            self._outputs = self._deploy(self.app.stacks[changed])
            if self.plan.accident == "a run is aborted":
                self._abort(runs)
            self._settled()
        self._needed += self.plan.trains
        self._converge()
        if not self.plan.trains:
            self._must_have_throughput(2)
        elif self.app.kind.is_domain:
            statuses = [entry["status"] for entry in self._listed("recommenders")]
            if statuses != ["ACTIVE", "ACTIVE"]:
                raise BrokenPromiseError(f"two recommenders should serve, they are {statuses}")
        elif not self._campaign()["solutionVersionArn"].startswith(self._outputs["Solution"]):
            raise BrokenPromiseError(f"the campaign still serves {self._campaign()['solutionVersionArn']}")

    def _must_have_throughput(self, wanted: int) -> None:
        if self.app.kind.is_domain:
            arn = self._outputs["Recommender"]
            config = self._read(lambda p: p.describe_recommender(recommenderArn=arn))["recommender"][
                "recommenderConfig"
            ]
            found = config["minRecommendationRequestsPerSecond"]
        else:
            found = self._campaign()["minProvisionedTPS"]
        if found != wanted:
            raise BrokenPromiseError(f"the throughput is {found}, not {wanted}")

    def _first_trainings(self) -> int:
        """How many trainings the data needed: one of each solution, and one more once users were deleted from it."""
        if self.app.kind.is_domain:
            return 1
        deletions = [job["lastUpdatedDateTime"] for job in self._listed("data_deletion_jobs") if job["status"] in _DONE]
        needed = 0
        for solution in self._listed("solutions"):
            versions = self._listed("solution_versions", solutionArn=solution["solutionArn"])
            created = [version["creationDateTime"] for version in versions if version["status"] in _DONE]
            needed += 1 + any(made < deleted for made in created for deleted in deletions)
        return needed

    def _must_hold_what_was_uploaded(self) -> None:
        """Every row of every file but those of the users that were deleted."""
        tables = {
            key.partition("/")[0]: list(csv.DictReader(io.StringIO(text)))
            for key, text in self.app.kind.files.items()
            if key.endswith(".csv")
        }
        forgotten = {row["USER_ID"] for row in tables.pop("forget", [])}
        wanted = {
            folder.upper(): sum(row.get("USER_ID") not in forgotten for row in rows) for folder, rows in tables.items()
        }
        found = {arn.rpartition("/")[2]: held["records"] for arn, held in self.cloud.datasets().items()}
        if found != wanted:
            raise BrokenPromiseError(f"the datasets hold {found} records, of {wanted} that were uploaded")

    def _failed_trainings(self) -> int:
        """How many trainings failed: at most one in each failed run of each that is declared."""
        made = len(self._made(self.app.kind.trains))
        failed = sum(run["status"] == "FAILED" for run in self._runs())
        declared = 1 if self.app.kind.is_domain else len(self._listed("solutions"))
        if made > failed * declared:
            raise BrokenPromiseError(f"{made} trainings in {failed} failed runs of {declared} declared")
        return made

    def _must_not_be_superseded(self) -> None:
        """A run is stopped by a request that starts another in its place, not by that which it was started for."""
        states, runs = self.cloud.client("stepfunctions"), self._runs()
        for run in runs:
            if run["status"] != "ABORTED":
                continue
            described = states.describe_execution(executionArn=run["executionArn"])
            until = described["stopDate"] + _HANDED_OVER
            successors = [
                other
                for other in runs
                if other["name"].startswith(("deploy-", "teardown-")) and run["startDate"] < other["startDate"] < until
            ]
            if described.get("error") == "Superseded" and not successors:
                raise BrokenPromiseError(f"{run['name']} was stopped, and no other was started for it")

    def _must_be_settled(self) -> None:
        """Nothing was lost, nothing is left to do, and nothing was done twice that is billed."""
        if self._datasets() != self._data:
            raise BrokenPromiseError(f"the datasets are {self._datasets()}, they were {self._data}")
        for jobs, wanted in self.app.kind.jobs.items():
            done = sum(job["status"] in _DONE for job in self._listed(jobs))
            most = len(self._runs()) if wanted is None else wanted
            if not (1 if wanted is None else wanted) <= done <= most:
                raise BrokenPromiseError(f"{done} {jobs} were done, {wanted or 'some'} had to be, at most {most}")
        self._must_not_be_superseded()
        trained = len(self._made(self.app.kind.trains))
        if trained != self._needed:
            raise BrokenPromiseError(f"{trained} trainings, {self._needed} were needed")
        if self._client is None or self._client.error is not None:
            raise BrokenPromiseError(f"a client got an error: {self._client and self._client.error}")

    def _destroy(self) -> None:
        if self._client:
            self._client.stop()
            if not self._client.answers or self._client.error is not None:
                raise BrokenPromiseError(f"a client got an error: {self._client.error}")
        before = self.cloud.status()["resources"]
        with self._trouble("destroy"):
            for left in reversed(range(TRIES)):
                try:
                    assembly.destroy(self.cloud, self.app.first.name)
                    break
                except (assembly.DeploymentError, ClientError):
                    if not left:
                        raise
                    self._outcome.again += 1
        self._must_be_gone(retained=self.plan.retain)
        if self.plan.retain:
            left = self.cloud.status()["resources"]
            lost = {
                kind: (before.get(kind), left.get(kind)) for kind in _RETAINED if before.get(kind) != left.get(kind)
            }
            if lost:
                raise BrokenPromiseError(f"retained, before and after: {lost}")

    # --- what must be

    def _must_fail(self, stack: assembly.Stack) -> None:
        try:
            assembly.deploy(self.cloud, stack)
        except assembly.DeploymentError as error:
            if self.plan.reason not in str(error):
                raise BrokenPromiseError(f"the deployment does not say {self.plan.reason!r}: {error}") from None
        else:
            raise BrokenPromiseError("the deployment should have failed")
        self._must_be_gone(retained=False)

    def _must_have_told(self) -> None:
        """A run failed for the reason; one that was asked for meanwhile may have mended it since."""
        states = self.cloud.client("stepfunctions")
        failed = [run["executionArn"] for run in self._runs() if run["status"] == "FAILED"]
        causes = [states.describe_execution(executionArn=arn).get("cause", "") for arn in failed]
        if not any(self.plan.reason in cause for cause in causes):
            raise BrokenPromiseError(f"no run has failed because of {self.plan.reason!r}: {causes}")
        sqs = self.cloud.client("sqs")
        messages: list[str] = []

        def told() -> bool:
            received = sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            messages.extend(json.loads(message["Body"])["Message"] for message in received.get("Messages", []))
            return any(self.plan.reason in message for message in messages)

        _wait(told, f"a notification that says {self.plan.reason!r}", 20)
        self._outcome.told = True

    def _must_be_gone(self, *, retained: bool) -> None:
        left = {kind: count for kind, count in self.cloud.status()["resources"].items() if count}
        allowed = _RECORDS | (_RETAINED if retained else frozenset())
        orphans = {kind: count for kind, count in left.items() if kind not in allowed}
        if retained and self._datasets() != self._data:
            raise BrokenPromiseError("retained datasets are not what they were")
        self._outcome.orphans += sum(orphans.values())
        if orphans:
            raise BrokenPromiseError(f"left behind: {orphans}")

    def _converge(self) -> None:
        """Without faults, a run finds nothing to do, or the one after it does."""
        for number in range(TRIES):
            runs, before = len(self._runs()), self._last_call()
            self._start()
            run = self._settled(more_than=runs)
            calls = self.cloud.calls(since=before)
            work = [call["operation"] for call in calls if call["operation"].startswith(_WORK)]
            if run["status"] == "SUCCEEDED" and not work:
                if run["output"]["status"] != "COMPLETED":
                    raise BrokenPromiseError(f"a run waits: {run['output']}")
                self._outcome.again += number
                return
            self._outcome.notes.append(f"{run['status']} {work} {run.get('cause') or ''}"[:300])
        raise BrokenPromiseError(f"not converged after {TRIES} runs: {self._outcome.notes[-TRIES:]}")

    # --- what is done

    def _deploy(self, stack: assembly.Stack) -> dict[str, str]:
        for left in reversed(range(TRIES)):
            try:
                return assembly.deploy(self.cloud, stack)
            except assembly.DeploymentError as error:
                if not left:
                    raise
                self._outcome.again += 1
                self._outcome.notes.append(str(error)[:400])
        raise AssertionError

    def _upload(self) -> None:
        for key, text in self.app.kind.files.items():
            self.cloud.client("s3").put_object(Bucket=self._outputs["Bucket"], Key=key, Body=text.encode())

    def _start(self) -> None:
        self.cloud.client("stepfunctions").start_execution(stateMachineArn=self._outputs["Workflow"])

    def _abort(self, runs: int) -> None:
        _wait(lambda: len(self._runs()) > runs, "a run to abort")
        time.sleep(self.plan.moment)
        for run in self._runs():
            if run["status"] == "RUNNING":
                with suppress(ClientError):
                    self.cloud.client("stepfunctions").stop_execution(executionArn=run["executionArn"])
        self._settled()

    def _finish_again(self, run: Mapping[str, Any]) -> None:
        """Deliver the event of a run that has ended once more to every function that is told of it."""
        events = self.cloud.client("events")
        detail = {key: run[key] for key in ("executionArn", "stateMachineArn", "status")}
        event = {"source": "aws.states", "detail-type": "Step Functions Execution Status Change", "detail": detail}
        for rule in events.list_rules()["Rules"]:
            if self._outputs["Workflow"] in rule.get("EventPattern", ""):
                for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
                    if ":function:" in target["Arn"]:
                        self.cloud.client("lambda").invoke(FunctionName=target["Arn"], Payload=json.dumps(event))

    def _read(self, call: Callable[[Any], Any]) -> Any:
        """Call Personalize as a patient client does."""
        for left in reversed(range(20)):
            try:
                return call(self.cloud.client("personalize"))
            except ClientError:
                if not left:
                    raise
        return None

    def _campaign(self) -> dict[str, Any]:
        arn = self._outputs["Campaign"]
        campaign: dict[str, Any] = self._read(lambda p: p.describe_campaign(campaignArn=arn))["campaign"]
        return campaign

    def _trouble(self, phase: str) -> _Trouble:
        faults = self.plan.faults if self.plan.phase in (None, phase) else ()
        # otherwise the first, second, ... call would be hit in each phase or in none
        seed = self.plan.seed * len(PHASES) + PHASES.index(phase)
        return _Trouble(self.cloud, tuple({**fault, "seed": seed} for fault in faults))

    # --- what is seen

    def _runs(self) -> list[dict[str, Any]]:
        states = self.cloud.client("stepfunctions")
        runs: list[dict[str, Any]] = states.list_executions(stateMachineArn=self._outputs["Workflow"])["executions"]
        return sorted(runs, key=lambda run: run["startDate"], reverse=True)

    def _settled(self, more_than: int = 0) -> dict[str, Any]:
        """Wait until no run is under way; the newest that did something."""
        idle = 0

        def ended() -> bool:
            nonlocal idle
            runs = self._runs()
            idle = idle + 1 if len(runs) > more_than and all(run["status"] != "RUNNING" for run in runs) else 0
            return idle == _IDLE

        _wait(ended, f"the end of all runs, {more_than} and more", pause=0.1)
        states = self.cloud.client("stepfunctions")
        for run in self._runs():
            execution: dict[str, Any] = states.describe_execution(executionArn=run["executionArn"])
            output = json.loads(execution.get("output") or "{}")
            if output.get("status") != "QUEUED":
                return {**execution, "output": output}
        raise BrokenPromiseError("no run did anything")

    def _datasets(self) -> dict[str, Any]:
        """What each dataset holds, and when it was created: another time tells of another dataset."""
        found = self._listed("datasets")
        held = self.cloud.datasets()
        return {entry["datasetArn"]: (entry["creationDateTime"], held[entry["datasetArn"]]) for entry in found}

    def _listed(self, what: str, **arguments: str) -> list[dict[str, Any]]:
        """The answer of a List operation, by its name in boto3."""
        answer = self._read(lambda p: getattr(p, f"list_{what}")(**arguments))
        [found] = [value for value in answer.values() if isinstance(value, list)]
        return list(found)

    def _made(self, operation: str) -> list[dict[str, Any]]:
        return [call for call in self.cloud.calls(operation) if call["error"] is None]

    def _last_call(self) -> int:
        calls = self.cloud.calls()
        return int(calls[-1]["number"]) if calls else 0

    def _subscribe(self) -> str:
        sqs = self.cloud.client("sqs")
        url: str = sqs.create_queue(QueueName=f"told-{uuid.uuid4().hex}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        allowed = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": self._outputs["Topic"]}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        self.cloud.client("sns").subscribe(TopicArn=self._outputs["Topic"], Protocol="sqs", Endpoint=arn)
        return url

    def _count(self) -> None:
        calls = [call for call in self.cloud.calls() if call["service"] == "personalize"]
        self._outcome.calls = len(calls)
        self._outcome.errors = sum(call["error"] is not None for call in calls)
        self._outcome.called = Counter(call["operation"] for call in calls if call["operation"] in CONTROL_PLANE)
        self._outcome.trainings = len(self._made(self.app.kind.trains))
        self._outcome.needed = self._needed
        if self._client:
            self._outcome.answers = self._client.answers
            self._outcome.client_errors = int(self._client.error is not None)
        status = self.cloud.status()
        self._outcome.struck = Counter(status["struck"])
        self._outcome.struck_operations = Counter(status["struck_operations"])

    def _tidy(self) -> None:
        """Leave nothing to the next run."""
        self.cloud.forget_faults()
        if assembly.status(self.cloud, self.app.first.name):
            assembly.destroy(self.cloud, self.app.first.name)
        self.cloud.reset()


class _Trouble:
    """Lets things go wrong for a while."""

    def __init__(self, cloud: LocalCloud, faults: tuple[Mapping[str, Any], ...]) -> None:
        self._cloud, self._faults = cloud, faults

    def __enter__(self) -> None:
        for fault in self._faults:
            self._cloud.fail(**fault)

    def __exit__(self, *_: object) -> None:
        self._cloud.forget_faults()


class _Client:
    """Asks for recommendations all the time; from the first answer on, there must be one each time."""

    def __init__(self, cloud: LocalCloud, target: Mapping[str, str]) -> None:
        self.answers = 0
        self.error: Exception | None = None
        self._stop = threading.Event()
        self._runtime = cloud.client("personalize-runtime")
        self._target = target
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def _ask(self) -> None:
        while not self._stop.wait(0.05):
            try:
                items = self._runtime.get_recommendations(**self._target, userId="user-1")["itemList"]
            except Exception as error:
                if not self.answers:  # nothing serves yet
                    continue
                self.error = error
                return
            if not items:
                self.error = BrokenPromiseError("no recommendations")
                return
            self.answers += 1

    def stop(self) -> None:
        """Ask no more."""
        self._stop.set()
        self._thread.join(10)


def _wait(condition: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS, pause: float = 0.05) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise BrokenPromiseError(f"{what}: not after {seconds:.0f} s")
        time.sleep(pause)
