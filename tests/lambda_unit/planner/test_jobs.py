"""The planner of jobs: what is declared against what was made, as plain values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from personalize_lambda.planner.jobs import plan_deletions, plan_jobs
from personalize_lambda.planner.names import belongs, fingerprint, fingerprint_in, job_name
from personalize_lambda.planner.world import (
    CampaignState,
    DatasetState,
    File,
    ImportJob,
    Job,
    JobState,
    SolutionState,
    SolutionVersion,
    World,
)

P = "arn:aws:personalize:us-east-1:000000000000"
DATASET = f"{P}:dataset/films/INTERACTIONS"
GROUP = f"{P}:dataset-group/films"
SOLUTION = f"{P}:solution/picks"
CAMPAIGN = f"{P}:campaign/live"
TAGS = [{"tagKey": "cdk-personalize:owner", "tagValue": "films"}]
FILES: tuple[File, ...] = (("in/a.json", '"e1"', 10),)
OTHER: tuple[File, ...] = (*FILES, ("in/b.json", '"e2"', 12))
DAY = 86_400.0
NOW = 100 * DAY

OUTPUT = {"s3DataDestination": {"path": "s3://data/out/"}}
BATCH = {
    "kind": "BatchInferenceJob",
    "name": "Mail",
    "jobPrefix": "films-Mail",
    "solutionArn": SOLUTION,
    "input": {"bucket": "data", "prefix": "in/", "suffix": ""},
    "configuration": {"jobInput": {"s3DataSource": {"path": "s3://data/in/"}}, "jobOutput": OUTPUT},
    "roleArn": "arn:aws:iam::000000000000:role/service",
    "tags": TAGS,
}
EXPORT = {
    "kind": "DatasetExportJob",
    "name": "Backup",
    "jobPrefix": "films-Backup",
    "datasetArn": DATASET,
    "configuration": {"ingestionMode": "ALL", "jobOutput": OUTPUT},
    "roleArn": "arn:aws:iam::000000000000:role/service",
    "tags": TAGS,
}
DELETION = {
    "kind": "DataDeletionJob",
    "name": "Forget",
    "jobPrefix": "films-Forget",
    "datasetGroupArn": GROUP,
    "input": {"bucket": "data", "prefix": "forget/", "suffix": ".csv"},
    "configuration": {"dataSource": {"dataLocation": "s3://data/forget/"}},
    "roleArn": "arn:aws:iam::000000000000:role/service",
    "tags": TAGS,
}
DAILY = {"every": DAY}


def document(*jobs: dict[str, Any]) -> dict[str, Any]:
    return {
        "owner": "films",
        "datasetGroupArn": GROUP,
        "datasets": [{"name": "interactions", "datasetArn": DATASET}],
        "solutions": [{"name": "picks", "solutionArn": SOLUTION, "campaigns": [{"campaignArn": CAMPAIGN}]}],
        "jobs": list(jobs),
    }


def made(
    declared: dict[str, Any],
    status: str = "ACTIVE",
    *,
    files: tuple[File, ...] = FILES,
    age: float = DAY / 2,
    version: str | None = "v0",
    **changes: Any,
) -> Job:
    """A job that was made for a declaration, with these files there."""
    digest = fingerprint(files, {**declared["configuration"], **changes})
    name = job_name(declared["jobPrefix"], digest, f"run-{age}")
    arn = version and f"{SOLUTION}/{version}"
    return Job(arn=f"job/{name}", name=name, status=status, created=NOW - age, solution_version_arn=arn)


def world(
    *jobs: Job, files: tuple[File, ...] = FILES, versions: tuple[str, ...] = ("ACTIVE",), serves: str | None = None
) -> World:
    state = SolutionState(
        arn=SOLUTION,
        name="picks",
        status="ACTIVE",
        owned=True,
        versions=[SolutionVersion(arn=f"{SOLUTION}/v{n}", status=s, created=n) for n, s in enumerate(versions)],
    )
    campaign = CampaignState(
        arn=CAMPAIGN,
        name="live",
        status="ACTIVE",
        update_status=None,
        owned=True,
        solution_version_arn=f"{SOLUTION}/{serves}",
        configuration={},
    )
    imported = ImportJob(arn="import", name="import", status="ACTIVE", created=1)
    return World(
        now=NOW,
        datasets={DATASET: DatasetState(files=(), imports=[imported])},
        solutions={SOLUTION: state},
        campaigns={CAMPAIGN: campaign} if serves else {},
        jobs={
            "films-Mail": JobState(files=files, jobs=jobs),
            "films-Backup": JobState(jobs=jobs),
            "films-Forget": JobState(files=files, jobs=jobs),
        },
    )


TWO = ("ACTIVE", "ACTIVE")


@pytest.mark.parametrize(
    ("changes", "existing", "version"),
    [
        pytest.param({}, world(), "v0", id="never made"),
        pytest.param({}, world(made(BATCH)), None, id="made"),
        pytest.param({}, world(made(BATCH, age=9 * DAY)), None, id="made long ago"),
        pytest.param({}, world(made(BATCH), files=OTHER), "v0", id="other files"),
        pytest.param({}, world(made(BATCH, numResults=5)), "v0", id="made as it was declared before"),
        pytest.param({}, world(made(BATCH), versions=TWO), "v1", id="newer version"),
        pytest.param({}, world(made(BATCH), versions=("ACTIVE", "CREATE IN_PROGRESS")), None, id="version in training"),
        pytest.param({}, world(made(BATCH), versions=("ACTIVE", "CREATE FAILED")), None, id="version failed"),
        pytest.param({}, world(made(BATCH), versions=TWO, serves="v0"), None, id="newer version does not serve"),
        pytest.param({}, world(versions=TWO, serves="v0"), "v0", id="the version that serves"),
        pytest.param({}, world(versions=TWO, serves="$LATEST"), "v1", id="campaign of an unknown version"),
        pytest.param({}, world(made(BATCH, "CREATE FAILED")), "v0", id="failed"),
        pytest.param({}, world(made(BATCH, "CREATE FAILED", age=1), made(BATCH)), None, id="failed after it was made"),
        pytest.param({}, world(made(BATCH, version="other")), "v0", id="made for a solution that was another"),
        pytest.param(DAILY, world(made(BATCH)), None, id="not due yet"),
        pytest.param(DAILY, world(made(BATCH), versions=TWO), None, id="not due yet although the version is newer"),
        pytest.param(DAILY, world(made(BATCH, age=DAY)), "v0", id="due"),
        pytest.param(DAILY, world(made(BATCH, age=DAY - 30)), "v0", id="due all but some seconds"),
        pytest.param(DAILY, world(made(BATCH, age=0.9 * DAY)), None, id="due soon"),
        pytest.param(DAILY, world(made(BATCH), files=OTHER), "v0", id="not due yet, but other files"),
        pytest.param(DAILY, world(made(BATCH, age=3 * DAY), made(BATCH)), None, id="the newest counts"),
        pytest.param(DAILY, world(made(BATCH, "CREATE FAILED"), made(BATCH, age=DAY)), "v0", id="failed when due"),
    ],
)
def test_when_a_batch_job_is_due(changes: dict[str, Any], existing: World, version: str | None) -> None:
    plan = plan_jobs(document({**BATCH, **changes}), existing, "run")
    assert plan["waitingFor"] == []
    assert [step["create"]["solutionVersionArn"] for step in plan["jobs"]] == (
        [f"{SOLUTION}/{version}"] if version else []
    )
    assert all(step["running"] is None for step in plan["jobs"])


@pytest.mark.parametrize(
    ("existing", "creates"),
    [
        pytest.param(world(made(BATCH, "CREATE IN_PROGRESS")), False, id="the same"),
        pytest.param(world(made(BATCH, "CREATE PENDING"), files=OTHER), True, id="of other files"),
        pytest.param(world(made(BATCH, "CREATE PENDING"), made(BATCH, age=DAY)), False, id="again"),
        pytest.param(
            world(made(BATCH, "CREATE PENDING", files=OTHER), made(BATCH)), False, id="of other files, not due"
        ),
        pytest.param(world(made(BATCH, "CREATE PENDING"), versions=TWO), True, id="of a version that serves no more"),
        pytest.param(world(made(BATCH, "CREATE PENDING", version="v1"), versions=TWO), False, id="of the new version"),
        pytest.param(
            world(made(BATCH, "CREATE PENDING"), made(BATCH, version="v1"), versions=TWO), False, id="of both versions"
        ),
    ],
)
def test_a_job_under_way_is_followed(existing: World, creates: bool) -> None:
    running = existing.jobs["films-Mail"].jobs[0]
    (step,) = plan_jobs(document(BATCH), existing, "run")["jobs"]
    assert step["running"] == running.arn
    assert (step["create"] is not None) is creates
    name = step["create"]["jobName"] if creates else running.name
    assert step["output"] == f"s3://data/out/{name}/"


def test_a_job_of_a_schedule_is_followed_whatever_version_it_uses() -> None:
    existing = world(made(BATCH, "CREATE PENDING"), versions=TWO)
    (step,) = plan_jobs(document({**BATCH, **DAILY}), existing, "run")["jobs"]
    assert (step["running"], step["create"]) == (existing.jobs["films-Mail"].jobs[0].arn, None)


def test_what_a_batch_job_is_made_with() -> None:
    (step,) = plan_jobs(document(BATCH), world(), "run")["jobs"]
    create = step["create"]
    assert belongs(create["jobName"], "films-Mail")
    assert fingerprint_in(create["jobName"]) == fingerprint(FILES, BATCH["configuration"])
    assert create == {
        "jobName": create["jobName"],
        "solutionVersionArn": f"{SOLUTION}/v0",
        "jobInput": {"s3DataSource": {"path": "s3://data/in/"}},
        "jobOutput": {"s3DataDestination": {"path": f"s3://data/out/{create['jobName']}/"}},
        "roleArn": BATCH["roleArn"],
        "tags": TAGS,
    }
    assert step["createArn"] == f"{P}:batch-inference-job/{create['jobName']}"
    assert OUTPUT == {"s3DataDestination": {"path": "s3://data/out/"}}


@pytest.mark.parametrize(
    ("declared", "existing", "waiting"),
    [
        (BATCH, world(files=()), []),
        (BATCH, world(versions=()), ["Mail: a trained version of picks"]),
        (BATCH, world(versions=("CREATE FAILED",)), ["Mail: a trained version of picks"]),
        (BATCH, replace(world(), solutions={}), ["Mail: a trained version of picks"]),
        (BATCH, world(made(BATCH), files=()), []),
        (
            EXPORT,
            replace(world(), datasets={DATASET: DatasetState(files=(), imports=())}),
            ["Backup: data for interactions"],
        ),
    ],
)
def test_what_is_waited_for(declared: dict[str, Any], existing: World, waiting: list[str]) -> None:
    assert plan_jobs(document(declared), existing, "run") == {"jobs": [], "waitingFor": waiting}


def refusing(existing: World, *refused: str) -> World:
    """The world in which the quality gate refused these versions."""
    state = existing.solutions[SOLUTION]
    versions = [replace(v, verdict="refused: bad") if v.arn.rsplit("/")[-1] in refused else v for v in state.versions]
    return replace(existing, solutions={SOLUTION: replace(state, versions=versions)})


def test_a_refused_version_is_not_used_unless_it_serves() -> None:
    for existing, used in (
        (refusing(world(versions=TWO), "v1"), ["v0"]),
        (refusing(world(versions=TWO), "v0", "v1"), []),
        (refusing(world(versions=TWO, serves="v1"), "v1"), ["v1"]),
    ):
        plan = plan_jobs(document(BATCH), existing, "run")
        assert [step["create"]["solutionVersionArn"] for step in plan["jobs"]] == [f"{SOLUTION}/{v}" for v in used]
        assert plan["waitingFor"] == ([] if used else ["Mail: a trained version of picks"])


def test_a_solution_of_something_else_is_not_used() -> None:
    foreign = replace(world().solutions[SOLUTION], owned=False)
    plan = plan_jobs(document(BATCH), replace(world(), solutions={SOLUTION: foreign}), "run")
    assert plan == {"jobs": [], "waitingFor": ["Mail: a trained version of picks"]}


@pytest.mark.parametrize(
    ("changes", "existing", "is_due"),
    [
        pytest.param({}, world(), True, id="never made"),
        pytest.param({}, world(made(EXPORT, files=(), version=None, age=9 * DAY)), False, id="made once"),
        pytest.param(DAILY, world(made(EXPORT, files=(), version=None)), False, id="not due yet"),
        pytest.param(DAILY, world(made(EXPORT, files=(), version=None, age=DAY)), True, id="due"),
        pytest.param({}, world(made(EXPORT, files=(), version=None, ingestionMode="PUT")), True, id="was another"),
        pytest.param(
            {"configuration": {**EXPORT["configuration"], "ingestionMode": "PUT"}},
            replace(world(), datasets={DATASET: DatasetState(files=(), imports=())}),
            True,
            id="events need no import",
        ),
    ],
)
def test_when_an_export_is_due(changes: dict[str, Any], existing: World, is_due: bool) -> None:
    plan = plan_jobs(document({**EXPORT, **changes}), existing, "run")
    assert plan["waitingFor"] == []
    assert [step["create"]["datasetArn"] for step in plan["jobs"]] == [DATASET] * is_due
    assert [step["createArn"].startswith(f"{P}:dataset-export-job/films-Backup-") for step in plan["jobs"]] == [
        True
    ] * is_due


def forgotten(status: str = "COMPLETED", **arguments: Any) -> Job:
    return made(DELETION, status, version=None, **arguments)


@pytest.mark.parametrize(
    ("existing", "running", "creates"),
    [
        pytest.param(world(), False, True, id="never made"),
        pytest.param(world(files=()), False, False, id="no files"),
        pytest.param(world(forgotten()), False, False, id="made"),
        pytest.param(world(forgotten(), files=OTHER), False, True, id="another file"),
        pytest.param(world(forgotten(files=OTHER, age=1), forgotten()), False, False, id="made before the last"),
        pytest.param(world(forgotten("FAILED")), False, True, id="failed"),
        pytest.param(world(forgotten("IN_PROGRESS")), True, False, id="under way"),
        pytest.param(world(forgotten("PENDING"), files=OTHER), True, True, id="other files under way"),
    ],
)
def test_deletions(existing: World, running: bool, creates: bool) -> None:
    steps = plan_deletions(document(DELETION, BATCH, EXPORT), existing, "run")
    assert len(steps) == (running or creates)
    for step in steps:
        assert (step["running"] is not None, step["create"] is not None) == (running, creates)
        assert step["output"] is None
        if creates:
            assert step["create"] == {
                "jobName": step["create"]["jobName"],
                "datasetGroupArn": GROUP,
                "dataSource": {"dataLocation": "s3://data/forget/"},
                "roleArn": DELETION["roleArn"],
                "tags": TAGS,
            }
            assert step["createArn"] == f"{P}:data-deletion-job/{step['create']['jobName']}"


def test_a_plan_that_was_carried_out_leaves_nothing_to_do() -> None:
    for declared, status in ((BATCH, "ACTIVE"), (EXPORT, "ACTIVE"), (DELETION, "COMPLETED")):
        before = world()
        planned = [
            *plan_deletions(document(declared), before, "r"),
            *plan_jobs(document(declared), before, "r")["jobs"],
        ]
        (create,) = (step["create"] for step in planned)
        job = Job(
            arn="arn",
            name=create["jobName"],
            status=status,
            created=NOW,
            solution_version_arn=create.get("solutionVersionArn"),
        )
        after = world(job)
        assert plan_deletions(document(declared), after, "r2") == []
        assert plan_jobs(document(declared), after, "r2") == {"jobs": [], "waitingFor": []}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("films-Mail-0123456789ab-01234567", True),
        ("films-Mail-Weekly-0123456789ab-01234567", False),
        ("other-films-Mail-0123456789ab-01234567", False),
        ("films-Mail-0123456789ab", False),
        ("films-Mail", False),
    ],
)
def test_whose_a_job_is(name: str, expected: bool) -> None:
    assert belongs(name, "films-Mail") is expected
