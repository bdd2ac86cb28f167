"""What is told of a run that is not made: in sentences, and truly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize_lambda.planner.foretell import foretell, steps
from personalize_lambda.planner.names import fingerprint, job_name
from personalize_lambda.planner.phases import Run
from personalize_lambda.planner.world import (
    DatasetState,
    ImportJob,
    Job,
    JobState,
    SolutionState,
    SolutionVersion,
    World,
)
from tests.lambda_unit.planner.simulator import Service
from tests.lambda_unit.planner.support import (
    DATASET,
    FILES,
    OLD,
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
from tests.lambda_unit.planner.test_convergence import MOST_RUNS, documents, services

DAY = 24 * 3600.0
NOW = 100 * DAY
GATE = {
    "thresholds": [
        {"metric": "ndcg", "minimum": 0.02, "maxDrop": 0.1},
        {"metric": "coverage", "minimum": 0, "maxDrop": 0.2},
        {"metric": "precision", "minimum": 0.5, "maxDrop": 1},
    ],
    "firstVersion": "CHECK_MINIMUMS",
}
RUN = "arn:aws:states:us-east-1:000000000000:execution:films:run"


def declared_job(kind: str, **members: Any) -> dict[str, Any]:
    output = {"jobOutput": {"s3DataDestination": {"path": "s3://data/out/"}}}
    return {
        "kind": kind,
        "name": "Mail" if kind == "BatchInferenceJob" else "Forget",
        "jobPrefix": f"films-{kind}",
        "configuration": output if kind == "BatchInferenceJob" else {},
        "roleArn": "role",
        "tags": TAGS,
        **members,
    }


def everything(**solution: Any) -> dict[str, Any]:
    """A campaign behind a gate, recommendations into files, and users to be deleted."""
    wanted = document()
    wanted["solutions"][0] |= {"gate": GATE, **solution}
    wanted["datasets"][0]["incremental"] = {"bucket": "data", "prefix": "films/more/"}
    wanted["jobs"] = [
        declared_job("BatchInferenceJob", solutionArn=SOLUTION),
        declared_job("DataDeletionJob"),
    ]
    return wanted


def at(*versions: SolutionVersion, imports: tuple[ImportJob, ...] = (), **changes: Any) -> World:
    additions = tuple((f"films/more/{number}.csv", "e", 1) for number in range(30))
    found = replace(
        world(versions=() if versions else None),
        now=NOW,
        datasets={DATASET: DatasetState(files=FILES, imports=imports, additions=additions)},
        jobs={f"films-{kind}": JobState(files=FILES) for kind in ("BatchInferenceJob", "DataDeletionJob")},
    )
    if versions:
        found = replace(found, solutions={SOLUTION: replace(found.solutions[SOLUTION], versions=versions)})
    return replace(found, **changes)


def version(name: str, days: float, status: str = "ACTIVE", **more: Any) -> SolutionVersion:
    return SolutionVersion(arn=f"{SOLUTION}/{name}", status=status, created=NOW - days * DAY, **more)


def former() -> SolutionState:
    made = SolutionVersion(arn=f"{OLD}/z", status="ACTIVE", created=1)
    return SolutionState(arn=OLD, name="top-picks-0", status="ACTIVE", owned=True, versions=[made])


def test_a_first_run() -> None:
    told = foretell(everything(), at(), Run(execution=RUN))
    assert told["steps"] == [
        "import interactions",
        "import 30 additions to interactions",
        "delete users: Forget",
        "create solution top-picks-1",
        "train solution top-picks-1 (FULL)",
        "judge the new version of top-picks-1: ndcg at least 0.02, coverage at least 0, precision at least 0.5",
        "create campaign live",
        "run batch inference job: Mail",
    ]
    assert (told["status"], told["waitingFor"], told["imported"]) == ("PLANNED", [], ["interactions"])
    assert [each["name"] for each in told["jobs"]] == ["Forget", "Mail"]


def test_a_first_run_without_data_waits() -> None:
    empty = at(datasets={DATASET: DatasetState(files=(), imports=())}, jobs={})
    told = foretell(everything(), empty, Run(execution=RUN))
    assert told["steps"] == []
    assert told["waitingFor"] == [
        "interactions: no CSV file in s3://data/films/interactions/ yet",
        "top-picks-1: data for interactions",
        "Mail: a trained version of top-picks-1",
    ]


def test_what_a_solution_takes_the_place_of_is_deleted_once_that_serves() -> None:
    """Its campaign moves; another campaign is declared no more."""
    mail = live(f"{OLD}/z", arn=f"{P}:campaign/mail", name="mail")
    there = at(solutions={OLD: former()}, campaigns={each.arn: each for each in (live(f"{OLD}/z"), mail)}, jobs={})
    told = foretell(everything(), there, Run(execution=RUN))
    assert told["steps"][2:] == [
        "create solution top-picks-1",
        "train solution top-picks-1 (FULL)",
        f"judge the new version of top-picks-1, compared with {OLD}/z, which serves: ndcg at least 0.02 and at most "
        "10 % lower, coverage at most 20 % lower, precision at least 0.5",
        "update campaign live",
        "delete campaign mail",
        "delete solution top-picks-0",
    ]
    assert (told["pruned"], told["waitingFor"]) == (["mail", "top-picks-0"], [])


@pytest.mark.parametrize("deleted", [True, False])
def test_users_who_are_deleted_are_followed_by_a_training(deleted: bool) -> None:
    wanted = everything(gate=None)
    wanted["datasets"][0]["incremental"] = None
    wanted["jobs"] = wanted["jobs"][1:]
    done = job_name("films-DataDeletionJob", fingerprint(FILES, {}), "earlier")
    jobs = () if deleted else (Job(arn="j", name=done, status="COMPLETED", created=1),)
    there = at(
        version("a", 1),
        datasets={DATASET: DatasetState(files=FILES, imports=(job(),))},
        campaigns={live().arn: live(f"{SOLUTION}/a")},
        jobs={"films-DataDeletionJob": JobState(files=FILES, jobs=jobs)},
    )
    training = ["delete users: Forget", "train solution top-picks-1 (FULL)", "update campaign live"]
    assert foretell(wanted, there, Run(execution=RUN))["steps"] == (training if deleted else [])


def test_a_rollback_says_what_is_tagged() -> None:
    wanted = document()
    wanted["solutions"][0] |= {"gate": GATE, "training": {"every": DAY}}
    there = replace(
        world(jobs=(job(),), versions=(), campaign=live(f"{SOLUTION}/c")),
        now=NOW,
    )
    versions = [version("a", 9), version("b", 6), version("c", 3)]
    there = replace(there, solutions={SOLUTION: replace(there.solutions[SOLUTION], versions=versions)})
    told = foretell(wanted, there, Run(execution=RUN, rollback=f"{SOLUTION}/a"))
    assert told["steps"] == [
        f"tag {SOLUTION}/c as refused",
        f"tag {SOLUTION}/b as refused",
        f"tag {SOLUTION}/a as chosen",
        "update campaign live",
    ]


def test_what_is_under_way_is_waited_for() -> None:
    wanted = everything()
    wanted["datasets"][0]["incremental"] = None
    forget = job_name("films-DataDeletionJob", fingerprint(FILES, {}), "earlier")
    there = at(
        version("a", 3),
        version("b", 1, "CREATE IN_PROGRESS"),
        datasets={DATASET: DatasetState(files=FILES, imports=(job("CREATE PENDING"),))},
        campaigns={live().arn: live(f"{SOLUTION}/a")},
        jobs={
            "films-DataDeletionJob": JobState(
                files=FILES, jobs=(Job(arn="j", name=forget, status="PENDING", created=1),)
            )
        },
    )
    assert foretell(wanted, there, Run(execution=RUN))["steps"] == [
        "wait for the import of interactions that is under way",
        "wait for the deletion of users that is under way: Forget",
        f"wait for the training of {SOLUTION}/b",
        f"judge {SOLUTION}/b, compared with {SOLUTION}/a, which serves: ndcg at least 0.02 and at most 10 % lower, "
        "coverage at most 20 % lower, precision at least 0.5",
        "update campaign live",
    ]


@pytest.mark.parametrize(
    ("running", "requests", "status", "sentences"),
    [
        (True, 2, "INACTIVE", ["start recommender for-you", "update recommender for-you"]),
        (False, 2, "ACTIVE", ["update recommender for-you", "stop recommender for-you"]),
        (True, 1, "CREATE PENDING", ["wait for recommender for-you"]),
        (False, 1, "CREATE PENDING", ["wait for recommender for-you", "stop recommender for-you"]),
        (True, 1, "CREATE FAILED", ["wait for recommender for-you", "delete recommender for-you"]),
        (True, 1, "ACTIVE", []),
        (None, 1, "ACTIVE", ["delete recommender for-you"]),
    ],
)
def test_recommenders(running: bool | None, requests: int, status: str, sentences: list[str]) -> None:
    wanted = of_domain(running=bool(running), requests=requests)
    if running is None:
        wanted["recommenders"] = []
    told = foretell(wanted, with_recommender(status), Run(execution=RUN))
    assert (told["steps"], told["waitingFor"]) == (sentences, [])


def test_trainings_of_what_is_declared_no_more_are_stopped() -> None:
    training = replace(former(), versions=[SolutionVersion(arn=f"{OLD}/z", status="CREATE PENDING", created=1)])
    told = foretell(
        document(solutions=False), replace(world(jobs=(job(),)), solutions={OLD: training}), Run(execution=RUN)
    )
    assert told["steps"] == [f"stop the training of top-picks-0: {OLD}/z", "delete solution top-picks-0"]
    assert (told["stopped"], told["pruned"]) == (["top-picks-0"], ["top-picks-0"])


later = services.flatmap(lambda service: st.tuples(st.just(service), documents()))


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(later)
def test_what_is_told_is_what_is_done(service_and_change: tuple[Service, dict[str, Any]]) -> None:
    """Once runs have settled what there was, the next one does what was told of it, however the declared changes."""
    service, changed = service_and_change
    for _ in range(MOST_RUNS):
        service.run()
    owned = {
        each.arn for kind in (service.world.solutions, service.world.campaigns) for each in kind.values() if each.owned
    }
    changed["datasets"] = service.document["datasets"]
    service.document = changed
    service.world = replace(
        service.world,
        now=service.world.now + 8 * DAY,
        # what is not ours is refused before anything is done
        solutions={arn: state for arn, state in service.world.solutions.items() if arn in owned},
        campaigns={arn: state for arn, state in service.world.campaigns.items() if arn in owned},
        recommenders={arn: state for arn, state in service.world.recommenders.items() if state.owned},
    )
    told = foretell(changed, service.world, Run(execution=f"run-{service.runs + 1}"))
    service.run()
    done = steps(service.plan, service.when_planned)
    # additions are told as one, and imported in rounds
    assert [each for each in told["steps"] if not each.startswith("import ")] == [
        each for each in done if not each.startswith("import ")
    ]
    assert told["imported"] == list(dict.fromkeys(step["name"] for step in service.plan["imports"]))
