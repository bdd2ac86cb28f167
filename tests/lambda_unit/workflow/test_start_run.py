"""A batch of messages about new files starts one run."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from personalize_lambda.workflow import start_run


class States:
    """Step Functions as far as the function uses it."""

    class exceptions:  # noqa: N801 - boto3's name
        class ExecutionAlreadyExists(Exception):  # noqa: N818
            pass

    def __init__(self) -> None:
        self.started: dict[str, Any] = {}

    def start_execution(self, **arguments: Any) -> None:
        if arguments["name"] in self.started:
            raise self.exceptions.ExecutionAlreadyExists
        self.started[arguments["name"]] = arguments


def test_batch_starts_one_run_even_when_delivered_twice(
    clients: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_MACHINE_ARN", "machine")
    states = States()
    clients(stepfunctions=states)
    keys = [f"items/{number}.csv" for number in range(30)]
    records = [
        {"messageId": f"m{number}", "body": json.dumps({"detail": {"object": {"key": key}}})}
        for number, key in enumerate(keys)
    ]
    for _ in range(2):
        start_run.handler({"Records": records}, None)
    (run,) = states.started.values()
    assert (run["name"], run["stateMachineArn"]) == ("files-m0", "machine")
    assert json.loads(run["input"]) == {"trigger": "files", "files": keys[:20]}
