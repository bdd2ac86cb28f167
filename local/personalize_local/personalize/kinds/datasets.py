"""Datasets."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from cdk_personalize.avro import check_schema, is_nullable
from cdk_personalize.facts.fields import DATASET_RULES

from ..columns import Column, columns_of
from ..contents import EntityContents, InteractionsContents, new_contents
from ..crud import Behaviour, require_active, start_update
from ..engine import Attributes, Context, Parameters
from ..errors import ServiceError, already_exists, in_use, invalid_input
from ..lifecycle import UPDATE
from ..resources import Parent
from ..state import Record, Scope

_EXISTS = "ResourceAlreadyExistsException"
_UPDATABLE = ("ITEMS", "USERS")


def prepare(context: Context, parameters: Parameters) -> Attributes:
    """Check the type, and that schema and dataset group fit it."""
    dataset_type = parameters["datasetType"].upper()
    group = context.scope.get("DatasetGroup", parameters["datasetGroupArn"])
    domain = group.attributes.get("domain")
    # a Domain dataset group has no actions
    rules = DATASET_RULES[domain]
    if dataset_type not in rules:
        allowed = ", ".join(rules)
        raise invalid_input(f"datasetType must be one of {allowed}, in any case, got {parameters['datasetType']}")
    schema = context.scope.get("Schema", parameters["schemaArn"])
    _check(schema, dataset_type, domain)
    _require_first(context, group, dataset_type, parameters["name"])
    attributes = {**parameters, "datasetType": dataset_type, "datasetGroupName": group.name}
    # what PutActionInteractions names the dataset by; the others have event trackers
    return {**attributes, "trackingId": str(uuid.uuid4())} if dataset_type == "ACTION_INTERACTIONS" else attributes


def activated(context: Context, record: Record, result: Any) -> None:
    """Make room for rows."""
    context.scope.datasets[record.arn] = new_contents(record.attributes["datasetType"])


def update(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """UpdateDataset: give it a schema that has more columns.

    See https://docs.aws.amazon.com/personalize/latest/dg/updating-dataset-schema.html
    """
    record = require_active(context, Parent("datasetArn", "Dataset"), parameters["datasetArn"])
    dataset_type = record.attributes["datasetType"]
    if dataset_type not in _UPDATABLE:
        raise invalid_input(f"Only datasets of type {', '.join(_UPDATABLE)} can be updated, this is {dataset_type}.")
    busy = [job for job in context.scope.children("DatasetImportJob", "datasetArn", record.arn) if job.progress.busy]
    if busy:
        raise in_use(f"The resource {record.arn} is in use by {busy[0].arn}, which is in status {busy[0].status}.")
    schema = context.scope.get("Schema", parameters["schemaArn"])
    group = context.scope.get("DatasetGroup", record.attributes["datasetGroupArn"])
    _check(schema, dataset_type, group.attributes.get("domain"))
    problems = _changes(_fields(context.scope.get("Schema", record.attributes["schemaArn"])), _fields(schema))
    if problems:
        raise invalid_input(f"The new schema does not go with the present one: {'; '.join(problems)}.")

    def done(result: Any) -> None:
        record.attributes["schemaArn"] = schema.arn

    return start_update(context, record, {"schemaArn": schema.arn}, UPDATE, done)


def dataset_of(scope: Scope, group_arn: str, dataset_type: str) -> Record | None:
    """Find the dataset of a type in a group."""
    datasets = scope.children("Dataset", "datasetGroupArn", group_arn)
    return next((record for record in datasets if record.attributes["datasetType"] == dataset_type), None)


def columns_of_dataset(scope: Scope, dataset: Record) -> tuple[Column, ...]:
    """Read the columns that a dataset has now."""
    return columns_of(scope.get("Schema", dataset.attributes["schemaArn"]).attributes["schema"])


def interactions_of(scope: Scope, group_arn: str) -> InteractionsContents | None:
    """Find the interactions of a group."""
    return _interactions(scope, group_arn, "INTERACTIONS")


def action_interactions_of(scope: Scope, group_arn: str) -> InteractionsContents | None:
    """Find the interactions with actions of a group; actions stand where items do."""
    return _interactions(scope, group_arn, "ACTION_INTERACTIONS")


def entities_of(scope: Scope, group_arn: str, dataset_type: str) -> tuple[EntityContents, tuple[Column, ...]] | None:
    """Find the items, users or actions of a group, and their columns."""
    dataset = dataset_of(scope, group_arn, dataset_type)
    contents = scope.datasets.get(dataset.arn) if dataset else None
    if dataset is None or not isinstance(contents, EntityContents):
        return None
    return contents, columns_of_dataset(scope, dataset)


def _interactions(scope: Scope, group_arn: str, dataset_type: str) -> InteractionsContents | None:
    dataset = dataset_of(scope, group_arn, dataset_type)
    contents = scope.datasets.get(dataset.arn) if dataset else None
    return contents if isinstance(contents, InteractionsContents) else None


def _check(schema: Record, dataset_type: str, domain: str | None) -> None:
    if schema.attributes.get("domain") != domain:
        raise invalid_input(
            f"The schema {schema.arn} is for the domain {schema.attributes.get('domain')}, "
            f"the dataset group is for {domain}."
        )
    problems = check_schema(json.loads(schema.attributes["schema"]), dataset_type, domain)
    if problems:
        raise invalid_input(
            f"The schema {schema.arn} does not fit a dataset of type {dataset_type}: {'; '.join(problems)}"
        )


def _require_first(context: Context, group: Record, dataset_type: str, name: str) -> None:
    choices = context.engine.settings.uncertain
    present = dataset_of(context.scope, group.arn, dataset_type)
    if present and choices.second_dataset_error != _EXISTS:
        raise ServiceError(
            choices.second_dataset_error, f"The dataset group {group.arn} already has the dataset {present.arn}."
        )
    same_name = context.scope.children("Dataset", "name", name) if choices.dataset_names_unique else []
    if present or same_name:
        raise already_exists((present or same_name[0]).arn)


def _fields(schema: Record) -> dict[str, Mapping[str, Any]]:
    return {field["name"]: field for field in json.loads(schema.attributes["schema"])["fields"]}


def _changes(present: Mapping[str, Mapping[str, Any]], wanted: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What UpdateDataset cannot do, by field."""
    removed = [f"field {name} is missing" for name in present if name not in wanted]
    changed = [
        f"field {name} was {json.dumps(field)} and is {json.dumps(wanted[name])}"
        for name, field in present.items()
        if name in wanted and wanted[name] != field
    ]
    added = [
        f"the new field {name} must be nullable"
        for name, field in wanted.items()
        if name not in present and not is_nullable(field)
    ]
    return removed + changed + added


BEHAVIOUR = Behaviour(prepare=prepare, activated=activated)
