"""Custom resources of this library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import CustomResource, RemovalPolicy
from constructs import Construct, IDependable

from cdk_personalize._provider import TOTAL_TIMEOUT, Provider


def custom_resource(
    scope: Construct,
    id: str,
    *,
    resource_type: str,
    properties: Mapping[str, Any],
    removal_policy: RemovalPolicy,
    policies: Sequence[IDependable],
) -> CustomResource:
    """Create a custom resource that the stack's provider handles.

    :param scope: Parent.
    :param id: Construct id.
    :param resource_type: Such as ``"Custom::PersonalizeDataset"``.
    :param properties: Properties; ``None`` values are left out, other falsy values are kept.
    :param removal_policy: What CloudFormation does with it.
    :param policies: What lets the provider handle it: created before it, and deleted after it.
    """
    resource = CustomResource(
        scope,
        id,
        service_token=Provider.get_or_create(scope).service_token,
        resource_type=resource_type,
        properties={name: value for name, value in properties.items() if value is not None},
        removal_policy=removal_policy,
        # A provider that never answers must not hold the stack for longer than the provider's own limit.
        service_timeout=TOTAL_TIMEOUT,
    )
    resource.node.add_dependency(*policies)
    return resource
