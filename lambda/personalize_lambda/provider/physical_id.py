"""Physical ids: the ARN, with a mark when the resource existed before.

When CloudFormation rolls back a creation, it sends Delete even for resources that are to be kept. What was made may
go then; what existed before must not, as it holds data of an earlier deployment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

_ADOPTED = "#adopted"


class PhysicalId(NamedTuple):
    """A parsed physical id.

    :param arn: ARN of the resource.
    :param is_adopted: Whether it existed before.
    """

    arn: str
    is_adopted: bool = False

    def __str__(self) -> str:
        """Return the form that CloudFormation keeps."""
        return f"{self.arn}{_ADOPTED if self.is_adopted else ''}"

    @property
    def name(self) -> str:
        """What follows the resource type in the ARN."""
        return self.arn.split("/", 1)[1]


def parse(event: Mapping[str, Any]) -> PhysicalId | None:
    """Return the physical id of an event; ``None`` when the creation failed before there was one.

    :param event: Event of CloudFormation.
    """
    text = str(event["PhysicalResourceId"])
    if not text.startswith("arn:"):
        return None
    return PhysicalId(text.removesuffix(_ADOPTED), text.endswith(_ADOPTED))


def is_kept(event: Mapping[str, Any], physical_id: PhysicalId) -> bool:
    """Return whether a Delete event must leave the resource alone.

    :param event: Event of CloudFormation; without a removal policy, data are kept.
    :param physical_id: Its parsed physical id.
    """
    policy = event["ResourceProperties"].get("RemovalPolicy", "retain")
    return physical_id.is_adopted and policy != "destroy"
