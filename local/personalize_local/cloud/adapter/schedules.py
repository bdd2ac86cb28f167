"""EventBridge Scheduler fires within a second of the time that a schedule says, and its time can be let pass.

Where IAM is enforced, a schedule's role must allow what it starts; the emulator itself does not ask.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from ministack import app
from ministack.services import eventbridge, scheduler

from personalize_local.cloud.adapter.expected import constant, wrap
from personalize_local.cloud.adapter.resources import Need
from personalize_local.cloud.adapter.state_permissions import allows

_logger = logging.getLogger("personalize_local.cloud")

#: What it needs to hand something to a target, by the service of the target's ARN
#: https://docs.aws.amazon.com/scheduler/latest/UserGuide/setting-up.html#setting-up-execution-role
ACTIONS: Final = {
    "lambda": "lambda:InvokeFunction",
    "sns": "sns:Publish",
    "sqs": "sqs:SendMessage",
    "states": "states:StartExecution",
}

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
    if app.AUTH:
        wrap(eventbridge, "_invoke_target", "target event rule view", _judging)


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


def _judging(original: Callable[..., None]) -> Callable[..., None]:
    def invoke(target: Mapping[str, Any], event: Mapping[str, Any], rule: Any, view: Any = None) -> None:
        arn = str(target["Arn"])
        action = ACTIONS.get(arn.split(":")[2])
        if event.get("Source") == "aws.scheduler" and action is not None:
            role = str(target.get("RoleArn", ""))
            if not allows(role, Need(action, arn, {}), "scheduler"):
                _logger.warning("the role %s of a schedule may not %s on %s: nothing is started", role, action, arn)
                return
        original(target, event, rule, view)

    return invoke
