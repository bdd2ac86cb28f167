"""EventBridge Scheduler fires within a second of the time that a schedule says, in the time zone that it says.

Its time can be let pass.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from ministack.services import eventbridge, scheduler
from ministack.services.cloudformation import provisioners

from personalize_local.cloud.adapter.expected import constant, rewrite, table, wrap

TICK_SECONDS: Final = 0.5
_TIME_ZONE: Final = "ScheduleExpressionTimezone"
_TYPE: Final = "AWS::Scheduler::Schedule"
# What the emulator's type of CloudFormation leaves out, and what holds without.
_LEFT_OUT: Final = {_TIME_ZONE: "UTC", "StartDate": None, "EndDate": None, "KmsKeyArn": None}


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
    """Look for due schedules more often, by a clock that can be advanced, and in their time zones."""
    constant(scheduler, "_SCHEDULE_TICK_INTERVAL", 10, TICK_SECONDS)
    constant(scheduler, "time", time, _clock)
    for name, value in (("_next_in_zone", _next_in_zone), ("_epoch_in_zone", _epoch_in_zone)):
        setattr(scheduler, name, value)
    rewrite(
        scheduler,
        "_tick_schedules",
        "next_fire = _eb._cron_next_fire(fields, last_dt)",
        f'next_fire = _next_in_zone(fields, last_dt, sched["{_TIME_ZONE}"])',
        "at_epoch = _at_time_epoch(expr)",
        f'at_epoch = _epoch_in_zone(_at_time_epoch(expr), sched["{_TIME_ZONE}"])',
    )
    for name in ("_create_schedule", "_update_schedule"):
        wrap(scheduler, name, "name body", _known_zones_only)
    handlers = table(provisioners, "_RESOURCE_HANDLERS", _TYPE)[_TYPE]
    for verb in ("create", "update"):
        handlers[verb] = _with_all_properties(handlers[verb])


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


def _next_in_zone(fields: Any, after: datetime, time_zone: str) -> datetime | None:
    """The next time that a cron expression names on the clocks of a time zone.

    A time that the clocks skip in spring does not come; one that they show twice in autumn comes the first time only.
    """
    zone = _zone(time_zone)
    shown = after.astimezone(zone).replace(tzinfo=UTC)
    while (found := eventbridge._cron_next_fire(fields, shown)) is not None:
        moment: datetime = found.replace(tzinfo=zone).astimezone(UTC)
        is_skipped = moment.astimezone(zone).replace(tzinfo=None) != found.replace(tzinfo=None)
        if not is_skipped and moment > after:
            return moment
        shown = found
    return None


def _epoch_in_zone(epoch: float | None, time_zone: str) -> float | None:
    """The Unix time of a time that was read as UTC and is that of a time zone."""
    if epoch is None:
        return None
    return datetime.fromtimestamp(epoch, UTC).replace(tzinfo=_zone(time_zone)).timestamp()


def _zone(name: str) -> tzinfo:
    """The time zone of a name; UTC needs no database of them."""
    return UTC if name == "UTC" else ZoneInfo(name)


def _problem(time_zone: str) -> str | None:
    try:
        _zone(time_zone)
    except (KeyError, ValueError, OSError):
        return f"Invalid {_TIME_ZONE} {time_zone}."
    return None


def _known_zones_only(original: Callable[..., Any]) -> Callable[..., Any]:
    def create_or_update(name: str, body: dict[str, Any]) -> Any:
        time_zone = body.get(_TIME_ZONE) or "UTC"
        if problem := _problem(time_zone):
            return scheduler._error(400, "ValidationException", problem)
        return original(name, {**body, _TIME_ZONE: time_zone})

    return create_or_update


def _with_all_properties(original: Callable[..., Any]) -> Callable[..., Any]:
    def create_or_update(*arguments: Any) -> Any:
        # (logical id, properties, stack name), or (physical id, old properties, properties, stack name)
        properties = arguments[-2]
        if problem := _problem(properties.get(_TIME_ZONE) or "UTC"):
            raise ValueError(problem)
        name, attributes = original(*arguments)
        schedule = scheduler._schedules[f"{properties.get('GroupName', 'default')}/{name}"]
        schedule.update({key: properties.get(key, default) for key, default in _LEFT_OUT.items()})
        return name, attributes

    return create_or_update
