"""What exists: resources, by account and Region, which never see each other."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .attribution import Tally
from .contents import DatasetContents
from .errors import not_found
from .filters import CompiledFilter
from .impressions import Impressions
from .resources import KINDS, Kind
from .serving import TrainedVersion


@dataclass(frozen=True)
class Way:
    """How something got under way.

    :param before: its status before that.
    :param begun: when, by the lifecycle's clock.
    :param failure: what it is going to fail with, if a fault was injected.
    :param call: service, operation and parameters of the call that set it going. Default: - it went by itself
    """

    before: str
    begun: float
    failure: str | None = None
    call: tuple[str, str, Mapping[str, Any]] | None = None


@dataclass
class Progress:
    """Where a resource, or an update of one, has got to.

    :param status: as the API reports it; empty for kinds that have none.
    :param created: Unix time in seconds.
    :param updated: Unix time in seconds.
    :param failure_reason: why it failed.
    :param run: number of the lifecycle that drives it; steps of an earlier one do nothing.
    :param way: how it got under way; what is needed to take it up again after a restart.
    """

    status: str
    created: float
    updated: float
    failure_reason: str | None = None
    run: int = 0
    way: Way | None = None

    @property
    def busy(self) -> bool:
        """Whether it is on its way to another status."""
        return self.status.endswith(("PENDING", "IN_PROGRESS", "STOPPING"))

    def to_api(self) -> dict[str, Any]:
        """The members that describe it."""
        return {
            "status": self.status,
            "failureReason": self.failure_reason,
            "creationDateTime": round(self.created, 3),
            "lastUpdatedDateTime": round(self.updated, 3),
        }


@dataclass
class Update:
    """The newest update of a resource, and what it asks for."""

    attributes: dict[str, Any]
    progress: Progress


@dataclass
class Record:
    """One resource.

    :param attributes: members of the API, and further ones that the emulator needs; answers are filtered by the
        API's shapes.
    """

    kind: Kind
    arn: str
    attributes: dict[str, Any]
    progress: Progress
    tags: dict[str, str] = field(default_factory=dict)
    update: Update | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.attributes[self.kind.name_member])

    @property
    def status(self) -> str:
        """Its status, as the API reports it."""
        if self.kind.update_is_status and self.update and self.update.progress.busy:
            return self.update.progress.status
        return self.progress.status

    @property
    def active(self) -> bool:
        """Whether others can be made from it."""
        return self.status in ("ACTIVE", "")

    @property
    def updating(self) -> bool:
        """Whether an update is under way."""
        return self.update is not None and self.update.progress.busy

    def names(self, member: str) -> set[Any]:
        """The values of an attribute: the present one, and the one that an update will give it."""
        present = {self.attributes.get(member)}
        return present | {self.update.attributes.get(member)} if self.update and self.updating else present

    def to_api(self) -> dict[str, Any]:
        """The members that Describe and List report."""
        described = {**self.attributes, self.kind.arn_member: self.arn, **self.progress.to_api()}
        described["status"] = self.status
        if self.kind.latest_update and self.update:
            described[self.kind.latest_update] = {**self.update.attributes, **self.update.progress.to_api()}
        return described


class Scope:
    """The resources of one account in one Region. Hold ``State.lock`` while using it.

    :ivar datasets: contents of datasets, by ARN.
    :ivar versions: trained solution versions, by ARN.
    :ivar filters: filters that can be applied, by ARN.
    :ivar tallies: what metric attributions have counted, by ARN.
    :ivar impressions: the newest answers of the runtime.
    """

    def __init__(self, account: str, region: str) -> None:
        self.account = account
        self.region = region
        self.datasets: dict[str, DatasetContents] = {}
        self.versions: dict[str, TrainedVersion] = {}
        self.filters: dict[str, CompiledFilter] = {}
        self.tallies: dict[str, Tally] = {}
        self.impressions = Impressions()
        self._records: dict[str, dict[str, Record]] = {name: {} for name in KINDS}

    @property
    def partition(self) -> str:
        """The partition of the Region."""
        return "aws-cn" if self.region.startswith("cn-") else "aws"

    def arn(self, tail: str) -> str:
        """Make the ARN of a resource."""
        return f"arn:{self.partition}:personalize:{self.region}:{self.account}:{tail}"

    def add(self, record: Record) -> None:
        """Take a new resource up."""
        self._records[record.kind.name][record.arn] = record

    def remove(self, record: Record) -> None:
        """Forget a resource, and what it holds."""
        self._records[record.kind.name].pop(record.arn, None)
        for held in (self.datasets, self.versions, self.filters, self.tallies):
            held.pop(record.arn, None)

    def find(self, kind: str, arn: str) -> Record | None:
        """Look a resource up."""
        return self._records[kind].get(arn)

    def get(self, kind: str, arn: str) -> Record:
        """Look a resource up.

        :raises ServiceError: ResourceNotFoundException if there is none.
        """
        record = self.find(kind, arn)
        if record is None:
            raise missing(kind, arn)
        return record

    def any(self, arn: str) -> Record | None:
        """Look a resource of any kind up."""
        return next((records[arn] for records in self._records.values() if arn in records), None)

    def all(self, kind: str, where: Callable[[Record], bool] = lambda record: True) -> Iterator[Record]:
        """Go through the resources of a kind, oldest first."""
        return (record for record in list(self._records[kind].values()) if where(record))

    def records(self) -> Iterator[Record]:
        """Go through all resources; those of a kind oldest first."""
        return itertools.chain.from_iterable(list(records.values()) for records in self._records.values())

    def children(self, kind: str, member: str, arn: str) -> list[Record]:
        """List the resources whose attribute names another resource, oldest first."""
        return [record for record in self._records[kind].values() if record.attributes.get(member) == arn]

    def dependants(self, kind: str, member: str, arn: str) -> list[Record]:
        """List the resources whose attribute names another resource, now or once an update has come through."""
        return [record for record in self._records[kind].values() if arn in record.names(member)]


class State:
    """The scopes, and the one lock that guards all of them."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._scopes: dict[tuple[str, str], Scope] = {}

    def scope(self, account: str, region: str) -> Scope:
        """The resources of one account in one Region."""
        with self.lock:
            return self._scopes.setdefault((account, region), Scope(account, region))

    def scopes(self) -> list[Scope]:
        """List the scopes that were used. The lock must be held."""
        return list(self._scopes.values())


_WORDS = {"DatasetGroup": "dataset group", "SolutionVersion": "solution version"}


def missing(kind: str, arn: str) -> Exception:
    """The error for a resource that does not exist."""
    if kind in _WORDS:
        return not_found(f"The given {_WORDS[kind]} does not exist: {arn}")
    return not_found(f"Resource Arn {arn} does not exist.")
