"""When a solution is trained again, which version its campaigns serve, and what if it does not come to that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from personalize_lambda.planner.rollback import rollback_target
from personalize_lambda.planner.solutions import IDLE, plan_solutions
from personalize_lambda.planner.world import CampaignState, SolutionState, SolutionVersion, World
from tests.lambda_unit.planner.support import CAMPAIGN, OLD, READY, SOLUTION, P, document, live, world


def actions(plan: dict[str, Any]) -> list[tuple[bool, bool, list[str]]]:
    return [
        (step["create"] is not None, step["train"] is not None, [c["action"] for c in step["campaigns"]])
        for step in plan["solutions"]
    ]


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


DAY = 24 * 3600.0
NOW = 100 * DAY
DAILY = {"every": DAY}
UPDATES = {"every": DAY, "fullEvery": 7 * DAY}
TAG = "cdk-personalize:verdict"


def version(name: str, days: float, status: str = "ACTIVE", **more: Any) -> SolutionVersion:
    """A version that was made so many days ago."""
    return SolutionVersion(arn=f"{SOLUTION}/{name}", status=status, created=NOW - days * DAY, **more)


def declared(**changes: Any) -> dict[str, Any]:
    found = document()
    found["solutions"][0] |= changes
    return found


def at(*versions: SolutionVersion, campaign: CampaignState | None = None, deleted: float | None = None) -> World:
    """What exists, users having been deleted so many days ago."""
    found = world(jobs=READY, versions=(), campaign=campaign)
    return replace(
        found,
        now=NOW,
        solutions={SOLUTION: replace(found.solutions[SOLUTION], versions=versions)},
        last_deletion=None if deleted is None else NOW - deleted * DAY,
    )


def plan(wanted: dict[str, Any], existing: World, **more: Any) -> dict[str, Any] | None:
    """The step of the only solution."""
    steps = plan_solutions(wanted, existing, [], **more)["solutions"]
    return steps[0] if steps else None


def test_users_deleted_during_a_training_wait_for_the_next_one() -> None:
    waits = ["top-picks-1: a training without the users that were deleted, once the one under way has ended"]
    before, during = version("a", 9), version("b", 2, "CREATE IN_PROGRESS")
    for existing, waiting in (
        (at(before, during, deleted=1), waits),
        (at(before, replace(during, verdict="refused: by a test"), deleted=1), waits),
        (at(before, replace(during, status="CREATE STOPPING"), deleted=1), waits),
        (at(before, during, deleted=3), []),
        (at(before, during), []),
        (at(before, deleted=1), []),
    ):
        assert plan_solutions(document(), existing, [])["waitingFor"] == waiting
    ended = plan(document(), at(before, replace(during, status="ACTIVE"), deleted=1))
    assert ended is not None
    assert ended["train"]["trainingMode"] == "FULL"


FULL, UPDATE = "FULL", "UPDATE"


@pytest.mark.parametrize(
    ("training", "versions", "deleted", "mode"),
    [
        pytest.param(DAILY, [], None, FULL, id="first"),
        pytest.param(DAILY, [version("a", 1, "CREATE FAILED")], None, FULL, id="first failed"),
        pytest.param(DAILY, [version("a", 0.91)], None, None, id="young"),
        pytest.param(DAILY, [version("a", 0.92)], None, FULL, id="the run of yesterday took its time"),
        pytest.param(DAILY, [version("a", 1)], None, FULL, id="old enough"),
        pytest.param(DAILY, [version("a", 9), version("b", 0.5)], None, None, id="newest is young"),
        pytest.param(DAILY, [version("a", 9), version("b", 0.5, "CREATE FAILED")], None, FULL, id="newest failed"),
        pytest.param(DAILY, [version("a", 9), version("b", 0.5, "CREATE STOPPED")], None, FULL, id="newest stopped"),
        pytest.param(DAILY, [version("a", 9), version("b", 2, "CREATE IN_PROGRESS")], None, None, id="under way"),
        pytest.param(
            DAILY,
            [version("a", 9), version("b", 2, "CREATE IN_PROGRESS", verdict="refused")],
            None,
            None,
            id="refused one under way",
        ),
        pytest.param(DAILY, [version("a", 9), version("b", 0.5, verdict="refused: x")], None, None, id="young refused"),
        pytest.param(DAILY, [version("a", 9), version("b", 2, verdict="refused: x")], None, FULL, id="old refused"),
        pytest.param(None, [version("a", 99)], None, None, id="nobody"),
        pytest.param(UPDATES, [], None, FULL, id="first, before updates"),
        pytest.param(UPDATES, [version("a", 0.5)], None, None, id="young, before updates"),
        pytest.param(UPDATES, [version("a", 1)], None, UPDATE, id="update"),
        pytest.param(UPDATES, [version("a", 6), version("b", 1, mode=UPDATE)], None, UPDATE, id="another update"),
        pytest.param(UPDATES, [version("a", 6.4), version("b", 1, mode=UPDATE)], None, UPDATE, id="the last update"),
        pytest.param(UPDATES, [version("a", 7), version("b", 1, mode=UPDATE)], None, FULL, id="full again"),
        pytest.param(
            UPDATES,
            [version("a", 9), version("b", 2, "CREATE FAILED"), version("c", 1.5, mode=UPDATE)],
            None,
            FULL,
            id="full one failed",
        ),
        pytest.param(UPDATES, [version("a", 2, mode="AUTOTRAIN")], None, UPDATE, id="the service's are full ones"),
        pytest.param(UPDATES, [version("a", 2, verdict="refused: x")], None, FULL, id="no update of a refused one"),
        pytest.param(
            UPDATES, [version("a", 3), version("b", 2, verdict="refused: x")], None, FULL, id="no update of a newer one"
        ),
        pytest.param(
            UPDATES,
            [version("a", 3), version("b", 2, mode=UPDATE, verdict="refused: rolled back")],
            None,
            FULL,
            id="no update of a refused update",
        ),
        pytest.param(
            UPDATES,
            [version("a", 4), version("b", 3, verdict="refused: x"), version("c", 2, verdict="chosen: by hand")],
            None,
            UPDATE,
            id="an update of what was chosen",
        ),
        pytest.param(UPDATES, [version("a", 0.5)], 0.4, FULL, id="users deleted since"),
        pytest.param(None, [version("a", 0.5)], 0.4, FULL, id="users deleted since, nobody trains"),
        pytest.param(None, [version("a", 0.5)], 0.6, None, id="users deleted before"),
        pytest.param(
            None, [version("a", 9), version("b", 1, "CREATE PENDING")], 0.4, None, id="deleted while under way"
        ),
    ],
)
def test_when_and_how_a_solution_is_trained(
    training: dict[str, float] | None, versions: Sequence[SolutionVersion], deleted: float | None, mode: str | None
) -> None:
    existing = at(*versions, deleted=deleted)
    step = plan(declared(training=training), existing)
    assert (step and step["train"] and step["train"]["trainingMode"]) == mode
    after_failure = plan_solutions(declared(training=training), existing, ["interactions"])["solutions"]
    assert not any(step["train"] for step in after_failure)
    if mode and step:
        newest = max((each.created for each in versions), default=0)
        assert (step["trainedUntil"], step["isNew"], step["solutionVersionArn"]) == (int(newest * 1000), True, None)


def test_every_step_has_the_members_of_one_that_has_nothing_to_do() -> None:
    step = plan(declared(), at())
    assert step is not None
    assert step.keys() == {"name", "solutionArn", *IDLE}


def test_a_training_that_fails_leaves_campaigns_true_to_what_is_declared() -> None:
    wanted = declared(training=DAILY)
    wanted["solutions"][0]["campaigns"][0]["configuration"] = {"minProvisionedTPS": 5}
    new = {"name": "new", "campaignArn": f"{P}:campaign/new", "configuration": {}, "tags": []}
    wanted["solutions"][0]["campaigns"].append(new)
    step = plan(wanted, at(version("a", 2), campaign=live(f"{SOLUTION}/a")))
    assert step is not None
    assert step["otherwise"]["solutionVersionArn"] == f"{SOLUTION}/a"
    found = [(action["action"], action["arguments"]["solutionVersionArn"]) for action in step["otherwise"]["campaigns"]]
    assert found == [("update", f"{SOLUTION}/a"), ("create", f"{SOLUTION}/a")]
    # those for the new version are given it by the state machine
    assert [action["action"] for action in step["campaigns"]] == ["update", "create"]
    assert not any("solutionVersionArn" in action["arguments"] for action in step["campaigns"])


THRESHOLDS = [{"metric": "coverage", "minimum": 0.1, "maxDrop": 0.05}]
GATE = {"thresholds": THRESHOLDS, "firstVersion": "CHECK_MINIMUMS"}
SERVE_FIRST = {"thresholds": THRESHOLDS, "firstVersion": "SERVE"}


@pytest.mark.parametrize(
    ("gate", "existing", "serving"),
    [
        pytest.param(GATE, at(version("a", 1), version("b", 0.5), campaign=live(f"{SOLUTION}/a")), "a", id="newer"),
        pytest.param(
            GATE,
            at(version("a", 1), version("b", 0.5, "CREATE PENDING"), campaign=live(f"{SOLUTION}/a")),
            "a",
            id="newer one under way",
        ),
        pytest.param(GATE, at(), None, id="first, to be trained"),
        pytest.param(GATE, at(version("a", 1)), None, id="first"),
        pytest.param(SERVE_FIRST, at(version("a", 1)), "no gate", id="first is served whatever it is like"),
        pytest.param(
            SERVE_FIRST, at(version("a", 1), version("b", 0.5), campaign=live(f"{SOLUTION}/a")), "a", id="2nd"
        ),
        pytest.param(None, at(version("a", 1)), "no gate", id="none declared"),
        pytest.param(
            GATE,
            at(version("a", 1), version("b", 0.5, verdict="chosen: by run x"), campaign=live(f"{SOLUTION}/a")),
            "no gate",
            id="chosen",
        ),
        pytest.param(GATE, at(version("a", 1), campaign=live(f"{OLD}/z")), f"{OLD}/z", id="of the former solution"),
        pytest.param(
            GATE,
            at(version("a", 1), campaign=live(f"{SOLUTION}/z", status="CREATE FAILED")),
            None,
            id="a campaign that could not be made serves nothing",
        ),
    ],
)
def test_what_the_gate_compares(gate: dict[str, Any] | None, existing: World, serving: str | None) -> None:
    step = plan(declared(gate=gate), existing)
    assert step is not None
    if serving == "no gate":
        assert step["gate"] is None
        return
    arn = f"{SOLUTION}/{serving}" if serving and "/" not in serving else serving
    assert step["gate"] == {"solutionVersionArn": arn, "thresholds": THRESHOLDS}


def test_what_one_campaign_serves_is_not_judged_again_for_another() -> None:
    wanted = declared(gate=GATE)
    new = {"name": "new", "campaignArn": f"{P}:campaign/new", "configuration": {}, "tags": []}
    wanted["solutions"][0]["campaigns"].append(new)
    step = plan(wanted, at(version("a", 1), campaign=live(f"{SOLUTION}/a")))
    assert step is not None
    assert (step["gate"], step["isNew"]) == (None, False)
    assert [action["name"] for action in step["campaigns"]] == ["new"]


def test_a_refused_version_is_not_served_by_later_runs() -> None:
    refused = version("b", 0.5, verdict="refused: coverage is 0")
    assert plan(declared(gate=GATE), at(version("a", 1), refused, campaign=live(f"{SOLUTION}/a"))) is None
    step = plan(declared(gate=GATE), at(version("a", 1), refused, campaign=live(f"{SOLUTION}/b")))
    assert step is not None
    assert step["solutionVersionArn"] == f"{SOLUTION}/a"


def test_campaigns_wait_while_all_that_was_trained_is_refused() -> None:
    existing = at(version("a", 1, verdict="refused: coverage is 0"))
    assert plan_solutions(declared(gate=GATE), existing, []) == {
        "trainings": [],
        "solutions": [],
        "waitingFor": ["live: a version of top-picks-1 that is not refused"],
    }
    # one of the solution that it takes the place of goes on, as it is declared
    assert plan(declared(gate=GATE), replace(existing, campaigns={CAMPAIGN: live(f"{OLD}/z")})) is None
    wanted = declared(gate=GATE)
    wanted["solutions"][0]["campaigns"][0]["configuration"] = {"minProvisionedTPS": 5}
    step = plan(wanted, replace(existing, campaigns={CAMPAIGN: live(f"{OLD}/z")}))
    assert step is not None
    [action] = step["campaigns"]
    assert action["arguments"] == {
        "campaignArn": CAMPAIGN,
        "minProvisionedTPS": 5,
        "solutionVersionArn": f"{OLD}/z",
    }


RUN = "arn:aws:states:us-east-1:000000000000:execution:films:run (1)"


def verdicts(step: dict[str, Any]) -> dict[str, str]:
    assert all([tag["tagKey"] for tag in said["tags"]] == [TAG] for said in step["verdicts"])
    return {said["resourceArn"].rpartition("/")[2]: said["tags"][0]["tagValue"] for said in step["verdicts"]}


CHOSEN, REFUSED = "chosen: by run run -1-", "refused: rolled back by run run -1-"


@pytest.mark.parametrize(
    ("target", "versions", "said"),
    [
        pytest.param("a", [version("a", 3), version("b", 2)], {"a": CHOSEN, "b": REFUSED}, id="one back"),
        pytest.param(
            "b",
            [version("a", 4), version("b", 3), version("c", 2), version("d", 1)],
            {"b": CHOSEN, "c": REFUSED, "d": REFUSED},
            id="two back",
        ),
        pytest.param(
            "a",
            [version("a", 3), version("b", 2, "CREATE FAILED"), version("c", 1, "CREATE IN_PROGRESS")],
            {"a": CHOSEN, "c": REFUSED},
            id="one under way",
        ),
        pytest.param(
            "b",
            [version("a", 3, verdict="chosen: x"), version("b", 2, verdict="refused: y")],
            {"b": CHOSEN},
            id="forth",
        ),
        pytest.param(
            "a", [version("a", 3, verdict="chosen: x"), version("b", 2, verdict="refused: y")], {}, id="done before"
        ),
    ],
)
def test_rollback_says_what_serves_and_trains_nothing(
    target: str, versions: Sequence[SolutionVersion], said: dict[str, str]
) -> None:
    arn, newest = f"{SOLUTION}/{target}", f"{SOLUTION}/{versions[-1].arn.rpartition('/')[2]}"
    wanted = declared(training=DAILY, gate=GATE)
    existing = at(*versions, campaign=live(newest if newest != arn else f"{SOLUTION}/a"))
    step = plan(wanted, existing, rollback=arn, execution=RUN)
    assert step is not None
    assert verdicts(step) == said
    assert (step["train"], step["gate"], step["solutionVersionArn"]) == (None, None, arn)
    assert [action["action"] for action in step["campaigns"]] == ["update"]

    # what a later run makes of it: what was chosen serves, until something newer is trained
    now = {each.arn.rpartition("/")[2]: each for each in versions}
    tagged = [replace(each, verdict=said.get(name, each.verdict)) for name, each in now.items()]
    assert plan(declared(gate=GATE), at(*tagged, campaign=live(arn))) is None
    newer = plan(declared(gate=GATE), at(*tagged, version("z", 0), campaign=live(arn)))
    assert newer is not None
    assert newer["solutionVersionArn"] == f"{SOLUTION}/z"
    assert newer["gate"]["solutionVersionArn"] == arn


def test_rollback_of_one_solution_leaves_others_alone() -> None:
    wanted = declared(campaigns=[])
    wanted["solutions"].append({**wanted["solutions"][0], "name": "other", "solutionArn": OLD, "training": DAILY})
    old = SolutionVersion(arn=f"{OLD}/z", status="ACTIVE", created=NOW - 9 * DAY)
    existing = at(version("a", 1))
    other = SolutionState(arn=OLD, name="other", status="ACTIVE", owned=True, versions=[old])
    existing = replace(existing, solutions={**existing.solutions, OLD: other})
    steps = plan_solutions(wanted, existing, [], rollback=f"{SOLUTION}/a", execution=RUN)["solutions"]
    assert [(step["name"], bool(step["verdicts"]), bool(step["train"])) for step in steps] == [
        ("top-picks-1", True, False),
        ("other", False, True),
    ]


POSSIBLE = f"possible: {SOLUTION}/a$"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("rollback", "the input of a run must be a JSON object, got 'rollback'"),
        ({"rollback": None}, f"rollback must be the ARN of an ACTIVE version .*, got None; {POSSIBLE}"),
        ({"rollback": [f"{SOLUTION}/a"]}, f"got \\['{SOLUTION}/a'\\]; {POSSIBLE}"),
        ({"rollback": f"{SOLUTION}/b"}, f"got '{SOLUTION}/b'; {POSSIBLE}"),
        ({"rollback": f"{OLD}/z"}, f"got '{OLD}/z'; {POSSIBLE}"),
        ({"rollback": SOLUTION}, f"got '{SOLUTION}'; {POSSIBLE}"),
    ],
)
def test_rollback_to_what_cannot_serve_is_refused(given: Any, message: str) -> None:
    existing = at(version("a", 2), version("b", 1, "CREATE FAILED"))
    old = SolutionVersion(arn=f"{OLD}/z", status="ACTIVE", created=NOW)
    former = SolutionState(arn=OLD, name="former", status="ACTIVE", owned=True, versions=[old])
    existing = replace(existing, solutions={**existing.solutions, OLD: former})
    with pytest.raises(ValueError, match=message):
        rollback_target(declared(), existing, given)


def test_rollback_is_asked_for_by_the_input() -> None:
    existing = at(version("a", 2))
    assert rollback_target(declared(), existing, {"trigger": "files"}) is None
    assert rollback_target(declared(), existing, {"rollback": f"{SOLUTION}/a"}) == f"{SOLUTION}/a"
    with pytest.raises(ValueError, match="possible: none, nothing is trained yet"):
        rollback_target(declared(), at(), {"rollback": f"{SOLUTION}/a"})


def test_the_service_decides_what_campaigns_that_follow_serve() -> None:
    wanted = declared()
    wanted["solutions"][0]["campaigns"][0]["configuration"] = {
        "campaignConfig": {"syncWithLatestSolutionVersion": True}
    }
    with pytest.raises(ValueError, match=r"the service lets live serve the latest version; .* without follow_latest"):
        rollback_target(wanted, at(version("a", 2)), {"rollback": f"{SOLUTION}/a"})
