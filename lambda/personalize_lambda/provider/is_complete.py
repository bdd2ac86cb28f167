"""Entry point: tells whether what a custom resource asked for is done."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from personalize_lambda.aws import PATIENCE_SECONDS, is_denied, is_transient, log, short_messages
from personalize_lambda.provider.lifecycle import GIVE_UP_SECONDS
from personalize_lambda.provider.registry import module_for


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Return whether it is done, under ``IsComplete``.

    What cannot be told for a reason that may pass is not done yet; the framework asks again.

    :param event: Event of CloudFormation, with what ``on_event`` returned.
    """
    try:
        with short_messages():
            return cast(dict[str, Any], module_for(event).is_complete(event))
    except (ClientError, BotoCoreError) as error:
        waited = time.time() - float(event["StartedAt"])
        if not ((is_denied(error) and waited < PATIENCE_SECONDS) or (is_transient(error) and waited < GIVE_UP_SECONDS)):
            raise
        log.info("cannot be told yet: %s", error)
        return {"IsComplete": False}
