"""EventBridge Scheduler fires within a second of the time that a schedule says, and its time can be let pass.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import time
from collections.abc import Mapping
from typing import Any, Final

from ministack.services import scheduler

from personalize_local.cloud.adapter.expected import constant

TICK_SECONDS: Final = 0.5


class _Clock:
    """What the scheduler has in place of the module `time`."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def time(self) -> float:
        """Unix time, and all that was let pass."""
        return time.time() + self.skipped

    def sleep(self, seconds: float) -> None:
        """Wait in real time."""
        time.sleep(seconds)


_clock: Final = _Clock()


def register() -> None:
    """Look for due schedules more often, by a clock that can be advanced."""
    constant(scheduler, "_SCHEDULE_TICK_INTERVAL", 10, TICK_SECONDS)
    constant(scheduler, "time", time, _clock)


def advance(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Let time pass for schedules: each that becomes due meanwhile fires, once.

    :param parameters: `seconds`, 0 or more.
    :raises ValueError: for anything else.
    """
    seconds = parameters.get("seconds")
    if set(parameters) != {"seconds"} or not isinstance(seconds, (int, float)) or seconds < 0:
        raise ValueError(f"advance_schedules takes seconds, 0 or more, got {dict(parameters)}")
    _clock.skipped += seconds
    return {}
