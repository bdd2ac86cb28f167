"""Part of a run: the files for one dataset are checked, and then imported job by job.

A plan has some jobs of each dataset. While more are left, the run plans and imports again: a round.
"""

from __future__ import annotations

from typing import Any

from .deadlines import Deadlines
from .states import (
    ALREADY_EXISTS,
    RETRY_LAMBDA,
    RETRY_LAMBDA_ONCE,
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
)

#: What the imports of all rounds may cost together, in looks at a job, that the history has room for them
MOST_COST = 800
#: What a job costs beside the looks after which it is waited: the last look, and the states around all of them
COST_OF_IMPORT = 2
#: JSONata expression: what the round before ended with for the same dataset
_BEFORE = "$imports[name = $states.input.name]"


def import_states(partition: str, deadlines: Deadlines, *, check_function_arn: str, document: dict[str, str]) -> States:
    """The states.

    :param partition: The AWS partition, for the ARNs of the integrations.
    :param deadlines: How long each wait may take at most.
    :param check_function_arn: The Lambda function that checks files.
    :param document: Where the desired state is kept: ``bucket`` and ``key``.
    """
    deadline = deadlines.imports.to_seconds()
    job = Poll(
        subject="Import",
        variable="import",
        read="describeDatasetImportJob",
        arguments={"DatasetImportJobArn": expression("$importJob")},
        status="$states.result.DatasetImportJob.Status",
        reason=either("$states.result.DatasetImportJob.FailureReason", UNSTATED),
        deadline_seconds=deadline,
        settled=[
            ("$importStatus = 'CREATE FAILED' and $importIsWanted", "Import failed"),
            ("$importStatus in ['ACTIVE', 'CREATE FAILED']", "Import settled"),
        ],
        late="Import late",
        failed="Import failed",
    )
    failed = catch("Import failed", importReason=error_reason())
    begun = {"importIsWanted": "true", "importsBegun": "$importsBegun + 1"}
    return {
        "Begin import": assign(
            "Imports to check?",
            importName="$states.input.name",
            importJob="$states.input.running",
            importIsWanted="$states.input.runningIsWanted",
            importJobs="$states.input.jobs",
            importsBegun="0",
            importsLeft="$states.input.left",
            # goes on where the round before stopped; both end all rounds together
            importsWaited=either(f"{_BEFORE}.waited", "0"),
            importsCost=either(f"{_BEFORE}.cost", "0"),
        ),
        "Imports to check?": choice(("$count($importJobs) > 0", "Check imports"), default="Import running already?"),
        "Check imports": _check(partition, check_function_arn, document),
        "Imports refused?": choice(("$importReason != ''", "Import failed"), default="Import running already?"),
        "Import running already?": choice(("$importJob != null", job.start), default="Next import?"),
        "Next import?": choice(
            ("$importsBegun >= $count($importJobs)", "Import done"),
            (f"$importsWaited >= {deadline:g}", "Imports late"),
            (f"$importsCost >= {MOST_COST} / $count($plan.imports)", "Imports many"),
            default="Create import",
        ),
        "Create import": sdk_task(
            "personalize:createDatasetImportJob",
            partition=partition,
            arguments=expression("$importJobs[$importsBegun].create"),
            next_state=job.start,
            retry=retry_in_queue(deadline),
            catchers=[
                # names of jobs are used once: the answer to an earlier call was lost
                catch(job.start, ALREADY_EXISTS, importJob="$importJobs[$importsBegun].arn", **begun),
                failed,
            ],
            assign={"importJob": "$states.result.DatasetImportJobArn", **begun},
        ),
        **job.states(partition),
        "Import settled": assign(
            "Next import?",
            importsWaited="$importsWaited + $importWaited",
            importsCost=f"$importsCost + $importPolls + {COST_OF_IMPORT}",
        ),
        "Import done": finish(name="$importName", failures="[]", waited="$importsWaited", cost="$importsCost"),
        "Import late": assign("Import failed", importReason=job.waited),
        "Imports late": _break_off(f"'after {deadline / 3600:g} h, the deadline, '", "allow more time"),
        "Imports many": _break_off(
            "'after as many imports as the history of a run has room for, '", "put more files into each folder"
        ),
        "Import failed": finish(
            name="$importName", failures="[{'name': 'import of ' & $importName, 'reason': $importReason}]"
        ),
    }


def _break_off(after: str, otherwise: str) -> State:
    left = "$string($count($importJobs) - $importsBegun + $importsLeft)"
    return assign(
        "Import failed",
        importReason=f"{after} & {left} & ' imports are left: run the workflow again to go on, or {otherwise}'",
    )


def _check(partition: str, function_arn: str, document: dict[str, str]) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::lambda:invoke",
        "Arguments": {
            "FunctionName": function_arn,
            "Payload": {
                "document": document,
                "name": expression("$importName"),
                "jobs": expression(
                    "[$importJobs.create.{'jobName': JobName, 'location': DataSource.DataLocation, 'mode': ImportMode}]"
                ),
            },
        },
        "Retry": [*RETRY_LAMBDA, RETRY_LAMBDA_ONCE],
        "Catch": [catch("Import failed", importReason=f"'the check of its files broke off: ' & {error_reason()}")],
        "Assign": {"importReason": expression("$states.result.Payload.reason")},
        "Next": "Imports refused?",
    }
