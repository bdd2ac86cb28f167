"""What exists of a dataset group, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

JsonObject = dict[str, Any]
File = tuple[str, str, int]
"""Key, ETag and bytes of an object in S3."""

ACTIVE = "ACTIVE"
COMPLETED = "COMPLETED"
"""What a data deletion job is in the end; other jobs are then ACTIVE."""
FAILED = "CREATE FAILED"
STOPPED = "CREATE STOPPED"
INACTIVE = "INACTIVE"
VERDICT_TAG = "cdk-personalize:verdict"
"""Tag of a solution version whose value begins with :data:`REFUSED` or :data:`CHOSEN`, and says why. Others are not
judged yet, or were found good."""
REFUSED = "refused"
CHOSEN = "chosen"
UPDATABLE = ("performAutoTraining", "performIncrementalUpdate")
UPDATABLE_CONFIG = ("autoTrainingConfig",)
"""What of a solution is changed in place; everything else makes another solution."""
UNDER_WAY = ("CREATE PENDING", "CREATE IN_PROGRESS")
"""What an update is while it is being made; until then, what it changes is shown as it was."""
_ENDS = {
    **dict.fromkeys((*UNDER_WAY, "START PENDING", "START IN_PROGRESS"), ACTIVE),
    **dict.fromkeys(("STOP PENDING", "STOP IN_PROGRESS"), INACTIVE),
}


@dataclass(frozen=True, kw_only=True)
class ImportJob:
    """A dataset import job as it is."""

    arn: str
    name: str
    status: str
    created: float
    mode: str = "FULL"


@dataclass(frozen=True, kw_only=True)
class DatasetState:
    """A dataset as it is: the files that its source and its incremental source hold, and the imports made since it was
    created."""

    files: Sequence[File]
    imports: Sequence[ImportJob]
    additions: Sequence[File] = ()


@dataclass(frozen=True, kw_only=True)
class Job:
    """A batch inference, batch segment, dataset export or data deletion job as it is."""

    arn: str
    name: str
    status: str
    created: float
    solution_version_arn: str | None = None


@dataclass(frozen=True, kw_only=True)
class JobState:
    """What there is of a declared job: the files that its input holds, and the jobs made for it so far."""

    files: Sequence[File] = ()
    jobs: Sequence[Job] = ()


@dataclass(frozen=True, kw_only=True)
class SolutionVersion:
    """A solution version as it is; ``verdict`` is what was said of it, see :data:`VERDICT_TAG`."""

    arn: str
    status: str
    created: float
    mode: str = "FULL"
    verdict: str | None = None

    @property
    def is_settled(self) -> bool:
        """Whether its training has ended, in whatever way."""
        return self.status in (ACTIVE, FAILED, STOPPED)

    @property
    def is_trained(self) -> bool:
        """Whether it was trained, or is being trained."""
        return self.status not in (FAILED, STOPPED)

    @property
    def is_refused(self) -> bool:
        """Whether campaigns must not serve it."""
        return (self.verdict or "").startswith(REFUSED)

    @property
    def is_chosen(self) -> bool:
        """Whether campaigns are to serve it, whatever it is like."""
        return (self.verdict or "").startswith(CHOSEN)


@dataclass(frozen=True, kw_only=True)
class SolutionState:
    """A solution as it is; ``configuration`` is what of it can be changed in place, as UpdateSolution names it."""

    arn: str
    name: str
    status: str
    owned: bool
    versions: Sequence[SolutionVersion]
    configuration: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CampaignState:
    """A campaign as it is; ``update_status`` is that of its latest update, which has a status of its own.

    The solution version and ``configuration`` are what an update that is under way makes of it; until then, it serves
    ``former_version_arn``.
    """

    arn: str
    name: str
    status: str
    update_status: str | None
    owned: bool
    solution_version_arn: str
    configuration: JsonObject
    former_version_arn: str | None = None


@dataclass(frozen=True, kw_only=True)
class RecommenderState:
    """A recommender as it is; ``update_status`` is that of its latest update, which has a status of its own.

    ``configuration`` is what an update that is under way makes of it.
    """

    arn: str
    name: str
    status: str
    update_status: str | None
    owned: bool
    configuration: JsonObject

    @property
    def is_busy(self) -> bool:
        """Whether it is to be waited for before anything is done to it."""
        return self.status not in (ACTIVE, INACTIVE) or self.update_status in UNDER_WAY

    @property
    def end_status(self) -> str:
        """What it is once what is under way has ended, if that succeeds."""
        return _ENDS.get(self.status, self.status)


@dataclass(frozen=True, kw_only=True)
class World:
    """All that exists of one dataset group, by ARN; ``now`` is the service's time when it was read, in seconds.

    ``jobs`` is by the prefix of their names. ``last_deletion`` is when users were last deleted from the data, in
    seconds: what was trained before that still knows them.
    """

    now: float = 0.0
    datasets: Mapping[str, DatasetState] = field(default_factory=dict)
    solutions: Mapping[str, SolutionState] = field(default_factory=dict)
    campaigns: Mapping[str, CampaignState] = field(default_factory=dict)
    recommenders: Mapping[str, RecommenderState] = field(default_factory=dict)
    jobs: Mapping[str, JobState] = field(default_factory=dict)
    last_deletion: float | None = None


def solution_of(solution_version_arn: str) -> str:
    """The ARN of the solution that a solution version belongs to."""
    return solution_version_arn.rsplit("/", 1)[0]
