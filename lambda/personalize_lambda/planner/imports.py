"""The imports of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .names import fingerprint, fingerprint_in, job_arn, job_name
from .world import ACTIVE, FAILED, DatasetState, File, ImportJob, JsonObject, World

FULL = "FULL"
INCREMENTAL = "INCREMENTAL"
MOST_JOBS = 25
"""How many jobs a plan has for one dataset; for the others it plans again."""
MOST_BYTES = 30_000
"""How long the jobs of a plan for one dataset may be: what a run holds of all is at most 256 KB, and tags are long."""

_JOB_SETTLED = {ACTIVE, FAILED}


@dataclass(frozen=True)
class _Load:
    """What one job imports."""

    location: str
    mode: str
    fingerprint: str


def plan_imports(
    document: Mapping[str, Any], world: World, execution: str, failed_imports: Sequence[str] = ()
) -> JsonObject:
    """The imports to run: for every dataset the jobs that are missing, in their order; ``left`` are those beyond the
    ones of this plan.

    A source that holds other files than were imported last is imported as a whole, replacing what was there; so all
    additions follow it again. Otherwise only those additions are imported that were not since.

    Job names are single use, so each carries the fingerprint of the files and a mark of the run.

    :param failed_imports: Datasets whose import has failed in this run, of which it imports no more.
    """
    imports: list[JsonObject] = []
    waiting: list[str] = []
    for dataset in document["datasets"]:
        state = world.datasets[dataset["datasetArn"]]
        newest_first = sorted(state.imports, key=lambda job: job.created, reverse=True)
        running = next((job for job in newest_first if job.status not in _JOB_SETTLED), None)
        whole = next((job for job in newest_first if job.status == ACTIVE and job.mode == FULL), None)
        if not state.files and whole is None:
            waiting.append(_nothing_yet(dataset, state))
            continue
        loads = _loads(dataset, state, running=running, whole=whole)
        if not loads or dataset["name"] in failed_imports:
            continue
        under_way = next((load for load in loads if running is not None and _imports(running, load)), None)
        # additions that are imported already will have to be again when all is replaced
        if under_way is not None and (under_way.mode == FULL or loads[0].mode != FULL):
            loads.remove(under_way)
        else:
            under_way = None
        jobs = _page([_job(dataset, load, execution) for load in loads])
        imports.append(
            {
                "name": dataset["name"],
                "datasetArn": dataset["datasetArn"],
                "running": running.arn if running else None,
                "runningIsWanted": under_way is not None,
                "jobs": jobs,
                "left": len(loads) - len(jobs),
            }
        )
    return {"imports": imports, "waitingFor": waiting}


def _loads(
    dataset: Mapping[str, Any], state: DatasetState, *, running: ImportJob | None, whole: ImportJob | None
) -> list[_Load]:
    """What is to be imported, including what is being imported."""
    additions = _additions(dataset, state.additions)
    source = _Load(_location(dataset), FULL, fingerprint(state.files))
    replacing = running is not None and running.mode == FULL
    if state.files and (replacing or whole is None or not _imports(whole, source)):
        return [source, *additions]
    if replacing or whole is None:
        return additions
    since = [
        job
        for job in state.imports
        if job.mode == INCREMENTAL and job.status == ACTIVE and job.created >= whole.created
    ]
    return [load for load in additions if not any(_imports(job, load) for job in since)]


def _additions(dataset: Mapping[str, Any], files: Sequence[File]) -> list[_Load]:
    """One load for each file in the incremental source, and one for each folder in it, by name."""
    parts: dict[str, list[File]] = {}
    for file in sorted(files):
        prefix = dataset["incremental"]["prefix"]
        head, slash, _ = file[0].removeprefix(prefix).partition("/")
        parts.setdefault(f"{prefix}{head}{slash}", []).append(file)
    return [
        _Load(f"s3://{dataset['incremental']['bucket']}/{path}", INCREMENTAL, fingerprint(part))
        for path, part in parts.items()
    ]


def _nothing_yet(dataset: Mapping[str, Any], state: DatasetState) -> str:
    text = f"{dataset['name']}: no CSV file in {_location(dataset)} yet"
    if not state.additions:
        return text
    return f"{text}; what is in {_location(dataset['incremental'])} can only be added to what was imported from there"


def _location(source: Mapping[str, Any]) -> str:
    return f"s3://{source['bucket']}/{source['prefix']}"


def _job(dataset: Mapping[str, Any], load: _Load, execution: str) -> JsonObject:
    create = {
        "jobName": job_name(dataset["jobPrefix"], load.fingerprint, execution),
        "datasetArn": dataset["datasetArn"],
        "dataSource": {"dataLocation": load.location},
        "roleArn": dataset["roleArn"],
        "importMode": load.mode,
        "tags": dataset["tags"],
    }
    if dataset.get("publishAttributionMetrics"):
        create["publishAttributionMetricsToS3"] = True
    return {"create": create, "arn": job_arn(dataset["datasetArn"], "DatasetImportJob", create["jobName"])}


def _page(jobs: list[JsonObject]) -> list[JsonObject]:
    """As many as there is room for in one plan; they are of the same length, or nearly so."""
    return jobs[: max(1, min(MOST_JOBS, MOST_BYTES // len(json.dumps(jobs[0]))))] if jobs else []


def _imports(job: ImportJob, load: _Load) -> bool:
    """Whether a job is one of ours for just these files."""
    return job.mode == load.mode and fingerprint_in(job.name) == load.fingerprint
