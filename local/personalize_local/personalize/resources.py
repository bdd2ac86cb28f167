"""The kinds of resources, as data: what they are called, where they hang, what blocks them, how long they take.

See https://docs.aws.amazon.com/personalize/latest/dg/API_Operations_Amazon_Personalize.html
"""

from __future__ import annotations

from dataclasses import dataclass

MINUTE = 60.0


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
    """

    kind: str
    member: str
    of: str | None = None
    busy_only: bool = False


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
    :param latest_update: the member that reports the newest update. Default: - there is no update.
    :param update_is_status: whether the status is that of the update while there is one. Default: - it stays ACTIVE.
    :param update_blocks_delete: whether it cannot be deleted while it is being updated.
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
    latest_update: str | None = None
    update_is_status: bool = False
    update_blocks_delete: bool = True

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
                Dependant("Dataset", "datasetGroupArn"),
                Dependant("Solution", "datasetGroupArn"),
                Dependant("EventTracker", "datasetGroupArn"),
                Dependant("Filter", "datasetGroupArn"),
            ),
            seconds=MINUTE,
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
                Dependant("SolutionVersion", "datasetGroupArn", of="datasetGroupArn", busy_only=True),
            ),
            seconds=MINUTE,
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
            seconds=MINUTE,
        ),
    )
}
