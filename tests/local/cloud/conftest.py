"""Helpers that run hand-written templates and state machines in the local cloud."""

import io
import json
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from personalize_local.cloud.client import LocalCloud
from tests.told import Events

ROLE_ARN = "arn:aws:iam::000000000000:role/any"
PUT_EVENTS = "arn:aws:states:::events:putEvents"
TERMINAL = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 20) -> Any:
    """Poll until the condition gives something true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.03)
    return found


def zipped(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "."), text)
    return buffer.getvalue()


class StateMachines:
    """Creates state machines and runs them to their end."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.client = cloud.client("stepfunctions")
        self.events = Events(cloud)

    def create(self, definition: dict[str, Any], name: str | None = None) -> str:
        created = self.client.create_state_machine(
            name=name or unique("machine"), definition=json.dumps(definition), roleArn=ROLE_ARN
        )
        arn: str = created["stateMachineArn"]
        return arn

    def start(self, arn: str, value: Any = None) -> str:
        started = self.client.start_execution(stateMachineArn=arn, input=json.dumps(value if value is not None else {}))
        execution: str = started["executionArn"]
        return execution

    def end(self, execution: str, seconds: float = 20) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            described: dict[str, Any] = self.client.describe_execution(executionArn=execution)
            return described if described["status"] in TERMINAL else None

        described: dict[str, Any] = wait_for(ended, f"the end of {execution}", seconds)
        return described

    def run(self, definition: dict[str, Any], value: Any = None) -> dict[str, Any]:
        ended = self.end(self.start(self.create(definition), value))
        unsent = [
            event["taskFailedEventDetails"]
            for event in self.history(ended["executionArn"])
            if event["type"] == "TaskFailed" and event["taskFailedEventDetails"]["resource"] == PUT_EVENTS
        ]
        assert unsent == [], "what cannot be sent stops nothing, so it would not be noticed"
        return ended

    def told(self, definition: dict[str, Any], value: Any = None) -> tuple[Any, list[dict[str, Any]]]:
        """The output of a machine, and the details of the events that it sent, in their order."""
        ended = self.run(definition, value)
        assert ended["status"] == "SUCCEEDED", ended
        return json.loads(ended["output"]), self.events.of(ended["executionArn"])

    def output(self, definition: dict[str, Any], value: Any = None) -> Any:
        ended = self.run(definition, value)
        assert ended["status"] == "SUCCEEDED", ended
        return json.loads(ended["output"])

    def jsonata(self, state: dict[str, Any], value: Any = None, **more: dict[str, Any]) -> Any:
        """The output of a JSONata machine of one state, and others by name."""
        return self.output(machine(state, "JSONata", **more), value)

    def history(self, execution: str) -> list[dict[str, Any]]:
        pages = self.client.get_paginator("get_execution_history").paginate(executionArn=execution)
        return [event for page in pages for event in page["events"]]


def machine(first: dict[str, Any], query_language: str = "JSONata", **more: dict[str, Any]) -> dict[str, Any]:
    """A definition that starts with the state `First`, which ends unless it says what is next."""
    if not {"Next", "End"} & first.keys() and first["Type"] not in ("Choice", "Succeed", "Fail"):
        first = {**first, "End": True}
    return {"QueryLanguage": query_language, "StartAt": "First", "States": {"First": first, **more}}


class Stacks:
    """Deploys templates, and deletes at the end what is left."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.client = cloud.client("cloudformation")
        self._names: list[str] = []

    def deploy(self, template: dict[str, Any], name: str | None = None, **options: Any) -> dict[str, Any]:
        """Create a stack, or update the one of that name, and return its description when that is done."""
        exists = name in self._names
        name = name or unique("stack")
        self._names.append(name)
        call = self.client.update_stack if exists else self.client.create_stack
        call(StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"], **options)
        return self.settled(name)

    def settled(self, name: str) -> dict[str, Any]:
        def described() -> dict[str, Any] | None:
            stack: dict[str, Any] = self.client.describe_stacks(StackName=name)["Stacks"][0]
            return None if stack["StackStatus"].endswith("IN_PROGRESS") else stack

        found: dict[str, Any] = wait_for(described, f"stack {name}", 40)
        return found

    def delete(self, name: str) -> None:
        self.client.delete_stack(StackName=name)
        self.client.get_waiter("stack_delete_complete").wait(
            StackName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 400}
        )
        self._names.remove(name)

    def events(self, name: str) -> list[tuple[str, str, str]]:
        """(logical id, status, reason), oldest first."""
        events = self.client.describe_stack_events(StackName=name)["StackEvents"]
        return [
            (event["LogicalResourceId"], event["ResourceStatus"], event.get("ResourceStatusReason", ""))
            for event in reversed(events)
        ]

    def close(self) -> None:
        for name in set(self._names):
            self.client.delete_stack(StackName=name)


@pytest.fixture(scope="module", autouse=True)
def leave_no_resources(personalize_local: LocalCloud) -> Iterator[None]:
    """The local cloud is shared, and so are its quotas."""
    yield
    personalize_local.reset()


@pytest.fixture(scope="session")
def machines(personalize_local: LocalCloud) -> StateMachines:
    return StateMachines(personalize_local)


@pytest.fixture
def stacks(personalize_local: LocalCloud) -> Iterator[Stacks]:
    made = Stacks(personalize_local)
    yield made
    made.close()


@pytest.fixture(scope="session")
def function(personalize_local: LocalCloud) -> Callable[..., str]:
    """Creates a Lambda function of source code and returns its ARN."""
    client = personalize_local.client("lambda")

    def create(source: str, runtime: str = "python3.13", timeout: int = 20, **variables: str) -> str:
        file = "index.py" if runtime.startswith("python") else "index.js"
        created = client.create_function(
            FunctionName=unique("function"),
            Runtime=runtime,
            Handler="index.handler",
            Role=ROLE_ARN,
            Timeout=timeout,
            Environment={"Variables": variables},
            Code={"ZipFile": zipped(**{file.replace(".", "__"): source})},
        )
        arn: str = created["FunctionArn"]
        return arn

    return create
