"""Part of a run: one dataset is imported."""

from __future__ import annotations

from .deadlines import Deadlines
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


def import_states(partition: str, deadlines: Deadlines) -> States:
    job = Poll(
        subject="Import",
        variable="import",
        read="describeDatasetImportJob",
        arguments={"DatasetImportJobArn": expression("$importJob")},
        status="$states.result.DatasetImportJob.Status",
        reason=either("$states.result.DatasetImportJob.FailureReason", UNSTATED),
        deadline_seconds=deadlines.imports.to_seconds(),
        settled=[
            ("$importStatus in ['ACTIVE', 'CREATE FAILED'] and $importNext != null", "Create import"),
            ("$importStatus = 'ACTIVE'", "Import done"),
            ("$importStatus = 'CREATE FAILED'", "Import failed"),
        ],
        late="Import late",
        failed="Import failed",
    )
    failed = catch("Import failed", importReason=error_reason())
    return {
        "Begin import": assign(
            "Import running already?",
            importName="$states.input.name",
            importJob="$states.input.running",
            importNext="$states.input.create",
            importNextArn="$states.input.createArn",
        ),
        "Import running already?": choice(("$importJob != null", job.start), default="Create import"),
        "Create import": sdk_task(
            "personalize:createDatasetImportJob",
            partition=partition,
            arguments=expression("$importNext"),
            next_state=job.start,
            retry=retry_in_queue(deadlines.imports.to_seconds()),
            catchers=[
                # names of jobs are used once: the answer to an earlier call was lost
                catch(job.start, ALREADY_EXISTS, importJob="$importNextArn", importNext="null"),
                failed,
            ],
            assign={"importJob": "$states.result.DatasetImportJobArn", "importNext": "null"},
        ),
        **job.states(partition),
        "Import done": finish(name="$importName", failures="[]"),
        "Import late": assign("Import failed", importReason=job.waited),
        "Import failed": finish(
            name="$importName", failures="[{'name': 'import of ' & $importName, 'reason': $importReason}]"
        ),
    }
