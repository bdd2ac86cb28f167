"""Runs after every execution of the workflow, however it ended: releases the lock, starts the run that was asked for
in the meantime, and tells what happened: a topic, EventBridge, and the deployment that waits for it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from personalize_lambda.aws import client, log
from personalize_lambda.workflow import lock, signal
from personalize_lambda.workflow.report import changes, message, summarize

EVENT_SOURCE = "cdk-personalize"
RUN_EVENT = "Personalize Workflow Run"
CHANGE_EVENT = "Personalize Resource Change"
_REPORT_KEY = {"id": {"S": "report"}}
_SUBJECT_LENGTH = 100
# SNS and EventBridge take 256 KB
_MESSAGE_BYTES = 200_000
_EVENTS_AT_ONCE = 10
# a run whose work another does, or that only planned, has nothing to tell
_UNTOLD = ("QUEUED", "PLANNED")


def handler(event: Mapping[str, Any], _context: object) -> None:
    """Handle one execution-status event of the workflow's state machine.

    See https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
    """
    execution = client("stepfunctions").describe_execution(executionArn=event["detail"]["executionArn"])
    report = summarize(execution, _kept_report(execution), os.environ["WORKFLOW_NAME"])
    superseded = execution.get("error") == lock.SUPERSEDED
    with ExitStack() as always:  # a message that cannot be sent must not keep the lock
        always.callback(_release, execution["executionArn"])
        if report["status"] in _UNTOLD:
            return
        always.callback(_signal, execution, report, superseded=superseded)
        if not superseded:
            _tell(report)


def _signal(execution: Mapping[str, Any], report: Mapping[str, Any], *, superseded: bool) -> None:
    """Tell the deployment that waits, unless another run is about to do its work."""
    table = os.environ["LOCK_TABLE"]
    item = lock.read(table)
    is_last = item.get("execution", {}).get("S") == report["execution"] and "again" not in item
    works_since = execution["startDate"].timestamp() if is_last and not superseded else None
    signal.tell(table, report, works_since=works_since)


def _kept_report(execution: Mapping[str, Any]) -> dict[str, Any]:
    """The report that a failed run left; empty where it left none, or another has left its own since."""
    if execution["status"] == "SUCCEEDED":
        return {}
    item = client("dynamodb").get_item(TableName=os.environ["LOCK_TABLE"], Key=_REPORT_KEY).get("Item", {})
    if item.get("execution", {}).get("S") != execution["executionArn"]:
        return {}
    return dict(json.loads(item["report"]["S"]))


def _tell(report: Mapping[str, Any]) -> None:
    subject = f"{report['status']}: workflow {report['workflow']}"
    text = message(report).encode()
    if len(text) > _MESSAGE_BYTES:
        text = text[:_MESSAGE_BYTES] + f"\n... cut off; all of it: {report['console']}".encode()
    client("sns").publish(
        TopicArn=os.environ["TOPIC_ARN"], Subject=subject[:_SUBJECT_LENGTH], Message=text.decode(errors="ignore")
    )
    run = {"workflow": report["workflow"], "execution": report["execution"]}
    # the report may be large: it goes alone
    _put_events(RUN_EVENT, [_short(report)])
    told = [{**run, **change} for change in changes(report)]
    for first in range(0, len(told), _EVENTS_AT_ONCE):
        _put_events(CHANGE_EVENT, told[first : first + _EVENTS_AT_ONCE])


def _short(report: Mapping[str, Any]) -> Mapping[str, Any]:
    """The report, without its lists where they have no room in an event; what changed has events of its own."""
    if len(json.dumps(report)) <= _MESSAGE_BYTES:
        return report
    return {name: value for name, value in report.items() if not isinstance(value, (list, tuple))}


def _put_events(detail_type: str, details: Sequence[Mapping[str, Any]]) -> None:
    answer = client("events").put_events(
        Entries=[
            {"Source": EVENT_SOURCE, "DetailType": detail_type, "Detail": json.dumps(detail)} for detail in details
        ]
    )
    if answer["FailedEntryCount"]:
        log.error("%s of %s events were not taken: %s", answer["FailedEntryCount"], len(details), answer["Entries"])


def _release(execution: str) -> None:
    """Give the lock back if ``execution`` holds it, and start one more run if another asked for it meanwhile.

    That run is started first: it may take the lock of an ended run over, and so a crash in between loses nothing.
    """
    table = os.environ["LOCK_TABLE"]
    item = lock.read(table)
    if item.get("execution", {}).get("S") != execution:
        return  # it never held the lock, or this event came twice
    _start_again(item, execution)
    try:
        released = client("dynamodb").delete_item(
            TableName=table,
            Key=lock.KEY,
            ConditionExpression="execution = :execution",
            ExpressionAttributeValues={":execution": {"S": execution}},
            ReturnValues="ALL_OLD",
        )["Attributes"]
    except client("dynamodb").exceptions.ConditionalCheckFailedException:
        return  # the next run has taken it over
    _start_again(released, execution)


def _start_again(item: Mapping[str, Any], execution: str) -> None:
    """Start one more run, named after what asked for it, so that asking twice is not lost and starting twice is."""
    if "again" not in item:
        return
    asked = f"{execution} {item['again']['S']}"
    try:
        client("stepfunctions").start_execution(
            stateMachineArn=os.environ["STATE_MACHINE_ARN"],
            name=f"again-{hashlib.sha256(asked.encode()).hexdigest()[:32]}",
            input=json.dumps({"trigger": "again", "after": execution}),
        )
    except client("stepfunctions").exceptions.ExecutionAlreadyExists:
        log.info("the run after %s was started before", execution)
