"""Lambda functions: errors carry their class name, and a function that raised stays warm, as on AWS.

https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from personalize_local.cloud.adapter.expected import substitute, wrap
from personalize_local.cloud.service import PersonalizeService
from personalize_local.personalize import ServiceError

# A handler's error travels as a result with this member: the emulator kills a worker that reports an error.
_ERROR: Final = "__handler_error__"
# The code of a fault that hands a function the same event twice.
_TWICE: Final = "Duplicate"

_PYTHON_OLD: Final = 'json.dumps({"status": "error", "error": str(e), "trace": traceback.format_exc()})'
_PYTHON_NEW: Final = (
    f'json.dumps({{"status": "ok", "result": {{"{_ERROR}": {{"errorMessage": str(e), "errorType": type(e).__name__, '
    '"requestId": context.aws_request_id, "stackTrace": traceback.format_tb(e.__traceback__)[1:]}, '
    '"trace": traceback.format_exc()}})'
)
_NODE_OLD: Final = 'status: "error", error: String(err.message || err), trace: err.stack || ""'
_NODE_NEW: Final = (
    f'status: "ok", result: {{ {_ERROR}: {{ errorType: err.name || "Error", '
    'errorMessage: String(err.message || err), trace: String(err.stack || "").split("\\n") }, '
    'trace: err.stack || "" }'
)
_NODE_SYNC_OLD: Final = 'status: "error", error: e.message, trace: e.stack'
_NODE_SYNC_NEW: Final = (
    f'status: "ok", result: {{ {_ERROR}: {{ errorType: e.name || "Error", errorMessage: e.message, '
    'trace: String(e.stack || "").split("\\n") }, trace: e.stack || "" }'
)


def register(service: PersonalizeService) -> None:
    """Report errors of Python and Node.js handlers by name, and let functions fail if that was asked for.

    :param service: whose faults are those of the whole local cloud.
    """
    substitute(lambda_runtime, "_PYTHON_WORKER_SCRIPT", _PYTHON_OLD, _PYTHON_NEW)
    substitute(lambda_runtime, "_NODEJS_WORKER_SCRIPT", _NODE_OLD, _NODE_NEW)
    substitute(lambda_runtime, "_NODEJS_WORKER_SCRIPT", _NODE_SYNC_OLD, _NODE_SYNC_NEW)
    wrap(lambda_svc, "_execute_function_warm", "func event request_id", _named_errors)
    wrap(lambda_svc, "_execute_function_warm", "func event request_id", partial(_losing_answers, service))


def _losing_answers(service: PersonalizeService, original: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function crash at its end: what it has done is done, and nobody hears of it. Or let it be called twice."""

    def execute(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = original(func, event, request_id)
        try:
            service.faults.strike(f"function:{(func.get('config') or func).get('FunctionName')}", {})
        except ServiceError as error:
            if error.code == _TWICE:
                again: dict[str, Any] = original(func, event, request_id)
                return again
            body = {"errorType": error.code, "errorMessage": error.message}
            return {"body": body, "error": True, "log": answer.get("log") or ""}
        return answer

    return execute


def _named_errors(original: Callable[..., Any]) -> Callable[..., Any]:
    def execute(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = original(func, event, request_id)
        body = answer.get("body")
        if not isinstance(body, dict) or _ERROR not in body:
            return answer
        logged = [answer.get("log") or "", f"[ERROR] {json.dumps(body[_ERROR])}", body.get("trace") or ""]
        return {"body": body[_ERROR], "error": True, "log": "\n".join(filter(None, logged))}

    return execute
