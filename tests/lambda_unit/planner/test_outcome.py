"""What exists once a plan was carried out; that it is what a run makes of it is proven by the tests of foretelling."""

from __future__ import annotations

from dataclasses import replace

import pytest

from personalize_lambda.planner.outcome import after_imports, after_solutions
from personalize_lambda.planner.phases import Run, plan_phase
from personalize_lambda.planner.world import World
from tests.lambda_unit.planner.support import (
    CAMPAIGN,
    DATASET,
    OLD,
    READY,
    RECOMMENDER,
    SOLUTION,
    document,
    live,
    of_domain,
    with_recommender,
    world,
)

RUN = Run(execution="run")


def test_what_was_imported_is_there() -> None:
    there = world()
    after = after_imports(document(), there, plan_phase("imports", document(), there, RUN))
    assert [job.status for job in after.datasets[DATASET].imports] == ["ACTIVE"]
    assert after.last_deletion is None
    again = after_imports(document(), world(jobs=READY), plan_phase("imports", document(), world(jobs=READY), RUN))
    assert again == world(jobs=READY)


@pytest.mark.parametrize(
    ("there", "serves"),
    [
        (world(jobs=READY), f"{SOLUTION}/new"),
        (world(jobs=READY, campaign=live(f"{OLD}/v0")), f"{SOLUTION}/new"),
        (world(jobs=READY, versions=("ACTIVE", "CREATE PENDING"), campaign=live()), f"{SOLUTION}/v1"),
        (world(jobs=READY, versions=("ACTIVE",), campaign=live(update_status="CREATE PENDING")), f"{SOLUTION}/v0"),
    ],
)
def test_what_is_trained_serves(there: World, serves: str) -> None:
    after = after_solutions(there, plan_phase("solutions", document(), there, RUN))
    campaign = after.campaigns[CAMPAIGN]
    assert (campaign.solution_version_arn, campaign.status, campaign.update_status) == (serves, "ACTIVE", None)
    [version] = [each for each in after.solutions[SOLUTION].versions if each.arn == serves]
    assert version.status == "ACTIVE"


def test_a_solution_that_could_not_be_made_serves_nothing() -> None:
    there = world(jobs=READY, versions=())
    there = replace(there, solutions={SOLUTION: replace(there.solutions[SOLUTION], status="CREATE FAILED")})
    after = after_solutions(there, plan_phase("solutions", document(), there, RUN))
    assert (after.campaigns, after.solutions) == ({}, there.solutions)


@pytest.mark.parametrize(
    ("status", "running", "then"),
    [
        (None, True, "ACTIVE"),
        ("INACTIVE", True, "ACTIVE"),
        ("ACTIVE", False, "INACTIVE"),
        ("CREATE IN_PROGRESS", True, "ACTIVE"),
        ("CREATE IN_PROGRESS", False, "INACTIVE"),
        ("STOP PENDING", False, "INACTIVE"),
        ("STOP PENDING", True, "ACTIVE"),
        ("START PENDING", False, "INACTIVE"),
        ("CREATE FAILED", True, "CREATE FAILED"),
    ],
)
def test_recommenders_are_as_declared(status: str | None, running: bool, then: str) -> None:
    there = with_recommender(status) if status else world(jobs=READY)
    plan = plan_phase("solutions", of_domain(running=running), there, RUN)
    assert after_solutions(there, plan).recommenders[RECOMMENDER].status == then
