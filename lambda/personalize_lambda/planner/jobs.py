"""The jobs of a run: batch inference, batch segments, dataset exports and data deletions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from .compare import empty_datasets
from .due import is_due
from .names import fingerprint, fingerprint_in, job_arn, job_name
from .world import ACTIVE, COMPLETED, FAILED, Job, JobState, JsonObject, World

DELETION = "DataDeletionJob"

_DONE = {ACTIVE, COMPLETED}
_SETTLED = {*_DONE, FAILED, "FAILED"}  # data deletion jobs have words of their own
_PUT = "PUT"


def plan_deletions(document: Mapping[str, Any], world: World, execution: str) -> list[JsonObject]:
    """The data deletion jobs to run or to follow: one for every set of files that was not deleted yet."""
    steps = []
    for job in document.get("jobs", ()):
        state = world.jobs.get(job["jobPrefix"], JobState())
        if job["kind"] != DELETION or not state.files:
            continue
        digest = fingerprint(state.files, job["configuration"])
        is_done = any(each.status in _DONE and fingerprint_in(each.name) == digest for each in state.jobs)
        target = {"datasetGroupArn": document["datasetGroupArn"]}
        steps += _step(job, state.jobs, digest, target, execution, is_due=not is_done)
    return steps


def plan_jobs(document: Mapping[str, Any], world: World, execution: str) -> JsonObject:
    """The batch and export jobs to run or to follow.

    One is due when it has never succeeded for what is declared and what its input holds now. After that, one with
    ``every`` is due when so much time has passed since it was made; without, a batch job is due when another version of
    the solution serves. A job that failed counts as never made, so that every run tries again.
    """
    steps: list[JsonObject] = []
    waiting: list[str] = []
    empty = set(empty_datasets(document, world))
    datasets = {dataset["datasetArn"]: dataset["name"] for dataset in document["datasets"]}
    solutions = {solution["solutionArn"]: solution for solution in document["solutions"]}
    for job in document.get("jobs", ()):
        state = world.jobs.get(job["jobPrefix"], JobState())
        jobs = state.jobs
        target: dict[str, str] = {}
        missing = None
        if "solutionArn" in job:
            versions, serving = _versions(solutions[job["solutionArn"]], world)
            # those of a solution that was another, or was made anew, say nothing about this one
            jobs = [each for each in jobs if each.solution_version_arn in versions]
            target = {"solutionVersionArn": serving or ""}
            if not serving:
                missing = f"a trained version of {solutions[job['solutionArn']]['name']}"
            elif not state.files:  # nothing is asked for, and nothing that serves waits for it
                steps += _step(job, jobs, "", target, execution, is_due=False)
                continue
        elif "datasetArn" in job:
            target = {"datasetArn": job["datasetArn"]}
            if job["configuration"]["ingestionMode"] != _PUT and datasets[job["datasetArn"]] in empty:
                missing = f"data for {datasets[job['datasetArn']]}"
        else:
            continue
        if missing:
            waiting += [] if any(each.status in _DONE for each in jobs) else [f"{job['name']}: {missing}"]
            continue
        digest = fingerprint(state.files, job["configuration"])
        is_due = _is_due(job, jobs, digest, target.get("solutionVersionArn"), world.now)
        steps += _step(job, jobs, digest, target, execution, is_due=is_due)
    return {"jobs": steps, "waitingFor": waiting}


def _versions(solution: Mapping[str, Any], world: World) -> tuple[set[str], str | None]:
    """The versions that a solution has, and the one that serves: its campaigns', or the newest not refused where
    it has none."""
    state = world.solutions.get(solution["solutionArn"])
    if state is None or not state.owned:
        return set(), None
    campaigns = [world.campaigns.get(campaign["campaignArn"]) for campaign in solution["campaigns"]]
    served = {campaign.solution_version_arn for campaign in campaigns if campaign is not None}
    active = sorted((v for v in state.versions if v.status == ACTIVE), key=lambda v: v.created, reverse=True)
    good = next((v.arn for v in active if not v.is_refused), None)
    newest = next((v.arn for v in active if v.arn in served), good)
    return {version.arn for version in state.versions}, newest


def _is_due(job: Mapping[str, Any], jobs: Sequence[Job], digest: str, serving: str | None, now: float) -> bool:
    done = max((each for each in jobs if each.status in _DONE), key=lambda each: each.created, default=None)
    if done is None or fingerprint_in(done.name) != digest:
        return True
    if "every" in job:
        return is_due(done.created, job["every"], now)
    return done.solution_version_arn != serving


def _step(
    job: Mapping[str, Any],
    jobs: Sequence[Job],
    digest: str,
    target: Mapping[str, str],
    execution: str,
    *,
    is_due: bool,
) -> list[JsonObject]:
    """What to do: follow the job that is under way, then make a new one if that one is for something else."""
    step = {"name": job["name"], "kind": job["kind"], "running": None, "create": None, "createArn": None}
    running = max((e for e in jobs if e.status not in _SETTLED), key=lambda each: each.created, default=None)
    if running is not None:
        step |= {"running": running.arn, "output": _output(job, running.name)}
        # one with ``every`` is due by its age, whatever version it uses
        is_of_target = "every" in job or running.solution_version_arn in (None, target.get("solutionVersionArn"))
        if fingerprint_in(running.name) == digest and is_of_target:
            return [step]
    if not is_due:
        return [step] if running is not None else []
    name = job_name(job["jobPrefix"], digest, execution)
    create = {**deepcopy(dict(job["configuration"])), **target, "jobName": name, "roleArn": job["roleArn"]}
    output = _output(job, name)
    if output is not None:
        create["jobOutput"]["s3DataDestination"]["path"] = output
    [of] = target.values()
    arn = job_arn(of, job["kind"], name)
    return [{**step, "create": {**create, "tags": job["tags"]}, "createArn": arn, "output": output}]


def _output(job: Mapping[str, Any], name: str) -> str | None:
    """Where the job of that name writes: a folder of its own, so that no job writes over what another wrote."""
    destination = job["configuration"].get("jobOutput")
    return None if destination is None else f"{destination['s3DataDestination']['path']}{name}/"
