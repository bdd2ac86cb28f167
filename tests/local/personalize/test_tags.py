from __future__ import annotations

import pytest

from .support import Builder, Cloud


def tags(**values: str) -> list[dict[str, str]]:
    return [{"tagKey": key, "tagValue": value} for key, value in values.items()]


def test_tags_of_a_resource(cloud: Cloud, build: Builder) -> None:
    client = cloud.personalize
    arn = build.group(tags=tags(team="films", stage="test"))
    client.tag_resource(resourceArn=arn, tags=tags(stage="prod", owner="us"))
    client.untag_resource(resourceArn=arn, tagKeys=["team", "nothing"])
    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == tags(stage="prod", owner="us")


def test_describe_and_list_do_not_show_tags(cloud: Cloud, build: Builder) -> None:
    arn = build.group(tags=tags(team="films"))
    assert "tags" not in cloud.personalize.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]
    assert "tags" not in cloud.personalize.list_dataset_groups()["datasetGroups"][0]


def test_a_resource_has_at_most_fifty(cloud: Cloud, build: Builder) -> None:
    client = cloud.personalize
    arn = build.group(tags=tags(**{f"k{number}": "v" for number in range(50)}))
    client.tag_resource(resourceArn=arn, tags=tags(k0="changed"))
    with pytest.raises(client.exceptions.TooManyTagsException, match="at most 50 tags, got 51"):
        client.tag_resource(resourceArn=arn, tags=tags(one="more"))
    assert len(client.list_tags_for_resource(resourceArn=arn)["tags"]) == 50


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([{"tagKey": "aws:x", "tagValue": "1"}], "must not start with aws:"),
        ([{"tagKey": "x", "tagValue": "1"}, {"tagKey": "x", "tagValue": "2"}], "unique"),
    ],
)
def test_wrong_tags(cloud: Cloud, build: Builder, wrong: list[dict[str, str]], message: str) -> None:
    client = cloud.personalize
    with pytest.raises(client.exceptions.InvalidInputException, match=message):
        client.create_dataset_group(name="other", tags=wrong)
    with pytest.raises(client.exceptions.InvalidInputException, match=message):
        client.tag_resource(resourceArn=build.group(), tags=wrong)
    assert len(client.list_dataset_groups()["datasetGroups"]) == 1


def test_schemas_have_no_tags(cloud: Cloud, build: Builder) -> None:
    build.dataset(build.group())
    schema = cloud.personalize.list_schemas()["schemas"][0]["schemaArn"]
    with pytest.raises(cloud.personalize.exceptions.InvalidInputException, match="Schema cannot be tagged"):
        cloud.personalize.list_tags_for_resource(resourceArn=schema)
