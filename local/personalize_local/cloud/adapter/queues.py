"""Event source mappings of SQS gather messages for as long as they say, by the time scale.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
"""

import threading
import time
from typing import Any, Final

from ministack.services import lambda_svc, sqs, stepfunctions

from personalize_local.cloud.adapter.expected import rewrite

# id of a mapping -> when it found the first message of the batch that it gathers
_since: Final[dict[str, float]] = {}


def register() -> None:
    """Let a mapping wait for more messages; it receives as many at a time as it says, and not ten."""
    lambda_svc._gathered = _gathered
    rewrite(
        lambda_svc,
        "_poll_sqs",
        "_sqs._receive_messages_for_esm(queue_url, batch_size)",
        "_gathered(esm, queue, queue_url, batch_size)",
    )


def _gathered(mapping: dict[str, Any], queue: dict[str, Any], url: str, size: int) -> list[dict[str, Any]]:
    """The messages of a batch that is full or has waited long enough; none otherwise."""
    now, name = time.time(), mapping["UUID"]
    waiting = sum(message["visible_at"] <= now for message in list(queue["messages"]))
    if not waiting:
        _since.pop(name, None)
        return []
    window = (mapping.get("MaximumBatchingWindowInSeconds") or 0) * stepfunctions._SFN_WAIT_SCALE
    if window and name not in _since:
        timer = threading.Timer(window, lambda_svc._esm_wake.set)
        timer.daemon = True
        timer.start()
    if waiting < size and now < _since.setdefault(name, now) + window:
        return []
    _since.pop(name, None)
    batch: list[dict[str, Any]] = []
    while len(batch) < size and (more := sqs._receive_messages_for_esm(url, size - len(batch))):
        batch += more
    return batch
