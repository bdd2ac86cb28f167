"""The phases of a run, each with all of its parts."""

from __future__ import annotations

import pytest

from personalize_lambda.planner.phases import PHASES, Run, plan_phase
from tests.lambda_unit.planner.support import READY, SOLUTION, document, live, of_domain, world

PARTS = {
    "imports": {"imports", "deletions"},
    "solutions": {"trainings", "solutions", "recommenders"},
    "prune": {"campaigns", "prunedRecommenders", "prunedSolutions", "jobs"},
}


@pytest.mark.parametrize("phase", PHASES)
def test_a_phase_has_its_parts_whether_there_is_anything_to_do_or_not(phase: str) -> None:
    for wanted in (document(), document(solutions=False), of_domain()):
        for there in (world(), world(jobs=READY, versions=("ACTIVE",), campaign=live())):
            plan = plan_phase(phase, wanted, there, Run(execution="run"))
            assert plan.keys() == {*PARTS[phase], "waitingFor"}
    assert set(PHASES[phase]) <= PARTS[phase]


def test_both_halves_of_a_phase_say_what_they_wait_for() -> None:
    wanted = {**document(), "recommenders": of_domain()["recommenders"]}
    assert plan_phase("solutions", wanted, world(), Run(execution="run"))["waitingFor"] == [
        "top-picks-1: data for interactions",
        "for-you: data for interactions",
    ]


def test_what_the_run_says_reaches_the_plans() -> None:
    failed = Run(execution="run", failed_imports=["interactions"])
    assert plan_phase("imports", document(), world(), failed)["imports"] == []
    assert plan_phase("solutions", document(), world(jobs=READY), failed)["solutions"] == []
    there = world(jobs=READY, versions=("ACTIVE", "ACTIVE"), campaign=live(f"{SOLUTION}/v1"))
    back = Run(execution="run", rollback=f"{SOLUTION}/v0")
    [step] = plan_phase("solutions", document(), there, back)["solutions"]
    assert [said["resourceArn"] for said in step["verdicts"]] == [f"{SOLUTION}/v1", f"{SOLUTION}/v0"]
