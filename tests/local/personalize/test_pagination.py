from __future__ import annotations

import pytest

from .support import INTERACTIONS_SCHEMA, Builder, Cloud


@pytest.fixture
def names(build: Builder) -> list[str]:
    names = [f"s{number:03}" for number in range(105)]
    for name in names:
        build.schema(name, INTERACTIONS_SCHEMA)
    return names


def test_pages(cloud: Cloud, names: list[str]) -> None:
    client = cloud.personalize
    first = client.list_schemas()
    assert [schema["name"] for schema in first["schemas"]] == names[:100]
    last = client.list_schemas(nextToken=first["nextToken"])
    assert [schema["name"] for schema in last["schemas"]] == names[100:]
    assert "nextToken" not in last
    pages = list(client.get_paginator("list_schemas").paginate(PaginationConfig={"PageSize": 10}))
    assert [len(page["schemas"]) for page in pages] == [10] * 10 + [5]
    assert [schema["name"] for page in pages for schema in page["schemas"]] == names


def test_tokens_belong_to_their_list(cloud: Cloud, build: Builder, names: list[str]) -> None:
    client = cloud.personalize
    token = client.list_schemas(maxResults=1)["nextToken"]
    assert len(client.list_schemas(maxResults=3, nextToken=token)["schemas"]) == 3
    for wrong in ("nonsense", token[:-4], token[::-1]):
        with pytest.raises(client.exceptions.InvalidNextTokenException):
            client.list_schemas(nextToken=wrong)
    with pytest.raises(client.exceptions.InvalidNextTokenException):
        client.list_dataset_groups(nextToken=token)


def test_recipes(cloud: Cloud) -> None:
    client = cloud.personalize
    pages = client.get_paginator("list_recipes").paginate(PaginationConfig={"PageSize": 4})
    names = [recipe["name"] for page in pages for recipe in page["recipes"]]
    assert "aws-user-personalization-v2" in names
    assert len(set(names)) == len(names)
