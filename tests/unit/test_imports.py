"""Resources that are managed elsewhere, of all kinds."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest

import cdk_personalize as personalize

HERE = cdk.Environment(account="444455556666", region="eu-west-1")
THERE = ("111122223333", "us-west-2")
PREFIX = "arn:aws:personalize:us-west-2:111122223333"
TRACKING_ID = "11111111-2222-3333-4444-555555555555"

Importer = Callable[[cdk.Stack, str], Any]


def tracker(stack: cdk.Stack, arn: str) -> personalize.IEventTracker:
    return personalize.EventTracker.from_event_tracker_attributes(
        stack, "Imported", event_tracker_arn=arn, tracking_id=TRACKING_ID
    )


def ranking(stack: cdk.Stack, arn: str) -> personalize.ICampaign:
    return personalize.Campaign.from_campaign_attributes(
        stack, "Imported", campaign_arn=arn, recipe_type=personalize.RecipeType.PERSONALIZED_RANKING
    )


def of(from_: Callable[[cdk.Stack, str, str], Any]) -> Importer:
    return lambda stack, value: from_(stack, "Imported", value)


BY_ARN = [
    ("campaign", "live", of(personalize.Campaign.from_campaign_arn)),
    ("campaign", "live", ranking),
    ("dataset", "films/ITEMS", of(personalize.Dataset.from_dataset_arn)),
    ("dataset-group", "films", of(personalize.DatasetGroup.from_dataset_group_arn)),
    ("event-tracker", "0a1b2c3d", tracker),
    ("filter", "unwatched", of(personalize.Filter.from_filter_arn)),
    ("metric-attribution", "films", of(personalize.MetricAttribution.from_metric_attribution_arn)),
    ("recommender", "for-you", of(personalize.Recommender.from_recommender_arn)),
    ("solution", "top-picks", of(personalize.Solution.from_solution_arn)),
]
BY_NAME = [
    ("campaign", of(personalize.Campaign.from_campaign_name)),
    ("dataset-group", of(personalize.DatasetGroup.from_dataset_group_name)),
    ("filter", of(personalize.Filter.from_filter_name)),
    ("metric-attribution", of(personalize.MetricAttribution.from_metric_attribution_name)),
    ("recommender", of(personalize.Recommender.from_recommender_name)),
    ("solution", of(personalize.Solution.from_solution_name)),
]
KINDS = [f"{kind}-{index}" for index, (kind, *_) in enumerate(BY_ARN)]


def stack() -> cdk.Stack:
    return cdk.Stack(cdk.App(), "Films", env=HERE)


def read(resource: Any, kind: str, attribute: str) -> Any:
    return getattr(resource, f"{kind.replace('-', '_')}_{attribute}")


@pytest.mark.parametrize(("kind", "name", "importer"), BY_ARN, ids=KINDS)
def test_an_arn_says_where_and_what_it_is(kind: str, name: str, importer: Importer) -> None:
    arn = f"{PREFIX}:{kind}/{name}"

    made = importer(stack(), arn)

    assert read(made, kind, "arn") == arn
    assert (made.env.account, made.env.region) == THERE
    assert getattr(made, f"{kind.replace('-', '_')}_name", name) == name


@pytest.mark.parametrize(("kind", "importer"), BY_NAME, ids=[kind for kind, _ in BY_NAME])
def test_a_name_is_one_of_this_account_and_region(kind: str, importer: Importer) -> None:
    scope = stack()

    made = importer(scope, "mine")

    assert read(made, kind, "name") == "mine"
    assert (made.env.account, made.env.region) == (HERE.account, HERE.region)
    assert scope.resolve(read(made, kind, "arn")) == {
        "Fn::Join": [
            "",
            ["arn:", {"Ref": "AWS::Partition"}, f":personalize:{HERE.region}:{HERE.account}:{kind}/mine"],
        ]
    }
    with pytest.raises(
        ValueError, match=rf"^{kind.replace('-', '_')}_name must have 1 to 63 letters, .+, got 'not mine'$"
    ):
        importer(stack(), "not mine")


@pytest.mark.parametrize(("kind", "name", "importer"), BY_ARN, ids=KINDS)
@pytest.mark.parametrize(
    "template",
    [
        "",
        "{name}",
        "arn:aws:personalize:us-west-2:111122223333:{kind}",
        "arn:aws:personalize:us-west-2:111122223333:{kind}/",
        "arn:aws:personalize:us-west-2:111122223333:{kind}/{name}/0a1b2c3d",
        "arn:aws:personalize:us-west-2:111122223333:{kind}/{name}\n",
        "arn:aws:personalize:us-west-2:111122223333:recipe/{name}",
        "arn:aws:personalize:us-west-2::{kind}/{name}",
        "arn:aws:personalize::111122223333:{kind}/{name}",
        "arn:aws:forecast:us-west-2:111122223333:{kind}/{name}",
    ],
)
def test_what_is_no_arn_of_its_kind_is_refused(kind: str, name: str, importer: Importer, template: str) -> None:
    arn = template.format(kind=kind, name=name)
    shape = "<dataset group>/<one of INTERACTIONS, ITEMS, USERS, ACTIONS, ACTION_INTERACTIONS>"
    message = (
        f"{kind.replace('-', '_')}_arn must look like arn:<partition>:personalize:<region>:<account>:"
        f"{kind}/{shape if kind == 'dataset' else '<name>'}, got {arn!r}"
    )

    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        importer(stack(), arn)


@pytest.mark.parametrize(("kind", "name", "importer"), BY_ARN, ids=KINDS)
def test_tokens_are_split_when_they_are_deployed(kind: str, name: str, importer: Importer) -> None:
    scope = stack()
    token = cdk.CfnParameter(scope, "Arn").value_as_string

    made = importer(scope, token)

    assert scope.resolve(read(made, kind, "arn")) == {"Ref": "Arn"}
    name_of = getattr(made, f"{kind.replace('-', '_')}_name", None)
    assert name_of is None or "Fn::Select" in scope.resolve(name_of)


@pytest.mark.parametrize("dataset_type", list(personalize.DatasetType))
def test_a_dataset_is_known_by_its_group_and_type(dataset_type: personalize.DatasetType) -> None:
    scope = stack()
    group = personalize.DatasetGroup.from_dataset_group_arn(scope, "Group", f"{PREFIX}:dataset-group/films")

    made = personalize.Dataset.from_dataset_attributes(
        scope, "Imported", dataset_group=group, dataset_type=dataset_type
    )

    tail = f":personalize:us-west-2:111122223333:dataset/films/{dataset_type.value}"
    assert scope.resolve(made.dataset_arn)["Fn::Join"][1] == ["arn:", {"Ref": "AWS::Partition"}, tail]
    assert made.dataset_type is dataset_type
    assert (made.env.account, made.env.region) == THERE


@pytest.mark.parametrize(("arn", "expected"), [(f"{PREFIX}:dataset/films/USERS", "USERS"), (None, None)])
def test_an_arn_says_what_a_dataset_holds(arn: str | None, expected: str | None) -> None:
    scope = stack()

    made = personalize.Dataset.from_dataset_arn(scope, "Imported", arn or cdk.Fn.import_value("Dataset"))

    assert (made.dataset_type and made.dataset_type.value) == expected


def test_an_event_tracker_has_its_tracking_id() -> None:
    assert tracker(stack(), f"{PREFIX}:event-tracker/0a1b2c3d").tracking_id == TRACKING_ID
