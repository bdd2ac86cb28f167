"""Entry point: tells whether what a custom resource asked for is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from personalize_lambda.provider.registry import module_for


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Return whether it is done, under ``IsComplete``.

    :param event: Event of CloudFormation, with what ``on_event`` returned.
    """
    return cast(dict[str, Any], module_for(event).is_complete(event))
