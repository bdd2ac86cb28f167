"""Quotas: how many there may be of what. The numbers are in ``resources``.

See https://docs.aws.amazon.com/personalize/latest/dg/limits.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import limit_exceeded
from .resources import NUMBERS, QUOTAS, RATES, Kind, Quota
from .state import Record, Scope


class Quotas:
    """The quotas of one service.

    :param overrides: numbers by name.
    :raises ValueError: for a name that there is not.
    """

    def __init__(self, overrides: Mapping[str, int]) -> None:
        defaults = {**{quota.name: quota.default for quota in QUOTAS}, **NUMBERS}
        known = {*defaults, *(rate.name for rate in RATES)}
        unknown = sorted(set(overrides) - known)
        if unknown:
            raise ValueError(f"unknown quotas {unknown}, there are {sorted(known)}")
        negative = {name: number for name, number in sorted(overrides.items()) if number < 0}
        if negative:
            raise ValueError(f"quotas must be 0 or more, got {negative}")
        self._numbers = {**defaults, **overrides}

    def __getitem__(self, name: str) -> int:
        """Look a number up."""
        return self._numbers[name]

    def check(self, scope: Scope, kind: Kind, attributes: Mapping[str, Any]) -> None:
        """Check that there is room for one more.

        :raises ServiceError: LimitExceededException.
        """
        for quota in QUOTAS:
            if quota.kind != kind.name:
                continue
            allowed = self._numbers[quota.name]
            if sum(_counts(quota, record, attributes) for record in scope.all(kind.name)) < allowed:
                continue
            if quota.busy or quota.pending:
                statuses = "PENDING" if quota.pending else "PENDING or IN_PROGRESS"
                raise limit_exceeded(f"More than {allowed} resources with {statuses} status.")
            raise limit_exceeded(
                f"Cannot create a {kind.words}. More than {allowed} resources in ACTIVE state. "
                "Please delete some and try again."
            )


def _counts(quota: Quota, record: Record, attributes: Mapping[str, Any]) -> bool:
    if quota.per and record.attributes.get(quota.per) != attributes.get(quota.per):
        return False
    status = record.progress.status
    if quota.pending:
        return status.endswith("PENDING")
    return record.progress.busy and not status.startswith("DELETE") if quota.busy else "FAILED" not in status
