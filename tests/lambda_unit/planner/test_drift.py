"""What is found different from what the last run left."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from personalize_lambda.planner.drift import find_drift, snapshot
from personalize_lambda.planner.world import CampaignState, RecommenderState, SolutionState, World

DOCUMENT: dict[str, Any] = {
    "solutions": [{"solutionArn": "picks", "campaigns": [{"campaignArn": "live"}, {"campaignArn": "newest"}]}],
    "recommenders": [{"recommenderArn": "top"}],
}


def campaign(name: str, **changes: Any) -> CampaignState:
    state = CampaignState(
        arn=name,
        name=name,
        status="ACTIVE",
        update_status=None,
        owned=True,
        solution_version_arn="picks/1",
        configuration={"minProvisionedTPS": 1},
    )
    return replace(state, **changes)


FOLLOWS = {"campaignConfig": {"syncWithLatestSolutionVersion": True}}
SOLUTION = SolutionState(
    arn="picks", name="picks", status="ACTIVE", owned=True, versions=[], configuration={"performAutoTraining": False}
)
RECOMMENDER = RecommenderState(
    arn="top", name="top", status="ACTIVE", update_status=None, owned=True, configuration={"minRequests": 1}
)
WORLD = World(
    solutions={"picks": SOLUTION},
    campaigns={"live": campaign("live"), "newest": campaign("newest", configuration=FOLLOWS)},
    recommenders={"top": RECOMMENDER},
)


def _with(**changed: Any) -> World:
    """The world with some campaigns, solutions or recommenders replaced; None for gone."""
    world = WORLD
    for kind, states in changed.items():
        merged = {**getattr(world, kind), **states}
        world = replace(world, **{kind: {arn: state for arn, state in merged.items() if state is not None}})
    return world


@pytest.mark.parametrize(
    ("world", "drift"),
    [
        (WORLD, []),
        (_with(campaigns={"live": None}), ["campaign live is gone"]),
        (_with(solutions={"picks": None}), ["solution picks is gone"]),
        (_with(recommenders={"top": None}), ["recommender top is gone"]),
        # somebody else's, under the same name
        (_with(campaigns={"live": campaign("live", owned=False)}), ["campaign live is gone"]),
        (
            _with(campaigns={"live": campaign("live", configuration={"minProvisionedTPS": 5})}),
            ["campaign live minProvisionedTPS is 5, was 1"],
        ),
        (
            _with(campaigns={"live": campaign("live", configuration={})}),
            ["campaign live minProvisionedTPS is not set, was 1"],
        ),
        (
            _with(campaigns={"live": campaign("live", configuration={"minProvisionedTPS": 1, "campaignConfig": {}})}),
            ["campaign live campaignConfig is {}, was not set"],
        ),
        (
            _with(campaigns={"live": campaign("live", solution_version_arn="picks/2")}),
            ["campaign live solutionVersionArn is picks/2, was picks/1"],
        ),
        # the service gives it the latest version
        (_with(campaigns={"newest": campaign("newest", configuration=FOLLOWS, solution_version_arn="picks/2")}), []),
        (
            _with(solutions={"picks": replace(SOLUTION, configuration={"performAutoTraining": True})}),
            ["solution picks performAutoTraining is True, was False"],
        ),
        (
            _with(recommenders={"top": replace(RECOMMENDER, status="INACTIVE")}),
            ["recommender top status is INACTIVE, was ACTIVE"],
        ),
    ],
)
def test_drift(world: World, drift: list[str]) -> None:
    assert find_drift(snapshot(DOCUMENT, WORLD), DOCUMENT, world) == drift


@pytest.mark.parametrize(
    "before",
    [
        _with(campaigns={"live": campaign("live", update_status="CREATE IN_PROGRESS")}),
        _with(campaigns={"live": campaign("live", status="CREATE PENDING")}),
        _with(campaigns={"live": campaign("live", owned=False)}),
        _with(campaigns={"live": None}),
    ],
)
def test_what_was_not_settled_cannot_drift(before: World) -> None:
    after = _with(campaigns={"live": campaign("live", configuration={"minProvisionedTPS": 5})})
    assert find_drift(snapshot(DOCUMENT, before), DOCUMENT, after) == []


def test_what_is_declared_no_more_is_nobodys_drift() -> None:
    declared = {**DOCUMENT, "solutions": []}
    assert find_drift(snapshot(DOCUMENT, WORLD), declared, _with(campaigns={"live": None})) == []
