"""The lock of a workflow: which run is under way, and whether another has asked for one more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from personalize_lambda.aws import client

SUPERSEDED = "Superseded"
"""The error of a run that was stopped because another does its work."""

KEY = {"id": {"S": "lock"}}


def read(table: str) -> Mapping[str, Any]:
    """Return the item of the lock; empty when no run holds it.

    :param table: Name of the table.
    """
    item: Mapping[str, Any] = client("dynamodb").get_item(TableName=table, Key=KEY, ConsistentRead=True).get("Item", {})
    return item


def holder(table: str) -> str:
    """Return the ARN of the run that took the lock last; empty when it was given back.

    :param table: Name of the table.
    """
    return str(read(table).get("execution", {}).get("S", ""))


def is_held(table: str) -> bool:
    """Return whether the run that took the lock is still under way. One that ended may have left it behind.

    :param table: Name of the table.
    """
    execution = holder(table)
    if not execution:
        return False
    states = client("stepfunctions")
    try:
        return bool(states.describe_execution(executionArn=execution)["status"] == "RUNNING")
    except states.exceptions.ExecutionDoesNotExist:
        return False
