"""Tags on resources that CloudFormation does not tag itself."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final

import jsii
from aws_cdk import IResolvable, Stack, TagManager, TagType, Token
from constructs import IConstruct, IValidation

from cdk_personalize._lazy import lazy_any
from cdk_personalize.facts import limits
from cdk_personalize.facts.names import TAG_SIGNS, TAGS_OF_AWS

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
        scope.node.add_validation(_Valid(self))

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


@jsii.implements(IValidation)
class _Valid:
    def __init__(self, tags: ResourceTags) -> None:
        self._tags = tags

    def validate(self) -> list[str]:
        return list(_problems(self._tags.values()))


def _problems(tags: Mapping[str, str]) -> Iterator[str]:
    if len(tags) > limits.TAGS_PER_RESOURCE:
        yield f"a resource has at most {limits.TAGS_PER_RESOURCE} tags, got {len(tags)}"
    for key, value in tags.items():
        if Token.is_unresolved(key) or key == OWNER_TAG:
            continue
        if not 1 <= len(key) <= limits.TAG_KEY_LENGTH:
            yield f"the key of a tag must have 1 to {limits.TAG_KEY_LENGTH} characters, got {key!r}"
        if key.casefold().startswith(TAGS_OF_AWS.names):
            yield f"the key of a tag must not start with {' or '.join(TAGS_OF_AWS.names)}, got {key!r}"
        yield from _character_problems("key", key)
        if Token.is_unresolved(value):
            continue
        if len(value) > limits.TAG_VALUE_LENGTH:
            yield f"the value of a tag has at most {limits.TAG_VALUE_LENGTH} characters, got {len(value)} of {key!r}"
        yield from _character_problems("value", value)


def _character_problems(part: str, text: str) -> Iterator[str]:
    odd = sorted({sign for sign in text if sign not in TAG_SIGNS.names and unicodedata.category(sign)[0] not in "LZN"})
    if odd:
        yield f"the {part} of a tag has letters, digits, spaces and {' '.join(TAG_SIGNS.names)}, got {odd} in {text!r}"
