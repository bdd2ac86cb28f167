"""Filter."""

from __future__ import annotations

import aws_cdk as cdk
import pytest

import cdk_personalize as personalize
from tests.unit.conftest import USERS, Resources, Synthesis

TYPE = "AWS::Personalize::Filter"
WATCHED = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")'


def test_it_waits_for_every_dataset(synthesis: Synthesis, group: personalize.DatasetGroup) -> None:
    made = group.add_filter("Unwatched", expression=WATCHED)
    group.add_users(schema=USERS)
    resources = Resources.of(synthesis.template)
    resource = resources.one(TYPE)

    assert set(resources.ids("Custom::PersonalizeDataset")) <= set(resource["DependsOn"])
    assert len(resources.ids("Custom::PersonalizeDataset")) == 3
    assert resource["Properties"] == {
        "Name": made.filter_name,
        "DatasetGroupArn": {"Fn::GetAtt": [*resources.ids("Custom::PersonalizeDatasetGroup"), "DatasetGroupArn"]},
        "FilterExpression": WATCHED,
        "Tags": [{"Key": "cdk-personalize:owner", "Value": group.owner}],
    }
    assert synthesis.stack.resolve(made.filter_arn) == {"Fn::GetAtt": [*resources.ids(TYPE), "FilterArn"]}


def test_filters_are_made_one_after_the_other(synthesis: Synthesis, group: personalize.DatasetGroup) -> None:
    for index in range(3):
        group.add_filter(f"Before{index}", expression=f"EXCLUDE ItemID WHERE Items.YEAR < {1990 + index}")
    resources = Resources.of(synthesis.template)
    first, second, third = resources.ids(TYPE)

    assert first in resources.all[second]["DependsOn"]
    assert second in resources.all[third]["DependsOn"]
    assert not {second, third} & set(resources.all[first]["DependsOn"])


def test_another_expression_has_another_name(synthesis: Synthesis) -> None:
    names = [
        Synthesis().group().add_filter("Unwatched", expression=expression, filter_name=prefix).filter_name
        for expression, prefix in [(WATCHED, None), (WATCHED, None), (WATCHED.lower(), None), (WATCHED, "seen")]
    ]

    assert names[0] == names[1]
    assert len(set(names)) == 3
    assert names[0].startswith("Films-Movies-Unwatched-")
    assert names[3].startswith("seen-")


def test_a_wrong_expression_is_refused_at_once(group: personalize.DatasetGroup) -> None:
    with pytest.raises(personalize.FilterExpressionError, match="EXCLUDE ItemID Items"):
        group.add_filter("Broken", expression="EXCLUDE ItemID Items.YEAR < 1990")
    with pytest.raises(ValueError, match="1 to 2500 characters"):
        group.add_filter("Empty", expression="")


def test_an_unknown_column_is_an_error_of_the_synthesis(group: personalize.DatasetGroup) -> None:
    group.add_filter("Cheap", expression="INCLUDE ItemID WHERE Items.PRICE < 3")
    group.add_filter("Adults", expression='INCLUDE ItemID WHERE Items.GENRES IN ("x") IF CurrentUser.AGE > 17')

    first, second = group.node.validate()
    group.add_users(schema=USERS)
    [left] = group.node.validate()

    assert first.startswith("filter 'Films/Movies/Cheap': ")
    assert "PRICE" in first
    assert second.startswith("filter 'Films/Movies/Adults': ")
    assert left == first


def test_tokens_pass(synthesis: Synthesis, group: personalize.DatasetGroup) -> None:
    expression = cdk.CfnParameter(synthesis.stack, "Expression").value_as_string
    group.add_filter("Given", expression=expression)

    assert list(group.node.validate()) == []
    assert Resources.of(synthesis.template).properties(TYPE)["FilterExpression"] == {"Ref": "Expression"}


def test_a_name_that_the_service_refuses(group: personalize.DatasetGroup) -> None:
    with pytest.raises(ValueError, match="filter_name must have 1 to 63"):
        group.add_filter("Unwatched", expression=WATCHED, filter_name="my filter")


def test_in_a_dataset_group_that_is_managed_elsewhere(synthesis: Synthesis) -> None:
    arn = "arn:aws:personalize:us-east-1:111122223333:dataset-group/films"
    group = personalize.DatasetGroup.from_dataset_group_arn(synthesis.stack, "Imported", arn)
    personalize.Filter(synthesis.stack, "Filter", dataset_group=group, expression=WATCHED)

    properties = Resources.of(synthesis.template).properties(TYPE)
    assert properties["DatasetGroupArn"] == arn
    assert "Tags" not in properties
