"""Quotas of Amazon Personalize that a declaration can exceed.

Source: https://docs.aws.amazon.com/personalize/latest/dg/limits.html
"""

from __future__ import annotations

from typing import Final

from aws_cdk import Annotations
from constructs import IConstruct

PER_DATASET_GROUP: Final = {"solutions": 10, "campaigns": 5, "filters": 30}
"""What AWS raises on request, so that more is a warning."""

FILTER_FIELDS_PER_DATASET_GROUP: Final = 20
RECOMMENDERS_PER_DATASET_GROUP: Final = 5
"""What AWS does not raise, so that more is an error."""


def warn_above(construct: IConstruct, noun: str, count: int) -> None:
    """Warn once when a dataset group has more of something than AWS allows by default.

    :param construct: The dataset group.
    :param noun: Key of :data:`PER_DATASET_GROUP`.
    :param count: How many there are now.
    """
    limit = PER_DATASET_GROUP[noun]
    if count == limit + 1:
        Annotations.of(construct).add_warning_v2(
            f"cdk-personalize:{noun}Quota",
            f"a dataset group has at most {limit} {noun} by default; request a higher quota before deploying more",
        )
