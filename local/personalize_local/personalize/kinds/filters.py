"""Filters, as resources; what they mean is in ``personalize_local.personalize.filters``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cdk_personalize.filter_expression import FilterExpressionError, Target

from ..crud import Behaviour
from ..engine import Attributes, Context, Parameters
from ..errors import ServiceError, invalid_input, limit_exceeded, not_found
from ..filters import Catalogue, CompiledFilter, FilterValueError, Request
from ..recommenders.data import Array, Mask
from ..recommenders.model import Allowed
from ..state import Record
from .datasets import entities_of, interactions_of


def prepare(context: Context, parameters: Parameters) -> Attributes:
    """Parse the expression, and check its columns against the schemas of the group."""
    group = parameters["datasetGroupArn"]
    try:
        expression = CompiledFilter.parse(parameters["filterExpression"]).expression
        expression.check_schemas(_schemas(context, group))
    except FilterExpressionError as error:
        raise invalid_input(f"Could not create filter. {error}") from error
    fields = set(expression.fields)
    for record in context.scope.children("Filter", "datasetGroupArn", group):
        fields |= CompiledFilter.parse(record.attributes["filterExpression"]).expression.fields
    allowed = context.engine.quotas["fields_of_all_filters_per_dataset_group"]
    if len(fields) > allowed:
        raise limit_exceeded(
            f"The filters of {group} use {len(fields)} different fields, at most {allowed} are allowed."
        )
    return dict(parameters)


def activated(context: Context, record: Record, result: Any) -> None:
    """Make it ready to be applied."""
    context.scope.filters[record.arn] = CompiledFilter.parse(record.attributes["filterExpression"])


def allowed_by(context: Context, group: str, parameters: Parameters) -> Allowed | None:
    """Read all that the filter of a request needs. The lock must be held.

    :param group: the ARN of the dataset group.
    :returns: what tells which items it lets through; to be called without the lock.
    """
    if "filterArn" not in parameters:
        return None
    compiled = _compiled(context, group, parameters["filterArn"])
    interactions = interactions_of(context.scope, group)
    items = entities_of(context.scope, group, "ITEMS")
    table = items[0].table(items[1]) if items else None
    request = Request(
        values=parameters.get("filterValues", {}),
        events=interactions.history(parameters["userId"]) if interactions and "userId" in parameters else (),
        user=_row(context, group, "USERS", parameters.get("userId")),
        item=_row(context, group, "ITEMS", parameters.get("itemId")),
    )

    def allowed(item_ids: Array) -> Mask:
        try:
            return compiled.mask(Catalogue.of(item_ids, table), request)
        except FilterValueError as error:
            raise invalid_input(str(error)) from error

    return allowed


def _schemas(context: Context, group: str) -> Mapping[str, Mapping[str, Any]]:
    return {
        dataset.attributes["datasetType"]: json.loads(
            context.scope.get("Schema", dataset.attributes["schemaArn"]).attributes["schema"]
        )
        for dataset in context.scope.children("Dataset", "datasetGroupArn", group)
    }


def _compiled(context: Context, group: str, arn: str) -> CompiledFilter:
    record = context.scope.find("Filter", arn)
    if record is None:
        raise not_found(f"Filter {arn} not found.")
    if not record.active:
        code = context.engine.settings.uncertain.inactive_filter_error
        raise ServiceError(code, f"Filter {arn} is in status {record.status}, it must be ACTIVE.")
    if record.attributes["datasetGroupArn"] != group:
        raise invalid_input(f"The filter {arn} is of another dataset group than the campaign.")
    compiled = context.scope.filters[arn]
    if compiled.expression.target is not Target.ITEM:
        raise invalid_input(f"The filter {arn} is about {compiled.expression.target.value}, not about ItemID.")
    return compiled


def _row(context: Context, group: str, dataset_type: str, id_: str | None) -> Mapping[str, Any] | None:
    entities = entities_of(context.scope, group, dataset_type)
    return entities[0].row(entities[1], id_) if entities and id_ is not None else None


BEHAVIOUR = Behaviour(prepare=prepare, activated=activated)
