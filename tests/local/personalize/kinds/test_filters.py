from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from personalize_local.personalize import Settings

from ..support import ITEMS_SCHEMA, Builder, Cloud


@pytest.fixture
def group(build: Builder) -> str:
    group = build.group()
    build.dataset(group)
    build.dataset(group, "Items", ITEMS_SCHEMA)
    return group


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("EXCLUDE ItemID", "Could not create filter."),
        ("EXCLUDE ItemID WHERE Items.GENRES NOT IN ($G)", "Could not create filter."),
        ('EXCLUDE ItemID WHERE Items.GENRE IN ("Drama")', "GENRES"),
        ('INCLUDE ItemID WHERE Items.GENRES IN ("Drama") IF CurrentUser.AGE = 3', "Users"),
    ],
)
def test_wrong_expressions(build: Builder, group: str, expression: str, message: str) -> None:
    with pytest.raises(build.personalize.exceptions.InvalidInputException, match=message):
        build.personalize.create_filter(name="f", datasetGroupArn=group, filterExpression=expression)


def test_filters_are_described_and_deleted(build: Builder, group: str) -> None:
    client = build.personalize
    expression = 'INCLUDE ItemID WHERE Items.GENRES IN ("Drama")'
    arn = client.create_filter(name="f", datasetGroupArn=group, filterExpression=expression)["filterArn"]
    assert build.wait("filter", arn)["filterExpression"] == expression
    client.delete_filter(filterArn=arn)
    while client.list_filters()["Filters"]:
        time.sleep(0.005)


def test_fields_of_all_filters(make_cloud: Callable[..., Cloud]) -> None:
    build = Builder(make_cloud(Settings(quotas={"fields_of_all_filters_per_dataset_group": 1})))
    group = build.group()
    build.dataset(group, "Items", ITEMS_SCHEMA)
    create = build.personalize.create_filter
    create(name="a", datasetGroupArn=group, filterExpression='INCLUDE ItemID WHERE Items.GENRES IN ("Drama")')
    create(name="b", datasetGroupArn=group, filterExpression='INCLUDE ItemID WHERE Items.GENRES IN ("War")')
    with pytest.raises(build.personalize.exceptions.LimitExceededException, match="use 2 different fields"):
        create(name="c", datasetGroupArn=group, filterExpression="INCLUDE ItemID WHERE Items.YEAR > 1990")
