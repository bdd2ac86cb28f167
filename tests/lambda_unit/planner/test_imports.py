"""Imports: what a dataset's folders hold against what was imported."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from personalize_lambda.planner.imports import plan_imports
from personalize_lambda.planner.world import (
    DatasetState,
    ImportJob,
    World,
)
from tests.lambda_unit.planner.simulator import Service
from tests.lambda_unit.planner.support import (
    DATASET,
    FILES,
    OTHER,
    P,
    document,
    job,
    world,
)


@pytest.mark.parametrize(
    ("existing", "running", "creates"),
    [
        pytest.param(world(), None, True, id="nothing imported"),
        pytest.param(world(jobs=(job(),)), None, None, id="imported already"),
        pytest.param(world(jobs=(job(files=OTHER),)), None, True, id="other files imported"),
        pytest.param(world(jobs=(job(), job(files=OTHER, created=2))), None, True, id="went back to earlier files"),
        pytest.param(world(jobs=(job("CREATE FAILED"),)), None, True, id="failed before"),
        pytest.param(world(jobs=(job("CREATE IN_PROGRESS"),)), "job-1", False, id="under way"),
        pytest.param(world(jobs=(job("CREATE PENDING", OTHER),)), "job-1", True, id="other files under way"),
        pytest.param(world(files=(), jobs=(job(),)), None, None, id="files removed after import"),
    ],
)
def test_imports(existing: World, running: str | None, creates: bool | None) -> None:
    plan = plan_imports(document(), existing, "run-1")
    if creates is None:
        assert plan == {"imports": [], "waitingFor": []}
        return
    (step,) = plan["imports"]
    assert (step["running"], len(step["jobs"]) == 1) == (running, creates)
    assert [job["create"]["importMode"] for job in step["jobs"]] == ["FULL"] * len(step["jobs"])
    assert step["runningIsWanted"] is (running is not None and not creates)
    assert plan["waitingFor"] == []


ADDED = {
    name: ((f"films/more/{name}", f'"{name}"', 10),) for name in ("day-1.csv", "day-2.csv", "week/a.csv", "week/b.csv")
}
WEEK = (*ADDED["week/a.csv"], *ADDED["week/b.csv"])
MORE = "s3://data/films/more/"


def added(
    files: tuple[tuple[str, str, int], ...], status: str = "ACTIVE", created: float = 2, mode: str = "INCREMENTAL"
) -> ImportJob:
    return replace(job(status, files, created), mode=mode)


def with_additions(*jobs: ImportJob, files: tuple[tuple[str, str, int], ...] = FILES) -> World:
    additions = tuple(file for part in ADDED.values() for file in part)
    return World(datasets={DATASET: DatasetState(files=files, imports=jobs, additions=additions)})


def incremental(**changes: Any) -> dict[str, Any]:
    wanted = document()
    wanted["datasets"][0] |= {"incremental": {"bucket": "data", "prefix": "films/more/"}, **changes}
    return wanted


DAYS = (added(ADDED["day-1.csv"], created=2), added(ADDED["day-2.csv"], created=3))


@pytest.mark.parametrize(
    ("existing", "running", "wanted", "jobs"),
    [
        pytest.param(with_additions(), None, False, ["FULL", "day-1.csv", "day-2.csv", "week/"], id="nothing imported"),
        pytest.param(with_additions(job()), None, False, ["day-1.csv", "day-2.csv", "week/"], id="none added"),
        pytest.param(with_additions(job(), *DAYS), None, False, ["week/"], id="some added"),
        pytest.param(with_additions(job(), *DAYS, added(WEEK, created=4)), None, None, None, id="all added"),
        pytest.param(
            with_additions(job(), *DAYS, added(ADDED["week/a.csv"], created=4)),
            None,
            False,
            ["week/"],
            id="a file came into a folder that was added",
        ),
        pytest.param(
            with_additions(job(), *DAYS, added(WEEK, "CREATE FAILED", 4)), None, False, ["week/"], id="addition failed"
        ),
        pytest.param(
            with_additions(job(), *DAYS, added(WEEK, "CREATE IN_PROGRESS", 4)), "job-4", True, [], id="being added"
        ),
        pytest.param(
            with_additions(job(), added(OTHER, "CREATE PENDING", 4)),
            "job-4",
            False,
            ["day-1.csv", "day-2.csv", "week/"],
            id="something else being added",
        ),
        pytest.param(
            with_additions(job(files=OTHER), *DAYS),
            None,
            False,
            ["FULL", "day-1.csv", "day-2.csv", "week/"],
            id="all replaced, so all is added again",
        ),
        pytest.param(
            with_additions(job(files=OTHER), *DAYS, added(WEEK, "CREATE PENDING", 4)),
            "job-4",
            False,
            ["FULL", "day-1.csv", "day-2.csv", "week/"],
            id="all to be replaced while something is being added",
        ),
        pytest.param(
            with_additions(job(), *DAYS, job("CREATE IN_PROGRESS", created=5)),
            "job-5",
            True,
            ["day-1.csv", "day-2.csv", "week/"],
            id="all being replaced",
        ),
        pytest.param(
            with_additions(*DAYS, job(created=4)),
            None,
            False,
            ["day-1.csv", "day-2.csv", "week/"],
            id="added before all was replaced",
        ),
        pytest.param(with_additions(job(), *DAYS, files=()), None, False, ["week/"], id="source emptied"),
        pytest.param(
            with_additions(job(), added(WEEK, mode="FULL", created=2)),
            None,
            False,
            ["FULL", "day-1.csv", "day-2.csv", "week/"],
            id="a full import of what should be added",
        ),
    ],
)
def test_additions(existing: World, running: str | None, wanted: bool | None, jobs: list[str] | None) -> None:
    plan = plan_imports(incremental(), existing, "run-1")
    assert plan["waitingFor"] == []
    if jobs is None:
        assert plan["imports"] == []
        return
    (step,) = plan["imports"]
    assert (step["running"], step["runningIsWanted"]) == (running, wanted)
    created = [entry["create"] for entry in step["jobs"]]
    assert [
        "FULL" if each["importMode"] == "FULL" else each["dataSource"]["dataLocation"].removeprefix(MORE)
        for each in created
    ] == jobs
    assert len({each["jobName"] for each in created}) == len(jobs)
    assert [entry["arn"] for entry in step["jobs"]] == [f"{P}:dataset-import-job/{each['jobName']}" for each in created]


def test_a_plan_of_additions_that_was_carried_out_leaves_nothing() -> None:
    jobs: tuple[ImportJob, ...] = ()
    for run in ("run-1", "run-2"):
        plan = plan_imports(incremental(), with_additions(*jobs), run)
        jobs += tuple(
            ImportJob(arn=each["arn"], name=each["create"]["jobName"], status="ACTIVE", created=n, mode=mode)
            for step in plan["imports"]
            for n, each in enumerate(step["jobs"])
            for mode in [each["create"]["importMode"]]
        )
        assert len(jobs) == 4


def test_additions_wait_for_the_first_import_of_all() -> None:
    plan = plan_imports(incremental(), with_additions(files=()), "run-1")
    assert plan["imports"] == []
    assert plan["waitingFor"] == [
        "interactions: no CSV file in s3://data/films/interactions/ yet; what is in s3://data/films/more/ can only be "
        "added to what was imported from there"
    ]


SIXTY = tuple((f"films/more/{n:03}.csv", f'"{n}"', 10) for n in range(60))


def test_a_plan_has_a_limited_number_of_imports() -> None:
    state = DatasetState(files=FILES, imports=(job(),), additions=SIXTY)
    plan = plan_imports(incremental(), World(datasets={DATASET: state}), "run-1")
    (step,) = plan["imports"]
    locations = [each["create"]["dataSource"]["dataLocation"] for each in step["jobs"]]
    assert locations == [f"{MORE}{n:03}.csv" for n in range(25)]
    assert (step["left"], plan["waitingFor"]) == (35, [])


@pytest.mark.parametrize("imported", [(job(),), (), (job(files=OTHER),)])
def test_one_run_imports_sixty_additions_in_order_and_each_once(imported: tuple[ImportJob, ...]) -> None:
    """Also after all was replaced."""
    state = DatasetState(files=FILES, imports=imported, additions=SIXTY)
    wanted = {**incremental(), "recommenders": [], "jobs": []}
    service = Service(wanted, World(datasets={DATASET: state}, now=100))
    service.run()
    replaced = [] if imported == (job(),) else ["s3://data/films/interactions/"]
    assert service.imported == [*replaced, *(f"s3://data/{key}" for key, _, _ in SIXTY)]
    assert plan_imports(wanted, service.world, "run-2")["imports"] == []


def test_nothing_more_is_imported_of_what_has_failed_in_the_same_run() -> None:
    state = DatasetState(files=FILES, imports=(), additions=SIXTY)
    there = World(datasets={DATASET: state})
    assert plan_imports(incremental(), there, "run-1", ["interactions"]) == {"imports": [], "waitingFor": []}
    assert len(plan_imports(incremental(), there, "run-1", ["items"])["imports"]) == 1
    service = Service({**incremental(), "recommenders": [], "jobs": []}, there)
    service.run({"import"})
    assert len(service.imported) == 25


@pytest.mark.parametrize("publishes", [True, False])
def test_metrics_are_published_only_where_that_is_declared(publishes: bool) -> None:
    plan = plan_imports(incremental(publishAttributionMetrics=publishes), with_additions(), "run-1")
    for each in plan["imports"][0]["jobs"]:
        assert each["create"].get("publishAttributionMetricsToS3", False) is publishes


def test_missing_files_are_waited_for() -> None:
    plan = plan_imports(document(), world(files=()), "run-1")
    assert plan == {"imports": [], "waitingFor": ["interactions: no CSV file in s3://data/films/interactions/ yet"]}


def test_job_names_are_single_use_and_fit() -> None:
    long = document()
    long["datasets"][0]["jobPrefix"] = "x" * 63
    names = [
        plan_imports(long, world(), run)["imports"][0]["jobs"][0]["create"]["jobName"]
        for run in ("run-1", "run-2", "run-1")
    ]
    assert len(set(names)) == 2
    assert names[0] == names[2]
    assert max(map(len, names)) == 63


@pytest.mark.parametrize(("tags", "jobs"), [(0, 25), (50, 1)])
def test_a_plan_has_room_in_a_run_however_long_tags_are(tags: int, jobs: int) -> None:
    """What a run holds is at most 256 KB, for all datasets together."""
    declared = incremental()
    declared["datasets"][0]["tags"] = [{"tagKey": f"{n:0>128}", "tagValue": "x" * 256} for n in range(tags)]
    state = DatasetState(files=FILES, imports=(job(),), additions=SIXTY)
    [step] = plan_imports(declared, World(datasets={DATASET: state}), "run-1")["imports"]
    assert (len(step["jobs"]), step["left"]) == (jobs, 60 - jobs)
    assert len(json.dumps(step)) < 40_000
