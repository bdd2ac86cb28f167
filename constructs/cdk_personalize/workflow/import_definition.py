"""The state machine that imports into one dataset: its files are checked, and then imported job by job.

One execution a dataset, started by the workflow's: imports take hours, and a run's own history has no room for many.
Its input is one entry of ``imports`` in the plan (``personalize_lambda.planner.imports``), with the ``round`` and what
was ``waited`` in the rounds before: a plan has some jobs of each dataset, and while more are left, the run plans and
imports again.
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
    state_machine,
)
from .transitions import RUN_OF_CHILD, tell

#: After so many rounds a run leaves the rest to the next, for which its history has room; the deadline of imports comes
#: long before where each takes minutes
MOST_ROUNDS = 20


def import_definition(
    *, partition: str, deadlines: Deadlines, check_function_arn: str, document: dict[str, str]
) -> dict[str, Any]:
    """The definition of the import state machine.

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
            ("$importStatus = 'ACTIVE'", "Imported"),
            ("$importStatus = 'CREATE FAILED'", "Import settled"),
        ],
        late="Import late",
        failed="Import failed",
    )

    def told(change: str, next_state: str, **members: str) -> State:
        of = {"name": "$importName", "arn": "$importDataset", "datasetImportJobArn": "$importJob"}
        return tell("dataset", change, partition=partition, next_state=next_state, **of, **members)

    begun = {"importIsWanted": "true", "importsBegun": "$importsBegun + 1"}
    states: States = {
        "Begin": assign(
            "Imports to check?",
            run=RUN_OF_CHILD,
            importName="$states.input.name",
            importDataset="$states.input.datasetArn",
            importJob="$states.input.running",
            importIsWanted="$states.input.runningIsWanted",
            importJobs="$states.input.jobs",
            importsBegun="0",
            importsLeft="$states.input.left",
            importsRound="$states.input.round",
            # the deadline ends all rounds together
            importsWaited="$states.input.waited",
        ),
        "Imports to check?": choice(("$count($importJobs) > 0", "Check imports"), default="Import running already?"),
        "Check imports": _check(partition, check_function_arn, document),
        "Imports refused?": choice(("$importReason != ''", "Import failed"), default="Import running already?"),
        "Import running already?": choice(("$importJob != null", job.start), default="Next import?"),
        "Next import?": choice(
            (
                f"$importsBegun >= $count($importJobs) and $importsLeft > 0 and $importsRound >= {MOST_ROUNDS}",
                "Imports many",
            ),
            ("$importsBegun >= $count($importJobs)", "Import done"),
            (f"$importsWaited >= {deadline:g}", "Imports late"),
            default="Create import",
        ),
        "Create import": sdk_task(
            "personalize:createDatasetImportJob",
            partition=partition,
            arguments=expression("$importJobs[$importsBegun].create"),
            next_state="Import begun",
            retry=retry_in_queue(deadline),
            catchers=[
                # names of jobs are used once: the answer to an earlier call was lost
                catch("Import begun", ALREADY_EXISTS, importJob="$importJobs[$importsBegun].arn", **begun),
                catch("Import failed", importReason=error_reason(), importJob="$importJobs[$importsBegun].arn"),
            ],
            assign={"importJob": "$states.result.DatasetImportJobArn", **begun},
        ),
        "Import begun": told("IMPORT_BEGUN", job.start),
        **job.states(partition),
        "Imported": told("IMPORTED", "Import settled"),
        "Import settled": assign("Next import?", importsWaited="$importsWaited + $importWaited"),
        "Import done": finish(name="$importName", failures="[]", waited="$importsWaited"),
        "Import late": assign("Import failed", importReason=job.waited),
        "Imports late": _break_off(f"'after {deadline / 3600:g} h, the deadline, '", "allow more time"),
        "Imports many": _break_off(
            "'after as many imports as the history of a run has room for, '", "put more files into each folder"
        ),
        "Import failed": told("IMPORT_FAILED", "Failed import noted", reason="$importReason"),
        "Failed import noted": finish(
            name="$importName", failures="[{'name': 'import of ' & $importName, 'reason': $importReason}]"
        ),
    }
    return state_machine("Imports the files for one dataset of Amazon Personalize", states)


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
