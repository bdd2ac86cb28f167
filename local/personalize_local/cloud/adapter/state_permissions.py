"""What a state machine's role may do: where IAM is enforced, each task's call is judged as AWS judges it.

The emulator judges what comes over HTTP; tasks of state machines call services within the process.
"""

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import partial
from typing import Any, Final

from ministack import app
from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import stepfunctions

from personalize_local.cloud.adapter.expected import wrap
from personalize_local.cloud.adapter.resources import Need, needs_of_request
from personalize_local.cloud.service import PersonalizeService

_role: ContextVar[str | None] = ContextVar("role of the state machine", default=None)

#: per SDK integration the prefix of its IAM actions
PREFIXES: Final = {
    "cloudwatch": "cloudwatch",
    "dynamodb": "dynamodb",
    "personalize": "personalize",
    "personalizeevents": "personalize",
    "personalizeruntime": "personalize",
    "sfn": "states",
}


def register(service: PersonalizeService) -> None:
    """Judge the calls of state machines, if IAM is enforced at all."""
    if app.AUTH:
        wrap(stepfunctions, "_run_execution", "exec_arn", _with_role)
        wrap(stepfunctions, "_invoke_resource", "resource input_data", partial(_judging, service))


def _with_role(original: Callable[[str], Any]) -> Callable[[str], Any]:
    def run(exec_arn: str) -> Any:
        execution = stepfunctions._executions.get(exec_arn) or {}
        machine = stepfunctions._state_machines.get(execution.get("stateMachineArn")) or {}
        _role.set(machine.get("roleArn"))
        return original(exec_arn)

    return run


def _judging(service: PersonalizeService, original: Callable[..., Any]) -> Callable[..., Any]:
    def invoke(resource: str, input_data: Any) -> Any:
        role = _role.get()
        if role is not None:
            for need in needs(service, resource, input_data or {}):
                _require(role, need, resource)
        return original(resource, input_data)

    return invoke


def needs(service: PersonalizeService, resource: str, arguments: dict[str, Any]) -> Iterator[Need]:
    """What the role of a state machine needs for one task.

    :param resource: the task's resource.
    :param arguments: what the task is called with.
    """
    integration = resource.partition(":states:::")[2]
    if integration.startswith("lambda:invoke"):
        yield Need("lambda:InvokeFunction", arguments["FunctionName"], {})
    elif integration.startswith("states:startExecution"):
        machine = arguments["StateMachineArn"]
        yield Need("states:StartExecution", machine, {})
        if ".sync" in integration:
            executions = f"{machine.replace(':stateMachine:', ':execution:')}:any"
            yield Need("states:DescribeExecution", executions, {})
            yield Need("states:StopExecution", executions, {})
    elif integration == "events:putEvents":
        for entry in arguments["Entries"]:
            bus = str(entry.get("EventBusName", "default")).rpartition("/")[2]
            context = {"events:source": entry.get("Source"), "events:detail-type": entry.get("DetailType")}
            yield Need("events:PutEvents", f"arn:aws:events:{get_region()}:{get_account_id()}:event-bus/{bus}", context)
    elif integration.startswith("aws-sdk:"):
        _, name, action = integration.split(":")
        operation = action[:1].upper() + action[1:]
        yield from _needs_of_sdk(service, name, operation, arguments)


def _needs_of_sdk(service: PersonalizeService, name: str, operation: str, arguments: dict[str, Any]) -> Iterator[Need]:
    if name not in PREFIXES:
        raise stepfunctions._ExecutionError("States.Runtime", f"what {name} needs under enforced IAM is not known here")
    action = f"{PREFIXES[name]}:{operation}"
    if PREFIXES[name] != "personalize":
        context = {"cloudwatch:namespace": arguments["Namespace"]} if "Namespace" in arguments else {}
        yield Need(action, _resource_of_others(name, arguments), context)
        return
    members = {key[:1].lower() + key[1:]: value for key, value in arguments.items()}
    for need in needs_of_request(operation, members, get_region(), get_account_id()):
        yield need._replace(context={**need.context, **_tags(service, need.resource)})


def _resource_of_others(name: str, arguments: dict[str, Any]) -> str:
    if name == "dynamodb":
        return f"arn:aws:dynamodb:{get_region()}:{get_account_id()}:table/{arguments['TableName']}"
    return str(arguments.get("ExecutionArn") or arguments.get("StateMachineArn") or "*")


def _tags(service: PersonalizeService, resource: str) -> dict[str, Any]:
    """The tags that a resource has, as condition keys."""
    try:
        found = service.call(
            "personalize",
            "ListTagsForResource",
            {"resourceArn": resource},
            account=get_account_id(),
            region=get_region(),
        )
    except Exception as error:
        if getattr(error, "code", None) is None:
            raise
        return {}
    return {f"aws:resourcetag/{tag['tagKey'].lower()}": tag["tagValue"] for tag in found["tags"]}


def allows(role: str, need: Need, service: str) -> bool:
    """Tell whether a role's own policies allow what a service asks for in its name.

    :param role: ARN of the role.
    :param service: what the service calls its session.
    """
    name, account = role.rpartition("/")[2], get_account_id()
    request = iam_evaluator.EvalContext(
        principal_arn=_principal(role, service),
        principal_type="AssumedRole",
        principal_account=account,
        action=need.action,
        resource_arn=need.resource,
        region=get_region(),
        secure_transport=True,
        service_context={key.lower(): value for key, value in need.context.items()},
    )
    policies = iam_evaluator._gather_role_policies(name, account)
    return bool(iam_evaluator.evaluate(request, policies).decision == "Allow")


def _principal(role: str, service: str) -> str:
    return f"arn:aws:sts::{get_account_id()}:assumed-role/{role.rpartition('/')[2]}/{service}"


def _require(role: str, need: Need, task: str) -> None:
    if allows(role, need, "states"):
        return
    raise stepfunctions._ExecutionError(
        _error_name(task),
        f"User: {_principal(role, 'states')} is not authorized to perform: {need.action} on resource: {need.resource} "
        f"because no identity-based policy allows the {need.action} action",
    )


def _error_name(task: str) -> str:
    integration = task.partition(":states:::")[2]
    if integration.startswith("lambda:"):
        return "Lambda.AWSLambdaException"
    if integration.startswith("events:"):
        return "EventBridge.EventBridgeException"
    if integration.startswith("states:"):
        return "StepFunctions.AWSStepFunctionsException"
    prefix = stepfunctions._prefix_sdk_error(integration.split(":")[1], "AccessDeniedException").partition(".")[0]
    return f"{prefix}.{prefix}Exception"
