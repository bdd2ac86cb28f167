"""What users hold of a running local cloud."""

import http.client
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from personalize_local.cloud.settings import HOST, CloudSettings, client_environment


class AdminError(RuntimeError):
    """The local cloud refused an administration call; the text says why."""


@dataclass(frozen=True)
class LocalCloud:
    """A running local cloud: where it is, clients of it, and what only a local cloud can do.

    :param port: its TCP port on 127.0.0.1.
    :param log_path: where it logs. Default: - not known
    """

    port: int
    log_path: Path | None = None
    _clients: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def endpoint_url(self) -> str:
        """The endpoint of every AWS service."""
        return CloudSettings(port=self.port).endpoint_url

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables that point AWS SDKs, the AWS CLI and the CDK CLI here, with dummy credentials."""
        return client_environment(self.port)

    @property
    def subprocess_environment(self) -> dict[str, str]:
        """This process's environment without its AWS variables, plus `environment`: for `subprocess.run(env=...)`."""
        return {**{key: value for key, value in os.environ.items() if not key.startswith("AWS_")}, **self.environment}

    def client(self, service: str) -> Any:
        """A boto3 client of a service, made once.

        :param service: boto3's name of it, such as `personalize-runtime`.
        """
        if service not in self._clients:
            import boto3

            settings = self.environment
            self._clients[service] = boto3.session.Session(
                aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
                region_name=settings["AWS_REGION"],
            ).client(service, endpoint_url=self.endpoint_url)
        return self._clients[service]

    def calls(self, operation: str = "*", *, since: int = 0) -> list[dict[str, Any]]:
        """The calls that Personalize got, oldest first, whoever made them: clients, state machines, CloudFormation.

        :param operation: such as `CreateSolutionVersion`; `*` stands for any text. Default: - any
        :param since: only calls with a higher `number`. Default: 0
        :returns: dictionaries with `number`, `service`, `operation`, `request`, `error` and more.
        """
        found: list[dict[str, Any]] = self._admin("calls", {"operation": operation, "since": since})["calls"]
        return found

    def fail(self, operation: str, **fault: Any) -> None:
        """Let the next calls of an operation fail, or what they create.

        :param operation: such as `CreateCampaign`; `*` stands for any text.
        :param fault: `code` (and `message`, `status`) for an error answer, or `failure_reason` for what the call
            creates; `times` (1) calls are hit; `name` limits it to resources of that name.
        :raises AdminError: for anything else.
        """
        self._admin("fail", {"operation": operation, **fault})

    def reset(self) -> None:
        """Forget every Personalize resource, call and fault; other services keep what they have."""
        self._admin("reset", {})

    def _admin(self, action: str, parameters: dict[str, Any]) -> dict[str, Any]:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=30)
        try:
            connection.request("POST", f"/_personalize/{action}", json.dumps(parameters))
            answer = connection.getresponse()
            body: dict[str, Any] = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status != 200:
            raise AdminError(f"/_personalize/{action}: {body.get('message', body)}")
        return body
