"""Which objects that come into S3 start a run, as EventBridge takes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jsii
from aws_cdk import Stack, Token
from aws_cdk import aws_s3 as s3
from constructs import Construct, IValidation

from .._lazy import lazy_any
from ..dataset import DataSource
from ..s3_location import S3Location

#: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
PATTERN_LENGTH = 2048
#: As long as the name of a bucket may be: what is known only when it is deployed is taken to be so long
_UNKNOWN = "?" * 63


@jsii.implements(IValidation)
class NewFiles:
    """New files in some places, read once all of them are declared.

    :param scope: The construct whose runs they start.
    :param places: What they come into.
    """

    def __init__(self, scope: Construct, places: Callable[[], Sequence[DataSource | S3Location]]) -> None:
        self._scope, self._places = scope, places
        self.detail = {"bucket": {"name": lazy_any(self._names)}, "object": {"key": lazy_any(self._keys)}}
        """``detail`` of an event pattern."""

    def validate(self) -> list[str]:
        """Say what EventBridge would refuse when it is deployed."""
        pattern = {
            "detail-type": ["Object Created"],
            "source": ["aws.s3"],
            "detail": {"bucket": {"name": self._names()}, "object": {"key": self._keys()}},
        }
        known = _guess(Stack.of(self._scope).resolve(pattern))
        length = len(json.dumps(known, separators=(",", ":"), ensure_ascii=False))
        if length <= PATTERN_LENGTH:
            return []
        return [
            f"the {len(self._places())} folders whose new files start runs of {self._scope.node.path!r} make an event "
            f"pattern of {length} characters, of which EventBridge takes {PATTERN_LENGTH}: give the sources of "
            "datasets and the inputs of jobs shorter prefixes, or declare fewer of them in this dataset group"
        ]

    def _names(self) -> list[str]:
        return [bucket.bucket_name for bucket in buckets_of(self._places())]

    def _keys(self) -> list[dict[str, str]]:
        """The prefixes, each once; one in the folder of another is no more than that."""
        prefixes = list(dict.fromkeys(place.prefix for place in self._places()))
        return [{"prefix": prefix} for prefix in prefixes if not _is_within(prefix, prefixes)]


def buckets_of(places: Iterable[DataSource | S3Location]) -> list[s3.IBucket]:
    """The buckets of some places, each once.

    :param places: The places.
    """
    return list({place.bucket.node.path: place.bucket for place in places}.values())


def _is_within(prefix: str, prefixes: Iterable[str]) -> bool:
    return not Token.is_unresolved(prefix) and any(
        prefix.startswith(other) for other in prefixes if other != prefix and not Token.is_unresolved(other)
    )


def _guess(value: Any) -> Any:
    """A resolved value with a text of some length for what CloudFormation puts in."""
    if isinstance(value, list):
        return [_guess(each) for each in value]
    if isinstance(value, dict):
        [*names] = value
        if len(names) == 1 and (names[0] == "Ref" or names[0].startswith("Fn::")):
            return _UNKNOWN
        return {name: _guess(each) for name, each in value.items()}
    return value
