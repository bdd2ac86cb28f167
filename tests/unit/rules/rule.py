"""What a rule is, and what the declarations of rules are made in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3

import cdk_personalize as personalize

INTERACTIONS = personalize.Schema.interactions(event_type=True, event_value=True)
ITEMS = personalize.Schema.items(personalize.Field.categorical("GENRES"), personalize.Field.int("YEAR"))
ENVIRONMENT = cdk.Environment(account="123456789012", region="eu-west-1")

_ids = count()


@dataclass(frozen=True)
class Rule:
    """A declaration that is refused, and the smallest change that makes it accepted.

    :param says: What the refusal says, as a part of it.
    :param make: Makes the declaration from a value; returns problems as a list, or raises a ``ValueError``.
    :param bad: The value that is refused.
    :param good: The value that is accepted.
    """

    says: str
    make: Callable[[Any], object]
    bad: object
    good: object


def complaint(rule: Rule, value: object) -> str:
    """Return why a value is refused; empty when it is accepted."""
    try:
        problems = rule.make(value)
    except ValueError as error:
        return str(error)
    return "\n".join(problems) if isinstance(problems, list) else ""


def fresh_id() -> str:
    """Return an id that no other construct has."""
    return f"Id{next(_ids)}"


def stack(region: str = "eu-west-1") -> cdk.Stack:
    """Return a new stack."""
    app = cdk.App(context={"aws:cdk:disable-asset-staging": True}, analytics_reporting=False)
    return cdk.Stack(app, "Films", env=cdk.Environment(account="123456789012", region=region))


def group(
    *schemas: personalize.Schema, scope: cdk.Stack | None = None, domain: personalize.Domain | None = None
) -> personalize.DatasetGroup:
    """Return a new dataset group with datasets of these schemas."""
    scope = scope or _shared()
    bucket = s3.Bucket.from_bucket_name(scope, fresh_id(), "films")
    made = personalize.DatasetGroup(scope, fresh_id(), domain=domain, data_bucket=bucket)
    for schema in schemas:
        personalize.Dataset(made, fresh_id(), dataset_group=made, schema=schema)
    return made


_stacks: list[cdk.Stack] = []


def _shared() -> cdk.Stack:
    if not _stacks:
        _stacks.append(stack())
    return _stacks[0]


def shared_stack() -> cdk.Stack:
    """Return a stack that many declarations are made in."""
    return _shared()


_films: list[personalize.DatasetGroup] = []


def films() -> personalize.DatasetGroup:
    """Return a dataset group that many declarations are made in, with interactions and items."""
    if not _films:
        _films.append(group(INTERACTIONS, ITEMS))
    return _films[0]


def problems(made: personalize.DatasetGroup, *, trained: bool = True) -> list[str]:
    """Return what the synthesis would say of a dataset group.

    :param trained: Whether it counts as having a workflow.
    """
    if trained:
        made._workflow = object()  # type: ignore[assignment]
    return list(made.node.validate())
