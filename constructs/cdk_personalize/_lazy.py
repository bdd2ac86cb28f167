"""Values that are computed when the template is written, since declarations may be added until then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jsii
from aws_cdk import IResolvable, IStableAnyProducer, IStableListProducer, IStableStringProducer, Lazy


@jsii.implements(IStableAnyProducer)
class _Any:
    def __init__(self, produce: Callable[[], Any]) -> None:
        self._produce = produce

    def produce(self) -> Any:
        return self._produce()


@jsii.implements(IStableListProducer)
class _List:
    def __init__(self, produce: Callable[[], Sequence[str]]) -> None:
        self._produce = produce

    def produce(self) -> list[str]:
        return list(self._produce())


@jsii.implements(IStableStringProducer)
class _String:
    def __init__(self, produce: Callable[[], str]) -> None:
        self._produce = produce

    def produce(self) -> str:
        return self._produce()


def lazy_any(produce: Callable[[], Any]) -> IResolvable:
    """Return a token for any value."""
    return Lazy.any(_Any(produce))


def lazy_list(produce: Callable[[], Sequence[str]]) -> list[str]:
    """Return a token for a list of strings."""
    return Lazy.list(_List(produce))


def lazy_string(produce: Callable[[], str]) -> str:
    """Return a token for a string."""
    return Lazy.string(_String(produce))
