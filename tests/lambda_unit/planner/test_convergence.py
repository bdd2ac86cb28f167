"""Runs converge: whatever is declared, whatever exists and whatever went wrong before, soon nothing is left to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from personalize_lambda.planner.names import fingerprint, job_name
from personalize_lambda.planner.world import (
    CampaignState,
    DatasetState,
    File,
    ImportJob,
    Job,
    JobState,
    RecommenderState,
    SolutionState,
    SolutionVersion,
    World,
)
from tests.lambda_unit.planner import tables
from tests.lambda_unit.planner.simulator import FAULTS, Service
from tests.lambda_unit.planner.support import DATASET, FILES, OTHER, TAGS, P, document

DAY = 24 * 3600.0
NOW = 100 * DAY
#: How many runs without faults it takes at most: one that follows what is under way or removes what has to go first,
#: one that puts right what came of it, and one that finds nothing
MOST_RUNS = 3
SOLUTIONS = ("old", "new")
CAMPAIGNS = ("live", "mail")
RECOMMENDERS = ("top", "trending")
ADDED: tuple[File, ...] = (("films/more/1.csv", "x", 1), ("films/more/2.csv", "y", 1))
#: More than one plan has
MANY: tuple[File, ...] = tuple((f"films/more/{number:02}.csv", f"{number}", 1) for number in range(60))
OUTPUT = {"s3DataDestination": {"path": "s3://data/out/"}}
GATE = {"thresholds": [{"metric": "coverage", "minimum": 0.1, "maxDrop": 0.1}], "firstVersion": "CHECK_MINIMUMS"}

some = st.booleans()
often = st.sampled_from([True, True, True, False])


def status(states: Sequence[str]) -> st.SearchStrategy[str]:
    """Any of the states, and mostly ACTIVE, without which not much can be there."""
    return st.one_of(st.just("ACTIVE"), st.just("ACTIVE"), st.sampled_from(states))


def arn(kind: str, name: str) -> str:
    return f"{P}:{kind}/{name}"


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A declared state: each solution, campaign, recommender and job may be there, in one of two forms."""
    wanted = document(solutions=False)
    if draw(some):
        wanted["datasets"][0]["incremental"] = {"bucket": "data", "prefix": "films/more/"}
    solutions = [name for name in SOLUTIONS if draw(often)]
    wanted["solutions"] = [
        {
            "name": name,
            "solutionArn": arn("solution", name),
            "configuration": {"recipeArn": "r", "performAutoTraining": draw(some)},
            "training": draw(st.sampled_from([None, {"every": 7 * DAY}, {"every": 7 * DAY, "fullEvery": 30 * DAY}])),
            "gate": draw(st.sampled_from([None, GATE, {**GATE, "firstVersion": "SERVE"}])),
            "tags": TAGS,
            "campaigns": [],
        }
        for name in solutions
    ]
    for name in CAMPAIGNS if solutions else ():
        if draw(some):
            draw(st.sampled_from(wanted["solutions"]))["campaigns"].append(
                {
                    "name": name,
                    "campaignArn": arn("campaign", name),
                    "configuration": draw(configurations()),
                    "tags": TAGS,
                }
            )
    wanted["recommenders"] = [
        {
            "name": name,
            "recommenderArn": arn("recommender", name),
            "recipeArn": "r",
            "configuration": {"minRecommendationRequestsPerSecond": draw(st.integers(1, 2))},
            "running": draw(some),
            "tags": TAGS,
        }
        for name in RECOMMENDERS
        if draw(some)
    ]
    targets = [{"solutionArn": arn("solution", name)} for name in solutions]
    wanted["jobs"] = [
        *(
            declared_job("BatchInferenceJob", {"jobOutput": OUTPUT, **INPUT}, draw, **target)
            for target in targets[:1]
            if draw(some)
        ),
        *(
            declared_job("DatasetExportJob", {"ingestionMode": "ALL", "jobOutput": OUTPUT}, draw, datasetArn=DATASET)
            for _ in range(draw(st.integers(0, 1)))
        ),
        *(declared_job("DataDeletionJob", {"dataSource": {}}, draw) for _ in range(draw(st.integers(0, 1)))),
    ]
    return wanted


INPUT = {"jobInput": {"s3DataSource": {"path": "s3://data/in/"}}}


def declared_job(kind: str, configuration: dict[str, Any], draw: st.DrawFn, **target: str) -> dict[str, Any]:
    every = {"every": 7 * DAY} if kind != "DataDeletionJob" and draw(some) else {}
    return {
        "kind": kind,
        "name": kind,
        "jobPrefix": f"films-{kind}",
        "configuration": configuration,
        "roleArn": "role",
        "tags": TAGS,
        **target,
        **every,
    }


def configurations() -> st.SearchStrategy[dict[str, Any]]:
    follow = {"campaignConfig": {"syncWithLatestSolutionVersion": True}}
    return st.builds(
        lambda tps, follows: {"minProvisionedTPS": tps, **(follow if follows else {})}, st.integers(1, 2), some
    )


@st.composite
def worlds(draw: st.DrawFn, wanted: dict[str, Any]) -> World:
    """What may exist: in every state of the service, as runs, people and mishaps may have left it."""

    def ours(kind: str, name: str) -> bool:
        """What is declared and not ours is refused before anything is done; see the tables."""
        declared = [
            each[f"{kind}Arn"]
            for each in [
                *wanted["solutions"],
                *wanted["recommenders"],
                *(campaign for solution in wanted["solutions"] for campaign in solution["campaigns"]),
            ]
            if f"{kind}Arn" in each
        ]
        return arn(kind, name) in declared or draw(often)

    def when() -> float:
        return NOW - draw(st.sampled_from([1, 10, 40])) * DAY

    def update() -> str | None:
        found = draw(st.sampled_from(tables.UPDATE))
        return None if found == tables.NONE else found

    solutions = {}
    for name in SOLUTIONS:
        if draw(often):
            made = draw(status(tables.MODEL))
            versions = [
                SolutionVersion(
                    arn=f"{arn('solution', name)}/v{number}",
                    status=draw(status(tables.VERSION)),
                    created=when() + number,
                    mode=draw(st.sampled_from(["FULL", "UPDATE"])),
                    verdict=draw(st.sampled_from([None, None, "refused: before", "chosen: before"])),
                )
                for number in range(draw(st.integers(0, 3)) if made == "ACTIVE" else 0)
            ]
            solutions[arn("solution", name)] = SolutionState(
                arn=arn("solution", name),
                name=name,
                status=made,
                owned=ours("solution", name),
                versions=versions,
                configuration={"performAutoTraining": draw(some)},
            )
    trained = [v.arn for solution in solutions.values() for v in solution.versions if v.status == "ACTIVE"]
    campaigns = {
        arn("campaign", name): CampaignState(
            arn=arn("campaign", name),
            name=name,
            status=draw(status(tables.MODEL)),
            update_status=update(),
            owned=ours("campaign", name),
            solution_version_arn=draw(st.sampled_from(trained)),
            configuration=draw(configurations()),
        )
        for name in CAMPAIGNS
        if trained and draw(often)
    }
    recommenders = {
        arn("recommender", name): RecommenderState(
            arn=arn("recommender", name),
            name=name,
            status=draw(status(tables.RECOMMENDER)),
            update_status=update(),
            owned=ours("recommender", name),
            configuration={"minRecommendationRequestsPerSecond": draw(st.integers(1, 2))},
        )
        for name in RECOMMENDERS
        if draw(some)
    }
    imports = [
        ImportJob(
            arn=f"import-{number}",
            name=job_name("films", fingerprint(draw(st.sampled_from([FILES, OTHER, ADDED[:1]]))), f"{number}"),
            status=draw(st.sampled_from(tables.MADE)),
            created=when() + number,
            mode=draw(st.sampled_from(["FULL", "INCREMENTAL"])),
        )
        for number in range(draw(st.integers(0, 3)))
    ]
    jobs = {}
    for each in wanted["jobs"]:
        files = () if each["kind"] == "DatasetExportJob" else FILES
        deletes = each["kind"] == "DataDeletionJob"
        made = [
            Job(
                arn=f"{each['kind']}-{number}",
                name=job_name(each["jobPrefix"], fingerprint(files, each["configuration"]), f"{number}"),
                status=draw(st.sampled_from(tables.DELETION if deletes else tables.JOB)),
                created=when() + number,
                solution_version_arn=draw(st.sampled_from(trained)) if "solutionArn" in each and trained else None,
            )
            for number in range(draw(st.integers(0, 2)))
        ]
        jobs[each["jobPrefix"]] = JobState(files=draw(st.sampled_from([files, ()])), jobs=made)
    state = DatasetState(
        files=draw(st.sampled_from([FILES, OTHER, ()])),
        imports=imports,
        additions=draw(st.sampled_from([(), ADDED, MANY])) if "incremental" in wanted["datasets"][0] else (),
    )
    return World(
        now=NOW,
        datasets={DATASET: state},
        solutions=solutions,
        campaigns=campaigns,
        recommenders=recommenders,
        jobs=jobs,
        last_deletion=draw(st.sampled_from([None, NOW - 5 * DAY])),
    )


services = documents().flatmap(lambda wanted: st.builds(Service, st.just(wanted), worlds(wanted)))
faults = st.lists(st.sets(st.sampled_from(FAULTS), min_size=1, max_size=4), max_size=2)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(services, faults)
def test_runs_converge_whatever_there_is_and_whatever_went_wrong(service: Service, bad: list[set[str]]) -> None:
    for going_wrong in bad:
        service.run(going_wrong)
    service.trained.clear()
    service.imported.clear()
    left = [service.run() for _ in range(MOST_RUNS)]
    assert left[-1] == []
    # what is billed is done once, and so is what is added
    for done in (service.trained, service.imported):
        assert sorted(done) == sorted(set(done))
