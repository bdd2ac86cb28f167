"""Deploys to the local cloud, with the real CDK CLI or without it, and reads back what is there."""

from __future__ import annotations

import json
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tools import assembly

from .used import Grant, grants

ROOT = Path(__file__).parents[2]
PATIENCE = 120


class App(Protocol):
    """An app with one stack."""

    @property
    def stack(self) -> str:
        """Name of the stack."""

    def synth(self, folder: Path) -> Path:
        """Synthesize it into a folder."""


class CommandError(AssertionError):
    """The CDK CLI failed; the text is what it printed."""


@dataclass
class Deployer:
    """One local cloud, and what is deployed to it.

    :param granted: What the roles of each stack were allowed whenever it was destroyed.
    """

    cloud: Any
    folder: Path
    granted: dict[str, list[list[Grant]]] = field(default_factory=dict)
    _count: int = field(default=0)
    _prepared: bool = field(default=False)

    def cdk(self, *arguments: str) -> str:
        """Run the CLI; what it printed."""
        if not self._prepared:
            self._prepared = True
            self.cdk("bootstrap", "aws://000000000000/us-east-1")
        result = subprocess.run(
            [ROOT / "node_modules" / ".bin" / "cdk", "--no-notices", *arguments],
            env={
                **self.cloud.subprocess_environment,
                "CI": "true",
                "CDK_DISABLE_CLI_TELEMETRY": "true",
                "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
            },
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE * 2,
            check=False,
        )
        if result.returncode:
            raise CommandError(result.stdout + result.stderr)
        return result.stdout + result.stderr

    def deploy(self, app: App, *, cli: bool = False) -> dict[str, str]:
        """Synthesize and deploy; the stack's outputs."""
        folder = self.synth(app)
        if cli:
            self.cdk("deploy", "--app", str(folder), "--all", "--require-approval", "never")
            return self.outputs(app.stack)
        return self.deploy_assembly(folder)

    def deploy_assembly(self, folder: Path) -> dict[str, str]:
        """Deploy what is synthesized already, all stacks; their outputs."""
        if not self._prepared:
            self._prepared = True
            assembly.prepare(self.cloud)
        assembly.publish(self.cloud, folder)
        outputs = {}
        for stack in assembly.stacks(folder):
            found = assembly.deploy(self.cloud, stack)
            outputs |= {name if name not in outputs else f"{stack.name}{name}": value for name, value in found.items()}
        return outputs

    def destroy(self, app: App, *, cli: bool = False) -> None:
        """Destroy the stack."""
        if cli:
            self.note_granted(app.stack)
            self.cdk("destroy", "--app", str(self.synth(app)), "--all", "--force")
        else:
            self.destroy_stack(app.stack)

    def destroy_stack(self, name: str) -> None:
        """Destroy a stack by its name."""
        self.note_granted(name)
        assembly.destroy(self.cloud, name)

    def note_granted(self, stack: str) -> None:
        """Note what the roles of a stack are allowed now."""
        self.granted.setdefault(stack, []).append(grants(self.cloud, stack))

    def synth(self, app: App) -> Path:
        """Synthesize into a new folder."""
        self._count += 1
        return app.synth(self.folder / f"assembly-{self._count}")

    def stack(self, name: str) -> dict[str, Any]:
        """DescribeStacks of one stack."""
        return assembly.describe(self.cloud, name)

    def outputs(self, name: str) -> dict[str, str]:
        """The outputs of a stack."""
        return assembly.outputs(self.cloud, name)

    def upload(self, outputs: dict[str, str], **files: str) -> None:
        """Upload CSV texts, each into the folder of its name."""
        for folder, text in files.items():
            self.cloud.client("s3").put_object(Bucket=outputs["Bucket"], Key=f"{folder}/data.csv", Body=text.encode())

    def runs(self, outputs: dict[str, str]) -> list[dict[str, Any]]:
        """The executions of the workflow, newest first."""
        executions: list[dict[str, Any]] = self.cloud.client("stepfunctions").list_executions(
            stateMachineArn=outputs["Workflow"]
        )["executions"]
        return sorted(executions, key=lambda execution: execution["startDate"], reverse=True)

    def settled(self, outputs: dict[str, str], *, more_than: int = 0) -> dict[str, Any]:
        """Wait until more than ``more_than`` runs exist and none is running any more; the newest that did something."""
        deadline, idle = time.monotonic() + PATIENCE, 0
        while time.monotonic() < deadline:
            runs = self.runs(outputs)
            idle = idle + 1 if len(runs) > more_than and all(run["status"] != "RUNNING" for run in runs) else 0
            if idle == 4:
                described = [self.run(run["executionArn"]) for run in runs]
                return next(run for run in described if run["output"].get("status") != "QUEUED")
            time.sleep(0.12)
        raise AssertionError(f"after {PATIENCE} s the runs are {self.runs(outputs)}")

    def run(self, arn: str) -> dict[str, Any]:
        """DescribeExecution, with the output parsed."""
        execution = self.cloud.client("stepfunctions").describe_execution(executionArn=arn)
        return {**execution, "output": json.loads(execution.get("output") or "{}")}

    def subscribe(self, outputs: dict[str, str]) -> str:
        """Subscribe a new queue to the workflow's topic; its URL."""
        sqs = self.cloud.client("sqs")
        url: str = sqs.create_queue(QueueName=f"told-{uuid.uuid4().hex}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        allowed = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": outputs["Topic"]}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        self.cloud.client("sns").subscribe(TopicArn=outputs["Topic"], Protocol="sqs", Endpoint=arn)
        return url

    def told(self, queue: str) -> list[str]:
        """The messages that a subscribed queue has got."""
        received = self.cloud.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=5)
        return [json.loads(message["Body"])["Message"] for message in received.get("Messages", [])]

    def recommend(self, outputs: dict[str, str], user: str = "user-1", **arguments: Any) -> list[str]:
        """The items recommended to a user."""
        answer = self.cloud.client("personalize-runtime").get_recommendations(
            campaignArn=outputs["Campaign"], userId=user, **arguments
        )
        return [item["itemId"] for item in answer["itemList"]]

    @contextmanager
    def constant_client(self, outputs: dict[str, str]) -> Iterator[list[int]]:
        """A client that asks all the time; yields the lengths of its answers, and raises its first error at the end."""
        lengths: list[int] = []
        errors: list[Exception] = []
        stop = threading.Event()

        def ask() -> None:
            while not stop.wait(0.01):
                try:
                    lengths.append(len(self.recommend(outputs)))
                except Exception as error:
                    errors.append(error)
                    return

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        try:
            yield lengths
        finally:
            stop.set()
            thread.join(10)
        if errors:
            raise errors[0]
