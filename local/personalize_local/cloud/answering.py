"""How a local cloud answers requests to Personalize and under `/_personalize/`, whatever serves it."""

import asyncio
import json
from collections.abc import Mapping
from functools import partial
from typing import Final

from personalize_local.cloud.service import PersonalizeService

ADMIN_PREFIX: Final = "/_personalize/"
Response = tuple[int, dict[str, str], bytes]

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


def administrate(service: PersonalizeService, action: str, body: bytes) -> Response:
    """Run one administration action whose parameters come as JSON."""
    try:
        result = service.admin(action, json.loads(body or b"{}"))
    except (ValueError, TypeError) as error:
        return 400, dict(_JSON), json.dumps({"message": str(error)}).encode()
    return 200, dict(_JSON), json.dumps(result).encode()
