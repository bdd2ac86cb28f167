"""``Custom::PersonalizeDeployment``: hands the desired state to the workflow and starts a run; on deletion, has
everything removed that the workflow made.

The desired state of a stack that goes away is an empty one, so that a teardown is a run like any other.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from personalize_lambda.aws import client, log
from personalize_lambda.workflow import lock, signal
from personalize_lambda.workflow.observe import remaining

RETAIN = "retain"
STOP_BILLING = "stop-billing"
TEARDOWN_SECONDS = 55 * 60
_RUN_EVERY_SECONDS = 60


def create(event: Mapping[str, Any]) -> dict[str, Any]:
    """Write the desired state and start a run."""
    properties = event["ResourceProperties"]
    _write(properties, properties["Document"])
    return _start(event, trigger="deploy")


def update(event: Mapping[str, Any]) -> dict[str, Any]:
    """Write the desired state and start a run in place of the one under way, which works towards the former state.

    What that one has begun goes on in the service, and the new run takes it up as far as it is still wanted.
    """
    properties = event["ResourceProperties"]
    # written first: whatever run gets the lock after the one that is stopped works towards it
    _write(properties, properties["Document"])
    _stop_holder(event["OldResourceProperties"], but=_execution_arn(properties, _name(event, "deploy")))
    return _start(event, trigger="deploy")


def delete(event: Mapping[str, Any]) -> dict[str, Any]:
    """Declare that nothing is wanted any more, stop the run under way, and start one that removes everything."""
    properties = event["ResourceProperties"]
    if properties["Removal"] == RETAIN:
        # What a run has begun goes on in the service; a state machine is not deleted before its runs have ended.
        _stop_holder(properties)
        return {"PhysicalResourceId": event["PhysicalResourceId"]}
    _write(properties, json.dumps(_nothing_wanted(properties)))
    _stop_holder(properties, but=_execution_arn(properties, _name(event, "teardown")))
    return _start(event, trigger="teardown")


def is_complete(event: Mapping[str, Any]) -> dict[str, Any]:
    """A deployment does not wait here for its run, which may take longer; a deletion waits until nothing is left.

    :raises RuntimeError: when the removing run failed, or when things are left after 55 minutes.
    """
    properties = event["ResourceProperties"]
    if event["RequestType"] != "Delete" or properties["Removal"] == RETAIN:
        return {"IsComplete": True}
    execution = client("stepfunctions").describe_execution(executionArn=event["Data"]["ExecutionArn"])
    if execution["status"] not in ("RUNNING", "SUCCEEDED"):
        # CloudFormation takes answers of at most 4,096 bytes
        cause = execution.get("cause", "no cause given")[:1000]
        raise RuntimeError(
            f"removing what the workflow made ended {execution['status']}: {cause}. "
            "Mend what it names and delete the stack again"
        )
    left = remaining(_nothing_wanted(properties), personalize=client("personalize"))
    if left and time.time() - execution["startDate"].timestamp() > TEARDOWN_SECONDS:
        raise RuntimeError(
            f"after {TEARDOWN_SECONDS // 60} minutes these are not gone yet: {'; '.join(left)}. "
            "Delete the stack again to go on waiting for them"
        )
    if execution["status"] == "RUNNING":
        return {"IsComplete": False}
    if left:  # the run that was started has left it to one that was under way
        if not lock.is_held(properties["LockTable"]):
            waited = time.time() - execution["startDate"].timestamp()
            _run(properties, f"teardown-{event['RequestId']}-{int(waited // _RUN_EVERY_SECONDS)}", trigger="teardown")
        return {"IsComplete": False}
    _delete_document(properties["DocumentBucket"], properties["DocumentKey"])
    return {"IsComplete": True}


def _nothing_wanted(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The desired state of a stack that goes away: nothing, or nothing that is billed while nobody uses it."""
    document = json.loads(properties["Document"])
    wanted: dict[str, list[Any]] = {
        name: [] for name in ("datasets", "jobs", "recommenders", "solutions") if name in document
    }
    if properties["Removal"] == STOP_BILLING:
        wanted["keptSolutions"] = [solution["solutionArn"] for solution in document["solutions"]]
        if "recommenders" in document:
            wanted["recommenders"] = [{**recommender, "running": False} for recommender in document["recommenders"]]
    return {**document, **wanted}


def _write(properties: Mapping[str, Any], document: str) -> None:
    client("s3").put_object(
        Bucket=properties["DocumentBucket"],
        Key=properties["DocumentKey"],
        Body=document.encode(),
        ContentType="application/json",
    )


def _delete_document(bucket: str, key: str) -> None:
    """Delete every version, so that a bucket made by the same, failed, creation of a stack is empty again."""
    for page in client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key):
        for version in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            client("s3").delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])


def _start(event: Mapping[str, Any], *, trigger: str) -> dict[str, Any]:
    """Start a run named after the request, so that a request that is delivered twice starts one."""
    properties = event["ResourceProperties"]
    name = _name(event, trigger)
    if trigger == "deploy" and "Signal" in properties:
        signal.expect(properties["LockTable"], properties["Signal"], _execution_arn(properties, name))
    execution = _run(properties, name, trigger=trigger)
    return {
        "PhysicalResourceId": event.get("PhysicalResourceId", properties["WorkflowName"]),
        "Data": {"ExecutionArn": execution},
    }


def _run(properties: Mapping[str, Any], name: str, *, trigger: str) -> str:
    states = client("stepfunctions")
    try:
        states.start_execution(
            stateMachineArn=properties["StateMachineArn"], name=name, input=json.dumps({"trigger": trigger})
        )
    except states.exceptions.ExecutionAlreadyExists:
        log.info("the run %s was started before", name)
    return _execution_arn(properties, name)


def _name(event: Mapping[str, Any], trigger: str) -> str:
    return f"{trigger}-{event['RequestId']}"


def _execution_arn(properties: Mapping[str, Any], name: str) -> str:
    return f"{properties['StateMachineArn'].replace(':stateMachine:', ':execution:')}:{name}"


def _stop_holder(properties: Mapping[str, Any], *, but: str = "") -> None:
    """Stop the run that holds the lock, which the next run may then take over.

    :param but: The run that is not stopped: the one of a request that is delivered once more.
    """
    holder = lock.holder(properties["LockTable"])
    if holder in ("", but):
        return
    try:
        client("stepfunctions").stop_execution(
            executionArn=holder, error=lock.SUPERSEDED, cause="the stack no longer wants what this run was started for"
        )
    except client("stepfunctions").exceptions.ExecutionDoesNotExist:
        log.info("the run %s that held the lock is gone", holder)
