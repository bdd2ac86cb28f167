"""Entry point: starts what a custom resource asks for."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, cast

from personalize_lambda.aws import patiently, short_messages
from personalize_lambda.provider.registry import module_for


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Create, update or delete, and return at once.

    :param event: Event of CloudFormation.
    """
    started_at = time.time()
    act = cast(Callable[[Mapping[str, Any]], dict[str, Any]], getattr(module_for(event), event["RequestType"].lower()))
    # The framework hands everything that is returned here to `is_complete`.
    with short_messages():
        return {"StartedAt": started_at, **patiently(lambda: act(event))}
