"""A week of a shop: the schedule imports what comes in each day and has models trained, and every day is told.

The tests run in the order in which they stand: each is a day, and changes what the one before has left.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler

import cdk_personalize as personalize
from tests.told import Events, changes
from tools.documents import DOCS, blocks

from .deployer import Deployer
from .shop import DESTROY, csv_text, interactions
from .used import assert_some_used

DAY = 86_400
METRIC = "normalized_discounted_cumulative_gain_at_25"
# far from the time of day at which the test runs, so that no schedule is due but by the days that are let pass
HOUR = (datetime.now(UTC).hour + 12) % 24
IMPORT = ["dataset IMPORT_BEGUN", "dataset IMPORTED"]
TRAINING = ["solution TRAINING_BEGUN", "solution VERSION_ACTIVE"]
UPDATE = ["campaign UPDATING", "campaign SERVING"]
INVOCATIONS = 2 + 1 + 2 * 1
"""What a run may have at most: two, one for the dataset, and two for the solution."""


@dataclass(frozen=True, kw_only=True)
class Week:
    """An app whose new data come into a bucket that tells nobody of them, so that the schedule has to find them."""

    stack: str = "Week"

    def synth(self, folder: Path) -> Path:
        """Synthesize the app into ``folder``."""
        app = cdk.App(outdir=str(folder))
        stack = cdk.Stack(app, self.stack)
        bucket = personalize.DataBucket(stack, "Data", removal_policy=DESTROY)
        exports = s3.Bucket(stack, "Exports", enforce_ssl=True, removal_policy=DESTROY)
        shop = personalize.DatasetGroup(stack, "Group", data_bucket=bucket, removal_policy=DESTROY)
        shop.add_interactions(
            schema=personalize.Schema.interactions(event_type=True, event_value=True),
            source=personalize.DataSource(bucket, "interactions/"),
            incremental_source=personalize.DataSource(exports, "new/"),
        )
        picks = shop.add_solution(
            "Picks",
            recipe=personalize.Recipe.USER_PERSONALIZATION_V2,
            training=personalize.Training.scheduled(every=cdk.Duration.days(3)),
            quality_gate=personalize.QualityGate(
                thresholds=[personalize.MetricThreshold(metric=METRIC, minimum=0.01, max_drop=0.2)]
            ),
        )
        live = picks.add_campaign("Live")
        workflow = personalize.Workflow(
            stack,
            "Workflow",
            dataset_group=shop,
            schedule=scheduler.ScheduleExpression.cron(hour=str(HOUR), minute="30", time_zone=cdk.TimeZone.ETC_UTC),
        )
        outputs = {
            "Bucket": bucket.bucket_name,
            "Exports": exports.bucket_name,
            "Campaign": live.campaign_arn,
            "Solution": picks.solution_arn,
            "Workflow": workflow.state_machine_arn,
            "Topic": workflow.topic.topic_arn,
        }
        for name, value in outputs.items():
            cdk.CfnOutput(stack, f"{name}Output", value=value).override_logical_id(name)
        app.synth()
        return folder


def guide(number: int) -> re.Pattern[str]:
    """A message as the guide shows it: some lines are left out, ``...`` is any text, a number any other number."""
    shown = blocks(DOCS / "guides" / "a-week.md", "text")[number].splitlines()
    variable = r"(\.\.\.|(?<= )\d+(?:\.\d+)?(?=[,;]|$))"
    lines = [
        "".join(
            re.escape(part) if index % 2 == 0 else "[^\n]*" if part == "..." else r"[\d.]+"
            for index, part in enumerate(re.split(variable, line))
        )
        for line in shown
    ]
    return re.compile(r"\n(?:[^\n]*\n)*?".join(lines))


def told_by_guide(day: str) -> list[str]:
    """The events that the guide says a day has."""
    [section] = [each for each in (DOCS / "guides" / "a-week.md").read_text().split("\n## ") if each.startswith(day)]
    return re.findall(r"`([A-Z_]+)`", section)


def of_day(day: int, *, broken: bool = False) -> str:
    """What the shop exports in a day, newer than all before: views as they always were, or of items at random."""
    chance, rows = random.Random(day), []
    for n in range(6000 if broken else 1100):
        user = chance.randrange(80)
        liked = user % 4 if chance.random() < 0.9 and not broken else chance.randrange(4)
        seconds = 1_700_200_000 + DAY * day + 10 * n
        rows.append([f"user-{user}", f"item-{chance.randrange(15) * 4 + liked}", "view", "1.0", str(seconds)])
    return csv_text(["USER_ID", "ITEM_ID", "EVENT_TYPE", "EVENT_VALUE", "TIMESTAMP"], rows)


@dataclass(frozen=True)
class Diary:
    """The shop while the days pass."""

    deployer: Deployer
    outputs: dict[str, str]
    events: Events

    def changes(self) -> list[str]:
        """What was told of resources in the newest run."""
        return changes(self.events.of(self.deployer.runs(self.outputs)[0]["executionArn"]))

    def day(self, number: int, *, broken: bool = False) -> str:
        """Let the shop export its data and a day pass; what is told of the run that the schedule starts."""
        text = of_day(number, broken=broken)
        key = f"new/day-{number}.csv"
        self.deployer.cloud.client("s3").put_object(Bucket=self.outputs["Exports"], Key=key, Body=text.encode())
        message = self._told(lambda: self.deployer.cloud.advance(DAY, schedules=True))
        assert re.match(r"Workflow \S+: COMPLETED \(started by: schedule\)\n", message)
        assert "\nImported:\n- interactions\n" in message
        assert self.imported()[-1] == f"s3://{self.outputs['Exports']}/{key}"
        return message

    def roll_back(self, version: str) -> str:
        """Start a run by hand that goes back to a version; what is told of it."""
        states, given = self.deployer.cloud.client("stepfunctions"), json.dumps({"rollback": version})
        return self._told(lambda: states.start_execution(stateMachineArn=self.outputs["Workflow"], input=given))

    def imported(self) -> list[str]:
        """What was imported, oldest first."""
        client = self.deployer.cloud.client("personalize")
        jobs = sorted(client.list_dataset_import_jobs()["datasetImportJobs"], key=lambda job: job["creationDateTime"])
        arns = [job["datasetImportJobArn"] for job in jobs if job["status"] == "ACTIVE"]
        found = [client.describe_dataset_import_job(datasetImportJobArn=arn)["datasetImportJob"] for arn in arns]
        return [job["dataSource"]["dataLocation"] for job in found]

    def served(self) -> str:
        """The version that the campaign serves."""
        client = self.deployer.cloud.client("personalize")
        return str(client.describe_campaign(campaignArn=self.outputs["Campaign"])["campaign"]["solutionVersionArn"])

    def trained(self) -> list[str]:
        """The versions, oldest first."""
        client = self.deployer.cloud.client("personalize")
        listed = client.list_solution_versions(solutionArn=self.outputs["Solution"])["solutionVersions"]
        return [v["solutionVersionArn"] for v in sorted(listed, key=lambda version: version["creationDateTime"])]

    def metric(self, version: str) -> float:
        """What the gate judges by."""
        client = self.deployer.cloud.client("personalize")
        return float(client.get_solution_metrics(solutionVersionArn=version)["metrics"][METRIC])

    def histories(self, machine: str) -> list[list[dict[str, Any]]]:
        """The events of all executions of a state machine."""
        client = self.deployer.cloud.client("stepfunctions")
        executions = client.get_paginator("list_executions").paginate(stateMachineArn=machine)
        histories = client.get_paginator("get_execution_history")
        return [
            [event for page in histories.paginate(executionArn=execution["executionArn"]) for event in page["events"]]
            for answer in executions
            for execution in answer["executions"]
        ]

    def invocations(self, function: str) -> int:
        """How often functions whose name contains this were invoked, by their logs."""
        client = self.deployer.cloud.client("logs")
        groups = [group["logGroupName"] for group in client.describe_log_groups()["logGroups"]]
        pages = [
            page
            for group in groups
            if function in group
            for page in client.get_paginator("filter_log_events").paginate(
                logGroupName=group, filterPattern='"START RequestId"'
            )
        ]
        return sum(len(page["events"]) for page in pages)

    def finished(self) -> int:
        """Wait until the function that every run ends with has been invoked for all runs; how often it was."""
        deadline, runs = time.monotonic() + 20, len(self.deployer.runs(self.outputs))
        while (count := self.invocations("Finish")) < runs and time.monotonic() < deadline:
            time.sleep(0.1)
        return count

    def _told(self, begin: Callable[[], object]) -> str:
        runs, queue = len(self.deployer.runs(self.outputs)), self.deployer.subscribe(self.outputs)
        begin()
        run = self.deployer.settled(self.outputs, more_than=runs)
        assert run["status"] == "SUCCEEDED", run.get("cause")
        assert len(self.deployer.runs(self.outputs)) == runs + 1
        [message] = self.deployer.told(queue)
        self.finished()
        return message


@pytest.fixture(scope="module")
def diary(deployer: Deployer) -> Iterator[Diary]:
    """The shop on the evening before: data were uploaded, a model was trained and serves, to clients all the time."""
    outputs = deployer.deploy(Week())
    diary = Diary(deployer, outputs, Events(deployer.cloud))
    deployer.settled(outputs)
    assert diary.finished() == 1  # its lock is given back, so the next run need not find out that it has ended
    deployer.upload(outputs, interactions=interactions())
    assert deployer.settled(outputs, more_than=1)["output"]["status"] == "COMPLETED"
    assert diary.finished() == 2
    assert diary.changes() == [*IMPORT, "solution CREATED", *TRAINING, "campaign CREATING", "campaign SERVING"]
    with deployer.constant_client(outputs) as lengths:
        yield diary
    assert len(lengths) > 100
    assert set(lengths) == {25}


def test_what_comes_in_is_imported_by_the_schedule_and_nothing_is_trained(diary: Diary) -> None:
    for day in (1, 2):
        message = diary.day(day)
        assert "Solutions:" not in message
        assert diary.changes() == IMPORT
        assert guide(0).match(message)
    assert diary.trained() == [diary.served()]


def test_on_the_third_day_a_new_model_is_trained_and_serves(diary: Diary) -> None:
    message = diary.day(3)
    first, second = diary.trained()
    assert diary.served() == second != first
    assert diary.changes() == [*IMPORT, *TRAINING, *UPDATE]
    assert told_by_guide("Day 3") == [change.rpartition(" ")[2] for change in diary.changes()]
    live = diary.outputs["Campaign"].rpartition("/")[2]
    assert re.search(rf"\nSolutions:\n- \S+ \({second}\), {live}\. .*{METRIC} {diary.metric(second):.4g}", message)
    assert "Refused" not in message
    assert guide(1).match(message)


def test_the_days_after_are_like_those_before(diary: Diary) -> None:
    for day in (4, 5):
        assert "Solutions:" not in diary.day(day)
    assert len(diary.trained()) == 2


def test_on_the_sixth_day_a_worse_model_is_refused_and_the_old_one_serves(diary: Diary) -> None:
    message = diary.day(6, broken=True)
    _, second, third = diary.trained()
    assert diary.served() == second
    assert diary.changes() == [*IMPORT, *TRAINING, "solution VERSION_REFUSED"]
    assert told_by_guide("Day 6") == [change.rpartition(" ")[2] for change in diary.changes()]
    old, new = diary.metric(second), diary.metric(third)
    assert re.search(
        rf"\nRefused by the quality gate, so campaigns serve what they did:\n"
        rf"- \S+ \({third}\): {METRIC} is {new:.4g} and has to be at least {old * (1 - 0.2):.4g}; "
        rf"what is served has {old:.4g}\n",
        message,
    )
    assert re.search(rf"\nSolutions:\n- \S+ \({second}\), no change of a campaign\.", message)
    assert guide(2).match(message)


def test_on_the_seventh_day_somebody_goes_back_to_the_first_model(diary: Diary) -> None:
    assert "Solutions:" not in diary.day(7)
    assert len(diary.imported()) == 1 + 7
    first, *newer = diary.trained()
    assert len(newer) == 2
    message = diary.roll_back(first)
    live = diary.outputs["Campaign"].rpartition("/")[2]
    assert f"\nAsked for:\n- rollback to {first}\n" in message
    assert re.search(rf"\nSolutions:\n- \S+ \({first}\), {live}\. ", message)
    assert guide(3).match(message)
    assert diary.served() == first
    assert diary.changes() == UPDATE


def test_nothing_looks_like_an_error(diary: Diary) -> None:
    workflow = diary.outputs["Workflow"]
    seen = set()
    for machine in (workflow, f"{workflow}-import", f"{workflow}-solution"):
        histories = diary.histories(machine)
        assert len(histories) >= 4
        events = [event for history in histories for event in history]
        seen |= {event["type"] for event in events}
        assert [event for event in events if event["type"].endswith(("Failed", "TimedOut", "Aborted"))] == []
    assert seen >= {"TaskSucceeded", "WaitStateExited", "ExecutionSucceeded"}


def tasks(histories: list[list[dict[str, Any]]]) -> list[list[str]]:
    """What each execution called."""
    return [
        [event["taskScheduledEventDetails"]["resource"] for event in events if event["type"] == "TaskScheduled"]
        for events in histories
    ]


def test_functions_were_invoked_rarely(diary: Diary) -> None:
    invoked = tasks(diary.histories(diary.outputs["Workflow"]))
    by_runs = [sum("lambda" in resource for resource in resources) for resources in invoked]
    assert len(by_runs) == 10
    imports = diary.histories(f"{diary.outputs['Workflow']}-import")
    by_imports = [sum("lambda" in resource for resource in resources) for resources in tasks(imports)]
    assert (len(by_imports), set(by_imports)) == (8, {1})
    finishing, importing = 1, 1
    assert max(by_runs) + importing + finishing <= INVOCATIONS
    # that these are all of them is what the logs of the functions say
    assert diary.invocations("CheckImport") == sum(by_imports)
    assert diary.invocations("Plan") == sum(by_runs)
    assert diary.finished() == len(by_runs)


def test_the_schedule_needs_its_role(diary: Diary) -> None:
    assert_some_used(diary.deployer, Week().stack)
