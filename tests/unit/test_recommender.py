"""Recommender."""

from __future__ import annotations

import re
from typing import Any

import aws_cdk as cdk
import pytest

import cdk_personalize as personalize
from tests.unit.conftest import Synthesis

Domain, UseCase = personalize.Domain, personalize.UseCase


def shop(synthesis: Synthesis, domain: personalize.Domain | None = Domain.ECOMMERCE) -> personalize.DatasetGroup:
    group = personalize.DatasetGroup(synthesis.stack, "Shop", domain=domain)
    group.add_interactions(schema=personalize.Schema.interactions(domain=domain))
    return group


def recommender(
    use_case: personalize.UseCase = UseCase.RECOMMENDED_FOR_YOU, *, synthesis: Synthesis | None = None, **arguments: Any
) -> personalize.Recommender:
    return shop(synthesis or Synthesis()).add_recommender("ForYou", use_case=use_case, **arguments)


def test_the_least() -> None:
    made = recommender()
    assert made.configuration == {"minRecommendationRequestsPerSecond": 1}
    assert made.recommender_name.startswith("Films-Shop-ForYou-")
    assert made.running
    assert (
        made.stack.resolve(made.recipe_arn)["Fn::Join"][1][-1] == ":personalize:::recipe/aws-ecomm-recommended-for-you"
    )


def test_everything() -> None:
    made = recommender(
        recommender_name="for-you",
        min_recommendation_requests_per_second=5,
        item_exploration=personalize.ItemExploration(weight=0.5, item_age_cut_off=cdk.Duration.days(14)),
        metadata_with_recommendations=True,
        excluded_columns={personalize.DatasetType.INTERACTIONS: ["EVENT_VALUE"]},
        running=False,
    )
    assert made.recommender_name.startswith("for-you-")
    assert made.configuration == {
        "minRecommendationRequestsPerSecond": 5,
        "itemExplorationConfig": {"explorationWeight": "0.5", "explorationItemAgeCutOff": "14"},
        "enableMetadataWithRecommendations": True,
        "trainingDataConfig": {"excludedDatasetColumns": {"Interactions": ["EVENT_VALUE"]}},
    }
    assert not made.running


def test_another_use_case_has_another_name() -> None:
    assert recommender().recommender_name != recommender(UseCase.MOST_VIEWED).recommender_name
    assert recommender().recommender_name == recommender(min_recommendation_requests_per_second=2).recommender_name


@pytest.mark.parametrize(
    ("use_case", "arguments", "message"),
    [
        (UseCase.MOST_VIEWED, {"recommender_name": "for you"}, "recommender_name must have 1 to 63 letters"),
        (
            UseCase.MOST_VIEWED,
            {"min_recommendation_requests_per_second": 0},
            "min_recommendation_requests_per_second must be at least 1, got 0",
        ),
        (
            UseCase.MOST_VIEWED,
            {"item_exploration": personalize.ItemExploration(weight=1)},
            "item_exploration is not available with the use case 'Most viewed'",
        ),
        (
            UseCase.MOST_VIEWED,
            {"excluded_columns": {personalize.DatasetType.INTERACTIONS: ["EVENT_TYPE"]}},
            "excluded_columns must not hold ['EVENT_TYPE']",
        ),
        (
            UseCase.TOP_PICKS_FOR_YOU,
            {},
            "the use case 'Top picks for you' is one of the domain VIDEO_ON_DEMAND, but dataset group 'Films/Shop' is "
            "of the domain ECOMMERCE",
        ),
    ],
)
def test_what_is_refused(use_case: personalize.UseCase, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        recommender(use_case, **arguments)


def test_a_custom_dataset_group_has_no_recommenders(synthesis: Synthesis) -> None:
    with pytest.raises(
        ValueError, match=r"^dataset group 'Films/Shop' has no domain, .+ domain=Domain\.ECOMMERCE, or a solution"
    ):
        shop(synthesis, None).add_recommender("ForYou", use_case=UseCase.RECOMMENDED_FOR_YOU)


def test_at_most_five(synthesis: Synthesis) -> None:
    group = shop(synthesis)
    for number in range(5):
        group.add_recommender(f"R{number}", use_case=UseCase.MOST_VIEWED)
    with pytest.raises(ValueError, match=r"can have at most 5 recommenders, 'Films/Shop/R5' is one more"):
        group.add_recommender("R5", use_case=UseCase.MOST_VIEWED)


def test_what_does_not_fit_the_datasets(synthesis: Synthesis) -> None:
    group = personalize.DatasetGroup(synthesis.stack, "Films", domain=Domain.VIDEO_ON_DEMAND)
    group.add_interactions(schema=personalize.Schema.interactions(domain=Domain.VIDEO_ON_DEMAND))
    group.add_recommender(
        "Like", use_case=UseCase.MORE_LIKE_X, excluded_columns={personalize.DatasetType.INTERACTIONS: ["PLACE"]}
    )
    assert list(group.node.validate()) == [
        "recommender 'Films/Films/Like': the use case 'More like X' needs a dataset of ITEMS, has ['INTERACTIONS']",
        "recommender 'Films/Films/Like': excluded_columns names ['PLACE'], which INTERACTIONS does not have; allowed: "
        "['USER_ID', 'ITEM_ID', 'TIMESTAMP', 'EVENT_TYPE']",
        "dataset group 'Films/Films' has recommenders ('Films/Films/Like') but no Workflow, so nothing would train "
        "or run them; add Workflow(scope, id, dataset_group=...)",
    ]
