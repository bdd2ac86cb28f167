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

SCRIPT = Path(__file__).with_name("driver.mjs")


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


class Cli:
    """The AWS CLI, one process per call."""

    _PROGRAM = str(Path(sys.executable).with_name("aws"))
    _ERROR = re.compile(r"An error occurred \((\w+)\) when calling the \w+ operation: (.*)")

    def __init__(self, cloud: LocalCloud) -> None:
        self._environment = {**cloud.subprocess_environment, "AWS_PAGER": "", "AWS_CONFIG_FILE": "/nonexistent"}

    def call(self, service: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        command = [self._PROGRAM, service, xform_name(operation, "-"), "--output", "json"]
        done = subprocess.run(
            [*command, "--cli-input-json", json.dumps(parameters)],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            refused = self._ERROR.search(done.stderr)
            assert refused, done.stderr
            raise CallError(*refused.groups())
        found: dict[str, Any] = json.loads(done.stdout or "{}")
        return found

    def close(self) -> None:
        pass


class JavaScript:
    """The AWS SDK for JavaScript, in one process of Node."""

    def __init__(self, cloud: LocalCloud) -> None:
        node = shutil.which("node")
        assert node, "Node.js is needed; `make setup` says so too"
        self._process = subprocess.Popen(
            [node, str(SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=cloud.subprocess_environment,
            text=True,
        )

    def call(self, service: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        request = {"service": service, "operation": operation, "parameters": parameters}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise CallError(answer["error"], answer["message"])
        found: dict[str, Any] = answer["output"]
        return found

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=10)


DRIVERS: Mapping[str, Callable[[LocalCloud], Driver]] = {"boto3": Boto3, "cli": Cli, "javascript": JavaScript}
