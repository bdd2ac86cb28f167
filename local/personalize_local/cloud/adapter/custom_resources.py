"""Custom resources: what a failed Create left behind is deleted when the stack rolls back, as on AWS.

What cannot be deleted keeps what it depends on, so that a custom resource still has its function when the stack is
deleted again.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requesttypes-delete.html
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from ministack.core.concurrency import run_reentrant
from ministack.services.cloudformation import custom_resource, handlers, stacks

from personalize_local.cloud.adapter.expected import IncompatibleEmulatorError, rewrite, wrap

_logger = logging.getLogger("personalize_local.cloud")

# (stack id, logical id) -> physical id that the failed answer named
_answers: dict[tuple[str, str], str] = {}
# stack id -> what to call to delete each resource whose Create failed
_remains: dict[str, list[Callable[[], Any]]] = {}


def register() -> None:
    """Send Delete for every custom resource whose Create answered FAILED, and keep what a failed Delete needs."""
    _require_same_deletion()
    rewrite(
        stacks,
        "_delete_stack_async",
        "        if not res:\n            continue\n        rtype",
        "        if not res or logical_id in _with_dependencies(delete_failures, res_defs, set(resources)):\n"
        "            continue\n        rtype",
    )
    handlers._delete_stack_async = stacks._delete_stack_async
    wrap(custom_resource, "deliver_response", "token response", _remember_answer)
    wrap(
        custom_resource,
        "invoke_custom_resource",
        "request_type logical_id props stack_name stack_id resource_type physical_id old_props",
        _remember_remains,
    )
    wrap(stacks, "_roll_back_operation", "stack_name stack_id stack operation reason_override", _delete_remains)


def _require_same_deletion() -> None:
    if getattr(handlers, "_delete_stack_async", None) is not stacks._delete_stack_async:
        raise IncompatibleEmulatorError("ministack's cloudformation.handlers does not delete stacks by `stacks`")


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

                def delete() -> None:
                    original("Delete", logical_id, props, stack_name, stack_id, resource_type, failed_id)

                _remains.setdefault(stack_id, []).append(delete)
            raise

    return invoke


def _delete_remains(original: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    async def roll_back(
        stack_name: str, stack_id: str, stack: dict[str, Any], operation: dict[str, Any], reason_override: str = ""
    ) -> None:
        for delete in _remains.pop(stack_id, []):
            try:
                await run_reentrant(delete)
            except Exception as error:
                _logger.warning("deleting what a failed custom resource of %s left: %s", stack_name, error)
        await original(stack_name, stack_id, stack, operation, reason_override)

    return roll_back
