"""CloudFormation's types for Personalize, and two rules of custom resources.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Personalize.html
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation import provisioners, stacks

from personalize_local.cloud.adapter.expected import table, wrap
from personalize_local.cloud.adapter.models import service_model, to_api_members
from personalize_local.cloud.adapter.resource_types import TYPES, ResourceType
from personalize_local.cloud.service import PersonalizeService

_POLL_SECONDS: Final = 0.05
_PREFIX: Final = "AWS::Personalize::"
_Properties = dict[str, Any]
_Created = tuple[str, dict[str, Any]]


def register(service: PersonalizeService) -> None:
    """Add the types of Personalize to CloudFormation."""
    handlers = table(provisioners, "_RESOURCE_HANDLERS", "AWS::S3::Bucket")
    replacing = table(provisioners, "_REPLACING_PROPERTIES", "AWS::DynamoDB::Table")
    tags = table(provisioners, "_STACK_TAG_PROPERTY", "AWS::DynamoDB::Table")
    for resource_type in TYPES:
        handler = ResourceHandler(service, resource_type)
        handlers[resource_type.name] = {
            "create": handler.create,
            "update": handler.update,
            "delete": handler.delete,
        }
        replacing[resource_type.name] = frozenset() if resource_type.deletes_first else resource_type.create_only
        tags[resource_type.name] = ("Tags", "list")
    wrap(stacks, "_runs_on_worker_thread", "resource_type", _waits)


def _waits(original: Callable[[str], bool]) -> Callable[[str], bool]:
    def runs_on_worker_thread(resource_type: str) -> bool:
        return resource_type.startswith(_PREFIX) or original(resource_type)

    return runs_on_worker_thread


class ResourceHandler:
    """Creates, updates and deletes the resources of one type, and waits until that is done."""

    def __init__(self, service: PersonalizeService, resource_type: ResourceType) -> None:
        self._service = service
        self._type = resource_type

    def create(self, logical_id: str, properties: _Properties, stack_name: str) -> _Created:
        """Create a resource.

        :returns: its ARN, and its attributes.
        :raises ValueError: when it cannot be created; what a failed creation leaves is deleted.
        """
        parameters = {key: value for key, value in properties.items() if key not in ("Tags", "DatasetImportJob")}
        if tags := _tags(properties) if self._type.tags else {}:
            parameters["tags"] = _tag_list(tags)
        arn = self._call("Create", parameters)[self._type.arn_member]
        try:
            described = self._wait(arn)
            self._import(arn, properties)
        except ValueError:
            self.delete(arn, properties)
            raise
        return arn, self._attributes(arn, described)

    def update(self, arn: str, old: _Properties, new: _Properties, stack_name: str) -> _Created:
        """Update a resource in place, or replace it where its type deletes the old one first."""
        if any(old.get(name) != new.get(name) for name in self._type.create_only):
            self.delete(arn, old)
            return self.create("", new, stack_name)
        changed = {name: new[name] for name in self._type.updatable if name in new and old.get(name) != new.get(name)}
        if changed:
            self._call("Update", {self._type.arn_member: arn, **changed})
        if old.get("DatasetImportJob") != new.get("DatasetImportJob"):
            self._import(arn, new)
        self._update_tags(arn, _tags(old), _tags(new))
        return arn, self._attributes(arn, self._wait(arn))

    def delete(self, arn: str, properties: _Properties) -> None:
        """Delete a resource and wait until it is gone."""
        try:
            self._call("Delete", {self._type.arn_member: arn})
            while self._describe(arn):
                time.sleep(_POLL_SECONDS)
        except ResourceGoneError:
            return

    def _call(self, verb: str, parameters: _Properties, kind: str | None = None) -> dict[str, Any]:
        operation = verb + (kind if kind is not None else self._type.kind)
        shape = service_model("personalize").operation_model(operation).input_shape
        try:
            return self._service.call(
                "personalize",
                operation,
                to_api_members(shape, parameters),
                account=get_account_id(),
                region=get_region(),
            )
        except Exception as error:
            code = getattr(error, "code", None)
            if code is None:
                raise
            message = (
                f'Resource handler returned message: "{error} (Service: Personalize, '
                f'Status Code: {getattr(error, "status", 400)})" (HandlerErrorCode: {code.removesuffix("Exception")})'
            )
            raise (ResourceGoneError if code == "ResourceNotFoundException" else ValueError)(message) from error

    def _describe(self, arn: str) -> dict[str, Any]:
        described: dict[str, Any] = self._call("Describe", {self._type.arn_member: arn})[self._type.member]
        return described

    def _wait(self, arn: str) -> dict[str, Any]:
        while True:
            described = self._describe(arn)
            latest = described.get(self._type.latest_update or "") or {}
            for state in (described, latest):
                if str(state.get("status")).endswith("FAILED"):
                    raise ValueError(
                        f"{self._type.name} {arn} did not stabilize: {state['status']}: {state.get('failureReason')}"
                    )
            if all(state.get("status", "ACTIVE") == "ACTIVE" for state in (described, latest)):
                return described
            time.sleep(_POLL_SECONDS)

    def _import(self, arn: str, properties: _Properties) -> None:
        """Run the import job that a Dataset may carry, and wait for it."""
        if job := properties.get("DatasetImportJob"):
            job_type = ResourceType("DatasetImportJob", frozenset())
            jobs = ResourceHandler(self._service, job_type)
            created = jobs._call("Create", {**job, "DatasetArn": arn})
            jobs._wait(created[job_type.arn_member])

    def _attributes(self, arn: str, described: dict[str, Any]) -> dict[str, Any]:
        found = {name: _text(described.get(member)) for name, member in self._type.attributes.items()}
        return {self._type.arn_attribute: arn, **found}

    def _update_tags(self, arn: str, old: dict[str, str], new: dict[str, str]) -> None:
        if removed := sorted(old.keys() - new.keys()):
            self._call("Untag", {"resourceArn": arn, "tagKeys": removed}, "Resource")
        if changed := {key: value for key, value in new.items() if old.get(key) != value}:
            self._call("Tag", {"resourceArn": arn, "tags": _tag_list(changed)}, "Resource")


class ResourceGoneError(ValueError):
    """The resource does not exist."""


def _tags(properties: _Properties) -> dict[str, str]:
    """The tags that go to the service: reserved `aws:` keys, which the emulator adds to every stack's, do not."""
    return {
        tag["Key"]: tag["Value"] for tag in properties.get("Tags") or [] if not tag["Key"].lower().startswith("aws:")
    }


def _tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"tagKey": key, "tagValue": value} for key, value in tags.items()]


def _text(value: Any) -> Any:
    return datetime.fromtimestamp(value, UTC).isoformat() if isinstance(value, int | float) else value
