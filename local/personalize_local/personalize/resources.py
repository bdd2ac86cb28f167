"""The kinds of resources, as data, and the one place where this is written down: what they are called, where they
hang, which statuses they go through and how long that takes, what keeps them from being deleted, how many there may be.

The pages of https://docs.aws.amazon.com/personalize/latest/dg/ that say so: the statuses of a kind are at ``status`` in
``API_<kind>.html``, those of an update in ``API_<kind>UpdateSummary.html``; what must be there before is in
``API_Create<kind>.html``; what blocks a deletion, and in which order, is in ``deleting-resources.html``; what can be
stopped or started, and when, is in ``API_<operation>.html``; the quotas are in ``limits.html``. The times are those
that AWS's workshops show for small amounts of data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MINUTE = 60.0


@dataclass(frozen=True)
class Path:
    """The statuses that something goes through.

    :param steps: before it is done.
    :param done: at the end.
    :param failed: at the end, if it fails.
    """

    steps: tuple[str, ...]
    done: str
    failed: str = "CREATE FAILED"


CREATE = Path(("CREATE PENDING", "CREATE IN_PROGRESS"), "ACTIVE")
UPDATE = Path(("UPDATE PENDING", "UPDATE IN_PROGRESS"), "ACTIVE")
DELETE = Path(("DELETE PENDING", "DELETE IN_PROGRESS"), "DELETED", "DELETE FAILED")
STOP = Path(("CREATE STOPPING",), "CREATE STOPPED")


@dataclass(frozen=True)
class Move:
    """A path that an operation of its own begins.

    :param path: what the resource goes through.
    :param seconds: how long it takes on AWS.
    :param begins: the statuses that it can begin in.
    :param at_once: the statuses that it leaves for the last one of the path at once.
    """

    path: Path
    seconds: float
    begins: tuple[str, ...]
    at_once: tuple[str, ...] = ()


@dataclass(frozen=True)
class Quota:
    """How many resources of a kind there may be.

    :param name: its key in ``Settings.quotas``.
    :param kind: the kind that it counts.
    :param default: the number.
    :param per: the attribute that tells the groups apart that are counted. Default: - per account and Region.
    :param busy: count only what is pending or in progress. Default: - count what has not failed.
    :param pending: count only what is pending.
    """

    name: str
    kind: str
    default: int
    per: str | None = None
    busy: bool = False
    pending: bool = False


@dataclass(frozen=True)
class Rate:
    """How many requests a second there may be.

    :param name: its key in ``Settings.quotas``.
    :param operations: the operations whose requests count together. Default: - those of the control plane, each for
        itself.
    :param default: the number. Default: - AWS does not publish it.
    :param per: what has this many of its own: ``group``, a dataset group, or ``target``, the campaign or recommender
        that is asked. Default: - the account and Region.
    """

    name: str
    operations: tuple[str, ...] = ()
    default: int | None = None
    per: str | None = None


@dataclass(frozen=True)
class Parent:
    """A resource that must exist, and be ACTIVE, before another one is made from it.

    :param member: the member of the request that holds its ARN.
    :param kind: the name of its kind.
    """

    member: str
    kind: str


@dataclass(frozen=True)
class Dependant:
    """A kind of resource that keeps another one from being deleted.

    :param kind: the name of its kind.
    :param member: its attribute that names the other one, now or once an update has come through.
    :param of: the attribute of the other one that it names. Default: - its ARN.
    :param busy_only: only while its status is pending or in progress. Default: - always.
    :param unless: statuses in which it does not. Default: - none.
    :param where: an attribute of the other one, and the value that it must have. Default: - whatever it is like.
    :param switch: the member of ``Uncertain`` that tells whether it does so at all. Default: - it does.
    """

    kind: str
    member: str
    of: str | None = None
    busy_only: bool = False
    unless: tuple[str, ...] = ()
    where: tuple[str, str] | None = None
    switch: str | None = None


@dataclass(frozen=True)
class Kind:
    """One kind of resource.

    :param name: as in the operations' names: Create<name>, Describe<name>, Delete<name>.
    :param member: its name in requests and answers; with ``Arn`` appended, the member that holds its ARN.
    :param plural: as in List<plural>.
    :param list_key: the member of List's answer. Default: - ``member`` with an s.
    :param arn: the ARN's tail, with attributes in braces; ``{id}`` is eight random hexadecimal digits.
    :param name_member: the member that names it.
    :param parents: what must exist and be ACTIVE.
    :param list_by: the members that List can filter by.
    :param dependants: what blocks its deletion.
    :param deleted_with: kinds that go away with it, and their attribute that holds its ARN.
    :param verbs: the operations that exist.
    :param taggable: whether it can have tags.
    :param seconds: how long making one takes on AWS, for a small amount of data. Default: - no time at all, and
        there is no status.
    :param delete_seconds: how long deleting takes.
    :param update_seconds: how long updating takes.
    :param create_path: what it goes through when it is made.
    :param delete_path: what it goes through when it is deleted.
    :param update_path: what an update of it goes through.
    :param moves: what else it can go through, by the operation that begins it.
    :param latest_update: the member that reports the newest update. Default: - there is no update.
    :param update_is_status: whether the status is that of the update while there is one. Default: - it stays ACTIVE.
    :param update_blocks_delete: whether it cannot be deleted while it is being updated.
    :param newest_first: whether List begins with the newest. Default: - with the oldest.
    """

    name: str
    member: str
    plural: str
    arn: str
    list_key: str = ""
    name_member: str = "name"
    parents: tuple[Parent, ...] = ()
    list_by: tuple[str, ...] = ()
    dependants: tuple[Dependant, ...] = ()
    deleted_with: tuple[tuple[str, str], ...] = ()
    verbs: tuple[str, ...] = ("Create", "Describe", "List", "Delete")
    taggable: bool = True
    seconds: float | None = None
    delete_seconds: float = MINUTE
    update_seconds: float = 0.0
    create_path: Path = CREATE
    delete_path: Path = DELETE
    update_path: Path = CREATE
    moves: Mapping[str, Move] = field(default_factory=dict)
    latest_update: str | None = None
    update_is_status: bool = False
    update_blocks_delete: bool = True
    newest_first: bool = False

    @property
    def words(self) -> str:
        """Its name, as in a sentence."""
        return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in self.name).strip()

    @property
    def arn_member(self) -> str:
        """The member that holds its ARN."""
        return f"{self.member}Arn"

    @property
    def listed_as(self) -> str:
        """The member of List's answer."""
        return self.list_key or f"{self.member}s"


_GROUP = Parent("datasetGroupArn", "DatasetGroup")
_WITHOUT_DELETE = ("Create", "Describe", "List")

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            name="Schema",
            member="schema",
            plural="Schemas",
            arn="schema/{name}",
            dependants=(Dependant("Dataset", "schemaArn"),),
            taggable=False,
        ),
        Kind(
            name="DatasetGroup",
            member="datasetGroup",
            plural="DatasetGroups",
            arn="dataset-group/{name}",
            dependants=(
                Dependant("Recommender", "datasetGroupArn"),
                Dependant("Solution", "datasetGroupArn"),
                Dependant("EventTracker", "datasetGroupArn"),
                Dependant("MetricAttribution", "datasetGroupArn", switch="filters_block_dataset_group"),
                Dependant("Filter", "datasetGroupArn", switch="filters_block_dataset_group"),
                Dependant("Dataset", "datasetGroupArn"),
            ),
            seconds=MINUTE,
            # the only kind without DELETE IN_PROGRESS: API_DatasetGroup.html
            delete_path=Path(("DELETE PENDING",), "DELETED", "DELETE FAILED"),
        ),
        Kind(
            name="Dataset",
            member="dataset",
            plural="Datasets",
            arn="dataset/{datasetGroupName}/{datasetType}",
            parents=(_GROUP, Parent("schemaArn", "Schema")),
            list_by=("datasetGroupArn",),
            dependants=(
                Dependant("DatasetImportJob", "datasetArn", busy_only=True),
                Dependant("DatasetExportJob", "datasetArn", busy_only=True),
                Dependant("DataDeletionJob", "datasetGroupArn", of="datasetGroupArn", busy_only=True),
                Dependant("SolutionVersion", "datasetGroupArn", of="datasetGroupArn", busy_only=True),
                Dependant("Recommender", "datasetGroupArn", of="datasetGroupArn", busy_only=True),
                Dependant("BatchInferenceJob", "datasetGroupArn", of="datasetGroupArn", busy_only=True),
                Dependant("BatchSegmentJob", "datasetGroupArn", of="datasetGroupArn", busy_only=True),
                Dependant("Campaign", "datasetGroupArn", of="datasetGroupArn", unless=("CREATE FAILED",)),
                Dependant(
                    "EventTracker", "datasetGroupArn", of="datasetGroupArn", where=("datasetType", "INTERACTIONS")
                ),
                Dependant(
                    "MetricAttribution", "datasetGroupArn", of="datasetGroupArn", where=("datasetType", "INTERACTIONS")
                ),
                Dependant("Filter", "datasetGroupArn", of="datasetGroupArn"),
            ),
            seconds=MINUTE,
            update_path=UPDATE,
            update_seconds=2 * MINUTE,
            latest_update="latestDatasetUpdate",
            update_is_status=True,
        ),
        Kind(
            name="DatasetImportJob",
            member="datasetImportJob",
            plural="DatasetImportJobs",
            arn="dataset-import-job/{jobName}",
            name_member="jobName",
            parents=(Parent("datasetArn", "Dataset"),),
            list_by=("datasetArn",),
            verbs=_WITHOUT_DELETE,
            seconds=10 * MINUTE,
        ),
        Kind(
            name="DatasetExportJob",
            member="datasetExportJob",
            plural="DatasetExportJobs",
            arn="dataset-export-job/{jobName}",
            name_member="jobName",
            parents=(Parent("datasetArn", "Dataset"),),
            list_by=("datasetArn",),
            verbs=_WITHOUT_DELETE,
            seconds=5 * MINUTE,
        ),
        Kind(
            name="DataDeletionJob",
            member="dataDeletionJob",
            plural="DataDeletionJobs",
            arn="data-deletion-job/{jobName}",
            name_member="jobName",
            parents=(_GROUP,),
            list_by=("datasetGroupArn",),
            verbs=_WITHOUT_DELETE,
            seconds=60 * MINUTE,
            create_path=Path(("PENDING", "IN_PROGRESS"), "COMPLETED", "FAILED"),
            newest_first=True,
        ),
        Kind(
            name="MetricAttribution",
            member="metricAttribution",
            plural="MetricAttributions",
            arn="metric-attribution/{name}",
            parents=(_GROUP,),
            list_by=("datasetGroupArn",),
            taggable=False,
            seconds=MINUTE,
            update_seconds=MINUTE,
            update_path=UPDATE,
            update_is_status=True,
        ),
        Kind(
            name="Solution",
            member="solution",
            plural="Solutions",
            arn="solution/{name}",
            parents=(_GROUP,),
            list_by=("datasetGroupArn",),
            dependants=(
                Dependant("Campaign", "solutionArn"),
                Dependant("SolutionVersion", "solutionArn", busy_only=True),
            ),
            # "all solution versions": API_DeleteSolution.html
            deleted_with=(("SolutionVersion", "solutionArn"),),
            seconds=MINUTE / 3,
            update_seconds=2 * MINUTE,
            latest_update="latestSolutionUpdate",
        ),
        Kind(
            name="SolutionVersion",
            member="solutionVersion",
            plural="SolutionVersions",
            arn="solution/{solutionName}/{id}",
            parents=(Parent("solutionArn", "Solution"),),
            list_by=("solutionArn",),
            verbs=_WITHOUT_DELETE,
            seconds=20 * MINUTE,
            moves={
                "StopSolutionVersionCreation": Move(
                    STOP, MINUTE, begins=("CREATE IN_PROGRESS",), at_once=("CREATE PENDING",)
                )
            },
        ),
        Kind(
            name="Campaign",
            member="campaign",
            plural="Campaigns",
            arn="campaign/{name}",
            list_by=("solutionArn",),
            seconds=10 * MINUTE,
            delete_seconds=2 * MINUTE,
            update_seconds=10 * MINUTE,
            latest_update="latestCampaignUpdate",
        ),
        Kind(
            name="EventTracker",
            member="eventTracker",
            plural="EventTrackers",
            arn="event-tracker/{id}",
            parents=(_GROUP,),
            list_by=("datasetGroupArn",),
            seconds=MINUTE / 3,
            delete_seconds=MINUTE / 3,
        ),
        Kind(
            name="Filter",
            member="filter",
            plural="Filters",
            arn="filter/{name}",
            list_key="Filters",
            parents=(_GROUP,),
            list_by=("datasetGroupArn",),
            dependants=(
                Dependant("BatchInferenceJob", "filterArn", busy_only=True),
                Dependant("BatchSegmentJob", "filterArn", busy_only=True),
            ),
            seconds=MINUTE,
        ),
        Kind(
            name="Recommender",
            member="recommender",
            plural="Recommenders",
            arn="recommender/{name}",
            parents=(_GROUP,),
            list_by=("datasetGroupArn",),
            seconds=40 * MINUTE,
            delete_seconds=2 * MINUTE,
            update_seconds=10 * MINUTE,
            moves={
                "StopRecommender": Move(
                    Path(("STOP PENDING", "STOP IN_PROGRESS"), "INACTIVE"), 5 * MINUTE, begins=("ACTIVE",)
                ),
                "StartRecommender": Move(
                    Path(("START PENDING", "START IN_PROGRESS"), "ACTIVE"), 10 * MINUTE, begins=("INACTIVE",)
                ),
            },
            latest_update="latestRecommenderUpdate",
        ),
        Kind(
            name="BatchInferenceJob",
            member="batchInferenceJob",
            plural="BatchInferenceJobs",
            arn="batch-inference-job/{jobName}",
            name_member="jobName",
            parents=(Parent("solutionVersionArn", "SolutionVersion"),),
            list_by=("solutionVersionArn",),
            verbs=_WITHOUT_DELETE,
            seconds=15 * MINUTE,
        ),
        Kind(
            name="BatchSegmentJob",
            member="batchSegmentJob",
            plural="BatchSegmentJobs",
            arn="batch-segment-job/{jobName}",
            name_member="jobName",
            parents=(Parent("solutionVersionArn", "SolutionVersion"),),
            list_by=("solutionVersionArn",),
            verbs=_WITHOUT_DELETE,
            seconds=10 * MINUTE,
        ),
    )
}

QUOTAS = (
    Quota("schemas", "Schema", 500),
    Quota("dataset_groups", "DatasetGroup", 5),
    Quota("busy_import_jobs", "DatasetImportJob", 5, busy=True),
    Quota("busy_solution_versions", "SolutionVersion", 20, busy=True),
    Quota("solutions_per_dataset_group", "Solution", 10, per="datasetGroupArn"),
    Quota("campaigns_per_dataset_group", "Campaign", 5, per="datasetGroupArn"),
    Quota("recommenders_per_dataset_group", "Recommender", 5, per="datasetGroupArn"),
    Quota("filters_per_dataset_group", "Filter", 30, per="datasetGroupArn"),
    Quota("busy_batch_inference_jobs", "BatchInferenceJob", 5, busy=True),
    Quota("busy_batch_segment_jobs", "BatchSegmentJob", 5, busy=True),
    Quota("pending_data_deletion_jobs_per_dataset_group", "DataDeletionJob", 5, per="datasetGroupArn", pending=True),
)

_RUNTIME = ("GetRecommendations", "GetPersonalizedRanking", "GetActionRecommendations")

#: the rates of ``limits.html``; limited when it is asked for: ``Settings.limit_rates``
RATES = (
    Rate("put_events_per_second_per_dataset_group", ("PutEvents",), 1000, "group"),
    Rate("put_action_interactions_per_second_per_dataset_group", ("PutActionInteractions",), 1000, "group"),
    Rate("put_items_per_second_per_dataset_group", ("PutItems",), 10, "group"),
    Rate("put_users_per_second_per_dataset_group", ("PutUsers",), 10, "group"),
    Rate("put_actions_per_second_per_dataset_group", ("PutActions",), 10, "group"),
    Rate("runtime_requests_per_second", _RUNTIME, 2500),
    Rate("get_recommendations_per_second_per_campaign", ("GetRecommendations",), 500, "target"),
    Rate("get_personalized_ranking_per_second_per_campaign", ("GetPersonalizedRanking",), 500, "target"),
    Rate("get_action_recommendations_per_second_per_campaign", ("GetActionRecommendations",), 500, "target"),
    Rate("control_requests_per_second_per_operation"),
)

#: numbers that do not count resources
NUMBERS = {
    "min_interactions_to_train": 1000,
    "min_users_to_train": 25,
    "min_records_per_interactions_import": 1000,
    "max_bytes_per_data_deletion": 100 * 1024**2,
    "max_bytes_per_full_import": 100 * 1024**3,
    "max_bytes_per_incremental_import": 1024**3,
    "fields_of_all_filters_per_dataset_group": 20,
    "interactions_per_type_of_filters": 100,
    "action_interactions_per_type_of_filters": 300,
    "tags_per_resource": 50,
    "batch_input_files": 1000,
    "batch_input_bytes": 1_000_000_000,
    "batch_inference_records_per_file": 50_000_000,
    "batch_inference_records_with_themes": 100,
    "item_affinity_queries": 500,
    "item_attribute_affinity_queries": 10,
    "users_per_segment": 5_000_000,
}
