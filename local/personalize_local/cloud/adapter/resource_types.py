"""What CloudFormation's types for Personalize are like: the CloudFormation registry's schemas, as data.

`resource_schemas.json` holds them; `python -m tools.resource_schemas` writes it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from personalize_local.cloud.adapter.property_schema import coerced, violations

_SCHEMAS: Final = Path(__file__).with_name("resource_schemas.json")


@dataclass(frozen=True)
class ResourceType:
    """One `AWS::Personalize::<kind>`.

    :param kind: the API's noun, as in `Create<kind>`.
    :param schema: its schema in the CloudFormation registry.
    """

    kind: str
    schema: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The type's name in a template."""
        return f"AWS::Personalize::{self.kind}"

    @property
    def member(self) -> str:
        """The member that holds its description, such as `eventTracker`."""
        return api_member(self.kind)

    @property
    def arn_member(self) -> str:
        """The member that holds its ARN, such as `eventTrackerArn`."""
        return f"{self.member}Arn"

    @property
    def arn_attribute(self) -> str:
        """The attribute that holds its ARN, such as `EventTrackerArn`."""
        return f"{self.kind}Arn"

    @property
    def update_member(self) -> str:
        """The member of the description that holds the state of its last update, where there is one."""
        return f"latest{self.kind}Update"

    @cached_property
    def create_only(self) -> frozenset[str]:
        """Properties whose change replaces the resource."""
        return self._named("createOnlyProperties")

    @cached_property
    def attributes(self) -> frozenset[str]:
        """What `Fn::GetAtt` gives; a template cannot set it."""
        return self._named("readOnlyProperties")

    @cached_property
    def settable(self) -> frozenset[str]:
        """Properties that a template can set."""
        return frozenset(self.schema["properties"]) - self.attributes

    @property
    def updatable(self) -> frozenset[str]:
        """Properties that change in place."""
        return self.settable - self.create_only

    @property
    def taggable(self) -> bool:
        """Whether it has tags, those of its stack included."""
        return bool(self.schema["tagging"]["taggable"])

    @property
    def deletes_first(self) -> bool:
        """Whether a replaced resource is deleted before its successor is created."""
        return self.schema.get("replacementStrategy") == "delete_then_create"

    @property
    def upper_case(self) -> Mapping[str, str]:
        """Paths of the values that the service stores in upper case: what drift detection must not report."""
        return dict(self.schema.get("propertyTransform", {}))

    def values(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """The properties with values of the types that the schema asks for, without the reserved `aws:` tags.

        CloudFormation turns the strings of a template into numbers and booleans, and the other way round. The emulator
        gives every resource of a stack the tags `aws:cloudformation:*`.
        """
        values = {key: value for key, value in properties.items() if key != "Tags"}
        if tags := [tag for tag in properties.get("Tags") or [] if not str(tag.get("Key")).lower().startswith("aws:")]:
            values["Tags"] = tags
        found: dict[str, Any] = coerced(self.schema, values, self.schema)
        return found

    def violations(self, values: Mapping[str, Any]) -> list[str]:
        """What the registry refuses about these properties, in its words; empty when they are all right."""
        properties = {name: rule for name, rule in self.schema["properties"].items() if name in self.settable}
        return violations({**self.schema, "properties": properties}, values)

    def _named(self, keyword: str) -> frozenset[str]:
        return frozenset(path.removeprefix("/properties/") for path in self.schema[keyword])


def api_member(name: str) -> str:
    """The API's member for one of CloudFormation's properties or nouns."""
    return name[0].lower() + name[1:]


TYPES: Final = tuple(
    ResourceType(kind, schema) for kind, schema in json.loads(_SCHEMAS.read_text(encoding="utf-8")).items()
)
