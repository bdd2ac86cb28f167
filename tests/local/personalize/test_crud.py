"""What all kinds of resources have in common, and the order in which they can be made and deleted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from personalize_local.personalize import Settings, Uncertain

from .support import ACCOUNT, INTERACTIONS_SCHEMA, REGION, ROLE, SLOW, V2, Builder, Cloud, interactions_csv

PREFIX = f"arn:aws:personalize:{REGION}:{ACCOUNT}"


def one_of_everything(build: Builder) -> dict[str, str]:
    """Make a resource of every kind, and wait until it is ACTIVE."""
    made = {"dataset_group": build.group()}
    made["dataset"] = build.dataset(made["dataset_group"])
    made["dataset_import_job"] = build.import_csv(made["dataset"], interactions_csv())
    made["solution"] = build.solution(made["dataset_group"])
    made["solution_version"] = build.version(made["solution"])
    made["campaign"] = build.campaign(made["solution_version"])
    client = build.personalize
    made["event_tracker"] = client.create_event_tracker(name="clicks", datasetGroupArn=made["dataset_group"])[
        "eventTrackerArn"
    ]
    made["filter"] = client.create_filter(
        name="unseen",
        datasetGroupArn=made["dataset_group"],
        filterExpression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")',
    )["filterArn"]
    for kind in ("event_tracker", "filter"):
        build.wait(kind, made[kind])
    made["schema"] = client.describe_dataset(datasetArn=made["dataset"])["dataset"]["schemaArn"]
    return made


@pytest.fixture
def trained(build: Builder) -> dict[str, str]:
    """One of everything, for a test that deletes."""
    return one_of_everything(build)


@pytest.fixture(scope="module")
def kept() -> Iterator[tuple[Cloud, dict[str, str]]]:
    """One of everything, for tests that only look."""
    cloud = Cloud(Settings())
    yield cloud, one_of_everything(Builder(cloud))
    cloud.service.close()


def member(kind: str) -> str:
    head, *rest = kind.split("_")
    return head + "".join(word.capitalize() for word in rest)


def delete(cloud: Cloud, kind: str, arn: str) -> None:
    getattr(cloud.personalize, f"delete_{kind}")(**{f"{member(kind)}Arn": arn})


def gone(cloud: Cloud, kind: str, arn: str) -> None:
    """Wait until a resource is gone, through DELETE statuses only."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            found = getattr(cloud.personalize, f"describe_{kind}")(**{f"{member(kind)}Arn": arn})[member(kind)]
        except cloud.personalize.exceptions.ResourceNotFoundException:
            return
        assert found["status"] in ("DELETE PENDING", "DELETE IN_PROGRESS")
        time.sleep(0.002)
    raise AssertionError(f"{arn} is still there")


def test_arns(kept: tuple[Cloud, dict[str, str]]) -> None:
    cloud, trained = kept
    assert trained["dataset_group"] == f"{PREFIX}:dataset-group/films"
    assert trained["dataset"] == f"{PREFIX}:dataset/films/INTERACTIONS"
    assert trained["schema"] == f"{PREFIX}:schema/films-interactions"
    assert trained["dataset_import_job"] == f"{PREFIX}:dataset-import-job/job"
    assert trained["solution"] == f"{PREFIX}:solution/picks"
    assert trained["campaign"] == f"{PREFIX}:campaign/live"
    assert trained["filter"] == f"{PREFIX}:filter/unseen"
    for kind, parent in (("solution_version", "solution/picks"), ("event_tracker", "event-tracker")):
        head, _, tail = trained[kind].rpartition("/")
        assert head == f"{PREFIX}:{parent}"
        assert len(bytes.fromhex(tail)) == 4
    tracker = cloud.personalize.describe_event_tracker(eventTrackerArn=trained["event_tracker"])["eventTracker"]
    assert tracker["accountId"] == ACCOUNT
    assert len(tracker["trackingId"]) == 36


def test_versions_go_with_their_solution_and_jobs_stay(trained: dict[str, str], cloud: Cloud) -> None:
    for kind in ("campaign", "solution", "filter", "event_tracker", "dataset"):
        delete(cloud, kind, trained[kind])
        gone(cloud, kind, trained[kind])
    with pytest.raises(cloud.personalize.exceptions.ResourceNotFoundException, match="solution version does not"):
        cloud.personalize.describe_solution_version(solutionVersionArn=trained["solution_version"])
    jobs = cloud.personalize.list_dataset_import_jobs()["datasetImportJobs"]
    assert [job["datasetImportJobArn"] for job in jobs] == [trained["dataset_import_job"]]


def test_deleting_twice_is_no_error(make_cloud: Callable[..., Cloud]) -> None:
    cloud = make_cloud(SLOW)
    arn = Builder(cloud).group()
    delete(cloud, "dataset_group", arn)
    delete(cloud, "dataset_group", arn)
    cloud.advance(3600)
    gone(cloud, "dataset_group", arn)
    with pytest.raises(cloud.personalize.exceptions.ResourceNotFoundException, match="given dataset group"):
        delete(cloud, "dataset_group", arn)


def test_names_are_taken_until_the_resource_is_gone(cloud: Cloud, build: Builder) -> None:
    arn = build.group()
    with pytest.raises(
        cloud.personalize.exceptions.ResourceAlreadyExistsException,
        match=f"Another resource with Arn {arn} already exists.",
    ):
        cloud.personalize.create_dataset_group(name="films")
    delete(cloud, "dataset_group", arn)
    gone(cloud, "dataset_group", arn)
    build.group()


def test_job_names_are_used_once(cloud: Cloud, build: Builder) -> None:
    dataset = build.dataset(build.group())
    build.import_csv(dataset, interactions_csv())
    with pytest.raises(cloud.personalize.exceptions.ResourceAlreadyExistsException, match="dataset-import-job/job"):
        build.start_import(dataset, interactions_csv())


def test_one_dataset_per_type(cloud: Cloud, build: Builder) -> None:
    group = build.group()
    build.dataset(group)
    with pytest.raises(cloud.personalize.exceptions.ResourceAlreadyExistsException, match="dataset/films/INTERACTIONS"):
        cloud.personalize.create_dataset(
            name="other",
            schemaArn=f"{PREFIX}:schema/films-interactions",
            datasetGroupArn=group,
            datasetType="interactions",
        )


def test_nothing_can_be_made_from_what_is_not_active(make_cloud: Callable[..., Cloud]) -> None:
    cloud = make_cloud(SLOW)
    client = cloud.personalize
    group = client.create_dataset_group(name="films")["datasetGroupArn"]
    schema = client.create_schema(name="s", schema=INTERACTIONS_SCHEMA)["schemaArn"]
    in_use = client.exceptions.ResourceInUseException
    with pytest.raises(in_use, match="status CREATE PENDING, it must be ACTIVE"):
        client.create_dataset(name="d", schemaArn=schema, datasetGroupArn=group, datasetType="Interactions")
    with pytest.raises(in_use):
        client.create_solution(name="s", datasetGroupArn=group, recipeArn=V2)
    with pytest.raises(in_use):
        client.create_event_tracker(name="t", datasetGroupArn=group)
    with pytest.raises(in_use, match="cannot be deleted yet"):
        client.delete_dataset_group(datasetGroupArn=group)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("create_dataset", {"name": "d", "schemaArn": ":schema/x", "datasetGroupArn": ":x", "datasetType": "Items"}),
        ("create_solution", {"name": "s", "datasetGroupArn": ":dataset-group/x", "recipeArn": ":x"}),
        ("create_solution_version", {"solutionArn": ":solution/x"}),
        ("create_campaign", {"name": "c", "solutionVersionArn": ":solution/x/01234567"}),
        ("create_campaign", {"name": "c", "solutionVersionArn": ":solution/x/$LATEST"}),
        ("create_filter", {"name": "f", "datasetGroupArn": ":dataset-group/x", "filterExpression": "x"}),
        ("create_event_tracker", {"name": "t", "datasetGroupArn": ":dataset-group/x"}),
        (
            "create_dataset_import_job",
            {"jobName": "j", "datasetArn": ":dataset/x/ITEMS", "dataSource": {}, "roleArn": ROLE},
        ),
        ("describe_dataset", {"datasetArn": ":dataset/x/ITEMS"}),
        ("describe_dataset_group", {"datasetGroupArn": ":solution/x"}),
        ("delete_schema", {"schemaArn": ":schema/x"}),
        ("update_campaign", {"campaignArn": ":campaign/x"}),
        ("update_dataset", {"datasetArn": ":dataset/x/ITEMS", "schemaArn": ":schema/x"}),
        ("update_solution", {"solutionArn": ":solution/x"}),
        ("stop_solution_version_creation", {"solutionVersionArn": ":solution/x/01234567"}),
        ("get_solution_metrics", {"solutionVersionArn": ":solution/x/01234567"}),
        ("list_tags_for_resource", {"resourceArn": ":solution/x"}),
        ("describe_recipe", {"recipeArn": ":recipe/aws-none"}),
    ],
)
def test_what_does_not_exist(cloud: Cloud, operation: str, parameters: dict[str, Any]) -> None:
    full = {key: PREFIX + value if str(value).startswith(":") else value for key, value in parameters.items()}
    with pytest.raises(cloud.personalize.exceptions.ResourceNotFoundException, match=PREFIX):
        getattr(cloud.personalize, operation)(**full)


def test_accounts_and_regions_do_not_see_each_other(cloud: Cloud, build: Builder) -> None:
    arn = build.group()
    for other in (
        cloud.client("personalize", account="111111111111"),
        cloud.client("personalize", region="eu-west-1"),
    ):
        assert other.list_dataset_groups()["datasetGroups"] == []
        with pytest.raises(other.exceptions.ResourceNotFoundException):
            other.describe_dataset_group(datasetGroupArn=arn)
        assert other.create_dataset_group(name="films")["datasetGroupArn"] != arn


def test_lists_filter_by_their_parent(kept: tuple[Cloud, dict[str, str]]) -> None:
    cloud, trained = kept
    other = Builder(cloud).group("books")
    client = cloud.personalize
    for operation, key in (
        ("list_datasets", "datasets"),
        ("list_solutions", "solutions"),
        ("list_event_trackers", "eventTrackers"),
        ("list_filters", "Filters"),
    ):
        listing = getattr(client, operation)
        assert len(listing()[key]) == 1
        assert len(listing(datasetGroupArn=trained["dataset_group"])[key]) == 1
        assert listing(datasetGroupArn=other)[key] == []
    assert len(client.list_campaigns(solutionArn=trained["solution"])["campaigns"]) == 1
    assert len(client.list_solution_versions(solutionArn=trained["solution"])["solutionVersions"]) == 1
    jobs = client.list_dataset_import_jobs(datasetArn=trained["dataset"])["datasetImportJobs"]
    assert [(job["jobName"], job["importMode"], job["status"]) for job in jobs] == [("job", "FULL", "ACTIVE")]
    summary = client.list_campaigns()["campaigns"][0]
    assert "solutionVersionArn" not in summary


def test_statuses_in_their_order(make_cloud: Callable[..., Cloud]) -> None:
    cloud = make_cloud(SLOW)
    arn = cloud.personalize.create_dataset_group(name="films")["datasetGroupArn"]
    found = cloud.personalize.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]
    assert found["status"] == "CREATE PENDING"
    # past the first status, and not past the second, however late the threads are
    cloud.advance(20)
    end = time.monotonic() + 20
    while (status := cloud.personalize.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]["status"]) == (
        "CREATE PENDING"
    ):
        assert time.monotonic() < end
        time.sleep(0.001)
    assert status == "CREATE IN_PROGRESS"
    active = Builder(cloud).wait("dataset_group", arn)
    assert active["creationDateTime"] == found["creationDateTime"] < active["lastUpdatedDateTime"]
    delete(cloud, "dataset_group", arn)
    Builder(cloud).wait("dataset_group", arn, until=("DELETE PENDING",))


@pytest.mark.parametrize("taken", [True, False])
def test_deleting_what_is_being_deleted(make_cloud: Callable[..., Cloud], taken: bool) -> None:
    cloud = make_cloud(Settings(time_scale=1, uncertain=Uncertain(delete_while_deleting=taken)))
    group = Builder(cloud).group()
    cloud.personalize.delete_dataset_group(datasetGroupArn=group)
    if taken:
        cloud.personalize.delete_dataset_group(datasetGroupArn=group)
    else:
        with pytest.raises(cloud.personalize.exceptions.ResourceInUseException, match="is in status DELETE PENDING"):
            cloud.personalize.delete_dataset_group(datasetGroupArn=group)
    cloud.advance(3600)
