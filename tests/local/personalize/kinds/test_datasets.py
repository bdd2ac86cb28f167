from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from personalize_local.personalize import Settings, Uncertain

from ..support import (
    ACTION_INTERACTIONS_SCHEMA,
    ACTIONS_SCHEMA,
    INTERACTIONS_SCHEMA,
    ITEMS_SCHEMA,
    SLOW,
    USERS_SCHEMA,
    Builder,
    Cloud,
    items_csv,
)


def evolved(*added: dict[str, Any], without: str = "", **changed: dict[str, Any]) -> str:
    """The Items schema with other fields."""
    schema = json.loads(ITEMS_SCHEMA)
    fields = [{**field, **changed.get(field["name"], {})} for field in schema["fields"] if field["name"] != without]
    return json.dumps({**schema, "fields": [*fields, *added]})


TITLE = {"name": "TITLE", "type": ["null", "string"]}


@pytest.fixture
def items(build: Builder) -> str:
    return build.dataset(build.group(), "Items", ITEMS_SCHEMA)


def test_types_are_in_upper_case(build: Builder, items: str) -> None:
    assert build.wait("dataset", items)["datasetType"] == "ITEMS"


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("Films", ITEMS_SCHEMA, "datasetType must be one of INTERACTIONS, ITEMS, USERS.*got Films"),
        ("Users", ITEMS_SCHEMA, "does not fit a dataset of type USERS: .*required field 'USER_ID'"),
        ("Interactions", USERS_SCHEMA, "does not fit"),
    ],
)
def test_schemas_have_to_fit(build: Builder, kind: str, text: str, message: str) -> None:
    with pytest.raises(build.personalize.exceptions.InvalidInputException, match=message):
        build.dataset(build.group(), kind, text)


def test_all_types(build: Builder) -> None:
    group = build.group()
    schemas = {
        "Interactions": INTERACTIONS_SCHEMA,
        "Items": ITEMS_SCHEMA,
        "Users": USERS_SCHEMA,
        "Actions": ACTIONS_SCHEMA,
        "action_interactions": ACTION_INTERACTIONS_SCHEMA,
    }
    found = [build.wait("dataset", build.dataset(group, kind, text)) for kind, text in schemas.items()]
    assert [dataset["datasetType"] for dataset in found] == [kind.upper() for kind in schemas]
    assert [dataset["datasetArn"].rpartition("/")[2] for dataset in found] == [kind.upper() for kind in schemas]
    assert [bool(dataset.get("trackingId")) for dataset in found] == [False] * 4 + [True]
    with pytest.raises(build.personalize.exceptions.ResourceAlreadyExistsException, match="/ITEMS already exists"):
        build.personalize.create_dataset(
            name="second", datasetGroupArn=group, datasetType="ITEMS", schemaArn=found[1]["schemaArn"]
        )


@pytest.mark.parametrize(
    ("kind", "text"), [("Actions", ACTIONS_SCHEMA), ("Action_Interactions", ACTION_INTERACTIONS_SCHEMA)]
)
def test_domains_have_no_actions(build: Builder, kind: str, text: str) -> None:
    group = build.group(domain="ECOMMERCE")
    with pytest.raises(
        build.personalize.exceptions.InvalidInputException, match="must be one of INTERACTIONS, USERS, ITEMS"
    ):
        build.dataset(group, kind, text)


def test_schemas_of_a_domain_need_a_group_of_it(build: Builder) -> None:
    group = build.group(domain="ECOMMERCE")
    with pytest.raises(build.personalize.exceptions.InvalidInputException, match="the dataset group is for ECOMMERCE"):
        build.dataset(group, "Users", USERS_SCHEMA)


@pytest.mark.parametrize("text", ["no JSON", "[]", "{}", '{"type": "record", "name": "Items", "fields": []}'])
def test_wrong_schemas(build: Builder, text: str) -> None:
    with pytest.raises(build.personalize.exceptions.InvalidInputException, match="Input schema"):
        build.schema("s", text)


def test_an_update_adds_columns_in_place(make_cloud: Callable[..., Cloud]) -> None:
    build = Builder(make_cloud(SLOW))
    items = build.dataset(build.group(), "Items", ITEMS_SCHEMA)
    build.import_csv(items, items_csv())
    schema = build.schema("more", evolved(TITLE))
    old = build.wait("dataset", items)["schemaArn"]
    build.personalize.update_dataset(datasetArn=items, schemaArn=schema)
    updating = build.personalize.describe_dataset(datasetArn=items)["dataset"]
    assert updating["status"] == updating["latestDatasetUpdate"]["status"] == "UPDATE PENDING"
    assert (updating["schemaArn"], updating["latestDatasetUpdate"]["schemaArn"]) == (old, schema)
    with pytest.raises(build.personalize.exceptions.ResourceInUseException):
        build.personalize.delete_schema(schemaArn=schema)
    with pytest.raises(build.personalize.exceptions.ResourceInUseException, match="UPDATE PENDING"):
        build.personalize.update_dataset(datasetArn=items, schemaArn=schema)
    build.wait("dataset", items, until=("UPDATE IN_PROGRESS",))
    updated = build.wait("dataset", items)
    assert updated["schemaArn"] == schema
    assert updated["latestDatasetUpdate"]["status"] == "ACTIVE"
    build.personalize.delete_schema(schemaArn=old)
    contents = build.cloud.service._engine.state.scope("000000000000", "us-east-1").datasets[items]
    assert len(contents) == 40
    build.import_csv(items, "ITEM_ID,GENRES,YEAR,TITLE\nx,Drama,1990,X\n", name="more", mode="INCREMENTAL")
    assert len(contents) == 41


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (evolved(without="YEAR"), "field YEAR is missing"),
        (evolved(YEAR={"type": ["null", "long"]}), r'field YEAR was .*"int".* and is .*"long"'),
        (evolved(GENRES={"categorical": False}), "field GENRES was"),
        (evolved({"name": "PRICE", "type": "float"}), "the new field PRICE must be nullable"),
    ],
)
def test_updates_that_are_refused(build: Builder, items: str, text: str, message: str) -> None:
    schema = build.schema("other", text)
    with pytest.raises(build.personalize.exceptions.InvalidInputException, match=message):
        build.personalize.update_dataset(datasetArn=items, schemaArn=schema)
    assert build.wait("dataset", items)["status"] == "ACTIVE"


def test_interactions_cannot_be_updated(build: Builder) -> None:
    dataset = build.dataset(build.group())
    schema = build.schema("other", INTERACTIONS_SCHEMA)
    with pytest.raises(build.personalize.exceptions.InvalidInputException, match="Only datasets of type ITEMS, USERS"):
        build.personalize.update_dataset(datasetArn=dataset, schemaArn=schema)


def test_a_failed_update_changes_nothing(build: Builder, items: str) -> None:
    schema = build.schema("more", evolved(TITLE))
    build.cloud.service.admin("fail", {"operation": "UpdateDataset", "failure_reason": "no luck"})
    build.personalize.update_dataset(datasetArn=items, schemaArn=schema)
    found = build.wait("dataset", items)
    assert found["schemaArn"] != schema
    assert found["latestDatasetUpdate"]["status"] == "CREATE FAILED"
    assert found["latestDatasetUpdate"]["failureReason"] == "no luck"
    build.personalize.delete_schema(schemaArn=schema)


@pytest.mark.parametrize("code", ["LimitExceededException", "ResourceAlreadyExistsException"])
def test_a_second_dataset_of_a_type(make_cloud: Callable[..., Cloud], code: str) -> None:
    build = Builder(make_cloud(Settings(uncertain=Uncertain(second_dataset_error=code))))
    group = build.group()
    arn = build.dataset(group)
    schema = build.personalize.describe_dataset(datasetArn=arn)["dataset"]["schemaArn"]
    with pytest.raises(getattr(build.personalize.exceptions, code), match=f"{arn}"):
        build.personalize.create_dataset(
            name="other", schemaArn=schema, datasetGroupArn=group, datasetType="interactions"
        )


@pytest.mark.parametrize("unique", [False, True])
def test_whether_names_are_unique(make_cloud: Callable[..., Cloud], unique: bool) -> None:
    build = Builder(make_cloud(Settings(uncertain=Uncertain(dataset_names_unique=unique))))
    first = build.dataset(build.group())
    found = build.personalize.describe_dataset(datasetArn=first)["dataset"]
    request = {
        "name": found["name"],
        "schemaArn": found["schemaArn"],
        "datasetGroupArn": build.group("books"),
        "datasetType": "Interactions",
    }
    if unique:
        with pytest.raises(build.personalize.exceptions.ResourceAlreadyExistsException, match=first):
            build.personalize.create_dataset(**request)
    else:
        assert build.personalize.create_dataset(**request)
