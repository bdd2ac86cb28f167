"""What the last run left, and what this run found changed since: kept beside the lock."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from personalize_lambda.aws import client

_KEY = {"id": {"S": "left"}}


@dataclass(frozen=True)
class Memory:
    """What is remembered.

    :param left: What the last run left, by ARN: a snapshot of :mod:`personalize_lambda.planner.drift`; empty when
        nothing is known about it.
    :param execution: The run that wrote it.
    :param drift: What that run found changed by hand.
    """

    left: Mapping[str, Any] = field(default_factory=dict)
    execution: str = ""
    drift: Sequence[str] = ()


def read(table: str) -> Memory:
    """Return what is remembered.

    :param table: Name of the table.
    """
    item = client("dynamodb").get_item(TableName=table, Key=_KEY, ConsistentRead=True).get("Item")
    if item is None:
        return Memory()
    found = {name: json.loads(item[name]["S"]) for name in ("left", "drift") if name in item}
    return Memory(execution=item.get("execution", {"S": ""})["S"], **found)


def write(table: str, memory: Memory) -> None:
    """Remember.

    :param table: Name of the table.
    :param memory: What takes the place of what was remembered.
    """
    parts = {"left": json.dumps(memory.left), "execution": memory.execution, "drift": json.dumps(memory.drift)}
    client("dynamodb").put_item(TableName=table, Item={**_KEY, **{name: {"S": text} for name, text in parts.items()}})
