"""The imports of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .names import fingerprint, fingerprint_in, job_name
from .world import ACTIVE, FAILED, JsonObject, World

_JOB_SETTLED = {ACTIVE, FAILED}


def plan_imports(document: Mapping[str, Any], world: World, execution: str) -> JsonObject:
    """The imports to run: one for every dataset whose source holds other files than were imported last.

    Job names are single use, so each carries the fingerprint of the files and a mark of the run.
    """
    imports: list[JsonObject] = []
    waiting: list[str] = []
    for dataset in document["datasets"]:
        state = world.datasets[dataset["datasetArn"]]
        newest_first = sorted(state.imports, key=lambda job: job.created, reverse=True)
        running = next((job for job in newest_first if job.status not in _JOB_SETTLED), None)
        imported = next((job for job in newest_first if job.status == ACTIVE), None)
        if not state.files:
            if imported is None:
                waiting.append(f"{dataset['name']}: no CSV file in {_location(dataset)} yet")
            continue
        digest = fingerprint(state.files)
        if running is not None and fingerprint_in(running.name) == digest:
            imports.append({"name": dataset["name"], "running": running.arn, "create": None, "createArn": None})
        elif running is not None or imported is None or fingerprint_in(imported.name) != digest:
            create = {
                "jobName": job_name(dataset["jobPrefix"], digest, execution),
                "datasetArn": dataset["datasetArn"],
                "dataSource": {"dataLocation": _location(dataset)},
                "roleArn": dataset["roleArn"],
                "importMode": "FULL",
                "tags": dataset["tags"],
            }
            imports.append(
                {
                    "name": dataset["name"],
                    "running": running.arn if running else None,
                    "create": create,
                    "createArn": _job_arn(create),
                }
            )
    return {"imports": imports, "waitingFor": waiting}


def _location(dataset: Mapping[str, Any]) -> str:
    return f"s3://{dataset['bucket']}/{dataset['prefix']}"


def _job_arn(create: Mapping[str, Any]) -> str:
    """The ARN that the service gives to an import job."""
    return f"{create['datasetArn'].partition(':dataset/')[0]}:dataset-import-job/{create['jobName']}"
