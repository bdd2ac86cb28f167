"""Quotas of Step Functions and the end of an execution.

https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""

import contextvars
import json
import threading
from collections.abc import Callable
from typing import Any, Final

from ministack.core.responses import error_response_json, now_iso
from ministack.services import stepfunctions

from personalize_local.cloud.adapter.expected import wrap

PAYLOAD_LIMIT: Final = 256 * 1024
HISTORY_LIMIT: Final = 25_000
# Lambda functions and training take their time however waits are scaled, so a scaled deadline gets at least this.
SHORTEST_DEADLINE_SECONDS: Final = 3.0

_Function = Callable[..., Any]
# The execution whose states this thread runs, and whether they belong to an iteration or a branch of it.
_execution: contextvars.ContextVar[dict[str, Any] | None] = contextvars.ContextVar("execution", default=None)
_nested: contextvars.ContextVar[bool] = contextvars.ContextVar("nested", default=False)

_STATES: Final = {
    "_execute_pass": "state_def raw_input ctx",
    "_execute_choice": "state_def raw_input ctx",
    "_execute_wait": "state_def raw_input ctx",
    "_execute_task": "state_def raw_input execution ctx",
    "_execute_parallel": "state_def raw_input execution ctx",
    "_execute_map": "state_def raw_input execution ctx",
}


def register() -> None:
    """Enforce the quotas, and end executions at their deadline or when they are stopped."""
    for name, parameters in _STATES.items():
        wrap(stepfunctions, name, parameters, _state)
    wrap(stepfunctions, "_invoke_resource", "resource input_data", _task)
    wrap(stepfunctions, "_start_execution", "data", _start)
    wrap(stepfunctions, "_run_execution", "exec_arn", _run)
    wrap(stepfunctions, "_run_sub_machine", "states start_at input_data execution ctx", _sub_machine)
    wrap(stepfunctions, "_fail_execution", "execution error cause", _fail)
    wrap(stepfunctions, "_add_event", "execution event_type details", _add_event)


def current_execution() -> dict[str, Any] | None:
    """The execution that this thread runs states of."""
    return _execution.get()


def require_running() -> None:
    """Do nothing more for an execution that was stopped or ran out of time.

    :raises stepfunctions._ExecutionError: `States.Runtime`, which `States.ALL` does not catch.
    """
    execution = _execution.get()
    if execution is not None and execution["status"] != "RUNNING":
        raise stepfunctions._ExecutionError("States.Runtime", f"The execution is {execution['status']}")


def _require_size(what: str, value: Any) -> Any:
    size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
    if size > PAYLOAD_LIMIT:
        raise stepfunctions._ExecutionError(
            "States.DataLimitExceeded",
            f"The {what} has {size} bytes, which exceeds the maximum number of {PAYLOAD_LIMIT} bytes",
        )
    return value


def _state(original: _Function) -> _Function:
    def execute(state_def: dict[str, Any], raw_input: Any, *context: Any) -> Any:
        require_running()
        ctx, execution = context[-1], _execution.get()
        recorded = execution if _nested.get() else None
        name = ctx["State"]["Name"]
        _record(recorded, state_def, "Entered", name, "input", raw_input)
        output, following = original(state_def, raw_input, *context)
        _require_size("state's output", output)
        _record(recorded, state_def, "Exited", name, "output", output)
        return output, following

    return execute


def _record(
    execution: dict[str, Any] | None, state_def: dict[str, Any], verb: str, name: str, side: str, value: Any
) -> None:
    """Add what the emulator leaves out: events of states inside Map and Parallel."""
    if execution is not None:
        details = {"name": name, side: json.dumps(value)}
        stepfunctions._add_event(execution, f"{state_def['Type']}State{verb}", {f"state{verb}EventDetails": details})


def _task(original: _Function) -> _Function:
    def invoke(resource: str, input_data: Any) -> Any:
        require_running()
        _require_size(f"payload of {resource}", input_data)
        return _require_size(f"result of {resource}", original(resource, input_data))

    return invoke


def _start(original: _Function) -> _Function:
    def start(data: dict[str, Any]) -> Any:
        if len(data.get("input", "").encode()) > PAYLOAD_LIMIT:
            return error_response_json(
                "ValidationException",
                "1 validation error detected: Value at 'input' failed to satisfy constraint: "
                f"Member must have length less than or equal to {PAYLOAD_LIMIT}",
            )
        return original(data)

    return start


def _run(original: _Function) -> _Function:
    def run(exec_arn: str) -> None:
        execution = stepfunctions._executions.get(exec_arn)
        _execution.set(execution)
        _nested.set(False)
        timer = _deadline(execution) if execution else None
        original(exec_arn)
        if timer:
            timer.cancel()

    return run


def _deadline(execution: dict[str, Any]) -> threading.Timer | None:
    machine = stepfunctions._state_machines.get(execution["stateMachineArn"])
    try:
        seconds = json.loads(machine["definition"]).get("TimeoutSeconds") if machine else None
    except ValueError:
        return None
    if not seconds:
        return None

    def expire() -> None:
        if execution["status"] == "RUNNING":
            execution.update(status="TIMED_OUT", error="States.Timeout", stopDate=now_iso())
            details = {"executionTimedOutEventDetails": {"error": "States.Timeout"}}
            stepfunctions._add_event(execution, "ExecutionTimedOut", details)
            stepfunctions._emit_execution_status_event(execution)

    scaled = max(seconds * stepfunctions._SFN_WAIT_SCALE, min(seconds, SHORTEST_DEADLINE_SECONDS))
    timer = threading.Timer(scaled, contextvars.copy_context().run, (expire,))
    timer.daemon = True
    timer.start()
    return timer


def _sub_machine(original: _Function) -> _Function:
    def run(states: Any, start_at: Any, input_data: Any, execution: Any, ctx: Any) -> Any:
        token = _nested.set(True)
        try:
            return original(states, start_at, input_data, execution, ctx)
        finally:
            _nested.reset(token)

    return run


def _fail(original: _Function) -> _Function:
    def fail(execution: dict[str, Any], error: str, cause: str) -> None:
        # A stopped or expired execution keeps the status that it has.
        if execution["status"] == "RUNNING":
            original(execution, error, cause)

    return fail


def _add_event(original: _Function) -> _Function:
    def add(execution: dict[str, Any], event_type: str, details: Any = None) -> Any:
        if len(execution["events"]) >= HISTORY_LIMIT and not event_type.startswith("Execution"):
            raise stepfunctions._ExecutionError(
                "States.Runtime", f"The execution reached the maximum number of history events ({HISTORY_LIMIT})."
            )
        return original(execution, event_type, details)

    return add
