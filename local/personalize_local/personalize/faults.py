"""Fault injection: calls that fail or are slow, things that fail to be made, things that nobody sees at first."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any

from .errors import ServiceError

_EFFECTS = ("code", "failure_reason", "delay_seconds", "stale_seconds")


@dataclass(frozen=True)
class Fault:
    """What shall go wrong: one of ``code``, ``failure_reason``, ``delay_seconds`` and ``stale_seconds``.

    :param operation: the operation, such as ``CreateDatasetGroup``; ``*`` stands for any text. The SDK calls of state
        machines to other services have theirs in front, as in ``dynamodb:PutItem``; Lambda functions are
        ``function:`` and their name, do their work, and lose their answer.
    :param code: the error that the call answers with. Default: - the call succeeds.
    :param message: the text of that error. Default: - says that it was injected.
    :param status: the HTTP status of that error. Default: - 400.
    :param failure_reason: what the call creates or updates ends failed with this failureReason. Default: - it
        does not.
    :param delay_seconds: the call takes this much longer, in seconds on this machine. Default: - it does not.
    :param stale_seconds: for this time, in seconds on this machine, Describe does not find and List does not show
        what the call has created. Default: - both do at once.
    :param times: how many calls are hit. Default: - 1, or any number when there is a rate.
    :param rate: the share of calls that are hit, above 0 and at most 1. Default: - every call.
    :param seed: which calls a rate hits: the first, second, ... call of an operation are hit or not for a seed, in
        whatever order calls of different operations come. Default: 0
    :param name: hit only calls whose ``name`` or ``jobName`` is this; ``*`` stands for any text. Default: - any.
    """

    operation: str
    code: str | None = None
    message: str = "Injected by personalize-local."
    status: int = 400
    failure_reason: str | None = None
    delay_seconds: float | None = None
    stale_seconds: float | None = None
    times: int | None = None
    rate: float | None = None
    seed: int = 0
    name: str = "*"

    def __post_init__(self) -> None:
        """Refuse a fault that would do nothing."""
        if sum(getattr(self, effect) is not None for effect in _EFFECTS) != 1:
            raise ValueError(f"a fault has exactly one of {', '.join(_EFFECTS)}, got {self}")
        if self.times is not None and self.times < 1:
            raise ValueError(f"times must be 1 or more, got {self.times}")
        if self.rate is not None and not 0 < self.rate <= 1:
            raise ValueError(f"rate must be above 0 and at most 1, got {self.rate}")
        for name in ("delay_seconds", "stale_seconds"):
            if (getattr(self, name) or 0) < 0:
                raise ValueError(f"{name} must be 0 or more, got {getattr(self, name)}")

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

    def concerns(self, operation: str, name: str) -> bool:
        """Whether a call is one of those that may be hit; those of other services only if they are asked for."""
        if (":" in operation) != (":" in self.operation):
            return False
        return fnmatchcase(operation, self.operation) and fnmatchcase(name, self.name)

    @property
    def kind(self) -> str:
        """What goes wrong: the error code, or the name of another effect."""
        return self.code or next(effect for effect in _EFFECTS if getattr(self, effect) is not None)

    def draw(self, operation: str, number: int) -> bool:
        """Whether the nth call of an operation is hit."""
        if self.rate is None:
            return True
        digest = hashlib.blake2b(f"{self.seed} {operation} {number}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") < self.rate * 2**64


@dataclass
class _Armed:
    """A fault, how often it may still strike, and how many calls of each operation it has looked at."""

    fault: Fault
    left: int | None
    seen: Counter[str] = field(default_factory=Counter)

    def draws(self, operation: str) -> bool:
        """Look at one more call, and tell whether it is hit."""
        self.seen[operation] += 1
        return self.fault.draw(operation, self.seen[operation])

    def use(self) -> None:
        """Have struck once more."""
        if self.left is not None:
            self.left -= 1


class Faults:
    """The faults that are still to happen."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._armed: list[_Armed] = []
        self._hidden: dict[str, float] = {}
        self._struck: Counter[str] = Counter()
        self._struck_operations: Counter[str] = Counter()
        for fault in faults:
            self.add(fault)

    def __bool__(self) -> bool:
        """Whether anything may still go wrong."""
        return bool(self._armed)

    def add(self, fault: Fault) -> None:
        """Let something go wrong."""
        times = 1 if fault.times is None and fault.rate is None else fault.times
        with self._lock:
            self._armed.append(_Armed(fault, times))

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        with self._lock:
            self._armed.clear()
            self._hidden.clear()

    def to_json(self) -> list[dict[str, Any]]:
        """List the faults that are left."""
        with self._lock:
            return [{**asdict(armed.fault), "times": armed.left} for armed in self._armed]

    def struck(self) -> dict[str, int]:
        """How often something went wrong so far, by error code or else by effect."""
        with self._lock:
            return dict(self._struck)

    def struck_operations(self) -> dict[str, int]:
        """How often something went wrong so far, by operation."""
        with self._lock:
            return dict(self._struck_operations)

    def strike(self, operation: str, parameters: Mapping[str, Any]) -> Fault | None:
        """Use up the first fault that hits this call, and all delays, which happen here.

        :returns: the fault, if something shall happen to what the call makes.
        :raises ServiceError: if the call itself shall fail.
        """
        if not self._armed:
            return None
        hit, delay = self._hit(operation, str(parameters.get("name") or parameters.get("jobName") or ""))
        if delay:
            time.sleep(delay)
        if hit and hit.code is not None:
            raise ServiceError(hit.code, hit.message, hit.status)
        return hit

    def _hit(self, operation: str, name: str) -> tuple[Fault | None, float]:
        hit, delay = None, 0.0
        with self._lock:
            for armed in self._armed:
                # with a rate it looks at every call, so that what it does to the nth is the same whatever others do
                if not armed.fault.concerns(operation, name) or not armed.draws(operation):
                    continue
                if armed.fault.delay_seconds is not None:
                    delay += armed.fault.delay_seconds
                elif hit is None:
                    hit = armed.fault
                else:
                    continue
                armed.use()
                self._struck[armed.fault.kind] += 1
                self._struck_operations[operation] += 1
            self._armed = [armed for armed in self._armed if armed.left != 0]
        return hit, delay

    def hide(self, answer: Mapping[str, Any], seconds: float) -> None:
        """Let nobody see for some time what a call has made, by its answer."""
        with self._lock:
            for name, value in answer.items():
                if name.endswith("Arn"):
                    self._hidden[value] = time.monotonic() + seconds

    def unseen(self, members: Mapping[str, Any]) -> str | None:
        """Find the ARN in a request or a summary that cannot be seen yet."""
        if not self._hidden:
            return None
        return next((value for value in members.values() if isinstance(value, str) and self._hides(value)), None)

    def seen(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Leave out of a list what cannot be seen yet."""
        if not self._hidden:
            return answer
        return {
            name: [entry for entry in value if not (isinstance(entry, dict) and self.unseen(entry))]
            if isinstance(value, list)
            else value
            for name, value in answer.items()
        }

    def _hides(self, arn: str) -> bool:
        with self._lock:
            until = self._hidden.get(arn)
            if until is not None and time.monotonic() >= until:
                del self._hidden[arn]
                return False
            return until is not None
