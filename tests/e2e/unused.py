"""Which permissions the apps of the end-to-end tests do not need, and why: patterns of ``part: kind: action``.

What is in none of these lists is asked for by a role, and allowed by that statement of the role alone. That a test
fails when it is taken away is proven by the unit tests of permissions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Reasons = Mapping[str, str]


def _because(reason: str, *patterns: str) -> dict[str, str]:
    return dict.fromkeys(patterns, reason)


_NO_ATTRIBUTION: Final = _because("there is no metric attribution", "attribution: *", "attribution made: *")
_NO_KEY: Final = _because("nothing is encrypted with a key", "group: service role: iam:PassRole")
_NO_RECOMMENDERS: Final = _because(
    "only dataset groups of a domain have recommenders",
    "plan: any recommender: *",
    "plan: recommender listing: *",
    "recommender: *",
    "run: owned recommenders: *",
    "run: recommender *",
    "teardown: any recommender: *",
    "teardown: recommender listing: *",
)
_NO_JOBS: Final = _because(
    "no jobs are declared",
    "plan: [*]: personalize:ListBatch*",
    "plan: [*]: personalize:ListDataDeletionJobs",
    "plan: [*]: personalize:ListDatasetExportJobs",
    "plan: dataset group: *",
    "job: *",
    "run: job *",
)
_NO_CAMPAIGNS: Final = _because(
    "there are no campaigns",
    "plan: any campaign: *",
    "run: [*]: personalize:ListCampaigns",
    "run: owned campaigns: *",
    "solution: any campaign: *",
    "solution: declared campaigns: *",
    "solution: declared solutions: personalize:CreateCampaign",
    "teardown: any campaign: *",
)
_NO_SOLUTIONS: Final = _because(
    "recommenders need no solutions",
    "plan: [*]: personalize:ListCampaigns",
    "plan: [*]: personalize:ListSolutionVersions",
    "plan: any campaign: *",
    "plan: any solution: *",
    "run: [*]: *",
    "run: any solution: *",
    "run: owned campaigns: *",
    "run: owned solutions: *",
    "run: owned trainings: *",
    "run: solution *",
    "solution: *",
    "teardown: [*]: personalize:ListCampaigns",
    "teardown: [*]: personalize:ListSolutionVersions",
    "teardown: any campaign: *",
    "teardown: any solution: *",
)
_NO_OBSOLETE_TRAINING: Final = _because(
    "no training is under way when its solution is declared no more",
    "run: any solution: personalize:DescribeSolutionVersion",
    "run: owned trainings: *",
)
_NOT_IN_USE: Final = _because("nothing is in use when it is to be deleted", "group made: *: personalize:Delete*")
_SCHEMAS_STAY: Final = _because(
    "no schema is changed, nor taken on", "group: any schema: *", "group: *: personalize:UpdateDataset"
)
_TAGS_STAY: Final = _because(
    "no tags are changed, nor anything taken on",
    "group: *: personalize:ListTagsForResource",
    "group: *: personalize:UntagResource",
)
_NO_UNTAGGING: Final = _because("no tag is taken away", "group: *: personalize:UntagResource")

NEVER: Final[Reasons] = {
    "job: batched solutions: personalize:CreateBatchSegmentJob": "the service authorization reference names the job "
    "alone, unlike for batch inference jobs; should that be an omission, the job could not be made without",
    "teardown: run state machine: states:StartExecution": "a run that was started by hand just then would have to take "
    "the lock from the one that the teardown stopped, before the one that it starts",
}
"""What does not come to use in any of them. Unit tests fail where one of these is taken away."""

_NEVER_OF_JOBS: Final = {pattern: reason for pattern, reason in NEVER.items() if pattern.startswith("job: batched")}

UNUSED: Final[Mapping[str, Reasons]] = {
    "Jobs": {
        **_NEVER_OF_JOBS,
        **_NO_ATTRIBUTION,
        **_NO_CAMPAIGNS,
        **_NO_KEY,
        **_NO_OBSOLETE_TRAINING,
        **_NO_RECOMMENDERS,
        **_NOT_IN_USE,
        **_SCHEMAS_STAY,
        **_TAGS_STAY,
        **_because("no training is changed", "solution: *: personalize:UpdateSolution"),
    },
    "Videos": {
        **_NO_ATTRIBUTION,
        **_NO_JOBS,
        **_NO_SOLUTIONS,
        **_NOT_IN_USE,
        **_SCHEMAS_STAY,
        **_TAGS_STAY,
        **_because("no files are written", "service role: files to write: *"),
    },
    "Shop": {**_NO_JOBS, **_NO_KEY, **_NO_OBSOLETE_TRAINING, **_NO_RECOMMENDERS},
    "Custom": {
        **_NEVER_OF_JOBS,
        **_NO_OBSOLETE_TRAINING,
        **_NO_RECOMMENDERS,
        **_NO_UNTAGGING,
        **_NOT_IN_USE,
        **_because("it is not in use when it is to be deleted", "attribution made: *: personalize:Delete*"),
    },
    "Domain": {
        **_NO_ATTRIBUTION,
        **_NO_JOBS,
        **_NO_SOLUTIONS,
        **_NOT_IN_USE,
        **_SCHEMAS_STAY,
        **_TAGS_STAY,
        **_because("none is started again", "recommender: declared recommenders: personalize:StartRecommender"),
        **_because("no files are written", "service role: files to write: *"),
    },
}
"""By the stack: what it never needs."""

_RACES: Final = {
    **_because("the time of day at which the tests run may be that of the schedule, or not", "schedule: *"),
    **_because("deployments may come while the lock is held, or not", "deploy: run executions: states:StopExecution"),
    **_because(
        "runs may be started while another is under way, or not",
        "finish: run state machine: states:StartExecution",
        "run: run executions: states:DescribeExecution",
    ),
    **_because(NEVER["teardown: run state machine: states:StartExecution"], "teardown: run state machine: *"),
}
_GONE_AT_ONCE: Final = _because(
    "what is removed may be gone before somebody looks",
    "teardown: [*]: personalize:ListCampaigns",
    "teardown: [*]: personalize:ListSolutionVersions",
    "teardown: any *: *",
)

SOMETIMES: Final[Mapping[str, Reasons]] = {
    "Jobs": {**_RACES, **_GONE_AT_ONCE},
    "Videos": _RACES,
    "Shop": _RACES,
    "Custom": {**_RACES, **_GONE_AT_ONCE},
    "Domain": {**_RACES, **_GONE_AT_ONCE},
}
"""By the stack: what it may need or not, as that depends on what is faster."""

ALSO_USED: Final[Mapping[str, tuple[str, ...]]] = {
    "Week": ("schedule: run state machine: states:StartExecution",),
    "Busy": (
        "deploy: run executions: states:StopExecution",
        "finish: run state machine: states:StartExecution",
        "run: any solution: personalize:DescribeSolutionVersion",
        "run: owned trainings: personalize:StopSolutionVersionCreation",
        "run: run executions: states:DescribeExecution",
    ),
}
"""By the stack of a test that does not look at all permissions: those that it needs."""
