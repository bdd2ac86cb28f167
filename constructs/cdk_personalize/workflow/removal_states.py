"""Parts of a run: a training is stopped, and what is declared no more is deleted."""

from __future__ import annotations

from .deadlines import Deadlines
from .states import (
    IN_USE,
    INVALID_INPUT,
    NOT_FOUND,
    RETRY_READ,
    Poll,
    States,
    assign,
    catch,
    either,
    error_reason,
    expression,
    finish,
    retry_write,
    sdk_task,
)
from .transitions import tell


def stop_states(partition: str, deadlines: Deadlines) -> States:
    training = Poll(
        subject="Stopping training",
        variable="stop",
        read="describeSolutionVersion",
        arguments={"SolutionVersionArn": expression("$stopArn")},
        status="$states.result.SolutionVersion.Status",
        deadline_seconds=deadlines.deletion.to_seconds(),
        settled=[
            ("$stopStatus = 'CREATE STOPPED'", "Training stopped"),
            ("$stopStatus in ['ACTIVE', 'CREATE FAILED']", "Training at its end"),
        ],
        late="Stopping late",
        failed="Stopping failed",
        retry=RETRY_READ,
    )
    of = {"name": "$stopName", "arn": "$join($split($stopArn, '/')[[0..1]], '/')", "solutionVersionArn": "$stopArn"}
    return {
        "Begin stop": assign(
            "Stop training", stopArn="$states.input.solutionVersionArn", stopName="$states.input.name"
        ),
        "Stop training": sdk_task(
            "personalize:stopSolutionVersionCreation",
            partition=partition,
            arguments={"SolutionVersionArn": expression("$stopArn")},
            next_state=training.start,
            retry=RETRY_READ,
            catchers=[
                # it has ended by itself in the meantime, as the look at it that follows tells
                catch(training.start, IN_USE, INVALID_INPUT, NOT_FOUND),
                catch("Stopping failed", stopReason=error_reason()),
            ],
        ),
        **training.states(partition),
        "Training stopped": tell(
            "solution", "TRAINING_STOPPED", partition=partition, next_state="Training at its end", **of
        ),
        "Training at its end": finish(name="$stopName", failures="[]"),
        "Stopping late": assign("Stopping failed", stopReason=training.waited),
        "Stopping failed": tell(
            "solution",
            "STOP_FAILED",
            partition=partition,
            next_state="Failed stop noted",
            reason="$stopReason",
            **of,
        ),
        "Failed stop noted": finish(
            name="$stopName", failures="[{'name': 'training ' & $stopName, 'reason': $stopReason}]"
        ),
    }


def delete_states(partition: str, deadlines: Deadlines, kind: str, parent: str, parent_key: str) -> States:
    """Delete a resource and wait until its parent lists it no more, so that no look at it is an error."""
    lower, variable = kind.lower(), f"gone{kind}"
    gone = Poll(
        subject=f"{kind} deletion",
        variable=variable,
        read=f"list{kind}s",
        arguments={parent: expression(f"${variable}Parent")},
        status=either(f"$states.result.{kind}s[{kind}Arn = ${variable}Arn].Status", "'GONE'"),
        deadline_seconds=deadlines.deletion.to_seconds(),
        settled=[(f"${variable}Status = 'GONE'", f"{kind} gone")],
        late=f"{kind} deletion late",
        failed=f"{kind} deletion failed",
        retry=RETRY_READ,
        absent="GONE",
    )
    of = {"name": f"${variable}Name", "arn": f"${variable}Arn"}
    return {
        f"Begin {lower} deletion": assign(
            f"Delete {lower}",
            **{
                f"{variable}Arn": f"$states.input.{lower}Arn",
                f"{variable}Name": "$states.input.name",
                f"{variable}Parent": f"$states.input.{parent_key}",
            },
        ),
        f"Delete {lower}": sdk_task(
            f"personalize:delete{kind}",
            partition=partition,
            arguments={f"{kind}Arn": expression(f"${variable}Arn")},
            next_state=gone.start,
            retry=retry_write(deadlines.deletion.to_seconds()),
            catchers=[
                catch(f"{kind} gone", NOT_FOUND),
                catch(f"{kind} deletion failed", **{f"{variable}Reason": error_reason()}),
            ],
        ),
        **gone.states(partition),
        f"{kind} gone": tell(lower, "DELETED", partition=partition, next_state=f"{kind} deleted", **of),
        f"{kind} deleted": finish(name=f"${variable}Name", failures="[]"),
        f"{kind} deletion late": assign(f"{kind} deletion failed", **{f"{variable}Reason": gone.waited}),
        f"{kind} deletion failed": tell(
            lower,
            "DELETION_FAILED",
            partition=partition,
            next_state=f"Failed {lower} deletion noted",
            reason=f"${variable}Reason",
            **of,
        ),
        f"Failed {lower} deletion noted": finish(
            name=f"${variable}Name",
            failures=f"[{{'name': 'deletion of {lower} ' & ${variable}Name, 'reason': ${variable}Reason}}]",
        ),
    }
