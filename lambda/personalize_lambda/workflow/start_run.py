"""Starts a run for a batch of messages about new files."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from personalize_lambda.aws import client, log

_NAMED_FILES = 20


def handler(event: Mapping[str, Any], _context: object) -> None:
    """Start one run for all messages of the batch.

    The run is named after the first message, so a batch that is delivered twice starts one run.
    """
    records = event["Records"]
    keys = [json.loads(record["body"])["detail"]["object"]["key"] for record in records]
    try:
        client("stepfunctions").start_execution(
            stateMachineArn=os.environ["STATE_MACHINE_ARN"],
            name=f"files-{records[0]['messageId']}",
            input=json.dumps({"trigger": "files", "files": keys[:_NAMED_FILES]}),
        )
    except client("stepfunctions").exceptions.ExecutionAlreadyExists:
        log.info("a run for message %s was started before", records[0]["messageId"])
