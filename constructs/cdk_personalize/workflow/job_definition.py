"""The state machine that runs one batch, export or data deletion job: follow the one that is under way, make the next.

One execution a job, started by the workflow's: jobs take hours, and a run's own history has no room for many.
Its input is one entry of ``jobs`` or ``deletions`` in the plan (``personalize_lambda.planner.jobs``).
"""

from __future__ import annotations

import re
from typing import Any, Final

from aws_cdk import Duration

from .deadlines import Deadlines
from .states import (
    ALREADY_EXISTS,
    UNSTATED,
    Poll,
    State,
    States,
    assign,
    catch,
    choice,
    either,
    error_reason,
    expression,
    finish,
    retry_in_queue,
    sdk_task,
    state_machine,
)
from .transitions import RUN_OF_CHILD, tell

DELETION: Final = "DataDeletionJob"
KINDS: Final = ("BatchInferenceJob", "BatchSegmentJob", "DatasetExportJob", DELETION)
"""Kinds of jobs, as the operations of the API name them."""

# data deletion jobs have words of their own
_DONE = "['ACTIVE', 'COMPLETED']"
_SETTLED = "['ACTIVE', 'COMPLETED', 'CREATE FAILED', 'FAILED']"
_NOUN = f"($jobKind = '{DELETION}' ? 'deletion of users ' : 'job ')"


def job_definition(*, partition: str, deadlines: Deadlines) -> dict[str, Any]:
    """The definition of the job state machine.

    :param partition: The AWS partition, for the ARNs of the integrations.
    :param deadlines: How long each wait may take at most.
    """

    def told(change: str, next_state: str, **members: str) -> State:
        of = {"name": "$jobName", "arn": "$job", "kind": "$jobKind"}
        return tell("job", change, partition=partition, next_state=next_state, **of, **members)

    longest = {kind: deadlines.data_deletion if kind == DELETION else deadlines.jobs for kind in KINDS}
    polls = {kind: _poll(kind, longest[kind]) for kind in KINDS}
    states: States = {
        "Begin": assign(
            "Kind of job?",
            run=RUN_OF_CHILD,
            jobName="$states.input.name",
            jobKind="$states.input.kind",
            job="$states.input.running",
            jobNext="$states.input.create",
            jobNextArn="$states.input.createArn",
            jobOutput="$states.input.output",
        ),
        "Kind of job?": choice(
            *((f"$jobKind = '{kind}' and $job != null", polls[kind].start) for kind in KINDS),
            *((f"$jobKind = '{kind}'", _create(kind)) for kind in KINDS[1:]),
            default=_create(KINDS[0]),
        ),
        "Job done": told("DONE", "Done", output="$jobOutput"),
        "Done": finish(name="$jobName", output="$jobOutput", failures="[]"),
        "Job failed": told("FAILED", "Failed", reason="$jobReason"),
        "Failed": finish(name="$jobName", failures=f"[{{'name': {_NOUN} & $jobName, 'reason': $jobReason}}]"),
    }
    for kind, poll in polls.items():
        begun = f"{_title(kind).capitalize()} begun"
        states |= {
            _create(kind): sdk_task(
                f"personalize:create{kind}",
                partition=partition,
                arguments=expression("$jobNext"),
                next_state=begun,
                retry=retry_in_queue(longest[kind].to_seconds()),
                catchers=[
                    # names of jobs are used once: the answer to an earlier call was lost
                    catch(begun, ALREADY_EXISTS, job="$jobNextArn", jobNext="null"),
                    catch("Job failed", job="$jobNextArn", jobReason=error_reason()),
                ],
                assign={"job": f"$states.result.{kind}Arn", "jobNext": "null"},
            ),
            begun: told("BEGUN", poll.start, output="$jobOutput"),
            **poll.states(partition),
            poll.late: assign("Job failed", jobReason=poll.waited),
        }
    return state_machine("Runs one batch, export or data deletion job of Amazon Personalize", states)


def _create(kind: str) -> str:
    return f"Create {_title(kind)}"


def _title(kind: str) -> str:
    """A kind in words: ``batch inference job``."""
    return re.sub(r"\B(?=[A-Z])", " ", kind).lower()


def _poll(kind: str, deadline: Duration) -> Poll:
    return Poll(
        subject=_title(kind),
        variable="job",
        read=f"describe{kind}",
        arguments={f"{kind}Arn": expression("$job")},
        status=f"$states.result.{kind}.Status",
        reason=either(f"$states.result.{kind}.FailureReason", UNSTATED),
        deadline_seconds=deadline.to_seconds(),
        settled=[
            (f"$jobStatus in {_SETTLED} and $jobNext != null", _create(kind)),
            (f"$jobStatus in {_DONE}", "Job done"),
            (f"$jobStatus in {_SETTLED}", "Job failed"),
        ],
        late=f"{_title(kind).capitalize()} late",
        failed="Job failed",
    )
