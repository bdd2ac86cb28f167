"""Reads the jobs that were made for what is declared, and the files that the next ones would read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from personalize_lambda.planner.jobs import DELETION
from personalize_lambda.planner.names import belongs
from personalize_lambda.planner.world import COMPLETED, File, Job, JobState

from .files import files_at


def observe_jobs(
    document: Mapping[str, Any], created: Callable[[str], datetime], *, personalize: Any, s3: Any
) -> tuple[dict[str, JobState], float | None]:
    """Read the declared jobs, by the prefix of their names, and when users were last deleted from the data.

    Batch jobs are listed for the whole account, in fewer calls than version by version.

    :param document: The desired state.
    :param created: When the dataset of an ARN was created.
    :param personalize: A boto3 client.
    :param s3: A boto3 client.
    """
    listed: dict[tuple[str, str | None], list[Mapping[str, Any]]] = {}
    states: dict[str, JobState] = {}
    last_deletion: float | None = None
    for declared in document.get("jobs", ()):
        kind, dataset = declared["kind"], declared.get("datasetArn")
        if (kind, dataset) not in listed:
            listed[kind, dataset] = _list(document, kind, dataset, created, personalize)
        found = listed[kind, dataset]
        if kind == DELETION:
            ends = [job["lastUpdatedDateTime"].timestamp() for job in found if job["status"] == COMPLETED]
            last_deletion = max(ends, default=None)
        states[declared["jobPrefix"]] = JobState(
            files=_files(declared, s3),
            jobs=[_job(kind, job) for job in found if belongs(job["jobName"], declared["jobPrefix"])],
        )
    return states, last_deletion


def _list(
    document: Mapping[str, Any],
    kind: str,
    dataset: str | None,
    created: Callable[[str], datetime],
    personalize: Any,
) -> list[Mapping[str, Any]]:
    """The jobs of a kind; those that are older than what they belong to were made for another of the same name."""
    if kind == DELETION:
        group = {"datasetGroupArn": document["datasetGroupArn"]}
        since = personalize.describe_dataset_group(**group)["datasetGroup"]["creationDateTime"]
        return [job for job in _pages(personalize, kind, **group) if job["creationDateTime"] >= since]
    if dataset is not None:
        made = _pages(personalize, kind, datasetArn=dataset)
        return [job for job in made if job["creationDateTime"] >= created(dataset)]
    return list(_pages(personalize, kind))


def _pages(personalize: Any, kind: str, **arguments: str) -> Iterator[Mapping[str, Any]]:
    """Every page; botocore has no paginator for data deletion jobs."""
    snake = re.sub("(?=[A-Z])", "_", kind).lower()
    read = getattr(personalize, f"list{snake}s")
    while True:
        page = read(**arguments)
        yield from page[f"{_member(kind)}s"]
        if not page.get("nextToken"):
            return
        arguments["nextToken"] = page["nextToken"]


def _job(kind: str, job: Mapping[str, Any]) -> Job:
    return Job(
        arn=job[f"{_member(kind)}Arn"],
        name=job["jobName"],
        status=job["status"],
        created=job["creationDateTime"].timestamp(),
        solution_version_arn=job.get("solutionVersionArn"),
    )


def _member(kind: str) -> str:
    return kind[0].lower() + kind[1:]


def _files(declared: Mapping[str, Any], s3: Any) -> list[File]:
    """The files that a job would read; objects that stand for folders are none."""
    source = declared.get("input")
    if source is None:
        return []
    return [
        file
        for file in files_at(s3, source["bucket"], source["prefix"])
        if not file[0].endswith("/") and file[0].endswith(source["suffix"])
    ]
