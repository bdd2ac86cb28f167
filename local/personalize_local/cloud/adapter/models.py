"""botocore's description of the three Personalize services, as far as the emulator needs it."""

from functools import cache
from typing import Any, Final

import botocore.session

SERVICES: Final = ("personalize", "personalize-runtime", "personalize-events")


@cache
def service_model(service: str) -> Any:
    """The botocore service model.

    :param service: one of `SERVICES`.
    """
    return botocore.session.get_session().get_service_model(service)


@cache
def rest_operations() -> dict[tuple[str, str], tuple[str, str]]:
    """(HTTP method, path) -> (service, operation) of the two REST services."""
    return {
        (operation.http["method"], operation.http["requestUri"]): (service, operation.name)
        for service in SERVICES[1:]
        for operation in map(service_model(service).operation_model, service_model(service).operation_names)
    }


def to_api_members(shape: Any, value: Any) -> Any:
    """Rename CloudFormation's members to the API's.

    :param shape: botocore shape of what the API expects.
    :param value: the CloudFormation value.
    """
    if shape.type_name == "structure" and isinstance(value, dict):
        members = {name.lower(): name for name in shape.members}
        named = {members.get(key.lower(), key): item for key, item in value.items()}
        return {
            key: to_api_members(shape.members[key], item) if key in shape.members else item
            for key, item in named.items()
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [to_api_members(shape.member, item) for item in value]
    return value
