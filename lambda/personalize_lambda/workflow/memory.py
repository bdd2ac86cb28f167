"""What the last run left, kept beside the lock."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from personalize_lambda.aws import client

_KEY = {"id": {"S": "left"}}


def read(table: str) -> dict[str, Any]:
    """Return what the last run left, by ARN; empty when nothing is known about it.

    :param table: Name of the table.
    """
    item = client("dynamodb").get_item(TableName=table, Key=_KEY, ConsistentRead=True).get("Item", {})
    return dict(json.loads(item["left"]["S"])) if "left" in item else {}


def write(table: str, left: Mapping[str, Any]) -> None:
    """Remember what a run leaves.

    :param table: Name of the table.
    :param left: A snapshot of :mod:`personalize_lambda.planner.drift`.
    """
    client("dynamodb").put_item(TableName=table, Item={**_KEY, "left": {"S": json.dumps(left)}})
