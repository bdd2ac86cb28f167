"""Recipes: what ListRecipes and DescribeRecipe tell of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cdk_personalize.recipe import RECIPES, Recipe

from ..engine import Context, Parameters
from ..errors import not_found
from ..pagination import page
from ..state import Scope

_SINCE = 1_543_363_200.0  # 28 November 2018, when the service was announced


def find_recipe(arn: str) -> Recipe:
    """Look a recipe up by its ARN.

    :raises ServiceError: ResourceNotFoundException.
    """
    _, _, tail = arn.partition(":personalize:::recipe/")
    if tail not in RECIPES:
        raise not_found(f"The given recipe does not exist: {arn}")
    return RECIPES[tail]


def list_recipes(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """ListRecipes. The recipes of the two domains are not emulated, so that their lists are empty."""
    recipes = [] if "domain" in parameters else list(RECIPES.values())
    recipes_on_page, token = page(recipes, context.operation, parameters)
    return {"recipes": [_describe(context.scope, recipe) for recipe in recipes_on_page], "nextToken": token}


def describe_recipe(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """DescribeRecipe."""
    return {"recipe": _describe(context.scope, find_recipe(parameters["recipeArn"]))}


def _describe(scope: Scope, recipe: Recipe) -> dict[str, Any]:
    prefix = f"arn:{scope.partition}:personalize:::"
    return {
        "name": recipe.name,
        "recipeArn": prefix + recipe.resource,
        "algorithmArn": f"{prefix}algorithm/{recipe.name}",
        "status": "ACTIVE",
        "recipeType": recipe.recipe_type.value if recipe.recipe_type else None,
        "creationDateTime": _SINCE,
        "lastUpdatedDateTime": _SINCE,
    }
