"""Tags of resources.

See https://docs.aws.amazon.com/personalize/latest/dg/tagging-resources.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .engine import Context, Parameters
from .errors import ServiceError, invalid_input
from .state import Record, missing

_RESERVED_PREFIX = "aws:"


def read_tags(context: Context, tags: Sequence[Mapping[str, str]], present: Mapping[str, str]) -> dict[str, str]:
    """Add the tags of a request to those that are there.

    :raises ServiceError: InvalidInputException for keys that AWS keeps for itself or that come twice,
        TooManyTagsException.
    """
    keys = [tag["tagKey"] for tag in tags]
    reserved = [key for key in keys if key.lower().startswith(_RESERVED_PREFIX)]
    if reserved:
        raise invalid_input(f"Tag keys must not start with aws:, got {', '.join(reserved)}")
    if len(set(keys)) != len(keys):
        raise invalid_input("Tag keys must be unique within a request")
    joined = {**present, **{tag["tagKey"]: tag["tagValue"] for tag in tags}}
    allowed = context.engine.quotas["tags_per_resource"]
    if len(joined) > allowed:
        raise ServiceError("TooManyTagsException", f"A resource can have at most {allowed} tags, got {len(joined)}")
    return joined


def tag_resource(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """TagResource."""
    record = _taggable(context, parameters["resourceArn"])
    record.tags = read_tags(context, parameters["tags"], record.tags)
    return {}


def untag_resource(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """UntagResource."""
    record = _taggable(context, parameters["resourceArn"])
    allowed = context.engine.quotas["tags_per_resource"]
    if len(parameters["tagKeys"]) > allowed:
        got = len(parameters["tagKeys"])
        raise ServiceError("TooManyTagKeysException", f"A resource can have at most {allowed} tags, got {got} tagKeys")
    for key in parameters["tagKeys"]:
        record.tags.pop(key, None)
    return {}


def list_tags_for_resource(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """ListTagsForResource."""
    record = _taggable(context, parameters["resourceArn"])
    return {"tags": [{"tagKey": key, "tagValue": value} for key, value in record.tags.items()]}


def _taggable(context: Context, arn: str) -> Record:
    record = context.scope.any(arn)
    if record is None:
        raise missing("", arn)
    if not record.kind.taggable:
        raise invalid_input(f"Resources of type {record.kind.name} cannot be tagged: {arn}")
    return record
