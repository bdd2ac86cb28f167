"""The API's own description, as botocore ships it: operations, shapes, errors, paths."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import botocore.session

SERVICES = ("personalize", "personalize-runtime", "personalize-events")
TARGET_PREFIX = "AmazonPersonalize"

Shape = Any  # botocore is untyped; a shape is a botocore.model.Shape
OperationModel = Any


@lru_cache(maxsize=1)
def _models() -> dict[str, Any]:
    session = botocore.session.get_session()
    return {service: session.get_service_model(service) for service in SERVICES}


@cache
def operation_model(service: str, operation: str) -> OperationModel | None:
    """Look an operation up; ``None`` if there is none of that name."""
    model = _models().get(service)
    return model.operation_model(operation) if model and operation in model.operation_names else None


def operation_names(service: str) -> list[str]:
    """List the operations of one of ``SERVICES``."""
    return list(_models()[service].operation_names)


@lru_cache(maxsize=1)
def rest_operations() -> dict[tuple[str, str], tuple[str, str]]:
    """Map (HTTP method, path) to (service, operation) for the two services that speak REST-JSON."""
    return {
        (model.operation_model(operation).http["method"], model.operation_model(operation).http["requestUri"]): (
            service,
            operation,
        )
        for service, model in _models().items()
        if model.metadata["protocol"] == "rest-json"
        for operation in model.operation_names
    }


@cache
def error_status(service: str, code: str) -> int | None:
    """Find the HTTP status that the service's model gives an error; ``None`` where it gives none."""
    for shape in _models()[service].error_shapes:
        if shape.error_code == code or shape.name == code:
            status = shape.metadata.get("error", {}).get("httpStatusCode")
            return int(status) if status else None
    return None


@cache
def models_error(service: str, operation: str, code: str) -> bool:
    """Whether the API's model says that an operation can answer with an error."""
    model = operation_model(service, operation)
    return model is not None and any(shape.name == code for shape in model.error_shapes)
