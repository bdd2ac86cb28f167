"""The planner: desired state against what exists, as plain values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from personalize_lambda.planner.imports import plan_imports
from personalize_lambda.planner.names import fingerprint
from personalize_lambda.planner.prune import plan_prune
from personalize_lambda.planner.recommenders import plan_recommenders
from personalize_lambda.planner.solutions import plan_solutions
from personalize_lambda.planner.world import (
    CampaignState,
    DatasetState,
    ImportJob,
    RecommenderState,
    SolutionState,
    SolutionVersion,
    World,
)

P = "arn:aws:personalize:us-east-1:000000000000"
DATASET = f"{P}:dataset/films/INTERACTIONS"
SOLUTION = f"{P}:solution/top-picks-1"
OLD = f"{P}:solution/top-picks-0"
CAMPAIGN = f"{P}:campaign/live"
FILES = (("films/interactions/a.csv", '"e1"', 10),)
TAGS = [{"tagKey": "cdk-personalize:owner", "tagValue": "films"}]


def document(*, tps: int = 1, campaigns: bool = True, solutions: bool = True) -> dict[str, Any]:
    campaign = {"name": "live", "campaignArn": CAMPAIGN, "configuration": {"minProvisionedTPS": tps}, "tags": TAGS}
    return {
        "owner": "films",
        "datasetGroupArn": f"{P}:dataset-group/films",
        "datasets": [
            {
                "name": "interactions",
                "datasetArn": DATASET,
                "bucket": "data",
                "prefix": "films/interactions/",
                "roleArn": "arn:aws:iam::000000000000:role/service",
                "jobPrefix": "films-interactions",
                "tags": TAGS,
            }
        ],
        "solutions": [
            {
                "name": "top-picks-1",
                "solutionArn": SOLUTION,
                "configuration": {"recipeArn": "r"},
                "tags": TAGS,
                "campaigns": [campaign] if campaigns else [],
            }
        ]
        if solutions
        else [],
    }


def job(status: str = "ACTIVE", files: tuple[tuple[str, str, int], ...] = FILES, created: float = 1) -> ImportJob:
    return ImportJob(arn=f"job-{created}", name=f"films-{fingerprint(files)}-0a", status=status, created=created)


def world(
    *,
    files: tuple[tuple[str, str, int], ...] = FILES,
    jobs: tuple[ImportJob, ...] = (),
    versions: tuple[str, ...] | None = None,
    campaign: CampaignState | None = None,
    owned: bool = True,
) -> World:
    solutions = {}
    if versions is not None:
        made = [SolutionVersion(arn=f"{SOLUTION}/v{n}", status=status, created=n) for n, status in enumerate(versions)]
        solutions[SOLUTION] = SolutionState(
            arn=SOLUTION, name="top-picks-1", status="ACTIVE", owned=owned, versions=made
        )
    return World(
        datasets={DATASET: DatasetState(files=files, imports=jobs)},
        solutions=solutions,
        campaigns={CAMPAIGN: campaign} if campaign else {},
    )


def live(version: str = f"{SOLUTION}/v0", **changes: Any) -> CampaignState:
    state = CampaignState(
        arn=CAMPAIGN,
        name="live",
        status="ACTIVE",
        update_status=None,
        owned=True,
        solution_version_arn=version,
        configuration={"minProvisionedTPS": 1},
    )
    return replace(state, **changes)


OTHER = (("films/interactions/b.csv", '"e2"', 12),)


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


def test_a_run_has_a_limited_number_of_imports() -> None:
    files = tuple((f"films/more/{n:03}.csv", f'"{n}"', 10) for n in range(40))
    state = DatasetState(files=FILES, imports=(job(),), additions=files)
    plan = plan_imports(incremental(), World(datasets={DATASET: state}), "run-1")
    locations = [each["create"]["dataSource"]["dataLocation"] for each in plan["imports"][0]["jobs"]]
    assert locations == [f"{MORE}{n:03}.csv" for n in range(25)]
    assert plan["waitingFor"] == [
        "interactions: 15 more additions, which are left to the next run; a run imports 25 at most"
    ]


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


def actions(plan: dict[str, Any]) -> list[tuple[bool, bool, list[str]]]:
    return [
        (step["create"] is not None, step["train"] is not None, [c["action"] for c in step["campaigns"]])
        for step in plan["solutions"]
    ]


READY = (job(),)


@pytest.mark.parametrize(
    ("existing", "tps", "expected"),
    [
        pytest.param(world(jobs=READY), 1, [(True, True, ["create"])], id="nothing there"),
        pytest.param(world(jobs=READY, versions=()), 1, [(False, True, ["create"])], id="never trained"),
        pytest.param(world(jobs=READY, versions=("CREATE FAILED",)), 1, [(False, True, ["create"])], id="failed"),
        pytest.param(
            world(jobs=READY, versions=("CREATE IN_PROGRESS",)), 1, [(False, False, ["create"])], id="training"
        ),
        pytest.param(world(jobs=READY, versions=("ACTIVE",)), 1, [(False, False, ["create"])], id="no campaign"),
        pytest.param(world(jobs=READY, versions=("ACTIVE",), campaign=live()), 1, [], id="all done"),
        pytest.param(
            world(jobs=READY, versions=("ACTIVE",), campaign=live()), 2, [(False, False, ["update"])], id="other TPS"
        ),
        pytest.param(
            world(jobs=READY, versions=("ACTIVE", "ACTIVE"), campaign=live()),
            1,
            [(False, False, ["update"])],
            id="newer version",
        ),
        pytest.param(
            world(jobs=READY, versions=("ACTIVE", "CREATE FAILED"), campaign=live()), 1, [], id="newer version failed"
        ),
        pytest.param(
            world(jobs=READY, campaign=live(f"{OLD}/v0")), 1, [(True, True, ["update"])], id="solution replaced"
        ),
        pytest.param(
            world(jobs=READY, versions=("ACTIVE",), campaign=live(status="CREATE FAILED")),
            1,
            [(False, False, ["update"])],
            id="campaign failed",
        ),
        pytest.param(
            world(jobs=READY, versions=("ACTIVE",), campaign=live(update_status="CREATE IN_PROGRESS")),
            1,
            [(False, False, ["wait"])],
            id="campaign being updated",
        ),
        pytest.param(
            world(versions=("ACTIVE",), campaign=live()), 2, [(False, False, ["update"])], id="no data, serves"
        ),
    ],
)
def test_solutions(existing: World, tps: int, expected: list[Any]) -> None:
    assert actions(plan_solutions(document(tps=tps), existing, [])) == expected


def followed(version: str) -> CampaignState:
    return live(
        version, configuration={"minProvisionedTPS": 1, "campaignConfig": {"syncWithLatestSolutionVersion": True}}
    )


@pytest.mark.parametrize(
    ("campaign", "action"),
    [
        pytest.param(None, "create", id="nothing there"),
        pytest.param(live(), "update", id="did not follow"),
        pytest.param(followed(f"{SOLUTION}/v0"), None, id="the service is about to let it serve the newer version"),
        pytest.param(followed(f"{SOLUTION}/$LATEST"), None, id="the service tells that it follows"),
        pytest.param(followed(f"{OLD}/v7"), "update", id="solution replaced"),
    ],
)
def test_campaigns_that_follow_the_latest_version(campaign: CampaignState | None, action: str | None) -> None:
    declared = document()
    declared["solutions"][0]["campaigns"][0]["configuration"] = followed("").configuration
    existing = world(jobs=READY, versions=("ACTIVE", "ACTIVE"), campaign=campaign)
    found = [step for solution in plan_solutions(declared, existing, [])["solutions"] for step in solution["campaigns"]]
    assert [step["action"] for step in found] == ([action] if action else [])
    assert all(step["arguments"]["solutionVersionArn"] == f"{SOLUTION}/$LATEST" for step in found)


def test_a_campaign_that_follows_no_more_serves_the_newest_version() -> None:
    declared = document()
    declared["solutions"][0]["campaigns"][0]["configuration"] = {
        "minProvisionedTPS": 1,
        "campaignConfig": {"syncWithLatestSolutionVersion": False},
    }
    existing = world(jobs=READY, versions=("ACTIVE",), campaign=followed(f"{SOLUTION}/v0"))
    (step,) = plan_solutions(declared, existing, [])["solutions"]
    assert step["campaigns"][0]["action"] == "update"
    assert "solutionVersionArn" not in step["campaigns"][0]["arguments"]


def updatable(train: bool = False, schedule: str | None = None, **more: Any) -> dict[str, Any]:
    config = {"autoTrainingConfig": {"schedulingExpression": schedule}} if schedule else {}
    return {"performAutoTraining": train, "solutionUpdateConfig": config, **more}


@pytest.mark.parametrize(
    ("wanted", "actual", "update"),
    [
        pytest.param((False, None), updatable(), None, id="off and off"),
        pytest.param((False, None), {}, None, id="older than the flag"),
        pytest.param((False, None), updatable(True, "rate(7 days)"), {"performAutoTraining": False}, id="on to off"),
        pytest.param((True, "rate(7 days)"), updatable(True, "rate(7 days)"), None, id="on and on"),
        pytest.param((True, "rate(7 days)"), updatable(), updatable(True, "rate(7 days)"), id="off to on"),
        pytest.param(
            (True, "rate(1 day)"), updatable(True, "rate(7 days)"), updatable(True, "rate(1 day)"), id="more often"
        ),
    ],
)
@pytest.mark.parametrize("data", [True, False])
def test_training_is_changed_in_place(
    wanted: tuple[bool, str | None], actual: dict[str, Any], update: dict[str, Any] | None, data: bool
) -> None:
    train, schedule = wanted
    declared = document(campaigns=False)
    declared["solutions"][0]["configuration"] = {
        "recipeArn": "r",
        "performAutoTraining": train,
        "solutionConfig": {
            "algorithmHyperParameters": {"bptt": "20"},
            **({"autoTrainingConfig": {"schedulingExpression": schedule}} if schedule else {}),
        },
    }
    existing = world(jobs=READY if data else (), versions=("ACTIVE",) if data else ())
    state = replace(existing.solutions[SOLUTION], configuration=actual)
    steps = plan_solutions(declared, replace(existing, solutions={SOLUTION: state}), [])["solutions"]
    assert [step["update"] for step in steps] == ([{"solutionArn": SOLUTION, **update}] if update else [])
    assert all(step["create"] is step["train"] is None for step in steps)

    failed = replace(state, status="CREATE FAILED")
    steps = plan_solutions(declared, replace(existing, solutions={SOLUTION: failed}), [])["solutions"]
    assert not any(step["update"] for step in steps)


def test_training_waits_for_all_data() -> None:
    plan = plan_solutions(document(), world(), [])
    assert plan == {"trainings": [], "solutions": [], "waitingFor": ["top-picks-1: data for interactions"]}


def test_no_training_after_a_failed_import_but_campaigns_are_kept_true() -> None:
    assert plan_solutions(document(), world(jobs=READY), ["interactions"])["solutions"] == []
    existing = world(jobs=READY, versions=("ACTIVE",), campaign=live())
    assert actions(plan_solutions(document(tps=3), existing, ["interactions"])) == [(False, False, ["update"])]


def test_foreign_resources_are_refused() -> None:
    with pytest.raises(ValueError, match="a solution named top-picks-1 exists already"):
        plan_solutions(document(), world(jobs=READY, versions=("ACTIVE",), owned=False), [])
    with pytest.raises(ValueError, match="a campaign named live exists already"):
        plan_solutions(document(), world(jobs=READY, versions=("ACTIVE",), campaign=live(owned=False)), [])


def test_trainings_of_what_is_declared_no_more_are_stopped_before_others_begin() -> None:
    existing = world(versions=("CREATE IN_PROGRESS", "ACTIVE"))
    stopped = [{"name": "top-picks-1", "solutionVersionArn": f"{SOLUTION}/v0"}]
    assert plan_solutions(document(solutions=False), existing, [])["trainings"] == stopped
    assert plan_solutions(document(), existing, [])["trainings"] == []
    foreign = world(versions=("CREATE IN_PROGRESS",), owned=False)
    assert plan_solutions(document(solutions=False), foreign, [])["trainings"] == []


def pruned(plan: dict[str, Any]) -> tuple[list[str], list[str]]:
    return (
        [step["campaignArn"] for step in plan["campaigns"]],
        [step["solutionArn"] for step in plan["prunedSolutions"]],
    )


@pytest.mark.parametrize(
    ("wanted", "existing", "expected"),
    [
        pytest.param(document(), world(versions=("ACTIVE",), campaign=live()), ([], []), id="all declared"),
        pytest.param(
            document(campaigns=False),
            world(versions=("ACTIVE",), campaign=live()),
            ([CAMPAIGN], []),
            id="campaign not declared",
        ),
        pytest.param(
            document(solutions=False),
            world(versions=("ACTIVE",), campaign=live()),
            ([CAMPAIGN], [SOLUTION]),
            id="nothing declared",
        ),
        pytest.param(
            document(solutions=False),
            world(versions=("ACTIVE",), campaign=live(owned=False)),
            ([], []),
            id="foreign campaign keeps its solution",
        ),
        pytest.param(
            document(solutions=False), world(versions=("ACTIVE",), owned=False), ([], []), id="foreign solution"
        ),
    ],
)
def test_prune(wanted: dict[str, Any], existing: World, expected: Any) -> None:
    plan = plan_prune(wanted, existing)
    assert pruned(plan) == expected
    assert plan["waitingFor"] == []


@pytest.mark.parametrize("status", [None, "CREATE IN_PROGRESS", "CREATE FAILED"])
def test_what_serves_is_kept_until_what_takes_its_place_does(status: str | None) -> None:
    former = live(f"{OLD}/v0", arn=f"{P}:campaign/former", name="former")
    old = SolutionState(arn=OLD, name="top-picks-0", status="ACTIVE", owned=True, versions=[])
    existing = world(versions=("ACTIVE",), campaign=live(status=status) if status else None)
    existing = replace(
        existing, solutions={**existing.solutions, OLD: old}, campaigns={**existing.campaigns, former.arn: former}
    )
    plan = plan_prune(document(), existing)
    assert pruned(plan) == ([], [])
    assert plan["waitingFor"] == ["former, declared no more: live to serve"]

    serving = replace(existing, campaigns={CAMPAIGN: live(), former.arn: former})
    plan = plan_prune(document(), serving)
    assert (pruned(plan), plan["waitingFor"]) == (([former.arn], [OLD]), [])


def test_a_recommender_is_kept_until_what_takes_its_place_serves() -> None:
    wanted = of_domain()
    wanted["recommenders"][0] |= {"name": "new", "recommenderArn": f"{P}:recommender/new"}
    plan = plan_prune(wanted, with_recommender("ACTIVE"))
    assert plan["prunedRecommenders"] == []
    assert plan["waitingFor"] == ["for-you, declared no more: new to serve"]


def test_replaced_solution_goes_only_when_its_campaign_serves_the_new_one() -> None:
    old = SolutionState(arn=OLD, name="top-picks-0", status="ACTIVE", owned=True, versions=[])
    before = world(versions=("ACTIVE",), campaign=live(f"{OLD}/v0"))
    before = replace(before, solutions={**before.solutions, OLD: old})
    assert pruned(plan_prune(document(), before)) == ([], [])
    after = replace(before, campaigns={CAMPAIGN: live()})
    assert pruned(plan_prune(document(), after)) == ([], [OLD])


RECOMMENDER = f"{P}:recommender/for-you"
CONFIGURATION = {"minRecommendationRequestsPerSecond": 1}


def of_domain(*, running: bool = True, requests: int = 1) -> dict[str, Any]:
    recommender = {
        "name": "for-you",
        "recommenderArn": RECOMMENDER,
        "recipeArn": "r",
        "configuration": {"minRecommendationRequestsPerSecond": requests},
        "running": running,
        "tags": TAGS,
    }
    return {**document(solutions=False), "recommenders": [recommender]}


def with_recommender(status: str, update_status: str | None = None, *, owned: bool = True) -> World:
    state = RecommenderState(
        arn=RECOMMENDER,
        name="for-you",
        status=status,
        update_status=update_status,
        owned=owned,
        configuration={**CONFIGURATION, "itemExplorationConfig": {"explorationWeight": "0.3"}},
    )
    return replace(world(jobs=(job(),)), recommenders={RECOMMENDER: state})


@pytest.mark.parametrize(
    ("wanted", "existing", "action"),
    [
        pytest.param(of_domain(), world(jobs=(job(),)), "create", id="missing"),
        pytest.param(of_domain(running=False), world(jobs=(job(),)), None, id="missing and not to run"),
        pytest.param(of_domain(), with_recommender("ACTIVE"), None, id="as declared"),
        pytest.param(of_domain(), with_recommender("ACTIVE", "ACTIVE"), None, id="as declared after an update"),
        pytest.param(of_domain(requests=2), with_recommender("ACTIVE"), "update", id="other throughput"),
        pytest.param(of_domain(), with_recommender("ACTIVE", "CREATE FAILED"), "update", id="failed update"),
        pytest.param(of_domain(requests=2), with_recommender("ACTIVE", "CREATE PENDING"), "wait", id="being updated"),
        pytest.param(of_domain(), with_recommender("CREATE IN_PROGRESS"), "wait", id="being made"),
        pytest.param(of_domain(), with_recommender("CREATE FAILED"), "wait", id="could not be made"),
        pytest.param(of_domain(), with_recommender("INACTIVE"), "start", id="stopped"),
        pytest.param(of_domain(running=False), with_recommender("ACTIVE"), "stop", id="to be stopped"),
        pytest.param(
            of_domain(running=False, requests=2), with_recommender("INACTIVE"), None, id="stopped as declared"
        ),
        pytest.param(of_domain(running=False), with_recommender("STOP IN_PROGRESS"), "wait", id="being stopped"),
        pytest.param(document(solutions=False), with_recommender("ACTIVE"), None, id="not declared"),
    ],
)
def test_recommenders(wanted: dict[str, Any], existing: World, action: str | None) -> None:
    plan = plan_recommenders(wanted, existing, ())
    assert plan["waitingFor"] == []
    assert [step["action"] for step in plan["recommenders"]] == ([action] if action else [])
    for step in plan["recommenders"]:
        assert (step["name"], step["recommenderArn"]) == ("for-you", RECOMMENDER)
        if action == "create":
            assert step["arguments"] == {
                "name": "for-you",
                "datasetGroupArn": wanted["datasetGroupArn"],
                "recipeArn": "r",
                "recommenderConfig": CONFIGURATION,
                "tags": TAGS,
            }
        elif action == "update":
            assert step["arguments"]["recommenderConfig"] == wanted["recommenders"][0]["configuration"]


def test_a_recommender_waits_for_data() -> None:
    assert plan_recommenders(of_domain(), world(), ()) == {
        "recommenders": [],
        "waitingFor": ["for-you: data for interactions"],
    }
    failed = plan_recommenders(of_domain(), world(jobs=(job(),)), ("interactions",))
    assert failed == {"recommenders": [], "waitingFor": []}


def test_a_recommender_of_something_else_is_left_alone() -> None:
    existing = with_recommender("ACTIVE", owned=False)
    with pytest.raises(ValueError, match="a recommender named for-you exists already and does not carry"):
        plan_recommenders(of_domain(), existing, ())
    assert plan_prune(document(), existing)["prunedRecommenders"] == []


@pytest.mark.parametrize(
    ("wanted", "status", "pruned"),
    [
        (document(solutions=False), "ACTIVE", True),
        (of_domain(), "ACTIVE", False),
        (of_domain(running=False), "INACTIVE", False),
        (of_domain(), "CREATE FAILED", True),
    ],
)
def test_recommenders_that_are_declared_no_more_or_could_not_be_made_are_pruned(
    wanted: dict[str, Any], status: str, pruned: bool
) -> None:
    found = plan_prune(wanted, with_recommender(status))["prunedRecommenders"]
    assert [entry["recommenderArn"] for entry in found] == ([RECOMMENDER] if pruned else [])


@pytest.mark.parametrize(
    ("actual", "wanted", "same"),
    [
        ({"minProvisionedTPS": 1, "more": 2}, {"minProvisionedTPS": 1}, True),
        ({"weight": "30.0"}, {"weight": "30"}, True),
        ({"weight": "0.3"}, {"weight": "0.4"}, False),
        ({}, {"enabled": False}, True),
        ({}, {"enabled": True}, False),
        ({"name": "a"}, {"name": "b"}, False),
        ({"nested": {"a": 1}}, {"nested": {"a": 1}}, True),
        ({}, {"nested": {"a": 1}}, False),
        ({}, {"nested": {"enabled": False}}, True),
    ],
)
def test_what_the_service_writes_in_another_way_is_the_same(
    actual: dict[str, Any], wanted: dict[str, Any], same: bool
) -> None:
    campaign = {"name": "live", "campaignArn": CAMPAIGN, "configuration": wanted, "tags": TAGS}
    declared = document()
    declared["solutions"][0]["campaigns"] = [campaign]
    existing = world(jobs=READY, versions=("ACTIVE",), campaign=live(configuration=actual))
    assert (plan_solutions(declared, existing, [])["solutions"] == []) is same
