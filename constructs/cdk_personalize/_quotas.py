"""Warnings about what AWS raises on request."""

from __future__ import annotations

from aws_cdk import Annotations
from constructs import IConstruct

from cdk_personalize.facts.limits import Limit


def warn_above(construct: IConstruct, noun: str, limit: Limit, count: int) -> None:
    """Warn once when a dataset group has more of something than AWS allows by default.

    :param construct: The dataset group.
    :param noun: What there is more of.
    :param limit: How many AWS allows by default.
    :param count: How many there are now.
    """
    if count == limit + 1:
        Annotations.of(construct).add_warning_v2(
            f"cdk-personalize:{noun}Quota",
            f"a dataset group has at most {limit} {noun} by default; request a higher quota before deploying more",
        )
