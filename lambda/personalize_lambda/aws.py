"""Clients of AWS services, made when they are first used."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, HTTPClientError

NOT_FOUND = "ResourceNotFoundException"
ALREADY_EXISTS = "ResourceAlreadyExistsException"
IN_USE = "ResourceInUseException"

PATIENCE_SECONDS = 120
PAUSE_SECONDS = 5.0

_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
# The service says LimitExceeded of rates, too.
_THROTTLED = frozenset(
    {"LimitExceededException", "SlowDown", "Throttling", "ThrottlingException", "TooManyRequestsException"}
)
_SERVER_ERROR = 500
_MESSAGE_LENGTH = 2000

Result = TypeVar("Result")

log = logging.getLogger("personalize_lambda")
log.setLevel(logging.INFO)


@cache
def client(service: str) -> Any:
    """Return a client.

    :param service: Name of the service, such as ``"personalize"``.
    """
    return boto3.client(service, config=Config(retries={"mode": "standard", "total_max_attempts": 5}))


def code_of(error: ClientError) -> str:
    """Return the code of a service's error."""
    return str(error.response["Error"]["Code"])


def message_of(error: ClientError) -> str:
    """Return the message of a service's error."""
    return str(error.response["Error"].get("Message", error))


def is_denied(error: Exception) -> bool:
    """Return whether a permission is missing, or not known everywhere yet."""
    return isinstance(error, ClientError) and code_of(error) in _DENIED


def is_transient(error: Exception) -> bool:
    """Return whether the same call may succeed a little later, the permission to make it aside."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return code_of(error) in _THROTTLED or status >= _SERVER_ERROR
    return isinstance(error, (HTTPClientError, EndpointConnectionError))


def patiently(act: Callable[[], Result]) -> Result:
    """Do what can be done twice, and do it again for a while where it failed for a reason that may pass.

    A permission counts among these: one that a deployment has just given takes a while to be known everywhere.

    :param act: What to do.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return act()
        except (ClientError, BotoCoreError) as error:
            if not (is_denied(error) or is_transient(error)) or time.monotonic() > deadline:
                raise
            log.info("tried again in %s seconds: %s", PAUSE_SECONDS, error)
        time.sleep(PAUSE_SECONDS)


@contextmanager
def short_messages() -> Iterator[None]:
    """Shorten messages of errors: CloudFormation takes answers of at most 4,096 bytes, the error's trace included."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        if len(str(error)) <= _MESSAGE_LENGTH:
            raise
        text = str(error)
        half = _MESSAGE_LENGTH // 2
        raise RuntimeError(f"{text[:half]} ... {text[-half:]}") from None


def arn_in_stack(event: Mapping[str, Any], tail: str) -> str:
    """Return the ARN of a Personalize resource in the account and Region of the event's stack.

    :param event: Event of CloudFormation.
    :param tail: Resource type and name, such as ``"schema/films"``.
    """
    _, partition, _, region, account, _ = event["StackId"].split(":", 5)
    return f"arn:{partition}:personalize:{region}:{account}:{tail}"
