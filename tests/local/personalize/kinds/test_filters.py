from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from personalize_local.personalize import Settings
from personalize_local.personalize.engine import Context
from personalize_local.personalize.errors import ServiceError
from personalize_local.personalize.kinds.filters import check_filter
from personalize_local.personalize.offers import offer_of

from ..films import Films, Planted, scope_of
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
        ("EXCLUDE ItemID", "Could not create filter. Invalid Expression."),
        (
            "EXCLUDE ItemID WHERE Items.GENRES NOT IN ($G)",
            "Could not create filter. Invalid input symbol: $G. Placeholders are not allowed with NOT_IN operator.",
        ),
        ('EXCLUDE ItemID WHERE Items.GENRE IN ("Drama")', "GENRES"),
        ('INCLUDE ItemID WHERE Items.GENRES IN ("Drama") IF CurrentUser.AGE = 3', "Users"),
    ],
)
def test_wrong_expressions(build: Builder, group: str, expression: str, message: str) -> None:
    with pytest.raises(build.personalize.exceptions.InvalidInputException, match=re.escape(message)):
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


def test_a_filter_of_another_group_is_refused(films: Films) -> None:
    build = Builder(films.cloud)
    other = build.group("others")
    build.dataset(other, "Items", ITEMS_SCHEMA)
    expression = "INCLUDE ItemID WHERE Items.YEAR > 1990"
    arn = build.personalize.create_filter(name="others", datasetGroupArn=other, filterExpression=expression)[
        "filterArn"
    ]
    build.wait("filter", arn)
    with pytest.raises(films.cloud.runtime.exceptions.InvalidInputException, match="is of another dataset group"):
        films.cloud.runtime.get_recommendations(campaignArn=films.campaign_arn, userId="u0", filterArn=arn)


@pytest.mark.parametrize(
    ("expression", "recipe", "message"),
    [
        ('INCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("watch")', "aws-item-affinity", None),
        ("INCLUDE UserID WHERE Users.AGE > 3", "aws-item-attribute-affinity", None),
        (
            'INCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("watch")',
            "aws-item-attribute-affinity",
            "looks at Interactions, which filters of aws-item-attribute-affinity cannot do",
        ),
        ("INCLUDE UserID WHERE Users.AGE > 3", "aws-sims", "is about UserID, not about ItemID"),
        ("INCLUDE ItemID WHERE Items.YEAR > 3", "aws-item-affinity", "is about ItemID, not about UserID"),
        ("INCLUDE ItemID WHERE Items.YEAR > 3", "aws-next-best-action", "is about ItemID, not about ActionID"),
        ("INCLUDE ItemID WHERE Items.YEAR > CurrentItem.YEAR", "aws-similar-items", None),
        ("INCLUDE ItemID WHERE Items.YEAR > CurrentItem.YEAR", "aws-vod-more-like-x", None),
        (
            "INCLUDE ItemID WHERE Items.YEAR > CurrentItem.YEAR",
            "aws-user-personalization",
            "goes with related items only, not with aws-user-personalization",
        ),
    ],
)
def test_filters_go_with_recipes(expression: str, recipe: str, message: str | None, films: Films) -> None:
    arn = films.personalize.create_filter(
        name=f"f{uuid.uuid4().hex}", datasetGroupArn=films.group_arn, filterExpression=expression
    )["filterArn"]
    films.wait("filter", arn)
    engine = films.cloud.service._engine
    context = Context(engine, scope_of(films.cloud), "test")
    offer = offer_of(f"arn:aws:personalize:::recipe/{recipe}")
    if message is None:
        assert check_filter(context, films.group_arn, arn, offer).expression.text == expression
    else:
        with pytest.raises(ServiceError, match=message):
            check_filter(context, films.group_arn, arn, offer)
    films.personalize.delete_filter(filterArn=arn)


@pytest.mark.parametrize(
    ("uncertain", "recipe", "filtering"),
    [
        ("filter_needs_user", "aws-popularity-count", {"filter": "unseen"}),
        ("extra_filter_values_refused", "aws-popularity-count", {"filter": "older", "filterValues": {"X": '"y"'}}),
    ],
)
def test_uncertain_refusals_can_be_turned_off(
    films: Films, monkeypatch: pytest.MonkeyPatch, uncertain: str, recipe: str, filtering: dict[str, Any]
) -> None:
    recipe = "aws-sims" if filtering["filter"] == "older" else recipe
    target = films.plant(recipe, Planted.of([f"i{item}" for item in range(40)]))
    request = {"user": None, "target": target, "itemId": "i5", "numResults": 40, **filtering}
    with pytest.raises(films.cloud.runtime.exceptions.InvalidInputException):
        films.recommend(**request)
    engine = films.cloud.service._engine
    settings = replace(engine.settings, uncertain=replace(engine.settings.uncertain, **{uncertain: False}))
    monkeypatch.setattr(films.cloud.service, "_engine", replace(engine, settings=settings))
    assert len(films.recommend(**request)) == (5 if filtering["filter"] == "older" else 40)
