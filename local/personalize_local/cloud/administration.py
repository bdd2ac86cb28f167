"""What a local cloud answers under `/_personalize/`, whatever serves it."""

import json
from typing import Final

from personalize_local.cloud.service import PersonalizeService

ADMIN_PREFIX: Final = "/_personalize/"
Response = tuple[int, dict[str, str], bytes]

_JSON: Final = {"Content-Type": "application/json"}


def administrate(service: PersonalizeService, action: str, body: bytes) -> Response:
    """Run one administration action whose parameters come as JSON."""
    try:
        result = service.admin(action, json.loads(body or b"{}"))
    except (ValueError, TypeError) as error:
        return 400, dict(_JSON), json.dumps({"message": str(error)}).encode()
    return 200, dict(_JSON), json.dumps(result).encode()
