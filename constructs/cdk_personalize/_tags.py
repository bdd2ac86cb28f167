"""Tags on resources that CloudFormation does not tag itself."""

from __future__ import annotations

from typing import Final

from aws_cdk import IResolvable, Stack, TagManager, TagType
from constructs import IConstruct

from cdk_personalize._lazy import lazy_any

OWNER_TAG: Final = "cdk-personalize:owner"
"""Tag key that says which construct a resource belongs to."""

OWNER_TAG_PRIORITY: Final = 1000
"""Higher than that of ``Tags.of(...)``, so that no other tag takes its place."""


class ResourceTags:
    """The tags of one resource: those of ``Tags.of(...)``, those of the stack, and the owner tag.

    CloudFormation gives the tags of a stack to the resource types that it knows; custom resources get them here.
    """

    def __init__(self, scope: IConstruct, resource_type: str, owner: str) -> None:
        """Collect the tags of a construct.

        :param scope: The construct.
        :param resource_type: What ``include_resource_types`` and ``exclude_resource_types`` of tags are compared with.
        :param owner: Value of the owner tag.
        """
        self._scope = scope
        self._owner = owner
        self.manager = TagManager(TagType.KEY_VALUE, resource_type)

    def values(self) -> dict[str, str]:
        """Return the tags as they are now, sorted by key."""
        merged = {**Stack.of(self._scope).tags.tag_values(), **self.manager.tag_values(), OWNER_TAG: self._owner}
        return dict(sorted(merged.items()))

    def for_custom_resource(self) -> IResolvable:
        """Return a token for a list of ``{"Key": ..., "Value": ...}``."""
        return lazy_any(lambda: [{"Key": key, "Value": value} for key, value in self.values().items()])

    def for_api(self) -> IResolvable:
        """Return a token for a list of ``{"tagKey": ..., "tagValue": ...}``, as the API of the service has it."""
        return lazy_any(lambda: [{"tagKey": key, "tagValue": value} for key, value in self.values().items()])
