"""Three ways to call AWS: boto3, the AWS CLI, and the AWS SDK for JavaScript. All take and give plain JSON."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from botocore import xform_name
from botocore.exceptions import ClientError

from personalize_local.cloud.client import LocalCloud

HERE = Path(__file__).parent


class CallError(Exception):
    """The service answered with an error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Driver(Protocol):
    """A client of AWS."""

    def call(self, service: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Run one operation.

        :raises CallError: when the service refuses it.
        """

    def close(self) -> None:
        """End what it started."""


class Boto3:
    """boto3 in this process."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud

    def call(self, service: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        method = getattr(self._cloud.client(service), xform_name(operation))
        try:
            answer = method(**parameters)
        except ClientError as error:
            raise CallError(error.response["Error"]["Code"], error.response["Error"]["Message"]) from error
        del answer["ResponseMetadata"]
        found: dict[str, Any] = json.loads(json.dumps(answer, default=str))
        return found

    def close(self) -> None:
        pass


class Lines:
    """A process that answers each line of JSON with another."""

    def __init__(self, command: list[str], environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
        )

    def ask(self, question: Any) -> dict[str, Any]:
        """Put one question."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """End it."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=10)


class Cli:
    """The AWS CLI, one process per call."""

    _ERROR = re.compile(r"An error occurred \((\w+)\) when calling the \w+ operation: (.*)")

    def __init__(self, cloud: LocalCloud) -> None:
        environment = {**cloud.subprocess_environment, "AWS_PAGER": "", "AWS_CONFIG_FILE": "/nonexistent"}
        self._lines = Lines([sys.executable, str(HERE / "cli_driver.py")], environment)

    def call(self, service: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        command = [service, xform_name(operation, "-"), "--output", "json"]
        done = self._lines.ask([*command, "--cli-input-json", json.dumps(parameters)])
        if done["code"]:
            refused = self._ERROR.search(done["errors"])
            assert refused, done["errors"]
            raise CallError(*refused.groups())
        found: dict[str, Any] = json.loads(done["output"] or "{}")
        return found

    def close(self) -> None:
        self._lines.close()


class JavaScript:
    """The AWS SDK for JavaScript, in one process of Node."""

    def __init__(self, cloud: LocalCloud) -> None:
        node = shutil.which("node")
        assert node, "Node.js is needed; `make setup` says so too"
        self._lines = Lines([node, str(HERE / "driver.mjs")], cloud.subprocess_environment)

    def call(self, service: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        answer = self._lines.ask({"service": service, "operation": operation, "parameters": parameters})
        if "error" in answer:
            raise CallError(answer["error"], answer["message"])
        found: dict[str, Any] = answer["output"]
        return found

    def close(self) -> None:
        self._lines.close()


DRIVERS: Mapping[str, Callable[[LocalCloud], Driver]] = {"boto3": Boto3, "cli": Cli, "javascript": JavaScript}
