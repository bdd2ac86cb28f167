"""HTTP: Personalize's three services and the administration path on the emulator's port."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Final

from ministack import app
from ministack.core import iam_actions, router
from ministack.core.responses import get_account_id, get_region

from personalize_local.cloud.adapter import schedules, used_permissions
from personalize_local.cloud.adapter.expected import table, wrap
from personalize_local.cloud.adapter.models import SERVICES, rest_operations
from personalize_local.cloud.adapter.resources import Need, needs_of_request, requested_resource
from personalize_local.cloud.answering import ADMIN_PREFIX, Action, Response, administrate, respond
from personalize_local.cloud.service import PersonalizeService

#: Administration of what is not Personalize
_ACTIONS: Final[Mapping[str, Action]] = {
    "used_permissions": lambda parameters: used_permissions.used(),
    "advance_schedules": schedules.advance,
}


class PersonalizeModule:
    """Personalize in the form in which the emulator keeps its service modules."""

    def __init__(self, service: PersonalizeService) -> None:
        self._service = service

    async def handle_request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | str, query_params: Any
    ) -> Response:
        """Answer one request."""
        raw = body.encode() if isinstance(body, str) else body or b""
        # the emulator has judged the first
        for need in list(_needs(headers, raw))[1:] if app.AUTH else ():
            denied: Response | None = app._enforce_data_plane(
                "personalize",
                need.action,
                headers,
                query_params,
                "",
                resource_arn=need.resource,
                service_context=need.context,
                named_resource=need.resource,
            )
            if denied:
                return denied
        return await respond(self._service, method, path, headers, raw, account=get_account_id(), region=get_region())

    def reset(self) -> None:
        """Forget everything, when the emulator as a whole is reset."""
        self._service.reset()

    def get_state(self) -> None:
        """Leave it to the service, which keeps what it has itself."""

    def load_persisted_state(self, data: object) -> None:
        """Leave it to the service."""


def register(service: PersonalizeService) -> None:
    """Route Personalize's requests and `/_personalize/...` to the service."""
    module = PersonalizeModule(service)
    table(app, "SERVICE_REGISTRY", "states", "s3")["personalize"] = {"module": "personalize"}
    table(app, "_loaded_modules")["personalize"] = module
    for name in SERVICES:
        table(app, "SERVICE_HANDLERS", "states", "s3")[name] = module.handle_request
    table(router, "SERVICE_PATTERNS", "states", "s3")["personalize"] = {
        "target_prefixes": ["AmazonPersonalize"],
        "host_patterns": [r"^personalize(-runtime|-events)?\."],
    }
    _register_admin(service)
    _register_permissions()


def _register_admin(service: PersonalizeService) -> None:
    def wrapper(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def shortcuts(
            method: str, path: str, headers: Any, body: bytes, query_params: Any, request_id: str
        ) -> Any:
            if path.startswith(ADMIN_PREFIX):
                return await asyncio.to_thread(administrate, service, path.removeprefix(ADMIN_PREFIX), body, _ACTIONS)
            return await original(method, path, headers, body, query_params, request_id)

        return shortcuts

    wrap(app, "_handle_post_body_shortcuts", "method path headers body query_params request_id", wrapper)


def _register_permissions() -> None:
    """Which IAM action and resource a request needs, for `AUTH=true`."""
    table(iam_actions, "SERVICE_TO_IAM_NAMESPACE", "states", "s3")["personalize"] = "personalize"

    def action_wrapper(original: Callable[..., Any]) -> Callable[..., Any]:
        def extract(service: str, method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
            if service == "personalize" and (method, path) in rest_operations():
                return f"personalize:{rest_operations()[method, path][1]}"
            return original(service, method, path, headers, body, query_params)

        return extract

    def resource_wrapper(original: Callable[..., Any]) -> Callable[..., Any]:
        def extract(
            service: str,
            method: str,
            path: str,
            headers: Any,
            body: bytes,
            query_params: Any,
            region: str,
            account_id: str,
        ) -> Any:
            if service == "personalize":
                return requested_resource(_operation(headers), _members(body), region, account_id)
            return original(service, method, path, headers, body, query_params, region, account_id)

        return extract

    wrap(iam_actions, "extract_iam_action", "service method path headers body query_params", action_wrapper)
    wrap(
        iam_actions,
        "extract_resource_arn",
        "service method path headers body query_params region account_id",
        resource_wrapper,
    )


def _needs(headers: Mapping[str, str], body: bytes) -> Iterator[Need]:
    return needs_of_request(_operation(headers), _members(body), get_region(), get_account_id())


def _operation(headers: Mapping[str, str]) -> str:
    return (headers.get("x-amz-target") or "").rpartition(".")[2]


def _members(body: bytes) -> Mapping[str, Any]:
    try:
        members = json.loads(body or b"{}")
    except ValueError:
        return {}
    return members if isinstance(members, dict) else {}
