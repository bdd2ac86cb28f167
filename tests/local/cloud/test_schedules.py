"""EventBridge Scheduler: time zones."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from botocore.exceptions import ClientError

from personalize_local.cloud.adapter import schedules
from personalize_local.cloud.client import LocalCloud

from .conftest import ROLE_ARN, Stacks, StateMachines, machine, unique, wait_for

KOLKATA = "Asia/Kolkata"  # half past five hours ahead, all the year
BERLIN = "Europe/Berlin"
TICKS = 2.5 * schedules.TICK_SECONDS


def schedule(expression: str, time_zone: str, target: str) -> dict[str, Any]:
    return {
        "ScheduleExpression": expression,
        "ScheduleExpressionTimezone": time_zone,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": target, "RoleArn": ROLE_ARN},
    }


@pytest.mark.parametrize(
    ("fields", "after", "expected"),
    [
        ("30 4 * * ? *", "2026-01-10T12:00", "2026-01-11T03:30"),
        ("30 4 * * ? *", "2026-07-10T12:00", "2026-07-11T02:30"),
        # across the days on which the clocks are changed
        ("30 4 * * ? *", "2026-03-28T03:30", "2026-03-29T02:30"),
        ("30 4 * * ? *", "2026-10-24T02:30", "2026-10-25T03:30"),
        # half past two does not come on the last Sunday of March, and comes once on that of October
        ("30 2 * * ? *", "2026-03-28T01:30", "2026-03-30T00:30"),
        ("30 2 * * ? *", "2026-10-24T00:30", "2026-10-25T00:30"),
        ("30 2 * * ? *", "2026-10-25T00:30", "2026-10-26T01:30"),
        # after the first of two hours of that name, what is shown again does not come again
        ("0/30 * * * ? *", "2026-10-25T00:30", "2026-10-25T02:00"),
        ("0/30 * * * ? *", "2026-10-25T01:10", "2026-10-25T02:00"),
        ("0 0 1 1 ? 2020", "2026-10-25T01:10", None),
    ],
)
def test_the_next_time_is_that_of_the_clocks_of_the_time_zone(fields: str, after: str, expected: str | None) -> None:
    parsed = schedules.eventbridge._parse_cron_fields(f"cron({fields})")
    found = schedules._next_in_zone(parsed, datetime.fromisoformat(after).replace(tzinfo=UTC), BERLIN)
    assert found == (expected and datetime.fromisoformat(expected).replace(tzinfo=UTC))


def test_a_schedule_fires_by_its_time_zone(
    personalize_local: LocalCloud, machines: StateMachines, stacks: Stacks
) -> None:
    client = personalize_local.client("scheduler")
    daily, once = (machines.create(machine({"Type": "Succeed"})) for _ in range(2))
    due = datetime.now(ZoneInfo(KOLKATA)) + timedelta(hours=2)
    name, stack = unique("schedule"), unique("stack")
    properties = schedule(f"cron({due.minute} {due.hour} * * ? *)", KOLKATA, daily)
    stacks.deploy({"Resources": {"Daily": {"Type": schedules._TYPE, "Properties": properties}}}, stack)
    # the time that others let pass is not known here, but it is days: this one is past or is not for hours
    client.create_schedule(Name=name, **schedule(f"at({due:%Y-%m-%dT%H:%M:%S})", KOLKATA, once))

    def count(arn: str) -> int:
        return len(machines.client.list_executions(stateMachineArn=arn)["executions"])

    try:
        time.sleep(TICKS)
        before = count(once)
        personalize_local._admin("advance_schedules", {"seconds": 110 * 60})
        time.sleep(TICKS)
        assert (count(daily), count(once)) == (0, before)
        personalize_local._admin("advance_schedules", {"seconds": 10 * 60})
        wait_for(lambda: count(daily) == 1, "the daily schedule")
        wait_for(lambda: count(once) == 1, "the schedule that fires once")
    finally:
        personalize_local._admin("advance_schedules", {"seconds": 22 * 3600})
        client.delete_schedule(Name=name)


def test_cloudformation_knows_all_properties(personalize_local: LocalCloud, stacks: Stacks) -> None:
    client, name, stack = personalize_local.client("scheduler"), unique("schedule"), unique("stack")
    target = "arn:aws:states:us-east-1:000000000000:stateMachine:none"

    def deploy(time_zone: str, **more: str) -> str:
        properties = {"Name": name, **schedule("cron(30 4 * * ? *)", time_zone, target), **more}
        template = {"Resources": {"Daily": {"Type": schedules._TYPE, "Properties": properties}}}
        return str(stacks.deploy(template, stack)["StackStatus"])

    assert deploy(BERLIN, EndDate="2100-01-01T00:00:00Z") == "CREATE_COMPLETE"
    assert client.get_schedule(Name=name)["ScheduleExpressionTimezone"] == BERLIN
    assert deploy(KOLKATA) == "UPDATE_COMPLETE"
    found = client.get_schedule(Name=name)
    assert found["ScheduleExpressionTimezone"] == KOLKATA
    assert "EndDate" not in found
    assert deploy("Europe/Atlantis") == "UPDATE_ROLLBACK_COMPLETE"
    assert client.get_schedule(Name=name)["ScheduleExpressionTimezone"] == KOLKATA


def test_a_time_zone_that_does_not_exist_is_refused(personalize_local: LocalCloud) -> None:
    with pytest.raises(ClientError, match=r"ValidationException.*Invalid ScheduleExpressionTimezone Mars/Olympus"):
        personalize_local.client("scheduler").create_schedule(
            Name=unique("schedule"), **schedule("cron(30 4 * * ? *)", "Mars/Olympus", "arn:aws:sns:us-east-1:1:x")
        )
