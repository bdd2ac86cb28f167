"""What the workflow tells EventBridge of resources, as a queue gets it."""

from __future__ import annotations

import json
import uuid
from typing import Any

from personalize_local.cloud.client import LocalCloud

EVERYWHERE = {"workflow", "execution", "resource", "name", "arn", "change"}


class Events:
    """Begins to listen when it is made.

    :param cloud: The local cloud.
    """

    def __init__(self, cloud: LocalCloud) -> None:
        self._sqs, name = cloud.client("sqs"), f"events-{uuid.uuid4().hex[:8]}"
        self._queue = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        allowed = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        self._sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": policy})
        client = cloud.client("events")
        pattern = {"source": ["cdk-personalize"], "detail-type": ["Personalize Resource Change"]}
        client.put_rule(Name=name, EventPattern=json.dumps(pattern))
        client.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
        self._got: list[dict[str, Any]] = []

    def of(self, run: str) -> list[dict[str, Any]]:
        """The details of the events that came of a run, in their order."""
        while messages := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
                self._got.append(json.loads(message["Body"]))
        return [event["detail"] for event in self._got if event["detail"]["execution"] == run]


def told(events: list[dict[str, Any]]) -> list[tuple[str, str, dict[str, Any]]]:
    """Events in short: the resource, the change, and what belongs to it."""
    return [
        (event["resource"], event["change"], {key: event[key] for key in event.keys() - EVERYWHERE}) for event in events
    ]


def changes(events: list[dict[str, Any]]) -> list[str]:
    """Events in shorter: ``solution VERSION_ACTIVE``."""
    return [f"{event['resource']} {event['change']}" for event in events]
