"""Campaigns: desired state against what exists."""

from __future__ import annotations

from typing import Any

import pytest

from personalize_lambda.planner.solutions import plan_solutions
from personalize_lambda.planner.world import (
    CampaignState,
)
from tests.lambda_unit.planner.support import (
    CAMPAIGN,
    OLD,
    READY,
    SOLUTION,
    TAGS,
    document,
    live,
    world,
)


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
