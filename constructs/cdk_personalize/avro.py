"""What Amazon Personalize takes as an Avro schema.

This module is pure: it knows nothing of the CDK, so that anything that reads or writes schemas can use it.

Source: https://docs.aws.amazon.com/personalize/latest/dg/how-it-works-dataset-schema.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cdk_personalize.facts import limits
from cdk_personalize.facts.fields import DATASET_RULES, FieldRule
from cdk_personalize.facts.names import COLUMN, DOMAINS

NAMESPACE: Final = "com.amazonaws.personalize.schema"
VERSION: Final = "1.0"

NUMERIC_TYPES: Final = frozenset({"float", "double", "int", "long"})
FIELD_TYPES: Final = NUMERIC_TYPES | {"string", "boolean"}
FIELD_ATTRIBUTES: Final = frozenset({"name", "type", "categorical", "textual", "itemName", "doc", "default"})

_NOT_ALPHANUMERIC = re.compile(r"[^A-Za-z\d]")


def check_schema(schema: Mapping[str, Any], dataset_type: str | None, domain: str | None) -> list[str]:
    """Return what is wrong with a schema; an empty list means that the service takes it.

    :param schema: The parsed Avro schema.
    :param dataset_type: Dataset type in upper case, such as ``"ITEMS"``. ``None`` checks only what holds for all types.
    :param domain: ``"ECOMMERCE"``, ``"VIDEO_ON_DEMAND"``, or ``None`` for a custom dataset group.
    """
    problems = list(_check_record(schema))
    if not problems:
        problems.extend(_check_unique_names(schema["fields"]))
        if dataset_type is not None:
            problems.extend(_check_dataset(schema, dataset_type, domain))
    return problems


def value_type(field: Mapping[str, Any]) -> str:
    """Return the type of a field's values, without ``null``."""
    names: list[str] = _type_names(field["type"])
    return next(name for name in names if name != "null")


def is_nullable(field: Mapping[str, Any]) -> bool:
    """Return whether a field's values may be missing."""
    return "null" in _type_names(field["type"])


def _type_names(declared: Any) -> list[Any]:
    return declared if isinstance(declared, list) else [declared]


def _check_record(schema: Mapping[str, Any]) -> Iterator[str]:
    if schema.get("type") != "record":
        yield f'"type" must be "record", got {schema.get("type")!r}'
    if not isinstance(schema.get("name"), str) or not schema["name"]:
        yield f'"name" must be the name of the dataset type, got {schema.get("name")!r}'
    if schema.get("version", VERSION) != VERSION:
        yield f'"version" must be "{VERSION}", got {schema["version"]!r}'
    fields = schema.get("fields")
    if not isinstance(fields, list) or not fields:
        yield f'"fields" must be a list of at least one field, got {fields!r}'
        return
    for field in fields:
        yield from _check_field(field)


def _check_field(field: Any) -> Iterator[str]:
    if not isinstance(field, Mapping) or not isinstance(field.get("name"), str):
        yield f'a field must be an object with a "name" and a "type", got {field!r}'
        return
    name = field["name"]
    if not COLUMN.fullmatch(name) or len(name) > limits.COLUMN_LENGTH:
        yield (
            f"field {name!r}: a name has 1 to {limits.COLUMN_LENGTH} letters, digits and underscores "
            "and does not start with a digit"
        )
    unknown = sorted(set(field) - FIELD_ATTRIBUTES)
    if unknown:
        yield f"field {name!r}: unknown attributes {unknown}, allowed: {sorted(FIELD_ATTRIBUTES)}"
    types = _type_names(field.get("type"))
    values = [kind for kind in types if kind != "null"]
    if len(values) != 1 or len(types) > 2 or not isinstance(values[0], str) or values[0] not in FIELD_TYPES:
        yield (
            f"field {name!r}: type must be one of {sorted(FIELD_TYPES)}, or a union of one of them with null, "
            f"got {field.get('type')!r}"
        )
        return
    marks = [mark for mark in ("categorical", "textual", "itemName") if field.get(mark)]
    if marks and values[0] != "string":
        yield f"field {name!r}: only a string can be {marks[0]}, got type {values[0]!r}"
    if {"categorical", "textual"} <= set(marks):
        yield f"field {name!r}: a field cannot be both categorical and textual"


def _check_unique_names(fields: list[Mapping[str, Any]]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for field in fields:
        name = field["name"]
        key = _NOT_ALPHANUMERIC.sub("", name).casefold()
        if key in seen:
            yield (
                f"fields {seen[key]!r} and {name!r}: names must differ in their letters and digits, "
                "whatever the case and underscores"
            )
        seen.setdefault(key, name)


def _check_dataset(schema: Mapping[str, Any], dataset_type: str, domain: str | None) -> Iterator[str]:
    rules = DATASET_RULES.get(domain)
    if rules is None:
        yield f"domain must be one of {list(DOMAINS.names)}, got {domain!r}"
        return
    rule = rules.get(dataset_type)
    if rule is None:
        yield f"dataset type must be one of {list(rules)}, got {dataset_type!r}"
        return
    if _NOT_ALPHANUMERIC.sub("", schema["name"]).casefold() != rule.record_name.casefold():
        yield f'"name" must be "{rule.record_name}" for the dataset type {dataset_type}, got {schema["name"]!r}'
    fields: dict[str, Mapping[str, Any]] = {field["name"]: field for field in schema["fields"]}
    for name, field_rule in rule.fields.items():
        if name in fields:
            yield from _check_reserved(fields[name], field_rule)
        elif field_rule.required:
            yield f"required field {name!r} of type {field_rule.type!r} is missing"
    metadata = [field for name, field in fields.items() if name not in rule.fields]
    if len(metadata) > rule.max_metadata:
        yield f"{dataset_type} has at most {rule.max_metadata} metadata fields, got {len(metadata)}"
    textual = [field["name"] for field in fields.values() if field.get("textual")]
    if textual and not rule.allows_textual:
        yield f"field {textual[0]!r}: only ITEMS has textual fields, got one in {dataset_type}"
    if len(textual) > limits.TEXTUAL_FIELDS:
        yield f"{dataset_type} has at most {limits.TEXTUAL_FIELDS} textual field, got {textual}"
    item_names = [field["name"] for field in fields.values() if field.get("itemName")]
    if len(item_names) > limits.ITEM_NAME_FIELDS:
        yield f"{dataset_type} has at most {limits.ITEM_NAME_FIELDS} field marked itemName, got {item_names}"
    if item_names and dataset_type != "ITEMS":
        yield f"field {item_names[0]!r}: only ITEMS has a field marked itemName, got one in {dataset_type}"
    trainable = [field for field in fields.values() if field["name"] not in _ID_FIELDS and _is_trainable(field)]
    if rule.needs_metadata and not trainable:
        yield f"{dataset_type} needs at least one categorical, textual or numeric field beside its id"


_ID_FIELDS = frozenset({"USER_ID", "ITEM_ID", "ACTION_ID"})


def _is_trainable(field: Mapping[str, Any]) -> bool:
    return value_type(field) in NUMERIC_TYPES or bool(field.get("categorical") or field.get("textual"))


def _check_reserved(field: Mapping[str, Any], rule: FieldRule) -> Iterator[str]:
    name = field["name"]
    kind = "required" if rule.required else "reserved"
    if value_type(field) != rule.type:
        yield f"{kind} field {name!r} must have the type {rule.type!r}, got {value_type(field)!r}"
    if rule.required and is_nullable(field):
        yield f"required field {name!r} must not be nullable"
    if bool(field.get("categorical")) != rule.categorical:
        yield f"{kind} field {name!r} must{'' if rule.categorical else ' not'} be categorical"
    # The service takes a reserved textual field as a plain string too.
    if field.get("textual") and not rule.textual:
        yield f"{kind} field {name!r} must not be textual"
