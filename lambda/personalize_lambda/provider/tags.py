"""Tags, brought up to date without touching those that others set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from personalize_lambda.aws import client

OWNER_TAG = "cdk-personalize:owner"


def for_api(properties: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the tags of a resource's properties as the API takes them."""
    return [{"tagKey": key, "tagValue": value} for key, value in _declared(properties).items()]


def current(arn: str) -> dict[str, str]:
    """Return the tags that a resource has.

    :param arn: ARN of the resource.
    """
    found = client("personalize").list_tags_for_resource(resourceArn=arn)["tags"]
    return {tag["tagKey"]: tag["tagValue"] for tag in found}


def synchronize(arn: str, wanted: Mapping[str, Any], former: Mapping[str, Any] | None = None) -> None:
    """Set the tags that are declared, and remove those that were declared and are no more.

    :param arn: ARN of the resource.
    :param wanted: Properties that hold the declared tags.
    :param former: Properties before an update. Default: - nothing is removed
    """
    declared = _declared(wanted)
    existing = current(arn)
    changed = {key: value for key, value in declared.items() if existing.get(key) != value}
    if changed:
        client("personalize").tag_resource(
            resourceArn=arn, tags=[{"tagKey": key, "tagValue": value} for key, value in changed.items()]
        )
    removed = _removed(_declared(former or {}), declared, existing)
    if removed:
        client("personalize").untag_resource(resourceArn=arn, tagKeys=removed)


def _removed(former: Iterable[str], declared: Mapping[str, str], existing: Mapping[str, str]) -> list[str]:
    return sorted(key for key in former if key in existing and key not in declared)


def _declared(properties: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
