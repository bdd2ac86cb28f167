"""How a local cloud answers requests to Personalize and under `/_personalize/`, whatever serves it."""

import asyncio
import json
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from personalize_local.cloud.service import PersonalizeService

ADMIN_PREFIX: Final = "/_personalize/"
Response = tuple[int, dict[str, str], bytes]
Action = Callable[[Mapping[str, Any]], Any]

_JSON: Final = {"Content-Type": "application/json"}


async def respond(
    service: PersonalizeService,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    account: str,
    region: str,
) -> Response:
    """Answer one request to Personalize; off the event loop, where it may take a while."""
    answer = partial(service.handle_http, method, path, headers, body, account=account, region=region)
    return answer() if service.answers_at_once(method, path) else await asyncio.to_thread(answer)


def administrate(
    service: PersonalizeService, action: str, body: bytes, others: Mapping[str, Action] = MappingProxyType({})
) -> Response:
    """Run one administration action whose parameters come as JSON.

    :param others: actions that are not the service's, by name.
    """
    try:
        parameters = json.loads(body or b"{}")
        result = others[action](parameters) if action in others else service.admin(action, parameters)
    except (ValueError, TypeError) as error:
        return 400, dict(_JSON), json.dumps({"message": str(error)}).encode()
    return 200, dict(_JSON), json.dumps(result).encode()
