"""How long a run may take: longer than all of its waits together, whatever is declared."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import Duration
from aws_cdk import aws_s3 as s3

import cdk_personalize as personalize
from cdk_personalize.workflow.deadlines import Deadlines
from cdk_personalize.workflow.job_definition import job_definition
from cdk_personalize.workflow.polling import LONGEST_WAIT_SECONDS
from tests.unit.conftest import Synthesis

HOUR = 3600
LOOK = LONGEST_WAIT_SECONDS / HOUR


def timeout(synthesis: Synthesis) -> int:
    """The TimeoutSeconds of the run's state machine."""
    found = []
    for machine in synthesis.template.find_resources("AWS::StepFunctions::StateMachine").values():
        definition = machine["Properties"].get("DefinitionString", "")
        text = definition if isinstance(definition, str) else "".join(map(_text, definition["Fn::Join"][1]))
        found += [value for value in [json.loads(text).get("TimeoutSeconds")] if value and "Plan imports" in text]
    [seconds] = found
    return int(seconds)


def _text(part: Any) -> str:
    return part if isinstance(part, str) else "token"


def declare(synthesis: Synthesis, jobs: int, deadlines: Deadlines) -> None:
    group = synthesis.group()
    personalize.Workflow(synthesis.stack, "Workflow", dataset_group=group, deadlines=deadlines)
    output = s3.Bucket(synthesis.stack, "Out")
    for number in range(jobs):
        group.datasets[0].add_export_job(f"Backup{number}", job_output=personalize.S3Location(output, f"{number}/"))


def longest_job(deadline: Duration) -> float:
    """How long a job may take that finds an earlier one: that one, waiting for room, and then itself."""
    states: Mapping[str, Any] = job_definition(partition="aws", deadlines=Deadlines(jobs=deadline))["States"]
    [*rules] = states["Create dataset export job"]["Retry"]
    room = sum(
        min(rule["IntervalSeconds"] * rule["BackoffRate"] ** attempt, rule["MaxDelaySeconds"])
        for rule in rules[:1]
        for attempt in range(rule["MaxAttempts"])
    )
    return 2 * (deadline.to_seconds() + LONGEST_WAIT_SECONDS) + float(room)


@pytest.mark.parametrize("jobs", [0, 5, 12])
def test_a_run_has_time_for_all_jobs_that_are_declared(synthesis: Synthesis, jobs: int) -> None:
    """Five at once, all of which take all their time; they are declared after the workflow."""
    deadlines = Deadlines(jobs=Duration.hours(20))
    declare(synthesis, jobs, deadlines)
    seconds = timeout(synthesis)
    assert seconds == int(deadlines.longest_run(solutions=0, recommenders=0, jobs=jobs, deletions=0))
    others = Deadlines(jobs=Duration.minutes(1)).longest_run(jobs=0) - 3 * (60 + LONGEST_WAIT_SECONDS)
    assert seconds - others >= math.ceil(jobs / 5) * longest_job(deadlines.jobs)


@pytest.mark.parametrize(
    ("more", "longer"),
    [
        ({"jobs": 5}, 0),
        ({"jobs": 6}, 3 * (12 + LOOK)),
        ({"jobs": 12}, 2 * 3 * (12 + LOOK)),
        ({"deletions": 6}, 3 * (24 + LOOK)),
        ({"recommenders": 5}, 0),
        ({"solutions": 40}, 0),
        ({"solutions": 41}, 5 * (1 + LOOK) + 2 * (24 + LOOK) + 2 * (3 + LOOK)),
    ],
)
def test_what_waits_for_others_takes_longer(more: dict[str, int], longer: float) -> None:
    assert Deadlines().longest_run(**more) - Deadlines().longest_run() == pytest.approx(longer * HOUR)


def test_a_run_may_take_as_long_as_step_functions_allows() -> None:
    longest = Deadlines().longest_run(solutions=500, recommenders=5, jobs=100, deletions=100)
    assert longest < cdk.Duration.days(365).to_seconds()
