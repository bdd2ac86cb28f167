"""What the local cloud needs of the Personalize service that it serves."""

from collections.abc import Mapping
from typing import Any, Protocol

from personalize_local.personalize import Faults


class PersonalizeService(Protocol):
    """The Personalize emulator, as the AWS emulator's adapter sees it."""

    @property
    def faults(self) -> Faults:
        """What shall go wrong."""

    def call(self, service: str, operation: str, parameters: Any, *, account: str, region: str) -> dict[str, Any]:
        """Run one API operation; errors are `ServiceError`s with `code`, `message` and `status`."""

    def handle_http(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, *, account: str, region: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Answer one HTTP request."""

    def answers_at_once(self, method: str, path: str) -> bool:
        """Tell whether `handle_http` takes a few milliseconds at most."""

    def admin(self, action: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Run one administration action, such as `calls`, `fail` or `reset`."""

    def reset(self) -> None:
        """Forget everything."""

    def close(self) -> None:
        """Stop every thread and process."""
