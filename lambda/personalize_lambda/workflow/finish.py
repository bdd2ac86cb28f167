"""Runs after every execution of the workflow, however it ended: releases the lock, starts the run that was asked for
in the meantime, and tells what happened."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

from personalize_lambda.aws import client, log
from personalize_lambda.workflow import lock

EVENT_SOURCE = "cdk-personalize"
EVENT_TYPE = "Personalize Workflow Run"
_SUBJECT_LENGTH = 100


def handler(event: Mapping[str, Any], _context: object) -> None:
    """Handle one execution-status event of the workflow's state machine.

    See https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
    """
    execution = client("stepfunctions").describe_execution(executionArn=event["detail"]["executionArn"])
    report = summarize(execution)
    try:
        # a run that found the lock held, or whose work another does, has nothing to tell
        if report["status"] != "QUEUED" and execution.get("error") != lock.SUPERSEDED:
            _tell(report)
    finally:  # a message that cannot be sent must not keep the lock
        _release(execution["executionArn"])


def summarize(execution: Mapping[str, Any]) -> dict[str, Any]:
    """What a run did, as data.

    :param execution: The answer of DescribeExecution.
    """
    output = json.loads(execution.get("output") or "{}")
    failed = execution["status"] != "SUCCEEDED"
    return {
        "workflow": os.environ["WORKFLOW_NAME"],
        "execution": execution["executionArn"],
        "status": execution["status"] if failed else output["status"],
        "reason": (execution.get("cause") or execution.get("error") or execution["status"]) if failed else None,
        "waitingFor": output.get("waitingFor", []),
        "imported": output.get("imported", []),
        "solutions": output.get("solutions", []),
        "warnings": output.get("warnings", []),
        "recommenders": output.get("recommenders", []),
        "jobs": output.get("jobs", []),
        "pruned": output.get("pruned", []),
    }


def message(report: Mapping[str, Any]) -> str:
    """A report as a person reads it."""
    lines = [f"Workflow {report['workflow']}: {report['status']}"]
    if report["reason"]:
        lines += ["", "What failed:", *str(report["reason"]).splitlines()]
    lines += _section("Waiting for", report["waitingFor"])
    lines += _section("Imported", report["imported"])
    lines += _section("Solutions", [_solution(solution) for solution in report["solutions"]])
    lines += _section("Refused by the quality gate, so campaigns serve what they did", _refused(report["solutions"]))
    lines += _section("Recommenders", report["recommenders"])
    lines += _section("Jobs", [_job(job) for job in report["jobs"]])
    lines += _section("Removed, being declared no more", report["pruned"])
    lines += _section("Warnings", report["warnings"])
    return "\n".join([*lines, "", f"Execution: {report['execution']}"])


def _section(title: str, rows: list[str]) -> list[str]:
    return ["", f"{title}:", *(f"- {row}" for row in rows)] if rows else []


def _solution(solution: Mapping[str, Any]) -> str:
    metrics = ", ".join(f"{name} {value:.4g}" for name, value in sorted(solution.get("metrics", {}).items()))
    served = ", ".join(solution.get("campaigns", [])) or "no change of a campaign"
    return f"{solution['name']} ({solution['solutionVersionArn']}), {served}. {metrics}"


def _job(job: Mapping[str, Any]) -> str:
    return f"{job['name']}: {job['output']}" if job.get("output") else str(job["name"])


def _refused(solutions: list[dict[str, Any]]) -> list[str]:
    return [
        f"{solution['name']} ({refused['solutionVersionArn']}): "
        f"{'; '.join(_threshold(threshold) for threshold in refused['thresholds'])}"
        for solution in solutions
        if (refused := solution.get("refused"))
    ]


def _threshold(threshold: Mapping[str, Any]) -> str:
    new, old = threshold["new"], threshold["old"]
    has = "missing" if new is None else f"{new:.4g}"
    served = "" if old is None else f"; what is served has {old:.4g}"
    return f"{threshold['metric']} is {has} and has to be at least {threshold['least']:.4g}{served}"


def _tell(report: Mapping[str, Any]) -> None:
    subject = f"{report['status']}: workflow {report['workflow']}"
    client("sns").publish(TopicArn=os.environ["TOPIC_ARN"], Subject=subject[:_SUBJECT_LENGTH], Message=message(report))
    client("events").put_events(
        Entries=[{"Source": EVENT_SOURCE, "DetailType": EVENT_TYPE, "Detail": json.dumps(report)}]
    )


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
