"""Schema rules beyond those that the constructs can break."""

from __future__ import annotations

from typing import Any

import pytest

from cdk_personalize.avro import check_schema, is_nullable, value_type
from cdk_personalize.facts.fields import DATASET_RULES


def record(name: str, *fields: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields), "version": "1.0", **members}


def text(name: str, *marks: str, null: bool = False) -> dict[str, Any]:
    return {"name": name, "type": ["null", "string"] if null else "string", **dict.fromkeys(marks, True)}


def number(name: str, kind: str = "long", *, null: bool = False) -> dict[str, Any]:
    return {"name": name, "type": [kind, "null"] if null else kind}


KEYS = (text("USER_ID"), text("ITEM_ID"), number("TIMESTAMP"))


@pytest.mark.parametrize(
    ("schema", "dataset_type", "domain"),
    [
        (record("Interactions", *KEYS, number("EVENT_VALUE", "float")), "INTERACTIONS", None),
        (record("interactions", *KEYS, text("EVENT_TYPE")), "INTERACTIONS", "ECOMMERCE"),
        (record("Items", text("ITEM_ID"), number("CREATION_TIMESTAMP")), "ITEMS", None),
        (
            record(
                "Items",
                text("ITEM_ID"),
                number("PRICE", "float"),
                text("CATEGORY_L1", "categorical"),
                text("PRODUCT_DESCRIPTION"),
                text("GENDER", "categorical", null=True),
            ),
            "ITEMS",
            "ECOMMERCE",
        ),
        (
            record(
                "Items",
                text("ITEM_ID"),
                number("CREATION_TIMESTAMP"),
                text("GENRES", "categorical"),
                text("PRODUCT_DESCRIPTION", "textual", null=True),
            ),
            "ITEMS",
            "VIDEO_ON_DEMAND",
        ),
        (
            record("Users", text("USER_ID"), text("SUBSCRIPTION_MODEL", "categorical", null=True)),
            "USERS",
            "VIDEO_ON_DEMAND",
        ),
        (
            record("Actions", text("ACTION_ID"), number("VALUE", null=True), number("EXPIRATION_TIMESTAMP")),
            "ACTIONS",
            None,
        ),
        (
            record("ActionInteractions", text("USER_ID"), text("ACTION_ID"), text("EVENT_TYPE"), number("TIMESTAMP")),
            "ACTION_INTERACTIONS",
            None,
        ),
        (record("Anything", number("X")), None, None),
    ],
)
def test_what_the_service_takes(schema: dict[str, Any], dataset_type: str | None, domain: str | None) -> None:
    assert check_schema(schema, dataset_type, domain) == []


@pytest.mark.parametrize(
    ("schema", "dataset_type", "domain", "problems"),
    [
        ({}, None, None, ['"type" must be "record"', '"name" must be', '"fields" must be a list of at least one']),
        (record("Items", version="2"), None, None, ['"version" must be "1.0", got \'2\'', '"fields" must be a list']),
        (record("Items", {"type": "int"}), None, None, ['a field must be an object with a "name" and a "type"']),
        (record("Items", number("X", "bytes")), None, None, ["field 'X': type must be one of ['boolean', 'double',"]),
        (
            record("Items", {"name": "X", "type": ["null", "int", "string"]}),
            None,
            None,
            ["field 'X': type must be one of"],
        ),
        (record("Items", {"name": "X", "type": {"type": "array"}}), None, None, ["field 'X': type must be one of"]),
        (record("Items", {"name": "X", "type": "null"}), None, None, ["field 'X': type must be one of"]),
        (
            record("Items", {**number("X"), "categorical": True}),
            None,
            None,
            ["field 'X': only a string can be categorical, got type 'long'"],
        ),
        (
            record("Items", text("X", "categorical", "textual")),
            None,
            None,
            ["field 'X': a field cannot be both categorical and textual"],
        ),
        (
            record("Items", {**number("X"), "scale": 2}),
            None,
            None,
            ["field 'X': unknown attributes ['scale'], allowed"],
        ),
        (
            record("Users", *KEYS),
            "INTERACTIONS",
            None,
            ['"name" must be "Interactions" for the dataset type INTERACTIONS, got \'Users\''],
        ),
        (
            record("Interactions", *KEYS[:2]),
            "INTERACTIONS",
            None,
            ["required field 'TIMESTAMP' of type 'long' is missing"],
        ),
        (
            record("Interactions", *KEYS),
            "INTERACTIONS",
            "ECOMMERCE",
            ["required field 'EVENT_TYPE' of type 'string' is missing"],
        ),
        (
            record("Interactions", text("USER_ID", null=True), *KEYS[1:]),
            "INTERACTIONS",
            None,
            ["required field 'USER_ID' must not be nullable"],
        ),
        (
            record("Users", text("USER_ID"), text("SUBSCRIPTION_MODEL")),
            "USERS",
            "VIDEO_ON_DEMAND",
            [
                "reserved field 'SUBSCRIPTION_MODEL' must be categorical",
                "USERS needs at least one categorical, textual or numeric field beside its id",
            ],
        ),
        (
            record("Users", text("USER_ID"), number("AGE"), text("NAME", "itemName")),
            "USERS",
            None,
            ["field 'NAME': only ITEMS has a field marked itemName, got one in USERS"],
        ),
        (
            record("Items", text("ITEM_ID"), text("TITLE")),
            "ITEMS",
            None,
            ["ITEMS needs at least one categorical, textual or numeric field beside its id"],
        ),
        (record("X", number("X")), "FILMS", None, ["dataset type must be one of ['INTERACTIONS', 'ITEMS',"]),
        (record("X", number("X")), "ITEMS", "GAMES", ["domain must be one of ['ECOMMERCE', 'VIDEO_ON_DEMAND']"]),
        (record("Actions", number("X")), "ACTIONS", "ECOMMERCE", ["dataset type must be one of ['INTERACTIONS',"]),
    ],
)
def test_what_it_refuses(
    schema: dict[str, Any], dataset_type: str | None, domain: str | None, problems: list[str]
) -> None:
    found = check_schema(schema, dataset_type, domain)

    assert len(found) == len(problems), found
    for problem, start in zip(found, problems, strict=True):
        assert problem.startswith(start)


def test_every_domain_has_rules_for_its_types() -> None:
    assert {domain: sorted(rules) for domain, rules in DATASET_RULES.items()} == {
        None: ["ACTIONS", "ACTION_INTERACTIONS", "INTERACTIONS", "ITEMS", "USERS"],
        "ECOMMERCE": ["INTERACTIONS", "ITEMS", "USERS"],
        "VIDEO_ON_DEMAND": ["INTERACTIONS", "ITEMS", "USERS"],
    }


def test_reading_fields() -> None:
    assert (value_type(number("X", "int", null=True)), is_nullable(number("X", null=True))) == ("int", True)
    assert (value_type(number("X")), is_nullable(number("X"))) == ("long", False)
