"""Schema and Field."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from cdk_personalize.dataset_type import DatasetType
from cdk_personalize.domain import Domain
from cdk_personalize.schema import Field, Schema


def test_interactions_have_the_required_columns_and_what_is_asked_for() -> None:
    schema = Schema.interactions(
        Field.categorical("DEVICE", nullable=True),
        event_type=True,
        event_value=True,
        impression=True,
        recommendation_id=True,
        event_attribution_source=True,
    )

    assert json.loads(schema.document) == {
        "type": "record",
        "name": "Interactions",
        "namespace": "com.amazonaws.personalize.schema",
        "fields": [
            {"name": "USER_ID", "type": "string"},
            {"name": "ITEM_ID", "type": "string"},
            {"name": "TIMESTAMP", "type": "long"},
            {"name": "EVENT_TYPE", "type": "string"},
            {"name": "EVENT_VALUE", "type": ["null", "float"]},
            {"name": "IMPRESSION", "type": ["null", "string"]},
            {"name": "RECOMMENDATION_ID", "type": ["null", "string"]},
            {"name": "EVENT_ATTRIBUTION_SOURCE", "type": ["null", "string"]},
            {"name": "DEVICE", "type": ["null", "string"], "categorical": True},
        ],
        "version": "1.0",
    }


def test_interactions_without_options() -> None:
    assert Schema.interactions().columns == ("USER_ID", "ITEM_ID", "TIMESTAMP")


def test_items() -> None:
    schema = Schema.items(Field.categorical("GENRES"), Field.textual("PLOT"), creation_timestamp=True)

    assert schema.dataset_type is DatasetType.ITEMS
    assert schema.columns == ("ITEM_ID", "GENRES", "PLOT", "CREATION_TIMESTAMP")


def test_users() -> None:
    schema = Schema.users(Field.int("AGE"))

    assert schema.dataset_type is DatasetType.USERS
    assert schema.columns == ("USER_ID", "AGE")


def test_actions_and_action_interactions() -> None:
    actions = Schema.actions(
        Field.categorical("KIND"),
        value=True,
        creation_timestamp=True,
        expiration_timestamp=True,
        repeat_frequency=True,
    )
    assert actions.dataset_type is DatasetType.ACTIONS
    assert actions.columns == (
        "ACTION_ID",
        "KIND",
        "VALUE",
        "CREATION_TIMESTAMP",
        "EXPIRATION_TIMESTAMP",
        "REPEAT_FREQUENCY",
    )
    taken = Schema.action_interactions(Field.categorical("CHANNEL"), recommendation_id=True)
    assert json.loads(taken.document)["name"] == "ActionInteractions"
    assert taken.columns == ("USER_ID", "ACTION_ID", "EVENT_TYPE", "TIMESTAMP", "RECOMMENDATION_ID", "CHANNEL")
    assert Schema.from_avro(taken.document) == taken
    assert Schema.from_avro(taken.document).dataset_type is DatasetType.ACTION_INTERACTIONS


@pytest.mark.parametrize(
    ("domain", "items"),
    [
        (Domain.ECOMMERCE, ("ITEM_ID", "PRICE", "CATEGORY_L1", "BRAND")),
        (Domain.VIDEO_ON_DEMAND, ("ITEM_ID", "CREATION_TIMESTAMP", "GENRES", "BRAND")),
    ],
)
def test_a_domain_adds_what_it_requires(domain: Domain, items: tuple[str, ...]) -> None:
    schema = Schema.items(Field.categorical("BRAND"), creation_timestamp="CREATION_TIMESTAMP" in items, domain=domain)
    assert schema.columns == items
    assert schema.problems_in(domain) == []
    assert Schema.items(domain=domain).problems_in(domain) == []
    assert Schema.items(Field.categorical("BRAND")).problems_in(domain)
    assert "EVENT_TYPE" in Schema.interactions(domain=domain).columns
    assert Schema.interactions(event_type=True).problems_in(domain) == []
    assert Schema.interactions().problems_in(domain) == ["required field 'EVENT_TYPE' of type 'string' is missing"]


@pytest.mark.parametrize(
    ("factory", "declared"),
    [
        (Field.categorical, {"type": "string", "categorical": True}),
        (Field.textual, {"type": "string", "textual": True}),
        (Field.item_name, {"type": "string", "itemName": True}),
        (Field.string, {"type": "string"}),
        (Field.boolean, {"type": "boolean"}),
        (Field.int, {"type": "int"}),
        (Field.long, {"type": "long"}),
        (Field.float, {"type": "float"}),
        (Field.double, {"type": "double"}),
    ],
)
def test_fields(factory: Callable[..., Field], declared: dict[str, object]) -> None:
    assert factory("X").to_avro() == {"name": "X", **declared}
    assert factory("X", nullable=True).to_avro() == {"name": "X", **declared, "type": ["null", declared["type"]]}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Schema.items(Field.int("1ST")),
            "schema of ITEMS is not valid: field '1ST': a name has 1 to 150 letters, digits and underscores and does "
            "not start with a digit",
        ),
        (
            lambda: Schema.items(Field.int("YEAR"), Field.int("Year_")),
            "schema of ITEMS is not valid: fields 'YEAR' and 'Year_': names must differ in their letters and digits, "
            "whatever the case and underscores",
        ),
        (
            lambda: Schema.items(),
            "schema of ITEMS is not valid: ITEMS needs at least one categorical, textual or numeric field beside its",
        ),
        (
            lambda: Schema.users(Field.textual("BIO"), Field.int("AGE")),
            "schema of USERS is not valid: field 'BIO': only ITEMS has textual fields, got one in USERS",
        ),
        (
            lambda: Schema.items(Field.textual("A"), Field.textual("B")),
            "schema of ITEMS is not valid: ITEMS has at most 1 textual field, got ['A', 'B']",
        ),
        (
            lambda: Schema.interactions(*(Field.int(f"N{n}") for n in range(6))),
            "schema of INTERACTIONS is not valid: INTERACTIONS has at most 5 metadata fields, got 6",
        ),
        (
            lambda: Schema.interactions(Field.categorical("EVENT_TYPE")),
            "schema of INTERACTIONS is not valid: reserved field 'EVENT_TYPE' must not be categorical",
        ),
        (
            lambda: Schema.interactions(Field.int("EVENT_VALUE")),
            "schema of INTERACTIONS is not valid: reserved field 'EVENT_VALUE' must have the type 'float', got 'int'",
        ),
        (lambda: Schema.from_avro("{"), "definition must be an Avro schema in JSON: "),
        (lambda: Schema.from_avro("[]"), "definition must be a JSON object, got []"),
        (
            lambda: Schema.from_avro({"name": "Films"}),
            "\"name\" of an Avro schema must be one of ['Interactions', 'Items', 'Users', 'Actions', "
            "'ActionInteractions'], got 'Films'",
        ),
    ],
)
def test_what_the_service_refuses_is_refused(make: Callable[[], Schema], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        make()


def test_from_avro_keeps_the_schema() -> None:
    original = Schema.items(Field.categorical("GENRES"))

    for definition in (original.document, json.loads(original.document)):
        assert Schema.from_avro(definition) == original
    assert Schema.from_avro(original.document.replace('"Items"', '"items"')).dataset_type is DatasetType.ITEMS


def test_the_hash_stands_for_the_content() -> None:
    one = Schema.items(Field.int("YEAR"))
    same = Schema.from_avro(json.dumps(json.loads(one.document), sort_keys=True, indent=1))

    assert one.content_hash == same.content_hash == "98d9b488ea690c92"
    assert hash(one) == hash(same)
    assert one != Schema.items(Field.long("YEAR"))
    assert repr(one) == "Schema(ITEMS: ITEM_ID, YEAR)"


def test_the_longest_schema() -> None:
    names = [f"{'N' * 147}{index}" for index in range(100)]

    with pytest.raises(ValueError, match="a schema has at most 20000 characters, got"):
        Schema.items(*(Field.categorical(name, nullable=True) for name in names))
