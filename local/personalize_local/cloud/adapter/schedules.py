"""EventBridge Scheduler fires within a second of the time that a schedule says.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from typing import Final

from ministack.services import scheduler

from personalize_local.cloud.adapter.expected import constant

TICK_SECONDS: Final = 0.5


def register() -> None:
    """Look for due schedules more often."""
    constant(scheduler, "_SCHEDULE_TICK_INTERVAL", 10, TICK_SECONDS)
