"""BatchSegmentJob."""

from __future__ import annotations

import re
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3

import cdk_personalize as personalize
from tests.unit.conftest import USERS, Synthesis

Recipe = personalize.Recipe
Location = personalize.S3Location


def declared(recipe: personalize.Recipe = Recipe.ITEM_AFFINITY) -> tuple[Synthesis, personalize.Solution]:
    synthesis = Synthesis()
    group = synthesis.group()
    group.add_users(schema=USERS)
    return synthesis, group.add_solution("Fans", recipe=recipe)


def test_everything() -> None:
    synthesis, solution = declared()
    bucket = s3.Bucket.from_bucket_name(synthesis.stack, "Bucket", "bucket")
    adults = solution.dataset_group.add_filter("Adults", expression="INCLUDE UserID WHERE Users.AGE > 17")
    made = solution.add_batch_segment_job(
        "Campaign",
        job_input=Location(bucket, "items/"),
        job_output=Location(bucket, "fans/"),
        every=cdk.Duration.days(1),
        filter=adults,
        num_results=5_000_000,
    )

    assert made.kind == "BatchSegmentJob"
    assert made.target == {"solutionArn": solution.solution_arn}
    assert synthesis.stack.resolve(made.configuration) == {
        "jobInput": {"s3DataSource": {"path": "s3://bucket/items/"}},
        "jobOutput": {"s3DataDestination": {"path": "s3://bucket/fans/"}},
        "filterArn": synthesis.stack.resolve(adults.filter_arn),
        "numResults": 5_000_000,
    }


def test_default_locations() -> None:
    _, solution = declared()
    made = solution.add_batch_segment_job("Campaign")
    assert made.job_input is not None
    assert made.job_output is not None
    assert made.job_input.prefix == "Movies/batch-segment/Fans/Campaign/input/"
    assert made.job_output.prefix == "Movies/batch-segment/Fans/Campaign/output/"
    assert made.job_input.bucket is solution.dataset_group.data_bucket


def test_a_recipe_that_is_not_known_is_taken() -> None:
    _, solution = declared(Recipe.of("aws-new-affinity"))
    assert solution.add_batch_segment_job("Campaign").kind == "BatchSegmentJob"


@pytest.mark.parametrize(
    ("recipe", "arguments", "message"),
    [
        (
            Recipe.USER_PERSONALIZATION_V2,
            {},
            "the recipe aws-user-personalization-v2 of 'Films/Movies/Fans' finds no user segments; use "
            "Recipe.ITEM_AFFINITY or Recipe.ITEM_ATTRIBUTE_AFFINITY",
        ),
        (Recipe.ITEM_AFFINITY, {"num_results": 0}, "num_results must be from 1 to 5000000, got 0"),
        (Recipe.ITEM_AFFINITY, {"num_results": 5_000_001}, "num_results must be from 1 to 5000000, got 5000001"),
    ],
)
def test_what_the_service_refuses_is_refused(
    recipe: personalize.Recipe, arguments: dict[str, Any], message: str
) -> None:
    _, solution = declared(recipe)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        solution.add_batch_segment_job("Campaign", **arguments)


WATCHED = 'INCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("watch")'


@pytest.mark.parametrize(
    ("recipe", "expression", "message"),
    [
        (Recipe.ITEM_AFFINITY, WATCHED, None),
        (Recipe.ITEM_ATTRIBUTE_AFFINITY, "INCLUDE UserID WHERE Users.AGE > 17", None),
        (
            Recipe.ITEM_ATTRIBUTE_AFFINITY,
            WATCHED,
            "filter 'Films/Movies/Some' looks at Interactions, which the recipe aws-item-attribute-affinity cannot",
        ),
        (
            Recipe.ITEM_AFFINITY,
            'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")',
            "filter must be about UserID for the recipe aws-item-affinity, got 'Films/Movies/Some' about ItemID",
        ),
    ],
)
def test_filters(recipe: personalize.Recipe, expression: str, message: str | None) -> None:
    _, solution = declared(recipe)
    some = solution.dataset_group.add_filter("Some", expression=expression)
    if message is None:
        assert solution.add_batch_segment_job("Campaign", filter=some).configuration["filterArn"] == some.filter_arn
        return
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        solution.add_batch_segment_job("Campaign", filter=some)
