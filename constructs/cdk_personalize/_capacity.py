"""Requests a second that are always provisioned."""

from __future__ import annotations

from aws_cdk import Annotations, Token
from constructs import Construct

from cdk_personalize.facts.limits import PROVISIONED_REQUESTS


def check_requests(parameter: str, requests: int) -> None:
    """Check how many are provisioned.

    :param parameter: Name of the parameter.
    :param requests: Its value; tokens pass.
    :raises ValueError: When the service would not take it.
    """
    if not Token.is_unresolved(requests) and requests not in PROVISIONED_REQUESTS:
        raise ValueError(f"{parameter} must be at least {PROVISIONED_REQUESTS.minimum}, got {requests}")


def warn_of_idle_requests(construct: Construct, parameter: str, requests: int) -> None:
    """Warn when more is billed than has to be while nobody asks.

    :param construct: What is billed.
    :param parameter: Name of the parameter.
    :param requests: Its value; tokens pass.
    """
    if Token.is_unresolved(requests) or requests <= PROVISIONED_REQUESTS.minimum:
        return
    Annotations.of(construct).add_warning_v2(
        "cdk-personalize:idleCapacity",
        f"{parameter}={requests} is billed all the time, also while nobody asks; the service scales by itself from "
        f"{PROVISIONED_REQUESTS.minimum}, so use more only for requests that come in bursts",
    )
