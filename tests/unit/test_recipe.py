"""The catalogue of recipes."""

from __future__ import annotations

import re

import pytest

from cdk_personalize.recipe import RECIPES, ParameterKind, Recipe, RecipeType


def test_the_catalogue_is_complete() -> None:
    assert sorted(RECIPES) == [
        "aws-hrnn",
        "aws-hrnn-coldstart",
        "aws-hrnn-metadata",
        "aws-item-affinity",
        "aws-item-attribute-affinity",
        "aws-next-best-action",
        "aws-personalized-ranking",
        "aws-personalized-ranking-v2",
        "aws-popularity-count",
        "aws-semantic-similarity",
        "aws-similar-items",
        "aws-sims",
        "aws-trending-now",
        "aws-user-personalization",
        "aws-user-personalization-v2",
    ]


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_each_recipe_is_a_constant_and_makes_sense(recipe: Recipe) -> None:
    constant = recipe.name.removeprefix("aws-").replace("-", "_").upper()

    assert getattr(Recipe, constant) is recipe
    assert Recipe.of(recipe.name) is recipe
    assert recipe.resource == f"recipe/{recipe.name}"
    assert recipe.known
    assert recipe.required_datasets
    assert not recipe.required_datasets & recipe.optional_datasets
    assert recipe.realtime or recipe.batch
    for parameter in recipe.hyperparameters:
        if parameter.choices:
            assert parameter.default in parameter.choices
        else:
            low, high = parameter.minimum, parameter.maximum
            assert low is not None
            assert low <= float(parameter.default) <= (high if high is not None else float("inf"))


def test_what_only_some_can_do() -> None:
    def names(capability: str) -> set[str]:
        return {recipe.name for recipe in RECIPES.values() if getattr(recipe, capability)}

    assert names("events_config") == {"aws-user-personalization-v2", "aws-personalized-ranking-v2"}
    assert names("exploration") == {"aws-user-personalization"}
    assert names("optimization_objective") == {"aws-user-personalization", "aws-personalized-ranking"}
    assert names("incremental_update") == names("ranking_influence") == {"aws-semantic-similarity"}
    assert names("legacy") == {"aws-hrnn", "aws-hrnn-coldstart", "aws-hrnn-metadata"}
    assert set(RECIPES) - names("realtime") == {"aws-item-affinity", "aws-item-attribute-affinity"}
    assert set(RECIPES) - names("batch") == {"aws-trending-now", "aws-next-best-action"}


def test_hyperparameters() -> None:
    parameter = Recipe.SIMS.hyperparameter("min_user_history_length_percentile")

    assert (parameter.default, parameter.minimum, parameter.maximum) == (0.005, 0.0, 1.0)
    assert parameter.kind is ParameterKind.FEATURE_TRANSFORMATION
    assert not parameter.tunable
    assert Recipe.USER_PERSONALIZATION.hyperparameter("hidden_dimension").type == "integer"
    assert Recipe.SIMS.hyperparameter("popularity_discount_factor").type == "continuous"
    assert Recipe.TRENDING_NOW.hyperparameter("trend_discovery_frequency").type == "categorical"


def test_an_unknown_hyperparameter_is_named_with_those_there_are() -> None:
    message = (
        "hyperparameter 'bptt' is unknown to the recipe aws-user-personalization-v2, allowed: ['apply_recency_bias']"
    )

    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Recipe.USER_PERSONALIZATION_V2.hyperparameter("bptt")


def test_a_recipe_of_the_future_is_taken_without_checks() -> None:
    recipe = Recipe.of("aws-mind-reading")

    assert not recipe.known
    assert recipe.recipe_type is None
    assert recipe.required_datasets == frozenset()


@pytest.mark.parametrize("name", ["", "-x", "arn:aws:personalize:::recipe/aws-sims", "x" * 64])
def test_what_cannot_be_a_recipe_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name must be the name of a recipe"):
        Recipe.of(name)


def test_recipe_types_are_those_of_the_service() -> None:
    assert {recipe.recipe_type for recipe in RECIPES.values()} == set(RecipeType)
