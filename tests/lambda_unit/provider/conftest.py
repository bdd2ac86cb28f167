"""The provider's handlers, called as CloudFormation and the provider framework of the CDK call them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from personalize_lambda import aws
from personalize_lambda.provider import is_complete, lifecycle, on_event
from personalize_local.personalize import Settings
from tests.local.personalize.support import ACCOUNT, REGION, Cloud

STACK_ID = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/films/11111111-2222-3333-4444-555555555555"
OWNER = "films-Movies-12345678"


@dataclass
class Stack:
    """A stack: sends events, and waits as the framework does."""

    cloud: Cloud
    status: str = "CREATE_IN_PROGRESS"
    events: list[dict[str, Any]] = field(default_factory=list)

    def describe_stacks(self, **arguments: Any) -> dict[str, Any]:
        """Stand in for the client of CloudFormation."""
        assert arguments == {"StackName": STACK_ID}
        return {"Stacks": [{"StackStatus": self.status}]}

    def create(self, resource_type: str, **properties: Any) -> dict[str, Any]:
        """Send Create and wait; return what CloudFormation is told."""
        return self.send("Create", resource_type, properties)

    def update(
        self, resource_type: str, physical_id: str, former: Mapping[str, Any], **properties: Any
    ) -> dict[str, Any]:
        """Send Update and wait; return what CloudFormation is told."""
        return self.send(
            "Update", resource_type, properties, PhysicalResourceId=physical_id, OldResourceProperties=former
        )

    def delete(self, resource_type: str, physical_id: str, **properties: Any) -> dict[str, Any]:
        """Send Delete and wait; return what CloudFormation is told."""
        return self.send("Delete", resource_type, properties, PhysicalResourceId=physical_id)

    def send(
        self, request_type: str, resource_type: str, properties: Mapping[str, Any], **members: Any
    ) -> dict[str, Any]:
        """Send an event and wait until it is handled."""
        event = self.start(request_type, resource_type, properties, **members)
        for _ in itertools.count():
            result = is_complete.handler(event, None)
            if result["IsComplete"]:
                return event | ({"Data": event["Data"] | result["Data"]} if result.get("Data") else {})
        raise AssertionError

    def start(
        self, request_type: str, resource_type: str, properties: Mapping[str, Any], **members: Any
    ) -> dict[str, Any]:
        """Send an event; return what the framework then waits with."""
        event = {
            "RequestType": request_type,
            "ResourceType": resource_type,
            "RequestId": "request",
            "LogicalResourceId": "Resource",
            "StackId": STACK_ID,
            "ResourceProperties": {"ServiceToken": "token", **properties},
            **members,
        }
        result = json.loads(json.dumps(on_event.handler(event, None)))
        if request_type == "Delete":
            assert result["PhysicalResourceId"] == event["PhysicalResourceId"]
        return event | result


@pytest.fixture
def make_stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Stack]]:
    """Make stacks, each with a service of its own; the last one made is the one that the handlers reach."""
    made: list[Stack] = []
    monkeypatch.setattr(lifecycle, "POLL_SECONDS", 0.005)
    monkeypatch.setattr(aws, "PAUSE_SECONDS", 0.005)
    monkeypatch.setattr(aws, "PATIENCE_SECONDS", 0.5)

    def make(settings: Settings | None = None) -> Stack:
        stack = Stack(Cloud(settings or Settings()))
        made.append(stack)
        clients = {"personalize": stack.cloud.personalize, "cloudformation": stack}
        monkeypatch.setattr(aws.boto3, "client", lambda name, **_: clients[name])
        aws.client.cache_clear()
        return stack

    yield make
    aws.client.cache_clear()
    for stack in made:
        stack.cloud.service.close()


@pytest.fixture
def stack(make_stack: Callable[..., Stack]) -> Stack:
    """A stack with default settings."""
    return make_stack()
