"""Fault injection: makes the next calls of an operation fail, or what they create."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from fnmatch import fnmatchcase
from typing import Any

from .errors import ServiceError


@dataclass(frozen=True)
class Fault:
    """What shall go wrong.

    :param operation: the operation, such as ``CreateDatasetGroup``; ``*`` stands for any text.
    :param code: the error that the call answers with. Default: - the call succeeds.
    :param message: the text of that error. Default: - says that it was injected.
    :param status: the HTTP status of that error. Default: - 400.
    :param failure_reason: what the call creates or updates ends failed with this failureReason. Default: - it
        does not.
    :param times: how many calls are hit. Default: - 1.
    :param name: hit only calls whose ``name`` or ``jobName`` is this; ``*`` stands for any text. Default: - any.
    """

    operation: str
    code: str | None = None
    message: str = "Injected by personalize-local."
    status: int = 400
    failure_reason: str | None = None
    times: int = 1
    name: str = "*"

    def __post_init__(self) -> None:
        """Refuse a fault that would do nothing."""
        if (self.code is None) == (self.failure_reason is None):
            raise ValueError(f"a fault has either a code or a failure_reason, got {self}")
        if self.times < 1:
            raise ValueError(f"times must be 1 or more, got {self.times}")

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Fault:
        """Read the members of this class from JSON.

        :raises ValueError: for members that there are not.
        """
        known = {member.name for member in fields(cls)}
        unknown = sorted(set(document) - known)
        if unknown or "operation" not in document:
            raise ValueError(f"a fault has operation and optionally {sorted(known)}, got {dict(document)}")
        return cls(**document)

    def _hits(self, operation: str, name: str) -> bool:
        return fnmatchcase(operation, self.operation) and fnmatchcase(name, self.name)


class Faults:
    """The faults that are still to happen."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._faults = list(faults)

    def add(self, fault: Fault) -> None:
        """Let something go wrong."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        with self._lock:
            self._faults.clear()

    def to_json(self) -> list[dict[str, Any]]:
        """List the faults that are left."""
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def strike(self, operation: str, parameters: Mapping[str, Any]) -> str | None:
        """Use up the first fault that hits this call.

        :returns: the failureReason for what the call creates or updates, if it shall fail.
        :raises ServiceError: if the call itself shall fail.
        """
        name = str(parameters.get("name") or parameters.get("jobName") or "")
        with self._lock:
            index = next((i for i, fault in enumerate(self._faults) if fault._hits(operation, name)), None)
            if index is None:
                return None
            fault = self._faults[index]
            if fault.times > 1:
                self._faults[index] = replace(fault, times=fault.times - 1)
            else:
                del self._faults[index]
        if fault.code is not None:
            raise ServiceError(fault.code, fault.message, fault.status)
        return fault.failure_reason
