"""Clients of AWS services, made when they are first used."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

NOT_FOUND = "ResourceNotFoundException"
ALREADY_EXISTS = "ResourceAlreadyExistsException"
IN_USE = "ResourceInUseException"

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


def arn_in_stack(event: Mapping[str, Any], tail: str) -> str:
    """Return the ARN of a Personalize resource in the account and Region of the event's stack.

    :param event: Event of CloudFormation.
    :param tail: Resource type and name, such as ``"schema/films"``.
    """
    _, partition, _, region, account, _ = event["StackId"].split(":", 5)
    return f"arn:{partition}:personalize:{region}:{account}:{tail}"
