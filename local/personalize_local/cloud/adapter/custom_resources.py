"""What a failed creation left behind is deleted when the stack rolls back, as on AWS.

What cannot be deleted stays in the stack and keeps what it depends on, so that a custom resource still has its function
when the stack is deleted again.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requesttypes-delete.html
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from ministack.core.responses import now_iso
from ministack.services.cloudformation import custom_resource, handlers, stacks

from personalize_local.cloud.adapter.expected import IncompatibleEmulatorError, rewrite, wrap


@dataclass(frozen=True)
class Remains:
    """What a failed creation left behind."""

    logical_id: str
    resource_type: str
    physical_id: str
    properties: dict[str, Any]


# (stack id, logical id) -> physical id that the failed answer named
_answers: Final[dict[tuple[str, str], str]] = {}
# by the id of the stack: one that is created again has another
_remains: Final[dict[str, Remains]] = {}


def register() -> None:
    """Delete what failed creations of custom resources left, and keep in the stack what could not be deleted."""
    for name in ("_delete_stack_async", "_roll_back_operation"):
        if getattr(handlers, name, None) is not getattr(stacks, name):
            raise IncompatibleEmulatorError(f"ministack's cloudformation.handlers does not use stacks.{name}")
    rewrite(
        stacks,
        "_delete_stack_async",
        "        if not res:\n            continue\n        rtype",
        "        if not res or logical_id in _with_dependencies(delete_failures, res_defs, set(resources)):\n"
        "            continue\n        rtype",
    )
    rewrite(
        stacks,
        "_roll_back_operation",
        "        res = provisioned_resources.get(logical_id, {})\n"
        '        rtype = res.get("ResourceType", "")\n'
        '        pid = res.get("PhysicalResourceId", "")\n'
        "        res_props",
        "        if not is_update and logical_id in _with_dependencies(\n"
        "            rollback_failed_records, resources_defs, set(provisioned_resources)\n"
        "        ):\n"
        "            continue\n"
        "        res = provisioned_resources.get(logical_id, {})\n"
        '        rtype = res.get("ResourceType", "")\n'
        '        pid = res.get("PhysicalResourceId", "")\n'
        "        res_props",
        'if policy == "Retain" and not retain_except_on_create:',
        'if policy == "Retain" and not retain_except_on_create and logical_id != failed_logical_id:',
        '                "Properties": res_props,\n            }\n',
        '                "Properties": res_props,\n            }\n'
        "            if not is_update:\n"
        '                res.update(ResourceStatus="DELETE_FAILED", ResourceStatusReason=str(del_exc))\n'
        "                continue\n",
    )
    wrap(custom_resource, "deliver_response", "token response", _remember_answer)
    wrap(
        custom_resource,
        "invoke_custom_resource",
        "request_type logical_id props stack_name stack_id resource_type physical_id old_props",
        _remember_remains,
    )
    wrap(stacks, "_roll_back_operation", "stack_name stack_id stack operation reason_override", _with_remains)
    for name in ("_delete_stack_async", "_roll_back_operation"):
        setattr(handlers, name, getattr(stacks, name))


def remember(stack_id: str, remains: Remains) -> None:
    """Have the rollback of a stack delete what a failed creation left."""
    _remains[stack_id] = remains


def _remember_answer(original: Callable[..., bool]) -> Callable[..., bool]:
    def deliver(token: str, response: dict[str, Any]) -> bool:
        if response.get("Status") == "FAILED" and response.get("PhysicalResourceId"):
            _answers[response.get("StackId", ""), response.get("LogicalResourceId", "")] = response[
                "PhysicalResourceId"
            ]
        return original(token, response)

    return deliver


def _remember_remains(original: Callable[..., Any]) -> Callable[..., Any]:
    def invoke(
        request_type: str,
        logical_id: str,
        props: dict[str, Any],
        stack_name: str,
        stack_id: str,
        resource_type: str,
        physical_id: str | None = None,
        old_props: dict[str, Any] | None = None,
    ) -> Any:
        _answers.pop((stack_id, logical_id), None)
        try:
            return original(
                request_type, logical_id, props, stack_name, stack_id, resource_type, physical_id, old_props
            )
        except RuntimeError:
            failed_id = _answers.pop((stack_id, logical_id), None)
            if request_type == "Create" and failed_id:
                remember(stack_id, Remains(logical_id, resource_type, failed_id, props))
            raise

    return invoke


def _with_remains(original: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    async def roll_back(
        stack_name: str, stack_id: str, stack: dict[str, Any], operation: dict[str, Any], reason_override: str = ""
    ) -> None:
        remains = _remains.pop(stack_id, None)
        # of an operation that was never rolled back there may be some, too
        if remains and remains.logical_id == operation["failed_logical_id"]:
            stack.setdefault("_resources", {})[remains.logical_id] = {
                "LogicalResourceId": remains.logical_id,
                "PhysicalResourceId": remains.physical_id,
                "ResourceStatus": "CREATE_FAILED",
                "ResourceType": remains.resource_type,
                "Properties": remains.properties,
                "Timestamp": now_iso(),
            }
            operation = {**operation, "created": [*operation["created"], remains.logical_id]}
        if not operation["is_update"]:
            # what is left is deleted by it
            stack["_template"] = operation["template"]
        await original(stack_name, stack_id, stack, operation, reason_override)

    return roll_back
