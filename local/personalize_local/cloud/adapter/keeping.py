"""The AWS emulator's own state in a data directory, as far as the emulator can keep it.

It writes objects of S3 when they are put, and everything else when it is asked to. Nobody asks a process that is
killed, so what buckets are (policies, notifications, ...) is written here whenever a request changes one.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ministack import app
from ministack.core import persistence

from personalize_local.cloud.adapter.expected import table

_READING = ("GET", "HEAD")


def register() -> None:
    """Write the buckets' state with every change, if a data directory is set."""
    if persistence.PERSIST_STATE:
        handlers = table(app, "SERVICE_HANDLERS", "s3")
        handlers["s3"] = _kept(handlers["s3"])


def save() -> None:
    """Write the state of all services."""
    persistence.save_all(app._build_persistence_save_dict())


def load_buckets() -> None:
    """Read what buckets are, where the emulator does not start up as a whole."""
    from ministack.services import s3

    if persistence.PERSIST_STATE:
        s3.load_persisted_state(persistence.load_state("s3"))


def _kept(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def handle(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query_params: Mapping[str, Any]
    ) -> Any:
        answer = await original(method, path, headers, body, query_params)
        if method not in _READING and "/" not in path.strip("/"):
            from ministack.services import s3

            persistence.save_state("s3", s3.get_state())
        return answer

    return handle
