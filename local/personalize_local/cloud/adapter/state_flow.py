"""Parts of the Amazon States Language that the emulator lacks: JSONata in Parallel and Succeed, starts of executions.

https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
"""

import contextvars
import copy
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from ministack.core.responses import json_response
from ministack.services import stepfunctions

from personalize_local.cloud.adapter.expected import rewrite, wrap
from personalize_local.cloud.adapter.sdk_integrations import java_exception
from personalize_local.cloud.adapter.state_limits import require_running
from personalize_local.cloud.service import PersonalizeService
from personalize_local.personalize import ServiceError

_Function = Callable[..., Any]
_POLL_SECONDS = 0.01


def start_at_once() -> None:
    """Let an execution begin without the pause that the emulator makes; to be called before others wrap it."""
    rewrite(stepfunctions, "_run_execution", "time.sleep(0.15)", "pass")


def register(service: PersonalizeService) -> None:
    """Add what is missing."""
    wrap(stepfunctions, "_run_parallel_branches", "state_def raw_input execution ctx", _parallel)
    wrap(stepfunctions, "_apply_output_path", "state_def data ctx", _succeed)
    wrap(stepfunctions, "_start_execution", "data", _start_again)
    wrap(stepfunctions, "_invoke_nested_start_execution_sync", "resource input_data", partial(_child, service))


def _parallel(original: _Function) -> _Function:
    def run(state_def: dict[str, Any], raw_input: Any, execution: Any, ctx: dict[str, Any]) -> Any:
        if stepfunctions._state_query_language(state_def, ctx) != "JSONata":
            return original(state_def, raw_input, execution, ctx)
        branch_input = stepfunctions._apply_jsonata_arguments(state_def, raw_input, ctx)

        def run_branch(branch: dict[str, Any]) -> Any:
            # A copy each: variables that a branch assigns are its own.
            return stepfunctions._run_sub_machine(
                branch["States"], branch["StartAt"], branch_input, execution, copy.deepcopy(ctx)
            )

        with ThreadPoolExecutor(max_workers=len(state_def["Branches"])) as pool:
            running = [
                pool.submit(contextvars.copy_context().run, run_branch, branch) for branch in state_def["Branches"]
            ]
        results = [branch.result() for branch in running]
        output = stepfunctions._apply_jsonata_output(state_def, raw_input, ctx, result=results, default=results)
        stepfunctions._apply_state_assign(state_def, raw_input, ctx, result=results)
        return output, stepfunctions._next_or_end(state_def)

    return run


def _succeed(original: _Function) -> _Function:
    def apply(state_def: dict[str, Any], data: Any, ctx: Any = None) -> Any:
        if state_def.get("Type") == "Succeed" and stepfunctions._state_query_language(state_def, ctx) == "JSONata":
            return stepfunctions._apply_jsonata_output(state_def, data, ctx, default=data)
        return original(state_def, data, ctx)

    return apply


def _start_again(original: _Function) -> _Function:
    """Starting a running execution again, with the same name and input, answers with that execution."""

    def start(data: dict[str, Any]) -> Any:
        machine = stepfunctions._state_machines.get(data.get("stateMachineArn", ""))
        arn = (
            f"{data['stateMachineArn'].replace(':stateMachine:', ':execution:')}:{data.get('name')}" if machine else ""
        )
        running = stepfunctions._executions.get(arn)
        if running and running["status"] == "RUNNING" and running["input"] == data.get("input", "{}"):
            return json_response({"executionArn": arn, "startDate": running["startDate"]})
        return original(data)

    return start


def _child(service: PersonalizeService, original: _Function) -> _Function:
    """`startExecution.sync`: an execution like any other, with status events; its failure is `States.TaskFailed`."""

    def run(resource: str, input_data: Any) -> Any:
        try:
            service.faults.strike("states:StartExecution", {})
        except ServiceError as error:
            raise stepfunctions._ExecutionError("StepFunctions.AWSStepFunctionsException", error.message) from error
        status, _, body = stepfunctions._start_execution(stepfunctions._nested_start_execution_request(input_data))
        answer = json.loads(body)
        if status >= 400:
            raise stepfunctions._ExecutionError(
                f"StepFunctions.{java_exception(answer.get('__type', 'AWSStepFunctions'))}", answer.get("message", "")
            )
        child = stepfunctions._executions[answer["executionArn"]]
        while not child["stopDate"]:
            _stop_with_parent(child["executionArn"])
            time.sleep(_POLL_SECONDS)
        described = _described(child)
        if child["status"] != "SUCCEEDED":
            raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(described))
        if resource.endswith(":2"):
            described["Output"] = json.loads(described["Output"])
        return described

    return run


def _stop_with_parent(child_arn: str) -> None:
    try:
        require_running()
    except stepfunctions._ExecutionError:
        stepfunctions._stop_execution({"executionArn": child_arn})
        raise


def _described(execution: dict[str, Any]) -> dict[str, Any]:
    _, _, body = stepfunctions._describe_execution({"executionArn": execution["executionArn"]})
    return {key[0].upper() + key[1:]: value for key, value in json.loads(body).items() if value is not None}
