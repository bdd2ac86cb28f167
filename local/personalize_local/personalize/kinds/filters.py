"""Filters, as resources; what they mean is in ``personalize_local.personalize.filters``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cdk_personalize.filter_expression import Dataset, FilterExpression, FilterExpressionError, Target
from cdk_personalize.recipe import RecipeType

from ..columns import Column
from ..contents import EntityContents, InteractionsContents
from ..crud import Behaviour
from ..engine import Attributes, Context, Parameters
from ..errors import ServiceError, invalid_input, limit_exceeded, not_found
from ..filters import NEWEST_EVENTS, Catalogue, CompiledFilter, FilterValueError, Request, Row
from ..offers import Offer, target
from ..recommenders.data import Array, Event, Mask, Table
from ..recommenders.model import Allowed
from ..state import Record, Scope
from .datasets import dataset_of, entities_of, interactions_of

_TABLES = {Target.ITEM: "ITEMS", Target.USER: "USERS", Target.ACTION: "ACTIONS"}
_EVENTS = {Target.ITEM: "INTERACTIONS", Target.ACTION: "ACTION_INTERACTIONS"}


# the two beginnings of the service's own texts that are documented; the parser's place and advice come after them
_INVALID = "Invalid Expression."
_PLACEHOLDER_AFTER_NOT_IN = "Invalid input symbol: {name}. Placeholders are not allowed with NOT_IN operator."
_AFTER_NOT_IN = re.compile(r"found '(\$\w+)'.* cannot follow NOT IN")


def _documented(error: FilterExpressionError) -> str:
    found = _AFTER_NOT_IN.match(error.problem)
    return _PLACEHOLDER_AFTER_NOT_IN.format(name=found[1]) if found else _INVALID


def prepare(context: Context, parameters: Parameters) -> Attributes:
    """Parse the expression, and check its columns against the schemas of the group."""
    group = parameters["datasetGroupArn"]
    try:
        expression = FilterExpression.parse(parameters["filterExpression"])
        expression.check_schemas(_schemas(context, group))
    except FilterExpressionError as error:
        raise invalid_input(f"Could not create filter. {_documented(error)} {error}") from error
    fields = set(expression.fields)
    for record in context.scope.children("Filter", "datasetGroupArn", group):
        fields |= FilterExpression.parse(record.attributes["filterExpression"]).fields
    allowed = context.engine.quotas["fields_of_all_filters_per_dataset_group"]
    if len(fields) > allowed:
        raise limit_exceeded(
            f"The filters of {group} use {len(fields)} different fields, at most {allowed} are allowed."
        )
    return dict(parameters)


def activated(context: Context, record: Record, result: Any) -> None:
    """Make it ready to be applied."""
    context.scope.filters[record.arn] = CompiledFilter.parse(record.attributes["filterExpression"])


def restored(context: Context, record: Record) -> None:
    """Make it ready again after a restart."""
    if record.active:
        activated(context, record, None)


def check_filter(context: Context, group: str, arn: str, offer: Offer) -> CompiledFilter:
    """Find a filter that is to be applied to what a recipe or a use case recommends. The lock must be held.

    :param group: the ARN of the dataset group.
    :raises ServiceError: if there is none, or it cannot be applied there.
    """
    record = context.scope.find("Filter", arn)
    if record is None:
        raise not_found(f"Filter {arn} not found.")
    if not record.active:
        code = context.engine.settings.uncertain.inactive_filter_error
        raise ServiceError(code, f"Filter {arn} is in status {record.status}, it must be ACTIVE.")
    if record.attributes["datasetGroupArn"] != group:
        raise invalid_input(f"The filter {arn} is of another dataset group than what it is applied to.")
    compiled = context.scope.filters[arn]
    problem = _misfit(compiled.expression, offer)
    if problem:
        raise invalid_input(f"The filter {arn} {problem}.")
    return compiled


@dataclass(frozen=True)
class View:
    """All that filters look at in one request, read at one moment.

    :param table: the dataset of what is recommended. Default: - there is none
    :param events: what the user did with what is recommended.
    :param request: what filters see of all that.
    """

    context: Context
    group: str
    offer: Offer
    parameters: Parameters
    table: Table | None
    events: Sequence[Event]
    request: Request

    @classmethod
    def of(cls, context: Context, group: str, offer: Offer, parameters: Parameters) -> View:
        """Read it. The lock must be held.

        :param parameters: ``userId`` and ``itemId`` count.
        """
        scope, user = context.scope, parameters.get("userId")
        entities = entities_of(scope, group, _TABLES[target(offer)])
        if target(offer) is Target.USER:
            events = types_by_user(scope, group)
        else:
            events = history_of(scope, group, _EVENTS[target(offer)], user)
        quotas = context.engine.quotas
        newest = {dataset: quotas[f"{dataset.name.lower()}_per_type_of_filters"] for dataset in NEWEST_EVENTS}
        request = Request(events=events, user=_row(scope, group, "USERS", user), newest=newest)
        if "itemId" in parameters:
            request = replace(request, item=_row(scope, group, "ITEMS", parameters["itemId"]))
        table = entities[0].table(entities[1]) if entities else None
        return cls(context, group, offer, parameters, table, events, request)

    def catalogue(self, ids: Array) -> Catalogue:
        """What is known of the catalogue of a model."""
        return Catalogue.of(ids, self.table)

    def chosen(self, filtering: Parameters) -> Allowed | None:
        """Prepare a filter. The lock must be held.

        :param filtering: ``filterArn`` and ``filterValues``.
        :returns: what tells which items it lets through, to be called without the lock; ``None`` without a filter.
        """
        if "filterArn" not in filtering:
            return None
        compiled = check_filter(self.context, self.group, filtering["filterArn"], self.offer)
        uncertain = self.context.engine.settings.uncertain
        if compiled.needs_user and "userId" not in self.parameters and uncertain.filter_needs_user:
            raise invalid_input(f"userId is required by the filter {filtering['filterArn']}.")
        values = dict(filtering.get("filterValues", {}))
        if not uncertain.extra_filter_values_refused:
            values = {name: value for name, value in values.items() if name in compiled.expression.placeholders}
        return self.applied(compiled, values)

    def applied(self, compiled: CompiledFilter, values: Mapping[str, str]) -> Allowed:
        """Apply a filter to a catalogue."""
        request = replace(self.request, values=values)

        def allowed(ids: Array) -> Mask:
            try:
                return compiled.mask(self.catalogue(ids), request)
            except FilterValueError as error:
                raise invalid_input(str(error)) from error

        return allowed


def _misfit(expression: FilterExpression, offer: Offer) -> str | None:
    wanted = target(offer)
    if expression.target is not wanted:
        return f"is about {expression.target.value}, not about {wanted.value}"
    if expression.uses_current_item and offer.recipe_type is not RecipeType.RELATED_ITEMS:
        return f"compares with CurrentItem, which goes with related items only, not with {offer.name}"
    looks_at = {condition.dataset for condition in expression.conditions}
    if offer.name == "aws-item-attribute-affinity" and Dataset.INTERACTIONS in looks_at:
        return f"looks at Interactions, which filters of {offer.name} cannot do"
    return None


def _schemas(context: Context, group: str) -> Mapping[str, Mapping[str, Any]]:
    return {
        dataset.attributes["datasetType"]: json.loads(
            context.scope.get("Schema", dataset.attributes["schemaArn"]).attributes["schema"]
        )
        for dataset in context.scope.children("Dataset", "datasetGroupArn", group)
    }


def history_of(scope: Scope, group: str, dataset_type: str, user: str | None) -> Sequence[Event]:
    """What a user did with items or with actions. The lock must be held."""
    dataset = dataset_of(scope, group, dataset_type)
    contents = scope.datasets.get(dataset.arn) if dataset else None
    return contents.history(user) if isinstance(contents, InteractionsContents) and user is not None else ()


def types_by_user(scope: Scope, group: str) -> Sequence[Event]:
    """Each user with each type of the user's events. The lock must be held."""
    contents = interactions_of(scope, group)
    if contents is None:
        return ()
    rows = contents.interactions()
    types = rows.event_types if rows.event_types is not None else [None] * len(rows)
    return [Event(user, kind) for user, kind in dict.fromkeys(zip(rows.user_ids, types, strict=True))]


def _row(scope: Scope, group: str, dataset_type: str, id_: str | None) -> Row:
    entities: tuple[EntityContents, tuple[Column, ...]] | None = entities_of(scope, group, dataset_type)
    if entities is None or id_ is None:
        return Row()
    contents, columns = entities
    categorical = frozenset(column.name for column in columns if column.categorical)
    return Row(contents.row(columns, id_) or {}, categorical)


BEHAVIOUR = Behaviour(prepare=prepare, activated=activated, restored=restored)
