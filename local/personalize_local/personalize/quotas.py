"""Quotas, as data.

See https://docs.aws.amazon.com/personalize/latest/dg/limits.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import limit_exceeded
from .resources import Kind
from .state import Record, Scope


@dataclass(frozen=True)
class Quota:
    """How many resources of a kind there may be.

    :param name: its key in ``Settings.quotas``.
    :param kind: the kind that it counts.
    :param default: the number.
    :param per: the attribute that tells the groups apart that are counted. Default: - per account and Region.
    :param busy: count only what is pending or in progress. Default: - count what has not failed.
    """

    name: str
    kind: str
    default: int
    per: str | None = None
    busy: bool = False


QUOTAS = (
    Quota("schemas", "Schema", 500),
    Quota("dataset_groups", "DatasetGroup", 5),
    Quota("busy_import_jobs", "DatasetImportJob", 5, busy=True),
    Quota("busy_solution_versions", "SolutionVersion", 20, busy=True),
    Quota("solutions_per_dataset_group", "Solution", 10, per="datasetGroupArn"),
    Quota("campaigns_per_dataset_group", "Campaign", 5, per="datasetGroupArn"),
    Quota("filters_per_dataset_group", "Filter", 30, per="datasetGroupArn"),
)

#: numbers that do not count resources
NUMBERS = {
    "min_interactions_to_train": 1000,
    "min_users_to_train": 25,
    "min_records_per_interactions_import": 1000,
    "fields_of_all_filters_per_dataset_group": 20,
    "tags_per_resource": 50,
}


class Quotas:
    """The quotas of one service.

    :param overrides: numbers by name.
    :raises ValueError: for a name that there is not.
    """

    def __init__(self, overrides: Mapping[str, int]) -> None:
        defaults = {**{quota.name: quota.default for quota in QUOTAS}, **NUMBERS}
        unknown = sorted(set(overrides) - set(defaults))
        if unknown:
            raise ValueError(f"unknown quotas {unknown}, there are {sorted(defaults)}")
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
            if quota.busy:
                raise limit_exceeded(f"More than {allowed} resources with PENDING or IN_PROGRESS status.")
            words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind.name).strip()
            raise limit_exceeded(
                f"Cannot create a {words}. More than {allowed} resources in ACTIVE state. "
                "Please delete some and try again."
            )


def _counts(quota: Quota, record: Record, attributes: Mapping[str, Any]) -> bool:
    if quota.per and record.attributes.get(quota.per) != attributes.get(quota.per):
        return False
    status = record.progress.status
    return record.progress.busy and not status.startswith("DELETE") if quota.busy else "FAILED" not in status
