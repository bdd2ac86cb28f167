"""Checks properties of resources as the CloudFormation registry does: JSON schema, with messages of its own.

https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError

_TRUTH: Final = {"true": True, "false": False}
_TYPE_NAMES: Final = {dict: "JSONObject", list: "JSONArray", str: "String", bool: "Boolean", int: "Integer"}


def coerced(schema: Mapping[str, Any], value: Any, root: Mapping[str, Any]) -> Any:
    """The value with every scalar in the type that the schema asks for, where it can be read as that.

    :param schema: the schema of the value.
    :param value: what a template says.
    :param root: the schema that references point into.
    """
    if "$ref" in schema:
        schema = root["definitions"][schema["$ref"].rpartition("/")[2]]
    kind = schema.get("type")
    if isinstance(value, dict):
        return {key: coerced(_member(schema, key), item, root) for key, item in value.items()}
    if isinstance(value, list):
        return [coerced(schema.get("items", {}), item, root) for item in value]
    if kind == "string" and isinstance(value, bool | int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if kind == "boolean" and isinstance(value, str):
        return _TRUTH.get(value.lower(), value)
    if kind in ("integer", "number") and isinstance(value, str):
        return _number(value)
    return value


def violations(schema: Mapping[str, Any], value: Any) -> list[str]:
    """What the schema refuses, in the registry's words, such as `#: required key [Name] not found`."""
    errors = sorted(Draft7Validator(dict(schema)).iter_errors(value), key=lambda error: error.json_path)
    # Several errors can tell of one key each, and each message names all keys.
    return list(dict.fromkeys(message for error in errors for message in _messages(error)))


def _messages(error: ValidationError) -> Iterator[str]:
    path = "/".join(["#", *map(str, error.absolute_path)])
    found = error.instance
    match error.validator:
        case "required":
            for key in error.validator_value:
                if key not in found:
                    yield f"{path}: required key [{key}] not found"
        case "additionalProperties":
            for key in found:
                if not _is_known(error.schema, key):
                    yield f"{path}: extraneous key [{key}] is not permitted"
        case "type":
            name = _TYPE_NAMES.get(type(found), type(found).__name__)
            yield f"{path}: expected type: {str(error.validator_value).capitalize()}, found: {name}"
        case keyword:
            yield f"{path}: failed validation constraint for keyword [{keyword}]"


def _member(schema: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    if key in schema.get("properties", {}):
        found: Mapping[str, Any] = schema["properties"][key]
        return found
    patterns = schema.get("patternProperties", {})
    return next((rule for pattern, rule in patterns.items() if re.search(pattern, key)), {})


def _is_known(schema: Any, key: str) -> bool:
    patterns = schema.get("patternProperties", {})
    return key in schema.get("properties", {}) or any(re.search(pattern, key) for pattern in patterns)


def _number(text: str) -> Any:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text
