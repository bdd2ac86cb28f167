"""The two wire protocols: JSON 1.1 of the control plane, REST-JSON of the runtime and of events.

See https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html and
https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .api import TARGET_PREFIX, error_status, operation_model, rest_operations
from .errors import ServiceError
from .json_text import read_json
from .uncertain import MAX_BODY_BYTES

HttpResponse = tuple[int, dict[str, str], bytes]

_CONTENT_TYPES = {"personalize": "application/x-amz-json-1.1"}
_REST_CONTENT_TYPE = "application/json"
_RPC_ROUTE = ("POST", "/")


@dataclass(frozen=True)
class Request:
    """A decoded HTTP request."""

    service: str
    operation: str
    parameters: Mapping[str, Any]


def service_of(method: str, path: str, headers: Mapping[str, str]) -> tuple[str, str] | None:
    """Find the service and the operation that a request is for; ``None`` if it is for none of ours."""
    route = (method.upper(), path.partition("?")[0])
    target = _header(headers, "x-amz-target")
    if target:
        prefix, _, operation = target.partition(".")
        return ("personalize", operation) if prefix == TARGET_PREFIX and route == _RPC_ROUTE else None
    return rest_operations().get(route)


def decode(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Request:
    """Read a request.

    :raises ServiceError: UnknownOperationException; UnsupportedMediaTypeException; RequestEntityTooLargeException;
        SerializationException when the body is not a JSON object.
    """
    found = service_of(method, path, headers)
    if found is None or operation_model(*found) is None:
        name = _header(headers, "x-amz-target")
        raise ServiceError("UnknownOperationException", f"There is no operation {name} at {method} {path}", 404)
    _check_content_type(found[0], _header(headers, "content-type"))
    if len(body) > MAX_BODY_BYTES:
        message = f"The body has more than the {MAX_BODY_BYTES} bytes that are allowed"
        raise ServiceError("RequestEntityTooLargeException", message, 413)
    return Request(*found, _parameters(body))


def _check_content_type(service: str, content_type: str) -> None:
    """Take what clients without an SDK forget or shorten; refuse what cannot be JSON."""
    media_type = content_type.partition(";")[0].strip().lower()
    allowed = (_CONTENT_TYPES.get(service, _REST_CONTENT_TYPE), _REST_CONTENT_TYPE)
    if media_type and media_type not in allowed:
        message = f"The Content-Type must be {allowed[0]}, got {content_type}"
        raise ServiceError("UnsupportedMediaTypeException", message, 415)


def _parameters(body: bytes) -> Mapping[str, Any]:
    try:
        parameters = read_json(body.decode() or "{}")
    except UnicodeError as error:
        raise ServiceError("SerializationException", f"The body is not UTF-8: {error}") from error
    except ValueError as error:
        raise ServiceError("SerializationException", f"The body is not JSON: {error}") from error
    if not isinstance(parameters, dict):
        raise ServiceError("SerializationException", "The body must be a JSON object")
    return parameters


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
