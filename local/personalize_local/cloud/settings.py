"""How a local cloud runs."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 4566
ACCOUNT: Final = "000000000000"
REGION: Final = "us-east-1"
# A wait of 5 s takes 50 ms: state machines that poll every few seconds keep up with resources that take milliseconds.
DEFAULT_WAIT_SCALE: Final = 0.01

# What a user's shell may hold that would point the emulator or a Lambda function somewhere else.
_DROPPED_PREFIXES: Final = ("AWS_", "LOCALSTACK_", "MINISTACK_", "SFN_", "LAMBDA_")
_DROPPED: Final = frozenset(
    {
        "AUTH",
        "CURL_CA_BUNDLE",
        "EDGE_PORT",
        "PERSIST_STATE",
        "REQUESTS_CA_BUNDLE",
        "S3_DATA_DIR",
        "S3_PERSIST",
        "SERVICES",
        "SSL_CERT_FILE",
        "STATE_DIR",
        "USE_SSL",
        *(name for proxy in ("http", "https", "all") for name in (f"{proxy}_proxy", f"{proxy}_PROXY".upper())),
    }
)


@dataclass(frozen=True)
class CloudSettings:
    """How a local cloud runs.

    :param port: TCP port on 127.0.0.1. Default: 4566
    :param time_scale: seconds that pass here for one second on AWS, in state machines and in Personalize; 1 is real
        time. Default: - fast: state machines wait a hundredth of the time, Personalize takes milliseconds
    :param data: the directory that everything is kept in, so that it survives a restart; an absolute path. Default: -
        nothing is kept
    :param only_personalize: whether there are only Personalize and S3, without the rest of AWS: it starts faster and
        needs less memory; every role may read every bucket. Default: False
    :param quotas: numbers by the names of `personalize_local.personalize.Settings`; a rate that is named is limited.
        Default: - those of AWS
    :param limit_rates: whether there is a limit to the requests in a second on this machine. Default: False
    :param seed: what training derives from. Default: 0
    :param fail: faults that are there from the start, each with the members of
        `personalize_local.personalize.Fault`. Default: - none
    :param exit_with_parent: whether the server ends when its standard input closes, that is when the process that
        started it ends. Default: False
    :param enforce_iam: whether roles of Lambda functions and of state machines, and bucket policies, must allow what is
        done. Default: False, everything is allowed
    """

    port: int = DEFAULT_PORT
    time_scale: float | None = None
    data: str | None = None
    only_personalize: bool = False
    quotas: Mapping[str, int] = field(default_factory=dict)
    limit_rates: bool = False
    seed: int = 0
    fail: tuple[Mapping[str, Any], ...] = ()
    exit_with_parent: bool = False
    enforce_iam: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if not 1 <= self.port <= 65535:
            raise ValueError(f"port must be 1 to 65535, got {self.port}")
        if self.time_scale is not None and self.time_scale < 0:
            raise ValueError(f"time scale must be 0 or more, got {self.time_scale}")

    @property
    def endpoint_url(self) -> str:
        """Where clients find it. An IP address: AWS SDKs then put the bucket into the path, not into the host name."""
        return f"http://{HOST}:{self.port}"

    @property
    def wait_scale(self) -> float:
        """Factor of every wait in a state machine."""
        return DEFAULT_WAIT_SCALE if self.time_scale is None else self.time_scale

    def to_json(self) -> str:
        """Serialize, for the server's command line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "CloudSettings":
        """Read what `to_json` wrote."""
        values = json.loads(text)
        return cls(**{**values, "fail": tuple(values["fail"])})


def server_environment(
    settings: CloudSettings, inherited: Mapping[str, str], temporary_directory: Path
) -> dict[str, str]:
    """Environment variables of the server, and so of the Lambda functions that it runs.

    :param settings: how it runs.
    :param inherited: the environment of whoever starts it.
    :param temporary_directory: where it unpacks Lambda functions.
    """
    kept = {
        name: value
        for name, value in inherited.items()
        if name not in _DROPPED and not name.startswith(_DROPPED_PREFIXES)
    }
    data = {}
    if settings.data is not None:
        data = {
            "PERSIST_STATE": "1",
            "S3_DATA_DIR": f"{settings.data}/s3",
            "S3_PERSIST": "1",
            "STATE_DIR": f"{settings.data}/aws",
        }
    return {
        **kept,
        **data,
        **({"SERVICES": "s3,sts"} if settings.only_personalize else {}),
        **({"AUTH": "true"} if settings.enforce_iam else {}),
        "BIND_HOST": HOST,
        # No Docker daemon is looked for: functions run as processes.
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
        "GATEWAY_PORT": str(settings.port),
        "IOT_MTLS_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_HOST": HOST,
        "MINISTACK_REGION": REGION,
        "NO_PROXY": "*",
        "PYTHONUNBUFFERED": "1",
        "SFN_WAIT_SCALE": repr(settings.wait_scale),
        "SFTP_ENABLED": "0",
        "TMPDIR": str(temporary_directory),
    }


def client_environment(port: int) -> dict[str, str]:
    """Environment variables that point AWS SDKs, the AWS CLI and the CDK CLI at a local cloud.

    :param port: its port.
    """
    endpoint = CloudSettings(port=port).endpoint_url
    return {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
