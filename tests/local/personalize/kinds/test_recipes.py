from __future__ import annotations

import pytest

from cdk_personalize.recipe import RECIPES, ParameterKind
from cdk_personalize.use_case import USE_CASES

from ..support import Builder, Cloud

ARN = "arn:aws:personalize:::"


def names(cloud: Cloud, **filters: str) -> list[str]:
    pages = cloud.personalize.get_paginator("list_recipes").paginate(**filters)
    return [recipe["name"] for page in pages for recipe in page["recipes"]]


def test_all_recipes_are_listed(cloud: Cloud) -> None:
    assert names(cloud) == names(cloud, recipeProvider="SERVICE") == [*RECIPES, *USE_CASES]


@pytest.mark.parametrize("domain", ["ECOMMERCE", "VIDEO_ON_DEMAND"])
def test_the_recipes_of_a_domain(cloud: Cloud, domain: str) -> None:
    """The first page has a token although there is nothing more, as was seen."""
    page = cloud.personalize.list_recipes(domain=domain)
    assert [recipe["name"] for recipe in page["recipes"]] == names(cloud, domain=domain)
    assert len(page["recipes"]) == 5
    assert {recipe["domain"] for recipe in page["recipes"]} == {domain}
    last = cloud.personalize.list_recipes(domain=domain, nextToken=page["nextToken"])
    assert last["recipes"] == []
    assert "nextToken" not in last


def test_every_recipe_is_described(cloud: Cloud) -> None:
    client = cloud.personalize
    for name in names(cloud):
        recipe = client.describe_recipe(recipeArn=f"{ARN}recipe/{name}")["recipe"]
        assert (recipe["name"], recipe["recipeArn"], recipe["status"]) == (name, f"{ARN}recipe/{name}", "ACTIVE")
        known = RECIPES.get(name) or USE_CASES[name]
        assert known.recipe_type is not None
        assert recipe["recipeType"] == known.recipe_type.value
        assert recipe["description"]
        algorithm = client.describe_algorithm(algorithmArn=recipe["algorithmArn"])["algorithm"]
        assert algorithm["algorithmArn"] == recipe["algorithmArn"]
        if "featureTransformationArn" in recipe:
            arn = recipe["featureTransformationArn"]
            found = client.describe_feature_transformation(featureTransformationArn=arn)["featureTransformation"]
            assert (found["featureTransformationArn"], found["status"]) == (arn, "ACTIVE")


def test_defaults_and_ranges(cloud: Cloud) -> None:
    client = cloud.personalize
    algorithm = client.describe_algorithm(algorithmArn=f"{ARN}algorithm/aws-user-personalization")["algorithm"]
    assert algorithm["name"] == "aws-user-personalization"
    assert algorithm["defaultHyperParameters"] == {"hidden_dimension": "149", "bptt": "32", "recency_mask": "True"}
    ranges = algorithm["defaultHyperParameterRanges"]
    assert ranges["integerHyperParameterRanges"] == [
        {"name": "hidden_dimension", "minValue": 32, "maxValue": 256, "isTunable": True},
        {"name": "bptt", "minValue": 2, "maxValue": 32, "isTunable": True},
    ]
    assert ranges["continuousHyperParameterRanges"] == []
    assert [each["name"] for each in ranges["categoricalHyperParameterRanges"]] == ["recency_mask"]
    transformation = client.describe_feature_transformation(
        featureTransformationArn=f"{ARN}feature-transformation/JSON-percentile-filtering"
    )["featureTransformation"]
    assert transformation["name"] == "JSON-percentile-filtering"
    assert transformation["defaultParameters"] == {
        "min_user_history_length_percentile": "0.0",
        "max_user_history_length_percentile": "0.99",
    }


def test_every_hyperparameter_of_an_algorithm_has_a_range(cloud: Cloud) -> None:
    for recipe in RECIPES.values():
        tail = {"aws-trending-now": "aws-trending-now-custom"}.get(recipe.name, recipe.name)
        algorithm = cloud.personalize.describe_algorithm(algorithmArn=f"{ARN}algorithm/{tail}")["algorithm"]
        expected = {each.name for each in recipe.hyperparameters if each.kind is ParameterKind.ALGORITHM}
        ranges = algorithm["defaultHyperParameterRanges"].values()
        assert (
            {each["name"] for some in ranges for each in some} == set(algorithm["defaultHyperParameters"]) == expected
        )


def test_the_partition_is_that_of_the_region(cloud: Cloud) -> None:
    client = cloud.client("personalize", region="cn-north-1")
    recipe = client.describe_recipe(recipeArn="arn:aws-cn:personalize:::recipe/aws-sims")["recipe"]
    assert recipe["algorithmArn"] == "arn:aws-cn:personalize:::algorithm/aws-sims"
    assert client.describe_algorithm(algorithmArn=recipe["algorithmArn"])["algorithm"]["name"] == "aws-sims"


def test_what_does_not_exist(cloud: Cloud, build: Builder) -> None:
    client = cloud.personalize
    missing = client.exceptions.ResourceNotFoundException
    with pytest.raises(missing, match=r"The given recipe does not exist: .*/aws-none"):
        client.describe_recipe(recipeArn=f"{ARN}recipe/aws-none")
    with pytest.raises(missing, match="The given algorithm does not exist"):
        client.describe_algorithm(algorithmArn=f"{ARN}algorithm/aws-trending-now")
    with pytest.raises(missing, match="The given feature transformation does not exist"):
        client.describe_feature_transformation(featureTransformationArn=f"{ARN}feature-transformation/none")
    with pytest.raises(missing, match="The given recipe does not exist"):
        build.solution(build.group(), recipeArn=f"{ARN}recipe/aws-none")
