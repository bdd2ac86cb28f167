"""Stacks for tests of the constructs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions

import cdk_personalize as personalize

INTERACTIONS = personalize.Schema.interactions(event_type=True, event_value=True)
ITEMS = personalize.Schema.items(personalize.Field.categorical("GENRES"), personalize.Field.int("YEAR"))
USERS = personalize.Schema.users(personalize.Field.int("AGE"))


class Synthesis:
    """A stack, and what its template says."""

    def __init__(self, *, context: Mapping[str, Any] | None = None, **arguments: Any) -> None:
        self.app = cdk.App(
            context={"aws:cdk:disable-asset-staging": True, **(context or {})}, analytics_reporting=False
        )
        self.stack = cdk.Stack(self.app, "Films", **arguments)

    @property
    def template(self) -> assertions.Template:
        """The template; nothing can be added afterwards."""
        return assertions.Template.from_stack(self.stack)

    def group(self, key: str = "Movies", **arguments: Any) -> personalize.DatasetGroup:
        """Add a dataset group with interactions and items."""
        group = personalize.DatasetGroup(self.stack, key, **arguments)
        group.add_interactions(schema=INTERACTIONS)
        group.add_items(schema=ITEMS)
        return group


@dataclass
class Resources:
    """The resources of a template."""

    all: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, template: assertions.Template) -> Resources:
        """Read a template."""
        return cls(dict(template.to_json()["Resources"]))

    def ids(self, resource_type: str) -> list[str]:
        """Return the logical ids of a type."""
        return [key for key, resource in self.all.items() if resource["Type"] == resource_type]

    def one(self, resource_type: str) -> dict[str, Any]:
        """Return the only resource of a type."""
        [key] = self.ids(resource_type)
        return self.all[key]

    def properties(self, resource_type: str) -> dict[str, Any]:
        """Return the properties of the only resource of a type."""
        return dict(self.one(resource_type)["Properties"])

    def statements(self, policy: str) -> list[dict[str, Any]]:
        """Return the statements of the policy whose logical id starts like that."""
        [key] = [key for key in self.all if key.startswith(policy) and self.all[key]["Type"].endswith("Policy")]
        return list(self.all[key]["Properties"]["PolicyDocument"]["Statement"])


@pytest.fixture
def synthesis() -> Synthesis:
    """An app with one stack."""
    return Synthesis()


@pytest.fixture
def group(synthesis: Synthesis) -> personalize.DatasetGroup:
    """A dataset group with interactions and items."""
    return synthesis.group()
