"""Campaign."""

from __future__ import annotations

import re
from typing import Any

import aws_cdk as cdk
import pytest

import cdk_personalize as personalize
from tests.unit.conftest import Synthesis

Recipe = personalize.Recipe
V1, V2 = Recipe.USER_PERSONALIZATION, Recipe.USER_PERSONALIZATION_V2


def campaign(
    recipe: personalize.Recipe = V2, *, synthesis: Synthesis | None = None, **arguments: Any
) -> personalize.Campaign:
    group = (synthesis or Synthesis()).group()
    return group.add_solution("TopPicks", recipe=recipe).add_campaign("Live", **arguments)


def test_the_least() -> None:
    assert campaign().configuration == {
        "minProvisionedTPS": 1,
        "campaignConfig": {"syncWithLatestSolutionVersion": False},
    }


@pytest.mark.parametrize(("follows", "warns"), [(True, False), (False, True)])
def test_a_campaign_of_what_is_trained_automatically_should_follow(follows: bool, warns: bool) -> None:
    synthesis = Synthesis()
    training = personalize.Training.automatic(every=cdk.Duration.days(7))
    made = synthesis.group().add_solution("TopPicks", recipe=V2, training=training)

    live = made.add_campaign("Live", follow_latest=follows)

    assert live.configuration["campaignConfig"]["syncWithLatestSolutionVersion"] is follows
    found = [str(each.data) for each in live.node.metadata if each.type == "aws:cdk:warning"]
    assert len(found) == warns
    assert all("[ack: cdk-personalize:campaignDoesNotFollow]" in each for each in found)


def test_everything() -> None:
    exploration = personalize.ItemExploration(weight=0, item_age_cut_off=cdk.Duration.days(14))

    assert campaign(
        V1, min_provisioned_tps=5, item_exploration=exploration, metadata_with_recommendations=False
    ).configuration == {
        "minProvisionedTPS": 5,
        "campaignConfig": {
            "itemExplorationConfig": {"explorationWeight": "0", "explorationItemAgeCutOff": "14"},
            "enableMetadataWithRecommendations": False,
            "syncWithLatestSolutionVersion": False,
        },
    }
    assert campaign(Recipe.SEMANTIC_SIMILARITY, ranking_influence={"FRESHNESS": 0}).configuration == {
        "minProvisionedTPS": 1,
        "campaignConfig": {"rankingInfluence": {"FRESHNESS": 0}, "syncWithLatestSolutionVersion": False},
    }


@pytest.mark.parametrize(
    ("recipe", "arguments", "message"),
    [
        (V2, {"campaign_name": "my campaign"}, "campaign_name must have 1 to 63 letters"),
        (V2, {"min_provisioned_tps": 0}, "min_provisioned_tps must be at least 1, got 0"),
        (
            Recipe.ITEM_AFFINITY,
            {},
            "the recipe aws-item-affinity of 'Films/Movies/TopPicks' works in batch only; no campaign",
        ),
        (
            V2,
            {"item_exploration": personalize.ItemExploration()},
            "item_exploration is not available with the recipe aws-user-personalization-v2",
        ),
        (
            V1,
            {"item_exploration": personalize.ItemExploration(weight=2)},
            "weight of item_exploration must be from 0 to 1, got 2",
        ),
        (
            V1,
            {"item_exploration": personalize.ItemExploration(item_age_cut_off=cdk.Duration.days(0))},
            "item_age_cut_off must be whole days, at least 1, got 0 days",
        ),
        (
            V1,
            {"item_exploration": personalize.ItemExploration(item_age_cut_off=cdk.Duration.hours(36))},
            "item_age_cut_off must be whole days, at least 1, got 1.5 days",
        ),
        (V2, {"ranking_influence": {"FRESHNESS": 1}}, "ranking_influence is not available with the recipe"),
        (
            Recipe.SEMANTIC_SIMILARITY,
            {"ranking_influence": {"PRICE": 1}},
            "ranking_influence must have keys of ['POPULARITY', 'FRESHNESS'], got 'PRICE'",
        ),
        (
            Recipe.SEMANTIC_SIMILARITY,
            {"ranking_influence": {"POPULARITY": -1}},
            "ranking_influence of POPULARITY must be from 0 to 1, got -1",
        ),
    ],
)
def test_what_the_service_refuses_is_refused(
    recipe: personalize.Recipe, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        campaign(recipe, **arguments)


def test_tokens_pass() -> None:
    synthesis = Synthesis()
    number = cdk.CfnParameter(synthesis.stack, "Number", type="Number").value_as_number

    made = campaign(
        V1,
        synthesis=synthesis,
        min_provisioned_tps=number,
        item_exploration=personalize.ItemExploration(weight=number),
    )

    assert synthesis.stack.resolve(made.configuration) == {
        "minProvisionedTPS": {"Ref": "Number"},
        "campaignConfig": {
            "itemExplorationConfig": {"explorationWeight": {"Ref": "Number"}},
            "syncWithLatestSolutionVersion": False,
        },
    }


def test_the_name_stays_when_the_solution_is_another() -> None:
    one, other = campaign(V1), campaign(V2)

    assert one.solution.solution_name != other.solution.solution_name
    assert one.campaign_name == other.campaign_name
    assert campaign(campaign_name="live").campaign_name == "live"


@pytest.mark.parametrize("value", [True, "true"])
def test_the_name_follows_the_solution_when_that_is_asked_for(value: object) -> None:
    context = {"cdk-personalize:replaceCampaignWithSolution": value}
    one, other = (campaign(recipe, synthesis=Synthesis(context=context)) for recipe in (V1, V2))

    assert one.campaign_name != other.campaign_name
    named = campaign(synthesis=Synthesis(context=context), campaign_name="live")
    assert re.fullmatch(r"live-[0-9a-f]{8}", named.campaign_name)
