"""Turns the API's description of a resource into the properties of its CloudFormation type, for drift detection."""

from collections.abc import Mapping
from typing import Any

from personalize_local.cloud.adapter.resource_types import ResourceType, api_member


def current_properties(
    resource_type: ResourceType, described: Mapping[str, Any], template: Mapping[str, Any]
) -> dict[str, Any]:
    """The properties that a resource has.

    :param resource_type: its type.
    :param described: what the API tells of it.
    :param template: what its template says: where the service stores that in upper case, it is no difference.
    """
    schema = resource_type.schema
    members = {name: described.get(api_member(name)) for name in resource_type.settable}
    found = {name: _renamed(schema["properties"][name], value, schema) for name, value in members.items() if value}
    if "DatasetType" in found:
        # The enum of the type has one capital letter, the API's answer only capital letters.
        found["DatasetType"] = found["DatasetType"].capitalize()
    for path in resource_type.upper_case:
        # Such as /properties/Metrics/*/EventType: one list of structures.
        _, _, listed, _, member = path.split("/")
        for actual, declared in zip(found.get(listed, []), template.get(listed, []), strict=False):
            if actual.get(member) == str(declared.get(member)).upper():
                actual[member] = declared[member]
    return found


def _renamed(schema: Mapping[str, Any], value: Any, root: Mapping[str, Any]) -> Any:
    """The value with CloudFormation's names; maps keep the keys that they have."""
    if "$ref" in schema:
        schema = root["definitions"][schema["$ref"].rpartition("/")[2]]
    if isinstance(value, list):
        return [_renamed(schema.get("items", {}), item, root) for item in value]
    if isinstance(value, dict) and "properties" in schema:
        names = {api_member(name): name for name in schema["properties"]}
        return {
            names[key]: _renamed(schema["properties"][names[key]], item, root)
            for key, item in value.items()
            if key in names
        }
    return value
