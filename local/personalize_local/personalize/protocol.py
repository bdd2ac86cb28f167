"""The two wire protocols: JSON 1.1 of the control plane, REST-JSON of the runtime and of events."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .api import TARGET_PREFIX, error_status, operation_model, rest_operations
from .errors import ServiceError

HttpResponse = tuple[int, dict[str, str], bytes]

_CONTENT_TYPES = {"personalize": "application/x-amz-json-1.1"}
_REST_CONTENT_TYPE = "application/json"


@dataclass(frozen=True)
class Request:
    """A decoded HTTP request."""

    service: str
    operation: str
    parameters: Mapping[str, Any]


def service_of(method: str, path: str, headers: Mapping[str, str]) -> tuple[str, str] | None:
    """Find the service and the operation that a request is for; ``None`` if it is for none of ours."""
    target = _header(headers, "x-amz-target")
    if target:
        prefix, _, operation = target.partition(".")
        return ("personalize", operation) if prefix == TARGET_PREFIX else None
    return rest_operations().get((method.upper(), path.partition("?")[0]))


def decode(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Request:
    """Read a request.

    :raises ServiceError: UnknownOperationException, or SerializationException when the body is not a JSON object.
    """
    found = service_of(method, path, headers)
    if found is None or operation_model(*found) is None:
        name = _header(headers, "x-amz-target") or f"{method} {path}"
        raise ServiceError("UnknownOperationException", f"There is no operation {name}", 404)
    try:
        parameters = json.loads(body or b"{}")
    except ValueError as error:
        raise ServiceError("SerializationException", f"The body is not JSON: {error}") from error
    if not isinstance(parameters, dict):
        raise ServiceError("SerializationException", "The body must be a JSON object")
    return Request(*found, parameters)


def encode(service: str, operation: str, response: Mapping[str, Any]) -> HttpResponse:
    """Write a successful response."""
    model = operation_model(service, operation)
    empty = service != "personalize" and model is not None and model.output_shape is None
    body = b"" if empty else json.dumps(response, ensure_ascii=False).encode()
    return 200, _headers(service), body


def encode_error(service: str, error: ServiceError) -> HttpResponse:
    """Write an error, with the HTTP status of the API's model where it has one."""
    body = json.dumps({"__type": error.code, "message": error.message}, ensure_ascii=False).encode()
    status = error_status(service, error.code) or error.status
    return status, {**_headers(service), "x-amzn-ErrorType": error.code}, body


def _headers(service: str) -> dict[str, str]:
    return {
        "Content-Type": _CONTENT_TYPES.get(service, _REST_CONTENT_TYPE),
        "x-amzn-RequestId": str(uuid.uuid4()),
    }


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")
