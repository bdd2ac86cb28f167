"""Part of a run: one batch, export or data deletion job is run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from aws_cdk import Duration

from .states import (
    ALREADY_EXISTS,
    UNSTATED,
    Poll,
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
)

DELETION_KINDS: Final = ("DataDeletionJob",)
OUTPUT_KINDS: Final = ("BatchInferenceJob", "BatchSegmentJob", "DatasetExportJob")
"""Kinds of jobs, as the operations of the API name them."""

# data deletion jobs have words of their own
_DONE = "['ACTIVE', 'COMPLETED']"
_SETTLED = "['ACTIVE', 'COMPLETED', 'CREATE FAILED', 'FAILED']"


def job_states(partition: str, deadline: Duration, noun: str, kinds: Sequence[str]) -> States:
    """Run one job of one of several kinds: follow the one that is under way, then make the next.

    :param partition: The AWS partition.
    :param deadline: How long to wait for a job.
    :param noun: What the shared states call a job.
    :param kinds: The kinds.
    """
    done, failed = f"{noun.capitalize()} done", f"{noun.capitalize()} failed"
    polls = {kind: _poll(kind, deadline, done, failed) for kind in kinds}
    states: States = {
        f"Begin {noun}": assign(
            f"Kind of {noun}?",
            jobName="$states.input.name",
            jobKind="$states.input.kind",
            job="$states.input.running",
            jobNext="$states.input.create",
            jobNextArn="$states.input.createArn",
            jobOutput="$states.input.output",
        ),
        f"Kind of {noun}?": choice(
            *((f"$jobKind = '{kind}' and $job != null", polls[kind].start) for kind in kinds),
            *((f"$jobKind = '{kind}'", _create(kind)) for kind in kinds[1:]),
            default=_create(kinds[0]),
        ),
        done: finish(name="$jobName", output="$jobOutput", failures="[]"),
        failed: finish(name="$jobName", failures=f"[{{'name': '{noun} ' & $jobName, 'reason': $jobReason}}]"),
    }
    for kind, poll in polls.items():
        states |= {
            _create(kind): sdk_task(
                f"personalize:create{kind}",
                partition=partition,
                arguments=expression("$jobNext"),
                next_state=poll.start,
                retry=retry_in_queue(deadline.to_seconds()),
                catchers=[
                    # names of jobs are used once: the answer to an earlier call was lost
                    catch(poll.start, ALREADY_EXISTS, job="$jobNextArn", jobNext="null"),
                    catch(failed, jobReason=error_reason()),
                ],
                assign={"job": f"$states.result.{kind}Arn", "jobNext": "null"},
            ),
            **poll.states(partition),
            poll.late: assign(failed, jobReason=poll.waited),
        }
    return states


def _create(kind: str) -> str:
    return f"Create {_title(kind)}"


def _title(kind: str) -> str:
    """A kind in words: ``batch inference job``."""
    return re.sub(r"\B(?=[A-Z])", " ", kind).lower()


def _poll(kind: str, deadline: Duration, done: str, failed: str) -> Poll:
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
            (f"$jobStatus in {_DONE}", done),
            (f"$jobStatus in {_SETTLED}", failed),
        ],
        late=f"{_title(kind).capitalize()} late",
        failed=failed,
    )
