"""Rules for schemas."""

from __future__ import annotations

from typing import Any

from cdk_personalize import Domain, Field, Schema
from cdk_personalize.avro import check_schema
from tests.unit.rules.rule import Rule

KEYS: tuple[dict[str, Any], ...] = (
    {"name": "USER_ID", "type": "string"},
    {"name": "ITEM_ID", "type": "string"},
    {"name": "TIMESTAMP", "type": "long"},
)
ITEM: dict[str, Any] = {"name": "ITEM_ID", "type": "string"}
YEAR: dict[str, Any] = {"name": "YEAR", "type": "int"}


def record(name: str, *fields: object, **members: object) -> dict[str, object]:
    """Return an Avro schema."""
    return {"type": "record", "name": name, "fields": list(fields), "version": "1.0", **members}


def items(*fields: object) -> Schema:
    """Return a schema of items with these fields."""
    return Schema.from_avro(record("Items", ITEM, YEAR, *fields))


def one(field: object) -> Schema:
    """Return a schema of items with this field more."""
    return items(field)


def named(name: str) -> Schema:
    """Return a schema of items with this column more."""
    return items({"name": name, "type": "string"})


def in_domain(domain: Domain) -> Any:
    """Return what checks a schema for a domain."""
    return lambda schema: schema.problems_in(domain)


def string(name: str, **marks: object) -> dict[str, object]:
    """Return a field of strings."""
    return {"name": name, "type": "string", **marks}


RULES = (
    Rule(
        "definition must hold what JSON can say",
        lambda doc: items(string("N", doc=doc)),
        {"a set"},
        ["a list"],
    ),
    Rule("field 'AGE\u0663': a name has 1 to 150 letters", named, "AGE\u0663", "AGE3"),
    Rule(
        "definition must be an Avro schema in JSON",
        Schema.from_avro,
        "{",
        '{"type":"record","name":"Users","fields":[{"name":"USER_ID","type":"string"},{"name":"AGE","type":"int"}]}',
    ),
    Rule("definition must be a JSON object, got []", Schema.from_avro, "[]", record("Items", ITEM, YEAR)),
    Rule(
        '"name" of an Avro schema must be one of', Schema.from_avro, record("Films", ITEM), record("Items", ITEM, YEAR)
    ),
    Rule(
        '"type" must be "record", got \'enum\'',
        lambda kind: Schema.from_avro(record("Items", ITEM, YEAR, type=kind)),
        "enum",
        "record",
    ),
    Rule(
        '"version" must be "1.0", got \'2.0\'',
        lambda version: Schema.from_avro(record("Items", ITEM, YEAR, version=version)),
        "2.0",
        "1.0",
    ),
    Rule(
        '"fields" must be a list of at least one field, got []',
        lambda fields: Schema.from_avro(record("Items", *fields)),
        (),
        (ITEM, YEAR),
    ),
    Rule(
        '"name" must be the name of the dataset type, got 5',
        lambda name: check_schema(record(name, ITEM), None, None),
        5,
        "Items",
    ),
    Rule('a field must be an object with a "name" and a "type"', one, {"type": "int"}, {"name": "N", "type": "int"}),
    Rule("field '2ND': a name has 1 to 150 letters", named, "2ND", "SECOND"),
    Rule("a name has 1 to 150 letters, digits and underscores", named, "N" * 151, "N" * 150),
    Rule("field 'N': unknown attributes ['unit'], allowed", one, string("N", unit="m"), string("N", doc="m")),
    Rule("field 'N': type must be one of", one, {"name": "N", "type": "bytes"}, {"name": "N", "type": "double"}),
    Rule(
        "or a union of one of them with null",
        one,
        {"name": "N", "type": ["int", "long"]},
        {"name": "N", "type": ["null", "long"]},
    ),
    Rule(
        "field 'N': only a string can be categorical, got type 'int'",
        one,
        {"name": "N", "type": "int", "categorical": True},
        string("N", categorical=True),
    ),
    Rule(
        "field 'N': a field cannot be both categorical and textual",
        one,
        string("N", categorical=True, textual=True),
        string("N", categorical=False, textual=True),
    ),
    Rule("fields 'YEAR' and 'y_e_a_r': names must differ in their letters and digits", named, "y_e_a_r", "y_e_a_r_2"),
    Rule(
        "schema of ITEMS is not valid: a schema has at most 20000 characters",
        lambda length: items(string("N", doc="d" * length)),
        20_000,
        19_000,
    ),
    Rule(
        "required field 'TIMESTAMP' of type 'long' is missing",
        lambda fields: Schema.from_avro(record("Interactions", *fields)),
        KEYS[:2],
        KEYS,
    ),
    Rule(
        "required field 'ITEM_ID' must not be nullable",
        lambda kind: Schema.from_avro(record("Items", {"name": "ITEM_ID", "type": kind}, YEAR)),
        ["null", "string"],
        "string",
    ),
    Rule(
        "required field 'TIMESTAMP' must have the type 'long', got 'int'",
        lambda kind: Schema.from_avro(record("Interactions", *KEYS[:2], {"name": "TIMESTAMP", "type": kind})),
        "int",
        "long",
    ),
    Rule(
        "reserved field 'EVENT_VALUE' must have the type 'float', got 'double'",
        lambda field: Schema.interactions(field),
        Field.double("EVENT_VALUE"),
        Field.float("EVENT_VALUE"),
    ),
    Rule(
        "reserved field 'EVENT_TYPE' must not be categorical",
        lambda field: Schema.interactions(field),
        Field.categorical("EVENT_TYPE"),
        Field.string("EVENT_TYPE"),
    ),
    Rule(
        "reserved field 'CATEGORY_L2' must be categorical",
        in_domain(Domain.ECOMMERCE),
        Schema.items(Field.string("CATEGORY_L2"), domain=Domain.ECOMMERCE),
        Schema.items(Field.categorical("CATEGORY_L2"), domain=Domain.ECOMMERCE),
    ),
    Rule(
        "required field 'ITEM_ID' must not be textual",
        lambda marks: Schema.from_avro(record("Items", {**ITEM, **marks}, YEAR)),
        {"textual": True},
        {},
    ),
    Rule(
        "INTERACTIONS has at most 5 metadata fields, got 6",
        lambda number: Schema.interactions(*(Field.int(f"N{index}") for index in range(number))),
        6,
        5,
    ),
    Rule(
        "ITEMS has at most 100 metadata fields, got 101",
        lambda number: Schema.items(*(Field.int(f"N{index}") for index in range(number))),
        101,
        100,
    ),
    Rule(
        "USERS has at most 25 metadata fields, got 26",
        lambda number: Schema.users(*(Field.int(f"N{index}") for index in range(number))),
        26,
        25,
    ),
    Rule(
        "ACTIONS has at most 10 metadata fields, got 11",
        lambda number: Schema.actions(*(Field.int(f"N{index}") for index in range(number))),
        11,
        10,
    ),
    Rule(
        "ACTION_INTERACTIONS has at most 5 metadata fields, got 6",
        lambda number: Schema.action_interactions(*(Field.int(f"N{index}") for index in range(number))),
        6,
        5,
    ),
    Rule(
        "field 'BIO': only ITEMS has textual fields, got one in USERS",
        lambda field: Schema.users(field),
        Field.textual("BIO"),
        Field.categorical("BIO"),
    ),
    Rule(
        "ITEMS has at most 1 textual field, got ['PLOT', 'REVIEW']",
        lambda fields: Schema.items(*fields),
        (Field.textual("PLOT"), Field.textual("REVIEW")),
        (Field.textual("PLOT"), Field.string("REVIEW")),
    ),
    Rule(
        "ITEMS has at most 1 field marked itemName, got ['TITLE', 'ALIAS']",
        lambda fields: Schema.items(Field.int("YEAR"), *fields),
        (Field.item_name("TITLE"), Field.item_name("ALIAS")),
        (Field.item_name("TITLE"), Field.string("ALIAS")),
    ),
    Rule(
        "field 'NAME': only ITEMS has a field marked itemName, got one in USERS",
        lambda field: Schema.users(Field.int("AGE"), field),
        Field.item_name("NAME"),
        Field.string("NAME"),
    ),
    Rule(
        "ITEMS needs at least one categorical, textual or numeric field beside its id",
        lambda field: Schema.items(field),
        Field.string("TITLE"),
        Field.textual("TITLE"),
    ),
    Rule(
        "USERS needs at least one categorical, textual or numeric field beside its id",
        lambda field: Schema.users(field),
        Field.boolean("MEMBER"),
        Field.int("AGE"),
    ),
    Rule(
        '"name" must be "Items" for the dataset type ITEMS, got \'Users\'',
        lambda name: check_schema(record(name, ITEM, YEAR), "ITEMS", None),
        "Users",
        "Items",
    ),
    Rule(
        "dataset type must be one of ['INTERACTIONS', 'ITEMS', 'USERS', 'ACTIONS', 'ACTION_INTERACTIONS'], got 'FILMS'",
        lambda kind: check_schema(record("Items", ITEM, YEAR), kind, None),
        "FILMS",
        "ITEMS",
    ),
    Rule(
        "domain must be one of ['ECOMMERCE', 'VIDEO_ON_DEMAND'], got 'GAMES'",
        lambda domain: check_schema(record("Users", KEYS[0], YEAR), "USERS", domain),
        "GAMES",
        "ECOMMERCE",
    ),
)
