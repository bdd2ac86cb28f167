from __future__ import annotations

from collections.abc import Callable

import pytest

from personalize_local.personalize import Settings

from .support import INTERACTIONS_SCHEMA, SLOW, V2, Builder, Cloud, interactions_csv


def test_dataset_groups(cloud: Cloud, build: Builder) -> None:
    for number in range(5):
        build.group(f"g{number}")
    with pytest.raises(
        cloud.personalize.exceptions.LimitExceededException,
        match=r"Cannot create a dataset group\. More than 5 resources in ACTIVE state\. Please delete some and try",
    ):
        cloud.personalize.create_dataset_group(name="g5")
    assert cloud.client("personalize", region="eu-west-1").create_dataset_group(name="g5")


def test_solutions_are_counted_by_dataset_group(make_cloud: Callable[..., Cloud]) -> None:
    cloud = make_cloud(Settings(quotas={"solutions_per_dataset_group": 1}))
    build = Builder(cloud)
    groups = [build.group("a"), build.group("b")]
    for group in groups:
        build.solution(group, f"of-{group[-1]}")
    with pytest.raises(cloud.personalize.exceptions.LimitExceededException, match="Cannot create a solution"):
        cloud.personalize.create_solution(name="more", datasetGroupArn=groups[0], recipeArn=V2)


def test_import_jobs_are_counted_while_they_run(make_cloud: Callable[..., Cloud]) -> None:
    cloud = make_cloud(SLOW)
    build = Builder(cloud)
    dataset = build.dataset(build.group())
    jobs = [build.start_import(dataset, interactions_csv(), name=f"j{number}") for number in range(5)]
    with pytest.raises(
        cloud.personalize.exceptions.LimitExceededException,
        match=r"More than 5 resources with PENDING or IN_PROGRESS status\.",
    ):
        build.start_import(dataset, interactions_csv(), name="j5")
    for job in jobs:
        build.wait("dataset_import_job", job)
    build.start_import(dataset, interactions_csv(), name="j5")


def test_failed_ones_do_not_count(make_cloud: Callable[..., Cloud]) -> None:
    cloud = make_cloud(Settings(quotas={"dataset_groups": 1}))
    cloud.service.admin("fail", {"operation": "CreateDatasetGroup", "failure_reason": "no luck"})
    arn = cloud.personalize.create_dataset_group(name="bad")["datasetGroupArn"]
    Builder(cloud).wait("dataset_group", arn, until=("CREATE FAILED",))
    Builder(cloud).group("good")


def test_unknown_quotas_are_refused(make_cloud: Callable[..., Cloud]) -> None:
    with pytest.raises(ValueError, match=r"unknown quotas \['shemas'\], there are .*'schemas'"):
        make_cloud(Settings(quotas={"shemas": 1}))


def test_a_wrong_request_uses_nothing_up(make_cloud: Callable[..., Cloud]) -> None:
    cloud = make_cloud(Settings(quotas={"schemas": 1}))
    build = Builder(cloud)
    with pytest.raises(cloud.personalize.exceptions.InvalidInputException):
        build.schema("s", "{}")
    build.schema("s", INTERACTIONS_SCHEMA)
    with pytest.raises(cloud.personalize.exceptions.LimitExceededException):
        build.schema("t", INTERACTIONS_SCHEMA)
