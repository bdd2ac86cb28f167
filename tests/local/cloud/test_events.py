"""Events: status changes of executions and new objects in buckets reach functions."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from personalize_local.cloud.client import AdminError, LocalCloud

from .conftest import ROLE_ARN, StateMachines, machine, unique, wait_for

# Writes every event to the bucket RESULTS, under a name that its content does not depend on.
RECORDER = """
import boto3, json, os, uuid
s3 = boto3.client("s3")
def handler(event, context):
    s3.put_object(Bucket=os.environ["RESULTS"], Key=str(uuid.uuid4()), Body=json.dumps(event))
"""


class Recorder:
    """A function that records the events that it gets."""

    def __init__(self, cloud: LocalCloud, function: Callable[..., str]) -> None:
        self.bucket = unique("results")
        self.s3 = cloud.client("s3")
        self.s3.create_bucket(Bucket=self.bucket)
        self.arn = function(RECORDER, RESULTS=self.bucket)

    def events(self, count: int) -> list[dict[str, Any]]:
        def listed() -> list[str] | None:
            found = self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])
            return [item["Key"] for item in found] if len(found) >= count else None

        keys = wait_for(listed, f"{count} events")
        return [json.loads(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()) for key in keys]


@pytest.fixture
def recorder(personalize_local: LocalCloud, function: Callable[..., str]) -> Recorder:
    return Recorder(personalize_local, function)


def test_the_end_of_an_execution_reaches_a_function(
    personalize_local: LocalCloud, machines: StateMachines, recorder: Recorder
) -> None:
    arn, other = machines.create(machine({"Type": "Fail"})), machines.create(machine({"Type": "Fail"}))
    events, rule = personalize_local.client("events"), unique("rule")
    pattern = {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {"stateMachineArn": [arn], "status": ["SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT"]},
    }
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": recorder.arn}])
    machines.end(machines.start(other))
    execution = machines.start(arn, {"run": 1})
    (event,) = recorder.events(1)
    assert (event["detail"]["executionArn"], event["detail"]["status"]) == (execution, "FAILED")
    assert json.loads(event["detail"]["input"]) == {"run": 1}


def test_child_and_aborted_executions_send_events_too(
    personalize_local: LocalCloud, machines: StateMachines, recorder: Recorder
) -> None:
    child = machines.create(machine({"Type": "Wait", "Seconds": 3600}))
    parent = machines.create(
        machine(
            {
                "Type": "Task",
                "Resource": "arn:aws:states:::states:startExecution.sync:2",
                "Arguments": {"StateMachineArn": child, "Input": {}},
            }
        )
    )
    events, rule = personalize_local.client("events"), unique("rule")
    detail = {"stateMachineArn": [child, parent], "status": ["ABORTED"]}
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": ["aws.states"], "detail": detail}))
    events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": recorder.arn}])
    execution = machines.start(parent)
    wait_for(lambda: machines.client.list_executions(stateMachineArn=child)["executions"], "the child")
    machines.client.stop_execution(executionArn=execution)
    assert {event["detail"]["stateMachineArn"] for event in recorder.events(2)} == {child, parent}


def test_a_schedule_starts_an_execution(personalize_local: LocalCloud, machines: StateMachines) -> None:
    arn = machines.create(machine({"Type": "Succeed"}))
    due = datetime.now(UTC) + timedelta(seconds=1)
    personalize_local.client("scheduler").create_schedule(
        Name=unique("schedule"),
        ScheduleExpression=f"at({due:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": arn, "RoleArn": ROLE_ARN, "Input": json.dumps({"trigger": "schedule"})},
    )
    (execution,) = wait_for(lambda: machines.client.list_executions(stateMachineArn=arn)["executions"], "the schedule")
    assert json.loads(machines.end(execution["executionArn"])["input"]) == {"trigger": "schedule"}


def test_schedules_follow_the_time_that_is_let_pass_for_them(
    personalize_local: LocalCloud, machines: StateMachines
) -> None:
    arn, name = machines.create(machine({"Type": "Succeed"})), unique("schedule")
    scheduler = personalize_local.client("scheduler")
    scheduler.create_schedule(
        Name=name,
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": arn, "RoleArn": ROLE_ARN},
    )

    def count() -> int:
        return len(machines.client.list_executions(stateMachineArn=arn)["executions"])

    try:
        for day in (1, 2):
            assert count() == day - 1
            # as `advance(..., schedules=True)` does, without the days of Personalize, which others use
            personalize_local._admin("advance_schedules", {"seconds": 86_400})
            wait_for(lambda day=day: count() == day, "the schedule")
    finally:
        scheduler.delete_schedule(Name=name)
    with pytest.raises(AdminError, match="advance_schedules takes seconds, 0 or more, got"):
        personalize_local._admin("advance_schedules", {"seconds": -1})


def test_new_objects_under_a_prefix_reach_a_function_through_a_queue(
    personalize_local: LocalCloud, recorder: Recorder
) -> None:
    s3, sqs = personalize_local.client("s3"), personalize_local.client("sqs")
    events, bucket, rule = personalize_local.client("events"), unique("data"), unique("rule")
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    url = sqs.create_queue(QueueName=unique("queue"), Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [bucket]}, "object": {"key": [{"prefix": "movies/"}]}},
    }
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern), RoleArn=ROLE_ARN)
    events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": queue}])
    personalize_local.client("lambda").create_event_source_mapping(
        FunctionName=recorder.arn, EventSourceArn=queue, BatchSize=10, MaximumBatchingWindowInSeconds=1
    )
    for key in ("other/a.csv", "movies/interactions/a b.csv"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    (batch,) = recorder.events(1)
    (record,) = batch["Records"]
    assert json.loads(record["body"])["detail"]["object"]["key"] == "movies/interactions/a b.csv"


def test_messages_that_come_within_the_batching_window_come_together(
    personalize_local: LocalCloud, recorder: Recorder
) -> None:
    sqs = personalize_local.client("sqs")
    url = sqs.create_queue(QueueName=unique("queue"), Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    # 120 s take 1.2 s here
    personalize_local.client("lambda").create_event_source_mapping(
        FunctionName=recorder.arn, EventSourceArn=queue, BatchSize=12, MaximumBatchingWindowInSeconds=120
    )
    begin = time.monotonic()
    for number in range(3):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
        time.sleep(0.1)
    (batch,) = recorder.events(1)
    assert time.monotonic() - begin >= 1.1
    assert [record["body"] for record in batch["Records"]] == ["0", "1", "2"]
    # a batch that is full waits for nothing
    begin = time.monotonic()
    for number in range(12):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
    assert sorted(len(event["Records"]) for event in recorder.events(2)) == [3, 12]
    assert time.monotonic() - begin < 1.1
