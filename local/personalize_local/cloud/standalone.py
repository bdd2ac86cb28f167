"""Personalize and S3 alone, as an ASGI application, without the rest of the AWS emulator.

S3 is the emulator's, which is imported with the first request that needs it.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from personalize_local.cloud.answering import ADMIN_PREFIX, administrate, respond
from personalize_local.cloud.service import PersonalizeService
from personalize_local.cloud.settings import ACCOUNT, REGION
from personalize_local.personalize.protocol import service_of
from personalize_local.personalize.uncertain import MAX_BODY_BYTES

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/,\s]+)/([^/,\s]+)/aws4_request")
_ACCOUNT = re.compile(r"\d{12}")
_PERSONALIZE = "personalize"
_OTHERS = ("s3", "sts")


class Standalone:
    """Answers requests to Personalize, its runtime and its events, and hands all others to S3.

    An access key that is a number of 12 digits is the account; the Region is that of the signature.
    """

    def __init__(self, service: PersonalizeService) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI has it."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if path.startswith(ADMIN_PREFIX):
            body = await _body(receive)
            answer = await asyncio.to_thread(administrate, self._service, path.removeprefix(ADMIN_PREFIX), body)
        elif (caller := _caller(method, path, headers)) is not None:
            account, region = caller
            body = await _body(receive)
            answer = await respond(self._service, method, path, headers, body, account=account, region=region)
        elif (name := _signing_name(headers)) in _OTHERS:
            from ministack.app import app

            await app(scope, receive, send)
            return
        else:
            answer = 501, {"Content-Type": "application/json"}, json.dumps(_absent(name)).encode()
        status, answered, content = answer
        pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in answered.items()]
        pairs.append((b"content-length", str(len(content)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": content})


def _caller(method: str, path: str, headers: Mapping[str, str]) -> tuple[str, str] | None:
    """Account and Region of a request to Personalize; `None` for a request to another service."""
    signed = _CREDENTIAL.search(headers.get("authorization", ""))
    if signed[3] != _PERSONALIZE if signed else service_of(method, path, headers) is None:
        return None
    account = signed[1] if signed and _ACCOUNT.fullmatch(signed[1]) else ACCOUNT
    return account, signed[2] if signed else REGION


def _signing_name(headers: Mapping[str, str]) -> str:
    """The service that a request was signed for; requests without that are to S3, as browsers and curl send them."""
    signed = _CREDENTIAL.search(headers.get("authorization", ""))
    return signed[3] if signed else "s3"


def _absent(name: str) -> dict[str, str]:
    message = f"This local cloud has only Personalize and S3, not {name}; start it without --only-personalize."
    return {"__type": "NotImplemented", "message": message}


async def _body(receive: Receive) -> bytes:
    """The body, as far as it can be a request: of what is larger one byte more is kept, to tell that it is."""
    parts, room = [], MAX_BODY_BYTES + 1
    while True:
        message = await receive()
        part = message.get("body", b"")[:room]
        parts.append(part)
        room -= len(part)
        if not message.get("more_body"):
            return b"".join(parts)


async def _live(receive: Receive, send: Send) -> None:
    """Nothing has to be done before the first request or after the last."""
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return
