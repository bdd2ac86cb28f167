"""What is declared no more, and what is kept nevertheless."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from personalize_lambda.planner.prune import plan_prune
from personalize_lambda.planner.world import (
    SolutionState,
    World,
)
from tests.lambda_unit.planner.support import (
    CAMPAIGN,
    OLD,
    RECOMMENDER,
    SOLUTION,
    P,
    document,
    live,
    of_domain,
    with_recommender,
    world,
)


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
        pytest.param(
            document(solutions=False) | {"solutions": [{**document()["solutions"][0], "solutionArn": OLD}]},
            world(
                versions=("ACTIVE",),
                campaign=live(f"{OLD}/v0", former_version_arn=f"{SOLUTION}/v0", update_status="CREATE PENDING"),
            ),
            ([], []),
            id="serves until the campaign has another",
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
