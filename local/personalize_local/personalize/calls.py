"""A log of the calls that the service got, for tests and for people who wonder what their program does."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True)
class Call:
    """One call.

    :param number: counts the calls from 1.
    :param error: the code that it was answered with. Default: - it succeeded.
    """

    number: int
    service: str
    operation: str
    account: str
    region: str
    request: Mapping[str, Any]
    error: str | None = None
    time: float = field(default_factory=time.time)


class CallLog:
    """The newest calls, oldest first.

    :param remembered: how many of them.
    """

    def __init__(self, remembered: int) -> None:
        self._lock = threading.Lock()
        self._calls: deque[Call] = deque(maxlen=remembered)
        self._count = 0

    @property
    def count(self) -> int:
        """How many calls there were."""
        return self._count

    def add(
        self,
        service: str,
        operation: str,
        request: Mapping[str, Any],
        *,
        account: str,
        region: str,
        error: str | None,
    ) -> None:
        """Write a call down."""
        with self._lock:
            self._count += 1
            self._calls.append(Call(self._count, service, operation, account, region, request, error))

    def find(self, operation: str = "*", *, since: int = 0) -> list[Call]:
        """List calls.

        :param operation: the operation, such as ``CreateSolutionVersion``; ``*`` stands for any text. Default: - any.
        :param since: only calls with a higher number. Default: - all that are remembered.
        """
        with self._lock:
            return [call for call in self._calls if call.number > since and fnmatchcase(call.operation, operation)]

    def clear(self) -> None:
        """Forget the calls; the count goes on."""
        with self._lock:
            self._calls.clear()

    def to_json(self, operation: str = "*", *, since: int = 0) -> list[dict[str, Any]]:
        """List calls as plain values."""
        return [asdict(call) for call in self.find(operation, since=since)]
