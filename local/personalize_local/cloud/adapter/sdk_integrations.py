"""State machines' SDK integrations `aws-sdk:personalize:*`, served in-process, and the error names of all of them.

Step Functions names members as the AWS SDK for Java 2 does, with a capital first letter, and refuses members that the
operation does not have.

https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from ministack.core.responses import get_account_id, get_region
from ministack.services import stepfunctions

from personalize_local.cloud.adapter.expected import table, wrap
from personalize_local.cloud.adapter.models import service_model
from personalize_local.cloud.service import PersonalizeService
from personalize_local.personalize import ServiceError

# name in a resource ARN -> (service, prefix of its errors, what an error that the service does not model is called)
INTEGRATIONS: Final = {
    "personalize": ("personalize", "Personalize", "PersonalizeException"),
    "personalizeruntime": ("personalize-runtime", "PersonalizeRuntime", "PersonalizeRuntimeException"),
    "personalizeevents": ("personalize-events", "PersonalizeEvents", "PersonalizeEventsException"),
}
_MARKER: Final = "aws-sdk:"


def register(service: PersonalizeService) -> None:
    """Serve Personalize's integrations with the service and correct the error names of the others."""

    def invoke_wrapper(original: Callable[..., Any]) -> Callable[..., Any]:
        def invoke(resource: str, input_data: Any) -> Any:
            name, _, action = resource.partition(_MARKER)[2].partition(":")
            if name in INTEGRATIONS:
                return _call(service, name, action, input_data)
            if name:
                _strike(service, name, action)
            return original(resource, input_data)

        return invoke

    def prefix_wrapper(original: Callable[[str, str], str]) -> Callable[[str, str], str]:
        def prefix(service_name: str, error_code: str) -> str:
            return original(service_name, java_exception(error_code))

        return prefix

    table(stepfunctions, "_AWS_SDK_SERVICE_MAP", "dynamodb", "sfn")
    wrap(stepfunctions, "_invoke_aws_sdk_integration", "resource input_data", invoke_wrapper)
    wrap(stepfunctions, "_prefix_sdk_error", "service_name error_code", prefix_wrapper)


def java_exception(error_code: str) -> str:
    """The SDK's class name: `com.amazonaws.x#ExecutionAlreadyExists` is `ExecutionAlreadyExistsException`."""
    if error_code.startswith("States."):
        return error_code
    name = error_code.rpartition("#")[2]
    return name if name.endswith("Exception") else f"{name.removesuffix('Fault').removesuffix('Error')}Exception"


def _strike(service: PersonalizeService, name: str, action: str) -> None:
    """Let a call to another service fail or be slow, if that was asked for."""
    try:
        service.faults.strike(f"{name}:{_capital(action)}", {})
    except ServiceError as error:
        code = stepfunctions._prefix_sdk_error(name, error.code)
        raise stepfunctions._ExecutionError(code, error.message) from error


def _call(service: PersonalizeService, name: str, action: str, arguments: Any) -> Any:
    service_name, prefix, unmodelled = INTEGRATIONS[name]
    model = service_model(service_name)
    operation = action[:1].upper() + action[1:]
    if operation not in model.operation_names:
        raise stepfunctions._ExecutionError(
            "States.Runtime", f"The resource 'arn:aws:states:::aws-sdk:{name}:{action}' is not an API action"
        )
    shapes = model.operation_model(operation)
    parameters = _to_api(shapes.input_shape, arguments or {}, operation)
    try:
        result = service.call(service_name, operation, parameters, account=get_account_id(), region=get_region())
    except Exception as error:
        code = getattr(error, "code", None)
        if code is None:
            raise
        modelled = {shape.name for shape in model.error_shapes}
        raise stepfunctions._ExecutionError(
            f"{prefix}.{code if code in modelled else unmodelled}",
            f"{error} (Service: {prefix}, Status Code: {getattr(error, 'status', 400)})",
        ) from error
    return _to_states(shapes.output_shape, result) if shapes.output_shape else {}


def _to_api(shape: Any, value: Any, where: str) -> Any:
    """Rename arguments to the API's members.

    :raises stepfunctions._ExecutionError: `States.Runtime` for a member that does not exist, camelCase ones included.
    """
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        members = {_capital(member): member for member in shape.members}
        unknown = sorted(value.keys() - members.keys())
        if unknown:
            raise stepfunctions._ExecutionError(
                "States.Runtime",
                f"The field '{unknown[0]}' is not supported by Step Functions in {where}; allowed: {sorted(members)}",
            )
        return {
            members[key]: _to_api(shape.members[members[key]], item, f"{where}.{key}") for key, item in value.items()
        }
    if kind == "list" and isinstance(value, list):
        return [_to_api(shape.member, item, where) for item in value]
    if kind == "map" and isinstance(value, dict):
        return {key: _to_api(shape.value, item, where) for key, item in value.items()}
    return value


def _to_states(shape: Any, value: Any) -> Any:
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        return {
            _capital(key): _to_states(shape.members[key], item)
            for key, item in value.items()
            if key in shape.members and item is not None
        }
    if kind == "list" and isinstance(value, list):
        return [_to_states(shape.member, item) for item in value]
    if kind == "map" and isinstance(value, dict):
        return {key: _to_states(shape.value, item) for key, item in value.items()}
    if kind == "timestamp" and isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value


def _capital(member: str) -> str:
    return member[:1].upper() + member[1:]
