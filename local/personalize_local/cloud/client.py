"""What users hold of a running local cloud."""

import http.client
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from personalize_local.cloud.settings import ACCOUNT, HOST, REGION, CloudSettings, client_environment


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
    _clients: dict[tuple[str, str, str], Any] = field(default_factory=dict, repr=False, compare=False)

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

    def client(self, service: str, *, account: str = ACCOUNT, region: str = REGION) -> Any:
        """A boto3 client of a service, made once.

        :param service: boto3's name of it, such as `personalize-runtime`.
        :param account: the account that its calls are for, a number of 12 digits. Default: - 000000000000
        :param region: the Region that its calls are for. Default: us-east-1
        """
        wanted = (service, account, region)
        if wanted not in self._clients:
            import boto3

            self._clients[wanted] = boto3.session.Session(
                # the access key is what tells accounts apart
                aws_access_key_id=account,
                aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
                region_name=region,
            ).client(service, endpoint_url=self.endpoint_url)
        return self._clients[wanted]

    def calls(self, operation: str = "*", *, since: int = 0) -> list[dict[str, Any]]:
        """The calls that Personalize got, oldest first, whoever made them: clients, state machines, CloudFormation.

        :param operation: such as `CreateSolutionVersion`; `*` stands for any text. Default: - any
        :param since: only calls with a higher `number`. Default: 0
        :returns: dictionaries with `number`, `service`, `operation`, `request`, `error` and more.
        """
        found: list[dict[str, Any]] = self._admin("calls", {"operation": operation, "since": since})["calls"]
        return found

    def fail(self, operation: str, **fault: Any) -> None:
        """Let something go wrong with calls of an operation, or with what they create.

        :param operation: such as `CreateCampaign`; `*` stands for any text.
        :param fault: one of `code` (and `message`, `status`) for an error answer, `failure_reason` for what the call
            creates, `delay_seconds` for a slow call, `stale_seconds` for how long nobody sees what it creates. One
            call is hit, or `times`, or with a `rate` from 0 to 1 that share of all (which ones depends on `seed`);
            `name` limits it to resources of that name.
        :raises AdminError: for anything else.
        """
        self._admin("fail", {"operation": operation, **fault})

    def forget_faults(self) -> None:
        """Let nothing go wrong any more."""
        self._admin("forget_faults", {})

    def advance(self, seconds: float, *, schedules: bool = False) -> None:
        """Let time pass at once, as far as Personalize is concerned.

        :param seconds: on AWS.
        :param schedules: Whether it passes for the schedules of EventBridge Scheduler, too: each that becomes due
            meanwhile fires within a second, once. Default: False
        """
        self._admin("advance", {"seconds": seconds})
        if schedules:
            self._admin("advance_schedules", {"seconds": seconds})

    def used_permissions(self) -> dict[str, dict[str, list[str]]]:
        """Where IAM is enforced: by the name of each role and by action, the resources on which it was allowed.

        What a role may do and this does not show is a permission that nothing has needed so far.
        """
        return self._admin("used_permissions", {})

    def datasets(self) -> dict[str, dict[str, Any]]:
        """What datasets hold, by ARN: how many `records`, and a text that stands for those `imported`."""
        found: dict[str, dict[str, Any]] = self._admin("datasets", {})["datasets"]
        return found

    def status(self) -> dict[str, Any]:
        """What Personalize holds: `resources` by kind, `calls`, faults that `struck`, also by operation, settings."""
        return self._admin("status", {})

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
