"""What is told of a run, and how the lock is given back."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cdk_personalize.workflow.transitions import DETAIL_TYPE, EVENT_SOURCE
from personalize_lambda.workflow import finish, signal

RUN = "arn:aws:states:us-east-1:000000000000:execution:films:run-1"
STARTED = datetime(2026, 11, 24, 12, tzinfo=UTC)
EVENT = {"detail": {"executionArn": RUN}}


class Services:
    """DynamoDB, Step Functions, SNS and EventBridge as far as the function uses them."""

    class exceptions:  # noqa: N801 - boto3's name
        class ConditionalCheckFailedException(Exception):  # noqa: N818
            pass

        class ExecutionAlreadyExists(Exception):  # noqa: N818
            pass

    def __init__(self, execution: dict[str, Any], item: dict[str, Any] | None) -> None:
        self.execution = {"executionArn": RUN, "startDate": STARTED, **execution}
        self.item = item
        self.report: dict[str, Any] | None = None
        self.waiting: dict[str, Any] | None = None
        self.sent: list[tuple[str, str]] = []
        self.started: list[str] = []
        self.inputs: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []

    def describe_execution(self, **_: Any) -> dict[str, Any]:
        return self.execution

    def get_item(self, *, Key: dict[str, Any], **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's name
        item = {"lock": self.item, "report": self.report, "signal": self.waiting}[Key["id"]["S"]]
        return {"Item": item} if item else {}

    def delete_item(self, *, Key: dict[str, Any], **arguments: Any) -> dict[str, Any]:  # noqa: N803 - boto3's name
        name = {"lock": "item", "signal": "waiting"}[Key["id"]["S"]]
        [expected] = arguments["ExpressionAttributeValues"].values()
        item = getattr(self, name)
        if item is None or item["execution"] != expected:
            raise self.exceptions.ConditionalCheckFailedException
        setattr(self, name, None)
        return {"Attributes": item}

    def update_item(self, *, Key: dict[str, Any], **arguments: Any) -> None:  # noqa: N803 - boto3's name
        assert (Key["id"]["S"], arguments["UpdateExpression"]) == ("signal", "SET execution = :me")
        values = arguments["ExpressionAttributeValues"]
        if self.waiting is None or self.waiting["execution"] != values[":run"]:
            raise self.exceptions.ConditionalCheckFailedException
        self.waiting = {**self.waiting, "execution": values[":me"]}

    def start_execution(self, **arguments: Any) -> dict[str, Any]:
        if arguments["name"] in self.started:
            raise self.exceptions.ExecutionAlreadyExists
        self.started.append(arguments["name"])
        self.inputs.append(json.loads(arguments["input"]))
        return {}

    def publish(self, **arguments: Any) -> None:
        self.messages.append(arguments)

    def put_events(self, **arguments: Any) -> dict[str, Any]:
        assert len(arguments["Entries"]) <= 10
        self.events += arguments["Entries"]
        return {"FailedEntryCount": 0, "Entries": []}


def waiting(run: str, *, before_the_run: bool = True) -> dict[str, Any]:
    """Who waits for a run."""
    since = STARTED + timedelta(seconds=-1 if before_the_run else 1)
    return {"url": {"S": "https://signal"}, "execution": {"S": run}, "since": {"N": f"{since.timestamp():.3f}"}}


@pytest.fixture
def finished(clients: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Services]:
    for name in ("LOCK_TABLE", "STATE_MACHINE_ARN", "TOPIC_ARN", "WORKFLOW_NAME"):
        monkeypatch.setenv(name, "films")

    def run(
        execution: dict[str, Any],
        item: dict[str, Any] | None = None,
        times: int = 1,
        report: dict[str, Any] | None = None,
        waits_for: str | None = None,
    ) -> Services:
        services = Services(execution, item)
        services.report = report
        if waits_for:
            services.waiting = waiting(waits_for)
        monkeypatch.setattr(signal, "send", lambda url, report: services.sent.append((url, report["status"])))
        clients(dynamodb=services, stepfunctions=services, sns=services, events=services)
        for _ in range(times):
            finish.handler(EVENT, None)
        return services

    return run


SUCCEEDED = {
    "status": "SUCCEEDED",
    "output": json.dumps(
        {
            "status": "COMPLETED",
            "waitingFor": [],
            "imported": ["items"],
            "solutions": [
                {
                    "name": "picks",
                    "solutionVersionArn": "arn:v1",
                    "metrics": {"coverage": 0.25, "precision_at_5": 0.0684912},
                    "campaigns": ["live"],
                }
            ],
            "jobs": [{"name": "Mail", "output": "s3://data/mail/1/"}, {"name": "Forget", "output": None}],
            "pruned": ["old"],
        }
    ),
}
FAILED = {"status": "FAILED", "error": "WorkflowFailed", "cause": "import of items: bad\ntraining picks: too few"}
HELD = {"execution": {"S": RUN}}
ANOTHERS = {"execution": {"S": "another"}}


def test_success_is_told(finished: Callable[..., Services]) -> None:
    services = finished(SUCCEEDED, HELD)
    (message,) = services.messages
    assert message["Subject"] == "COMPLETED: workflow films"
    assert message["Message"] == (
        "Workflow films: COMPLETED (started by: by hand)\n\nSolutions:\n"
        "- picks (arn:v1), live. coverage 0.25, precision_at_5 0.06849\n\n"
        "Jobs:\n- Mail: s3://data/mail/1/\n- Forget\n\n"
        "Imported:\n- items\n\n"
        f"Removed, being declared no more:\n- old\n\nExecution: {RUN}\n"
        "In the console: https://us-east-1.console.aws.amazon.com/states/home?region=us-east-1#/v2/executions/details/"
        f"{RUN}\nWhat a run does: docs/workflow.md of cdk-personalize"
    )
    [run] = services.events  # what it did was told when it was done
    assert (run["Source"], run["DetailType"]) == ("cdk-personalize", "Personalize Workflow Run")
    assert json.loads(run["Detail"])["status"] == "COMPLETED"


def test_a_refused_version_and_warnings_are_told(finished: Callable[..., Services]) -> None:
    thresholds = [
        {"metric": "coverage", "new": 0.1, "old": 0.25, "least": 0.2375},
        {"metric": "precision_at_5", "new": None, "old": None, "least": 0.01},
    ]
    refused = {"solutionVersionArn": "arn:v2", "thresholds": thresholds}
    output = json.loads(SUCCEEDED["output"])
    output["solutions"][0] |= {"refused": refused, "campaigns": []}
    output["warnings"] = ["metrics of picks are not in CloudWatch: CloudWatch.CloudWatchException: no"]
    services = finished({**SUCCEEDED, "output": json.dumps(output)}, HELD)
    [message] = services.messages
    assert message["Subject"] == "COMPLETED: workflow films"
    assert message["Message"].partition("Solutions:\n")[2].partition("\nIn the console")[0] == (
        "- picks (arn:v1), no change of a campaign. coverage 0.25, precision_at_5 0.06849\n\n"
        "Refused by the quality gate, so campaigns serve what they did:\n"
        "- picks (arn:v2): coverage is 0.1 and has to be at least 0.2375; what is served has 0.25; "
        "precision_at_5 is missing and has to be at least 0.01\n\n"
        "Jobs:\n- Mail: s3://data/mail/1/\n- Forget\n\n"
        "Imported:\n- items\n\n"
        "Removed, being declared no more:\n- old\n\n"
        "Warnings:\n- metrics of picks are not in CloudWatch: CloudWatch.CloudWatchException: no\n\n"
        f"Execution: {RUN}"
    )
    [event] = services.events
    assert json.loads(event["Detail"])["solutions"][0]["refused"] == refused


def test_a_rollback_is_told_as_one(finished: Callable[..., Services]) -> None:
    services = finished({**SUCCEEDED, "input": json.dumps({"rollback": "arn:v1"})}, HELD)
    [message] = services.messages
    assert message["Message"].startswith(
        "Workflow films: COMPLETED (started by: by hand)\n\nAsked for:\n- rollback to arn:v1\n\nSolutions:\n- picks"
    )
    assert json.loads(services.events[0]["Detail"])["rollback"] == "arn:v1"


def test_what_was_changed_by_hand_is_told_ten_at_a_time(finished: Callable[..., Services]) -> None:
    drift = [f"campaign {n} is gone" for n in range(23)]
    services = finished({"status": "SUCCEEDED", "output": json.dumps({"status": "COMPLETED", "drift": drift})}, HELD)
    _, *found = services.events
    assert {event["Source"] for event in found} == {EVENT_SOURCE}
    assert {event["DetailType"] for event in found} == {DETAIL_TYPE}
    assert [json.loads(event["Detail"]) for event in found] == [
        {"workflow": "films", "execution": RUN, "resource": "drift", "name": each, "arn": None, "change": "FOUND"}
        for each in drift
    ]


def test_what_is_told_has_room_in_a_message_and_in_an_event(finished: Callable[..., Services]) -> None:
    failures = [{"name": f"training {n}", "reason": "ä" * 2000} for n in range(100)]
    report = {"status": "FAILED", "failures": failures, "waitingFor": ["ä" * 2000] * 100}
    services = finished(FAILED, HELD, report={**HELD, "report": {"S": json.dumps(report)}})
    limit = 256 * 1024
    [sent] = services.messages
    assert sent["Message"].splitlines()[-1].startswith("... cut off; all of it: https://us-east-1.console.aws")
    assert len(sent["Message"].encode()) < limit
    assert all(len(event["Detail"]) < limit for event in services.events)
    [run] = (json.loads(event["Detail"]) for event in services.events)
    assert (run["status"], run["execution"], "failures" in run) == ("FAILED", RUN, False)


KEPT = {
    "status": "FAILED",
    "failures": [{"name": "import of items", "reason": "bad"}, {"name": "training picks", "reason": "too few"}],
    "waitingFor": [],
    "drift": ["campaign live is gone"],
    "imported": ["interactions"],
}


def test_a_failed_run_tells_what_failed_and_what_did_not(finished: Callable[..., Services]) -> None:
    services = finished(FAILED, HELD, report={**HELD, "report": {"S": json.dumps(KEPT)}})
    assert services.messages[0]["Message"].startswith(
        "Workflow films: FAILED (started by: by hand)\n\nWhat failed:\n- import of items: bad\n"
        "- training picks: too few\n\nChanged by hand since the last run:\n- campaign live is gone\n\n"
        "Imported:\n- interactions\n"
    )
    run, drift = (json.loads(event["Detail"]) for event in services.events)
    assert run["failures"] == KEPT["failures"]
    assert (drift["name"], drift["change"]) == ("campaign live is gone", "FOUND")


def test_the_report_of_another_run_is_not_told(finished: Callable[..., Services]) -> None:
    services = finished(FAILED, HELD, report={**ANOTHERS, "report": {"S": json.dumps(KEPT)}})
    assert "training picks: too few\n\nExecution" in services.messages[0]["Message"]
    assert len(services.events) == 1


def test_a_run_whose_work_another_does_is_not_told(finished: Callable[..., Services]) -> None:
    services = finished({"status": "ABORTED", "error": "Superseded", "cause": "a new deployment"}, HELD)
    assert (services.messages, services.events, services.item) == ([], [], None)


def test_a_run_that_only_planned_is_not_told(finished: Callable[..., Services]) -> None:
    services = finished({"status": "SUCCEEDED", "output": '{"status": "PLANNED"}'}, ANOTHERS)
    assert (services.messages, services.events) == ([], [])


@pytest.mark.parametrize("status", ["ABORTED", "TIMED_OUT"])
def test_abnormal_ends_release_and_tell(finished: Callable[..., Services], status: str) -> None:
    services = finished({"status": status}, HELD)
    assert services.item is None
    assert services.messages[0]["Subject"] == f"{status}: workflow films"


def test_queued_run_is_not_told_and_releases_nothing(finished: Callable[..., Services]) -> None:
    execution = {"status": "SUCCEEDED", "output": '{"status": "QUEUED"}'}
    services = finished(execution, ANOTHERS, waits_for=RUN)
    assert (services.messages, services.events, services.started, services.sent) == ([], [], [], [])
    assert services.item == ANOTHERS


@pytest.mark.parametrize(
    ("item", "started"), [(HELD, 0), ({**HELD, "again": {"S": "run-2"}}, 1), (ANOTHERS, 0), (None, 0)]
)
def test_lock_is_released_and_a_mark_starts_one_more_run(
    finished: Callable[..., Services], item: dict[str, Any] | None, started: int
) -> None:
    services = finished(SUCCEEDED, item, times=2)  # events are delivered at least once
    assert len(services.started) == started
    assert services.item == (ANOTHERS if item is ANOTHERS else None)


def test_a_mark_that_the_run_started_for_another_leaves_is_not_lost(
    clients: Callable[..., None], finished: Callable[..., Services]
) -> None:
    """It may find the lock held by the run that has just ended, and then ends itself."""
    services = finished(SUCCEEDED)
    services.started.clear()
    services.item = {**HELD, "again": {"S": "run-2"}}

    def start_and_leave_a_mark(**arguments: Any) -> None:
        services.started.append(arguments["name"])
        if services.item is not None:
            services.item = {**services.item, "again": {"S": arguments["name"]}}

    clients(
        dynamodb=services,
        stepfunctions=Replaced(services, start_execution=start_and_leave_a_mark),
        sns=services,
        events=services,
    )
    finish.handler(EVENT, None)
    assert len(services.started) == len(set(services.started)) == 2
    assert services.item is None


class Replaced:
    """An object with some of its attributes replaced."""

    def __init__(self, original: object, **replaced: Any) -> None:
        self._original = original
        self.__dict__.update(replaced)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)


MARKED = {**HELD, "again": {"S": "run-2"}}
SUPERSEDED = {"status": "ABORTED", "error": "Superseded", "cause": "a new deployment"}


@pytest.mark.parametrize(
    ("execution", "item", "waits_for", "sent"),
    [
        pytest.param(SUCCEEDED, HELD, RUN, ["COMPLETED"], id="by its own run"),
        pytest.param(FAILED, HELD, RUN, ["FAILED"], id="by its own run, which failed"),
        pytest.param(FAILED, None, RUN, ["FAILED"], id="by its own run, which never got the lock"),
        pytest.param(SUCCEEDED, ANOTHERS, RUN, ["COMPLETED"], id="by its own run, whose lock was taken over"),
        pytest.param(SUPERSEDED, HELD, RUN, ["ABORTED"], id="by its own run, which was stopped"),
        pytest.param(SUCCEEDED, HELD, "queued", ["COMPLETED"], id="by the run that does the work of its own"),
        pytest.param(SUCCEEDED, MARKED, "queued", [], id="not while another run is asked for"),
        pytest.param(SUPERSEDED, HELD, "next", [], id="not by the run that its own takes the place of"),
        pytest.param(SUCCEEDED, ANOTHERS, "queued", [], id="not by a run that did not hold the lock"),
        pytest.param(SUCCEEDED, HELD, None, [], id="nobody waits"),
    ],
)
def test_a_deployment_that_waits_is_told_once_by_the_run_that_does_its_work(
    finished: Callable[..., Services],
    execution: dict[str, Any],
    item: dict[str, Any] | None,
    waits_for: str | None,
    sent: list[str],
) -> None:
    services = finished(execution, item, times=2, waits_for=waits_for)
    assert services.sent == [("https://signal", status) for status in sent]
    assert (services.waiting is None) == (bool(sent) or waits_for is None)


def test_a_deployment_is_not_told_by_a_run_from_before_it(finished: Callable[..., Services]) -> None:
    """That one may have ended just when what is declared was changed."""
    services = finished(SUCCEEDED)
    services.item, services.waiting = HELD, waiting("queued", before_the_run=False)
    finish.handler(EVENT, None)
    assert (services.sent, services.waiting is None) == ([], False)


@pytest.mark.parametrize("run", [RUN, "queued"])
def test_a_deployment_that_could_not_be_told_is_told_later_and_the_lock_is_given_back(
    finished: Callable[..., Services], monkeypatch: pytest.MonkeyPatch, run: str
) -> None:
    services = finished(SUCCEEDED)
    services.item, services.waiting = HELD, waiting(run)

    def send(*_: Any) -> None:
        raise OSError("no way")

    with monkeypatch.context() as broken:
        broken.setattr(signal, "send", send)
        with pytest.raises(OSError, match="no way"):
            finish.handler(EVENT, None)
    assert (services.item, services.waiting is None) == (None, False)
    finish.handler(EVENT, None)
    assert (services.sent, services.waiting) == ([("https://signal", "COMPLETED")], None)


@pytest.mark.parametrize("run", [RUN, "queued"])
def test_a_deployment_that_came_meanwhile_waits_on(
    finished: Callable[..., Services], monkeypatch: pytest.MonkeyPatch, run: str
) -> None:
    services = finished(SUCCEEDED)
    services.item, services.waiting = HELD, waiting(run)
    newer = {"url": {"S": "https://newer"}, "execution": {"S": "newer"}}
    monkeypatch.setattr(signal, "send", lambda *_: setattr(services, "waiting", newer))
    finish.handler(EVENT, None)
    assert services.waiting == newer
