"""CloudFormation's types for Personalize.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Personalize.html
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation import _stacks, changesets, drift, provisioners, stacks

from personalize_local.cloud.adapter.custom_resources import Remains, remember
from personalize_local.cloud.adapter.expected import table, wrap
from personalize_local.cloud.adapter.models import service_model, to_api_members
from personalize_local.cloud.adapter.resource_reader import current_properties
from personalize_local.cloud.adapter.resource_types import TYPES, ResourceType, api_member
from personalize_local.cloud.service import PersonalizeService
from personalize_local.personalize import Uncertain

_POLL_SECONDS: Final = 0.05
# CloudFormation calls again what was throttled or failed for no fault of the caller.
# https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract-errors.html
_RETRIED: Final = "ThrottlingException"
_SERVER_ERROR: Final = 500
_IN_USE: Final = "HandlerErrorCode: ResourceInUse"
_TRIES: Final = 8
# How long something that was just made may not be seen, or be busy and so not deletable.
_PATIENCE_SECONDS: Final = 10.0
_PREFIX: Final = "AWS::Personalize::"
# What a Dataset may carry, and what of it the API takes.
_IMPORT: Final = "DatasetImportJob"
_IMPORT_MEMBERS: Final = ("JobName", "DataSource", "RoleArn")
# What a type has that its API call does not.
_NOT_PARAMETERS: Final = ("Tags", _IMPORT)

_Properties = dict[str, Any]
_Created = tuple[str, dict[str, Any]]


def register(service: PersonalizeService, uncertain: Uncertain | None = None) -> None:
    """Add the types of Personalize to CloudFormation.

    :param service: the Personalize emulator.
    :param uncertain: what the handlers of AWS do without documenting it. Default: - see ``uncertain.py``.
    """
    handlers = table(provisioners, "_RESOURCE_HANDLERS", "AWS::S3::Bucket")
    replacing = table(provisioners, "_REPLACING_PROPERTIES", "AWS::DynamoDB::Table")
    tags = table(provisioners, "_STACK_TAG_PROPERTY", "AWS::DynamoDB::Table")
    imports = table(changesets, "_IMPORT_LOOKUPS", "AWS::DynamoDB::Table")
    readers = table(drift, "_DRIFT_READERS", "AWS::DynamoDB::Table")
    for resource_type in TYPES:
        handler = ResourceHandler(service, resource_type, uncertain or Uncertain())
        handlers[resource_type.name] = {
            "create": handler.create,
            "update": handler.update,
            "update_with_logical_id": True,
            "delete": handler.delete,
            "import": handler.adopt,
        }
        replacing[resource_type.name] = frozenset() if resource_type.deletes_first else resource_type.create_only
        if resource_type.taggable:
            tags[resource_type.name] = ("Tags", "list")
        imports[resource_type.name] = ((resource_type.arn_attribute,), handler.problem)
        readers[resource_type.name] = (handler.read, resource_type.settable - {_IMPORT})
    wrap(stacks, "_runs_on_worker_thread", "resource_type", _waits)


def _waits(original: Callable[[str], bool]) -> Callable[[str], bool]:
    def runs_on_worker_thread(resource_type: str) -> bool:
        return resource_type.startswith(_PREFIX) or original(resource_type)

    return runs_on_worker_thread


class ResourceHandler:
    """Creates, updates, deletes and reads the resources of one type, and waits until what it began is done."""

    def __init__(self, service: PersonalizeService, resource_type: ResourceType, uncertain: Uncertain) -> None:
        self._service = service
        self._type = resource_type
        self._uncertain = uncertain

    def create(self, logical_id: str, properties: _Properties, stack_name: str) -> _Created:
        """Create a resource.

        :returns: its ARN, and its attributes.
        :raises ValueError: when it cannot be created; what a failed creation leaves is deleted.
        """
        values = self._checked(logical_id, properties)
        parameters = {key: value for key, value in values.items() if key not in _NOT_PARAMETERS}
        tags = _tags(values)
        if tags and self._tags_on_create:
            parameters["tags"] = _tag_list(tags)
        if self._type.kind == "Solution" and not self._uncertain.cloudformation_solution_trains:
            parameters["performAutoTraining"] = False
        arn = self._call("Create", parameters)[self._type.arn_member]
        try:
            described = self._wait(arn, created=True)
            if tags and not self._tags_on_create and self._uncertain.cloudformation_tags_schemas:
                self._update_tags(arn, {}, tags)
            self._import(arn, values)
        except ValueError:
            if not self._remove(arn, properties):
                remember(_stacks[stack_name]["StackId"], Remains(logical_id, self._type.name, arn, properties))
            raise
        return arn, self._attributes(described)

    def update(
        self, arn: str, old_properties: _Properties, new_properties: _Properties, stack_name: str, logical_id: str
    ) -> _Created:
        """Update a resource in place, or replace it where its type deletes the old one first."""
        old, new = self._type.values(old_properties), self._checked(logical_id, new_properties)
        if any(old.get(name) != new.get(name) for name in self._type.create_only):
            return self._replace(arn, logical_id, old_properties, new_properties, stack_name)
        changed = {
            name: new[name]
            for name in self._type.updatable.difference(_NOT_PARAMETERS)
            if name in new and old.get(name) != new[name]
        }
        if changed:
            self._call("Update", {self._type.arn_member: arn, **changed})
        described = self._wait(arn, updated=bool(changed))
        if old.get(_IMPORT) != new.get(_IMPORT):
            self._import(arn, new)
        self._update_tags(arn, _tags(old), _tags(new))
        return arn, self._attributes(described)

    def delete(self, arn: str, properties: _Properties) -> None:
        """Delete a resource and wait until it is gone."""
        try:
            self._call("Delete", {self._type.arn_member: arn})
            while self._describe(arn):
                time.sleep(_POLL_SECONDS)
        except ResourceGoneError:
            return

    def _remove(self, arn: str, properties: _Properties) -> bool:
        """Delete what a failed creation left, which may be under way still; whether it is gone."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                self.delete(arn, properties)
            except ValueError as error:
                if _IN_USE not in str(error) or time.monotonic() > deadline:
                    return False
                time.sleep(_POLL_SECONDS)
            else:
                return True

    def adopt(self, identifier: dict[str, str]) -> _Created:
        """Take a resource that exists into a stack.

        :param identifier: its primary identifier, the ARN.
        """
        arn = identifier[self._type.arn_attribute]
        return arn, self._attributes(self._describe(arn))

    def problem(self, arn: str) -> str | None:
        """Why there is no such resource to take into a stack; nothing if there is."""
        try:
            self._describe(arn)
        except ValueError as error:
            return str(error)
        return None

    def read(self, arn: str, properties: _Properties) -> _Properties | None:
        """The properties that a resource has now, as a template would say them; nothing if it is gone."""
        try:
            described = self._describe(arn)
            if self._type.kind == "MetricAttribution":
                described["metrics"] = self._call("List", {self._type.arn_member: arn}, "MetricAttributionMetrics")[
                    "metrics"
                ]
            if self._tags_on_create:
                tags = self._call("List", {"resourceArn": arn}, "TagsForResource")["tags"]
                described["tags"] = [{"key": tag["tagKey"], "value": tag["tagValue"]} for tag in tags]
        except ResourceGoneError:
            return None
        return current_properties(self._type, described, properties)

    def _replace(
        self, arn: str, logical_id: str, old_properties: _Properties, new_properties: _Properties, stack_name: str
    ) -> _Created:
        self.delete(arn, old_properties)
        try:
            return self.create(logical_id, new_properties, stack_name)
        except ValueError:
            # The stack rolls back to what it had, as far as that can be: an import job's name is used up.
            kept = {name: value for name, value in old_properties.items() if name != _IMPORT}
            self.create(logical_id, kept, stack_name)
            raise

    @property
    def _tags_on_create(self) -> bool:
        return "tags" in service_model("personalize").operation_model(f"Create{self._type.kind}").input_shape.members

    def _checked(self, logical_id: str, properties: _Properties) -> _Properties:
        values = self._type.values(properties)
        if found := self._type.violations(values):
            raise ValueError(
                f"Properties validation failed for resource {logical_id} with message:\n[{', '.join(found)}]"
            )
        return values

    def _call(self, verb: str, parameters: _Properties, kind: str | None = None) -> dict[str, Any]:
        operation = verb + (kind if kind is not None else self._type.kind)
        shape = service_model("personalize").operation_model(operation).input_shape
        members = to_api_members(shape, parameters)
        for tries_left in reversed(range(_TRIES)):
            try:
                return self._service.call(
                    "personalize", operation, members, account=get_account_id(), region=get_region()
                )
            except Exception as error:
                code = getattr(error, "code", None)
                if code is None:
                    raise
                if tries_left and (code == _RETRIED or getattr(error, "status", 400) >= _SERVER_ERROR):
                    time.sleep(_POLL_SECONDS)
                    continue
                message = (
                    f'Resource handler returned message: "{error} (Service: Personalize, '
                    f'Status Code: {getattr(error, "status", 400)})" '
                    f"(HandlerErrorCode: {code.removesuffix('Exception')})"
                )
                raise (ResourceGoneError if code == "ResourceNotFoundException" else ValueError)(message) from error
        raise AssertionError("the last try returns or raises")

    def _describe(self, arn: str) -> dict[str, Any]:
        return dict(self._call("Describe", {self._type.arn_member: arn})[self._type.member])

    def _wait(self, arn: str, *, created: bool = False, updated: bool = False) -> dict[str, Any]:
        """Wait until the resource is ACTIVE, and its last update too if there was one just now.

        :param created: whether it was made just now, and so may not be seen yet.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                described = self._describe(arn)
            except ResourceGoneError:
                if not created or time.monotonic() > deadline:
                    raise
                time.sleep(_POLL_SECONDS)
                continue
            latest = described.get(self._type.update_member) or {}
            states = [described, latest] if updated else [described]
            for state in states:
                if str(state.get("status")).endswith("FAILED"):
                    raise ValueError(
                        f"{self._type.name} {arn} did not stabilize: {state['status']}: {state.get('failureReason')}"
                    )
            if all(state.get("status", "ACTIVE") == "ACTIVE" for state in states):
                return described
            time.sleep(_POLL_SECONDS)

    def _import(self, arn: str, values: _Properties) -> None:
        """Run the import job that a Dataset may carry, and wait for it."""
        if job := values.get(_IMPORT):
            parameters = {name: job[name] for name in _IMPORT_MEMBERS if name in job}
            created = self._call("Create", {"datasetArn": arn, **parameters}, _IMPORT)["datasetImportJobArn"]
            while True:
                found = self._call("Describe", {"datasetImportJobArn": created}, _IMPORT)["datasetImportJob"]
                if found["status"] == "CREATE FAILED":
                    raise ValueError(f"{created} did not stabilize: CREATE FAILED: {found.get('failureReason')}")
                if found["status"] == "ACTIVE":
                    return
                time.sleep(_POLL_SECONDS)

    def _attributes(self, described: dict[str, Any]) -> dict[str, Any]:
        return {name: _text(described.get(api_member(name))) for name in self._type.attributes}

    def _update_tags(self, arn: str, old: dict[str, str], new: dict[str, str]) -> None:
        if removed := sorted(old.keys() - new.keys()):
            self._call("Untag", {"resourceArn": arn, "tagKeys": removed}, "Resource")
        if changed := {key: value for key, value in new.items() if old.get(key) != value}:
            self._call("Tag", {"resourceArn": arn, "tags": _tag_list(changed)}, "Resource")


class ResourceGoneError(ValueError):
    """The resource does not exist."""


def _tags(values: _Properties) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in values.get("Tags", [])}


def _tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"tagKey": key, "tagValue": value} for key, value in tags.items()]


def _text(value: Any) -> Any:
    return datetime.fromtimestamp(value, UTC).isoformat() if isinstance(value, int | float) else value
