"""``Custom::PersonalizeDeployment``: hands the desired state to the workflow and starts a run; on deletion, has
everything removed that the workflow made.

The desired state of a stack that goes away is an empty one, so that a teardown is a run like any other.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from personalize_lambda.aws import client
from personalize_lambda.workflow.observe import remaining

_LOCK = {"id": {"S": "lock"}}
TEARDOWN_SECONDS = 55 * 60


def create(event: Mapping[str, Any]) -> dict[str, Any]:
    """Write the desired state and start a run."""
    properties = event["ResourceProperties"]
    _write(properties, properties["Document"])
    return _start(event, trigger="deploy")


update = create


def delete(event: Mapping[str, Any]) -> dict[str, Any]:
    """Declare that nothing is wanted any more, stop the run under way, and start one that removes everything."""
    properties = event["ResourceProperties"]
    if properties["Retain"] == "true":
        return {"PhysicalResourceId": event["PhysicalResourceId"]}
    document = json.loads(properties["Document"])
    _write(properties, json.dumps({**document, "datasets": [], "solutions": []}))
    _stop_holder(properties)
    return _start(event, trigger="teardown")


def is_complete(event: Mapping[str, Any]) -> dict[str, Any]:
    """A deployment does not wait for its run; a deletion waits until nothing is left.

    :raises RuntimeError: when the removing run failed, or when things are left after 55 minutes.
    """
    properties = event["ResourceProperties"]
    if event["RequestType"] != "Delete" or properties["Retain"] == "true":
        return {"IsComplete": True}
    execution = client("stepfunctions").describe_execution(executionArn=event["Data"]["ExecutionArn"])
    if execution["status"] not in ("RUNNING", "SUCCEEDED"):
        # CloudFormation takes answers of at most 4,096 bytes
        cause = execution.get("cause", "no cause given")[:1000]
        raise RuntimeError(
            f"removing what the workflow made ended {execution['status']}: {cause}. "
            "Mend what it names and delete the stack again"
        )
    left = remaining(json.loads(properties["Document"]), personalize=client("personalize"))
    if left and time.time() - execution["startDate"].timestamp() > TEARDOWN_SECONDS:
        raise RuntimeError(
            f"after {TEARDOWN_SECONDS // 60} minutes these are not gone yet: {'; '.join(left)}. "
            "Delete the stack again to go on waiting for them"
        )
    if execution["status"] == "RUNNING":
        return {"IsComplete": False}
    if left:  # the run that was started has left it to one that was under way
        if not _lock_holder(properties):
            client("stepfunctions").start_execution(
                stateMachineArn=properties["StateMachineArn"], input=json.dumps({"trigger": "teardown"})
            )
        return {"IsComplete": False}
    _delete_document(properties["DocumentBucket"], properties["DocumentKey"])
    return {"IsComplete": True}


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
    machine, name = properties["StateMachineArn"], f"{trigger}-{event['RequestId']}"
    states = client("stepfunctions")
    try:
        states.start_execution(stateMachineArn=machine, name=name, input=json.dumps({"trigger": trigger}))
    except states.exceptions.ExecutionAlreadyExists:
        print(f"the run {name} was started before")
    return {
        "PhysicalResourceId": event.get("PhysicalResourceId", properties["WorkflowName"]),
        "Data": {"ExecutionArn": f"{machine.replace(':stateMachine:', ':execution:')}:{name}"},
    }


def _lock_holder(properties: Mapping[str, Any]) -> str:
    answer = client("dynamodb").get_item(TableName=properties["LockTable"], Key=_LOCK, ConsistentRead=True)
    item = answer.get("Item", {})
    return str(item.get("execution", {}).get("S", ""))


def _stop_holder(properties: Mapping[str, Any]) -> None:
    """Stop the run that holds the lock, which the next run may then take over."""
    holder = _lock_holder(properties)
    if not holder:
        return
    try:
        client("stepfunctions").stop_execution(
            executionArn=holder, error="StackDeleted", cause="the stack is being deleted; its run is no longer wanted"
        )
    except client("stepfunctions").exceptions.ExecutionDoesNotExist:
        print(f"the run {holder} that held the lock is gone")
