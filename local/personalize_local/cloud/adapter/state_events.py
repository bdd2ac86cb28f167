"""State machines' integration `events:putEvents`, which fails where EventBridge does not take an entry.

https://docs.aws.amazon.com/step-functions/latest/dg/connect-eventbridge.html
"""

import json
from collections.abc import Callable
from typing import Any, Final

from ministack.services import stepfunctions

from personalize_local.cloud.adapter.expected import table
from personalize_local.cloud.adapter.models import service_model
from personalize_local.cloud.adapter.state_limits import current_execution
from personalize_local.cloud.service import PersonalizeService
from personalize_local.personalize import ServiceError

RESOURCE: Final = "arn:aws:states:::events:putEvents"
_REQUIRED: Final = ("Source", "DetailType", "Detail")


def register(service: PersonalizeService) -> None:
    """Have the integration judge its arguments and its answer as on AWS, and fail when that was asked for."""
    dispatch = table(stepfunctions, "_SERVICE_DISPATCH", RESOURCE)
    dispatch[RESOURCE] = _putting(service, dispatch[RESOURCE])


def _putting(service: PersonalizeService, original: Callable[..., Any]) -> Callable[..., Any]:
    def put(resource: str, arguments: Any) -> Any:
        try:
            service.faults.strike("events:PutEvents", {})
        except ServiceError as error:
            raise stepfunctions._ExecutionError("EventBridge.EventBridgeException", error.message) from error
        entries = [_entry(entry) for entry in arguments["Entries"]]
        answer = original(resource, {**arguments, "Entries": entries})
        if answer["FailedEntryCount"]:
            raise stepfunctions._ExecutionError("EventBridge.FailedEntry", json.dumps(answer))
        return answer

    return put


def _entry(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry as it is sent: its detail as text, and where it comes from among its resources."""
    known = service_model("events").operation_model("PutEvents").input_shape.members["Entries"].member.members
    if unknown := sorted(entry.keys() - known.keys()):
        raise stepfunctions._ExecutionError(
            "States.Runtime", f"The field '{unknown[0]}' is not supported by Step Functions; allowed: {sorted(known)}"
        )
    detail = entry.get("Detail")
    if missing := [name for name in _REQUIRED if not entry.get(name)]:
        _refuse("InvalidArgument", f"Parameter {missing[0]} is not valid. Reason: {missing[0]} is a required argument.")
    if not isinstance(detail, dict) and not _is_object(detail):
        _refuse("MalformedDetail", "Detail is malformed.")
    execution = current_execution() or {}
    sent_by = [execution[name] for name in ("executionArn", "stateMachineArn") if name in execution]
    text = json.dumps(detail) if isinstance(detail, dict) else detail
    return {**entry, "Detail": text, "Resources": [*entry.get("Resources", []), *sent_by]}


def _is_object(text: Any) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (TypeError, ValueError):
        return False


def _refuse(code: str, message: str) -> None:
    failed = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": code, "ErrorMessage": message}]}
    raise stepfunctions._ExecutionError("EventBridge.FailedEntry", json.dumps(failed))
