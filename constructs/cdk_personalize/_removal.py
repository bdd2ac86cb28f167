"""What happens to data when their construct is removed."""

from __future__ import annotations

from aws_cdk import RemovalPolicy

_DECLARED = {
    RemovalPolicy.DESTROY: "destroy",
    RemovalPolicy.RETAIN: "retain",
    RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE: "retain",
}


def check_removal_policy(removal_policy: RemovalPolicy) -> None:
    """Check a removal policy.

    :raises ValueError: When it does not apply to data of Amazon Personalize.
    """
    if removal_policy not in _DECLARED:
        raise ValueError(
            f"removal_policy must be one of {[policy.name for policy in _DECLARED]}, got {removal_policy.name}"
        )


def declared(removal_policy: RemovalPolicy) -> str:
    """Return how a custom resource is told about a removal policy.

    When a creation is rolled back, CloudFormation deletes what the default policy keeps. That is right for what was
    made, and wrong for existing data that were adopted, so the handler has to know.
    """
    return _DECLARED[removal_policy]
