# ruff: noqa: E501  the rows of tables are lines
"""What is to be done in every combination of what is declared and what exists, by kind of resource."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

import pytest

from personalize_lambda.planner.imports import plan_imports
from personalize_lambda.planner.jobs import plan_deletions, plan_jobs
from personalize_lambda.planner.names import fingerprint, job_name
from personalize_lambda.planner.prune import plan_prune
from personalize_lambda.planner.recommenders import plan_recommenders
from personalize_lambda.planner.solutions import plan_solutions
from personalize_lambda.planner.world import (
    DatasetState,
    ImportJob,
    Job,
    JobState,
    SolutionState,
    SolutionVersion,
    World,
)
from tests.lambda_unit.planner import tables
from tests.lambda_unit.planner.support import (
    DATASET,
    FILES,
    OTHER,
    READY,
    SOLUTION,
    TAGS,
    P,
    document,
    job,
    live,
    of_domain,
    with_recommender,
    world,
)

DAY = 24 * 3600.0
NOW = 100 * DAY
OWNERS = ("ours", "foreign")
UNDECLARED = ("not declared", "as it is")


def words(*found: str | None) -> str:
    return ", ".join(word for word in found if word) or "-"


def refusing(plan: Any) -> str:
    """What is planned, or that the whole plan is refused."""
    try:
        return str(plan())
    except ValueError as error:
        text = str(error)
        return "refuse" if "exists already and does not carry this workflow's owner tag" in text else text


# --- Imports ---


def of_import(existing: str, declared: str) -> str:
    """Imports of a source (``all``) or of additions to what was imported from it."""
    mode, files = declared.split(", ")
    now = {"no files": (), "the same files": FILES, "other files": OTHER}[files]
    jobs: list[ImportJob] = []
    if existing != tables.NONE:
        status, owner = existing.split(", ")
        made = job(status, created=2)
        jobs = [made if owner == "ours" else replace(made, name="first-import")]
    wanted = document()
    if mode == "all":
        state = DatasetState(files=now, imports=jobs)
    else:
        wanted["datasets"][0]["incremental"] = {"bucket": "data", "prefix": "films/"}
        source = (("source.csv", "s", 1),)
        jobs = [job(files=source), *(replace(each, mode="INCREMENTAL") for each in jobs)]
        state = DatasetState(files=source, imports=jobs, additions=now)
    plan = plan_imports(wanted, World(datasets={DATASET: state}), "run")
    return words(
        *("wait for files" for _ in plan["waitingFor"]),
        *(
            word
            for step in plan["imports"]
            for word in (
                step["running"] and ("follow" if step["runningIsWanted"] else "let end"),
                *("import" for _ in step["jobs"]),
            )
        ),
    )


# --- Solutions ---


def of_solution(existing: str, declared: str) -> str:
    """The solution itself; it has a trained version, as far as it could be made."""
    wanted = document(solutions=declared != "not declared", campaigns=False)
    for solution in wanted["solutions"]:
        solution["configuration"] |= {"performAutoTraining": declared == "changed"}
    solutions = {}
    if existing != tables.NONE:
        status, owner = existing.split(", ")
        versions = [SolutionVersion(arn=f"{SOLUTION}/v0", status="ACTIVE", created=1)] if status == "ACTIVE" else []
        solutions[SOLUTION] = SolutionState(
            arn=SOLUTION,
            name="top-picks-1",
            status=status,
            owned=owner == "ours",
            versions=versions,
            configuration={"performAutoTraining": False},
        )
    there = replace(world(jobs=READY), solutions=solutions)

    def plan() -> str:
        steps = plan_solutions(wanted, there, [])["solutions"]
        pruned = plan_prune(wanted, there)["prunedSolutions"]
        done = [part for step in steps for part in ("create", "update", "train") if step[part]]
        return words(*done, *("prune" for _ in pruned))

    return refusing(plan)


# --- Solution versions ---

VERDICTS = ("not judged", "refused", "chosen")


def of_version(existing: str, declared: str) -> str:
    """The only version of a solution, two days old, and the campaign that there is none of yet."""
    wanted = document(solutions=declared != "not declared")
    for solution in wanted["solutions"]:
        solution["training"] = {
            "trained daily": {"every": DAY},
            "trained weekly": {"every": 7 * DAY},
            "updated daily": {"every": DAY, "fullEvery": 7 * DAY},
        }.get(declared)
    versions = []
    if existing != tables.NONE:
        status, verdict = existing.split(", ")
        versions = [
            SolutionVersion(
                arn=f"{SOLUTION}/v0",
                status=status,
                created=NOW - 2 * DAY,
                verdict=None if verdict == "not judged" else f"{verdict}: by a test",
            )
        ]
    there = world(jobs=READY, versions=())
    there = replace(there, now=NOW, solutions={SOLUTION: replace(there.solutions[SOLUTION], versions=versions)})
    plan = plan_solutions(wanted, there, [])
    return words(
        *("stop" for _ in plan["trainings"]),
        *("wait for another" for _ in plan["waitingFor"]),
        *(
            word
            for step in plan["solutions"]
            for word in (
                step["train"] and {"FULL": "train", "UPDATE": "update"}[step["train"]["trainingMode"]],
                "serve" if step["solutionVersionArn"] else None,
            )
        ),
    )


# --- Campaigns ---


def of_campaign(existing: str, declared: str) -> str:
    """A campaign of a solution with two versions, the newer of which is ``v1``."""
    wanted = document(tps=2 if declared == "other throughput" else 1, campaigns=declared != "not declared")
    campaign = None
    if existing != tables.NONE:
        status, update, owner = existing.split(", ")
        campaign = live(
            f"{SOLUTION}/{'v0' if declared == 'newer version' else 'v1'}",
            status=status,
            update_status=None if update == tables.NONE else update,
            owned=owner == "ours",
        )
    there = world(jobs=READY, versions=("ACTIVE", "ACTIVE"), campaign=campaign)

    def plan() -> str:
        steps = plan_solutions(wanted, there, [])["solutions"]
        pruned = plan_prune(wanted, there)["campaigns"]
        return words(*(c["action"] for step in steps for c in step["campaigns"]), *("prune" for _ in pruned))

    return refusing(plan)


# --- Recommenders ---


def of_recommender(existing: str, declared: str) -> str:
    wanted = document(solutions=False) | {"recommenders": []}
    if declared != "not declared":
        wanted = of_domain(
            running=not declared.startswith("stopped"), requests=2 if declared.endswith("other throughput") else 1
        )
    there = world(jobs=READY)
    if existing != tables.NONE:
        status, update, owner = existing.split(", ")
        there = with_recommender(status, None if update == tables.NONE else update, owned=owner == "ours")

    def plan() -> str:
        steps = plan_recommenders(wanted, there, [])["recommenders"]
        pruned = plan_prune(wanted, there)["prunedRecommenders"]
        done = [word for step in steps for word in (step["isBusy"] and "wait", *(a["action"] for a in step["actions"]))]
        return words(*done, *("prune" for _ in pruned))

    return refusing(plan)


# --- Jobs ---

OUTPUT = {"s3DataDestination": {"path": "s3://data/out/"}}
JOBS: dict[str, dict[str, Any]] = {
    "BatchInferenceJob": {"solutionArn": SOLUTION},
    "BatchSegmentJob": {"solutionArn": SOLUTION},
    "DatasetExportJob": {"datasetArn": DATASET},
    "DataDeletionJob": {"datasetGroupArn": f"{P}:dataset-group/films"},
}
CONFIGURATION: dict[str, dict[str, Any]] = {
    "BatchInferenceJob": {"jobInput": {"s3DataSource": {"path": "s3://data/in/"}}, "jobOutput": OUTPUT},
    "BatchSegmentJob": {"jobInput": {"s3DataSource": {"path": "s3://data/in/"}}, "jobOutput": OUTPUT},
    "DatasetExportJob": {"ingestionMode": "ALL", "jobOutput": OUTPUT},
    "DataDeletionJob": {"dataSource": {"dataLocation": "s3://data/in/"}},
}


def of_job(kind: str, existing: str, declared: str) -> str:
    """A job that was made two days ago, if there is one."""
    files = () if kind == "DatasetExportJob" or declared == "no files" else FILES
    configuration = CONFIGURATION[kind]
    wanted = document()
    wanted["jobs"] = [
        {
            "kind": kind,
            "name": "Job",
            "jobPrefix": "films-Job",
            "configuration": configuration | ({"more": 1} if declared == "changed" else {}),
            "roleArn": "role",
            "tags": TAGS,
            **JOBS[kind],
            **({"every": {"daily": DAY, "weekly": 7 * DAY}[declared]} if declared in ("daily", "weekly") else {}),
        }
        for _ in range(declared != "not declared")
    ]
    jobs = []
    if existing != tables.NONE:
        made = () if kind == "DatasetExportJob" else FILES
        jobs = [
            Job(
                arn="job",
                name=job_name("films-Job", fingerprint(made, configuration), "earlier"),
                status=existing,
                created=NOW - 2 * DAY,
                solution_version_arn=f"{SOLUTION}/v0" if "solutionArn" in JOBS[kind] else None,
            )
        ]
    versions = ("ACTIVE", "ACTIVE") if declared == "newer version" else ("ACTIVE",)
    there = replace(world(jobs=READY, versions=versions), now=NOW, jobs={"films-Job": JobState(files=files, jobs=jobs)})
    plan = plan_jobs(wanted, there, "run")
    steps = [*plan_deletions(wanted, there, "run"), *plan["jobs"]]
    return words(
        *("wait for files" for _ in plan["waitingFor"]),
        *(word for step in steps for word in (step["running"] and "follow", step["create"] and "make")),
    )


IMPORTS = """
                                            all, no files   all, the same files  all, other files  additions, no files  additions, the same files  additions, other files
none                                        wait for files  import               import            -                    import                     import
CREATE PENDING|CREATE IN_PROGRESS, ours     wait for files  follow               let end, import   -                    follow                     let end, import
CREATE PENDING|CREATE IN_PROGRESS, by hand  wait for files  let end, import      let end, import   -                    let end, import            let end, import
ACTIVE, ours                                -               -                    import            -                    -                          import
ACTIVE, by hand                             -               import               import            -                    import                     import
CREATE FAILED, any                          wait for files  import               import            -                    import                     import
"""
SOLUTIONS = """
                                         not declared  as it is       changed
none                                     -             create, train  create, train
CREATE PENDING|CREATE IN_PROGRESS, ours  prune         train          update, train
ACTIVE, ours                             prune         -              update
CREATE FAILED, ours                      prune         train, prune   train, prune
DELETE PENDING|DELETE IN_PROGRESS, ours  prune         train          update, train
any, foreign                             -             refuse         refuse
"""
VERSIONS = """
                                                                      not declared  trained by nobody  trained weekly    trained daily     updated daily
none                                                                  -             train              train             train             train
CREATE PENDING|CREATE IN_PROGRESS|CREATE STOPPING, not judged|chosen  stop          serve              serve             serve             serve
CREATE PENDING|CREATE IN_PROGRESS|CREATE STOPPING, refused            stop          wait for another   wait for another  wait for another  wait for another
ACTIVE, not judged|chosen                                             -             serve              serve             train             update
ACTIVE, refused                                                       -             wait for another   wait for another  train             train
CREATE FAILED|CREATE STOPPED, any                                     -             train              train             train             train
"""
CAMPAIGNS = """
                                                                                                 not declared  as it is  newer version  other throughput
none                                                                                             -             create    create         create
CREATE PENDING|CREATE IN_PROGRESS, none|CREATE PENDING|CREATE IN_PROGRESS|ACTIVE, ours           prune         wait      update         update
ACTIVE, none|ACTIVE, ours                                                                        prune         -         update         update
ACTIVE, CREATE PENDING|CREATE IN_PROGRESS, ours                                                  prune         wait      update         update
DELETE PENDING|DELETE IN_PROGRESS, none|CREATE PENDING|CREATE IN_PROGRESS|ACTIVE, ours           prune         wait      update         update
CREATE PENDING|CREATE IN_PROGRESS|ACTIVE|DELETE PENDING|DELETE IN_PROGRESS, CREATE FAILED, ours  prune         update    update         update
CREATE FAILED, any, ours                                                                         prune         update    update         update
any, any, foreign                                                                                -             refuse    refuse         refuse
"""
RECOMMENDERS = """
                                                                                        not declared  as it is             other throughput     stopped      stopped, other throughput
none                                                                                    -             create               create               -            -
CREATE PENDING|CREATE IN_PROGRESS, none|CREATE PENDING|CREATE IN_PROGRESS|ACTIVE, ours  prune         wait                 wait, update         wait, stop   wait, update, stop
CREATE PENDING|CREATE IN_PROGRESS, CREATE FAILED, ours                                  prune         wait, update         wait, update         wait, stop   wait, update, stop
ACTIVE, none|ACTIVE, ours                                                               prune         -                    update               stop         update, stop
ACTIVE, CREATE PENDING|CREATE IN_PROGRESS, ours                                         prune         wait                 wait, update         wait, stop   wait, update, stop
ACTIVE, CREATE FAILED, ours                                                             prune         update               update               stop         update, stop
CREATE FAILED, any, ours                                                                prune         wait, prune          wait, prune          wait, prune  wait, prune
STOP PENDING|STOP IN_PROGRESS, none|CREATE PENDING|CREATE IN_PROGRESS|ACTIVE, ours      prune         wait, start          wait, start, update  wait         wait
STOP PENDING|STOP IN_PROGRESS, CREATE FAILED, ours                                      prune         wait, start, update  wait, start, update  wait         wait
INACTIVE, none|ACTIVE, ours                                                             prune         start                start, update        -            -
INACTIVE, CREATE FAILED, ours                                                           prune         start, update        start, update        -            -
INACTIVE, CREATE PENDING|CREATE IN_PROGRESS, ours                                       prune         wait, start          wait, start, update  wait         wait
START PENDING|START IN_PROGRESS, none|CREATE PENDING|CREATE IN_PROGRESS|ACTIVE, ours    prune         wait                 wait, update         wait, stop   wait, update, stop
START PENDING|START IN_PROGRESS, CREATE FAILED, ours                                    prune         wait, update         wait, update         wait, stop   wait, update, stop
DELETE PENDING|DELETE IN_PROGRESS, any, ours                                            prune         wait                 wait                 wait         wait
any, any, foreign                                                                       -             refuse               refuse               refuse       refuse
"""
BATCH_JOBS = """
                                   not declared  as it is  changed       weekly  daily   no files        newer version
none                               -             make      make          make    make    -               make
CREATE PENDING|CREATE IN_PROGRESS  -             follow    follow, make  follow  follow  follow          follow, make
ACTIVE                             -             -         make          -       make    -               make
CREATE FAILED                      -             make      make          make    make    -               make
"""
EXPORTS = """
                                   not declared  as it is  changed       weekly  daily
none                               -             make      make          make    make
CREATE PENDING|CREATE IN_PROGRESS  -             follow    follow, make  follow  follow
ACTIVE                             -             -         make          -       make
CREATE FAILED                      -             make      make          make    make
"""
DELETIONS = """
                     not declared  as it is  changed       no files
none                 -             make      make          -
PENDING|IN_PROGRESS  -             follow    follow, make  -
COMPLETED            -             -         make          -
FAILED               -             make      make          -
"""

Rule = Callable[[str, str], str]
#: By kind of resource: what the planner does, what may be declared, the parts of what may exist, and the table
KINDS: dict[str, tuple[Rule, Sequence[str], Sequence[Sequence[str]], str]] = {
    "import": (
        of_import,
        [
            f"{what}, {files}"
            for what in ("all", "additions")
            for files in ("no files", "the same files", "other files")
        ],
        (tables.MADE, ("ours", "by hand")),
        IMPORTS,
    ),
    "solution": (of_solution, (*UNDECLARED, "changed"), (tables.MODEL, OWNERS), SOLUTIONS),
    "version": (
        of_version,
        ("not declared", "trained by nobody", "trained weekly", "trained daily", "updated daily"),
        (tables.VERSION, VERDICTS),
        VERSIONS,
    ),
    "campaign": (
        of_campaign,
        (*UNDECLARED, "newer version", "other throughput"),
        (tables.MODEL, tables.UPDATE, OWNERS),
        CAMPAIGNS,
    ),
    "recommender": (
        of_recommender,
        (*UNDECLARED, "other throughput", "stopped", "stopped, other throughput"),
        (tables.RECOMMENDER, tables.UPDATE, OWNERS),
        RECOMMENDERS,
    ),
    **{
        kind: (
            partial(of_job, kind),
            (*UNDECLARED, "changed", "weekly", "daily", "no files", "newer version"),
            (tables.JOB,),
            BATCH_JOBS,
        )
        for kind in ("BatchInferenceJob", "BatchSegmentJob")
    },
    "DatasetExportJob": (
        partial(of_job, "DatasetExportJob"),
        (*UNDECLARED, "changed", "weekly", "daily"),
        (tables.JOB,),
        EXPORTS,
    ),
    "DataDeletionJob": (
        partial(of_job, "DataDeletionJob"),
        (*UNDECLARED, "changed", "no files"),
        (tables.DELETION,),
        DELETIONS,
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_combination_is_in_the_table(kind: str) -> None:
    _, declared, parts, text = KINDS[kind]
    assert set(tables.parse(text, *parts)) == set(product(tables.states(*parts), declared))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_done_is_what_the_table_says(kind: str) -> None:
    rule, _, parts, text = KINDS[kind]
    expected = tables.parse(text, *parts)
    assert {combination: rule(*combination) for combination in expected} == expected


def test_a_table_with_a_row_too_many_is_refused() -> None:
    with pytest.raises(ValueError, match="'ACTIVE' is there twice"):
        tables.parse("as it is\nACTIVE  -\nany  -", tables.MADE)
