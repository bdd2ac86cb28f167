"""Pages of lists, with tokens that mean nothing to clients."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from .errors import ServiceError
from .json_text import read_json

PAGE_SIZE = 100

T = TypeVar("T")


def page(
    entries: Sequence[T], operation: str, parameters: Mapping[str, Any], *, token_on_first: bool = False
) -> tuple[Sequence[T], str | None]:
    """Cut a page out of a list.

    :param entries: all of the list, in a stable order.
    :param operation: the operation's name: a token of one operation is no good for another, or for other filters.
    :param parameters: of the request, with ``maxResults`` and ``nextToken``.
    :param token_on_first: whether the first page has a token in any case; the page after it may be empty.
    :returns: the page, and the token of the next one if there is one.
    :raises ServiceError: InvalidNextTokenException.
    """
    size = parameters.get("maxResults", PAGE_SIZE)
    digest = _digest(operation, parameters)
    start = _start(parameters["nextToken"], digest) if "nextToken" in parameters else 0
    end = start + size
    more = end < len(entries) or (token_on_first and start == 0)
    token = _token(end, digest) if more else None
    return entries[start:end], token


def _digest(operation: str, parameters: Mapping[str, Any]) -> str:
    filters = {key: value for key, value in parameters.items() if key not in ("maxResults", "nextToken")}
    return hashlib.sha256(json.dumps([operation, filters], sort_keys=True).encode()).hexdigest()[:16]


def _token(start: int, digest: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([start, digest]).encode()).decode()


def _start(token: str, digest: str) -> int:
    try:
        start, made_for = read_json(base64.urlsafe_b64decode(token.encode()).decode())
        if made_for == digest and isinstance(start, int) and start >= 0:
            return start
    except (ValueError, TypeError, binascii.Error):
        pass
    raise ServiceError("InvalidNextTokenException", "The token is not valid.")
