"""Recipes, their algorithms and their feature transformations: what the API tells of the catalogue.

See https://docs.aws.amazon.com/personalize/latest/dg/working-with-predefined-recipes.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cdk_personalize.recipe import RECIPES, Hyperparameter, ParameterKind, Recipe, RecipeType
from cdk_personalize.use_case import USE_CASES, UseCase

from ..engine import Context, Parameters
from ..errors import invalid_input, not_found
from ..pagination import page
from ..state import Scope

_SINCE = 1_543_363_200.0  # 28 November 2018, when the service was announced
_SERVICE_ARN = ":personalize:::"
_ALGORITHMS = {"aws-trending-now": "aws-trending-now-custom"}
# those that the pages of the recipes name; of the other recipes the API does not tell any
_FEATURE_TRANSFORMATIONS = {
    "aws-user-personalization": "JSON-percentile-filtering",
    "aws-personalized-ranking": "JSON-percentile-filtering",
    "aws-hrnn": "JSON-percentile-filtering",
    "aws-hrnn-metadata": "featurize_metadata",
    "aws-hrnn-coldstart": "featurize_coldstart",
    "aws-sims": "sims",
    "aws-popularity-count": "sims",
    "aws-item-affinity": "item-affinity",
    "aws-item-attribute-affinity": "item-attribute-affinity",
}
_DESCRIPTIONS: Mapping[RecipeType | None, str] = {
    RecipeType.USER_PERSONALIZATION: "Recommends items to a user.",
    RecipeType.PERSONALIZED_RANKING: "Orders a list of items for a user.",
    RecipeType.RELATED_ITEMS: "Recommends items that go with an item.",
    RecipeType.POPULAR_ITEMS: "Recommends items that are popular.",
    RecipeType.PERSONALIZED_ACTIONS: "Recommends actions to a user.",
    RecipeType.USER_SEGMENTATION: "Finds the users with an affinity to an item or an attribute of items.",
}


def find_recipe(arn: str) -> Recipe:
    """Look the recipe of a solution up by its ARN.

    :raises ServiceError: ResourceNotFoundException; InvalidInputException for the use case of a domain.
    """
    found = _find(arn)
    if isinstance(found, UseCase):
        raise invalid_input(f"The recipe {arn} is a use case of the domain {found.domain}, which recommenders take.")
    return found


def find_use_case(arn: str) -> UseCase:
    """Look the use case of a recommender up by the ARN of its recipe.

    :raises ServiceError: ResourceNotFoundException; InvalidInputException for the recipe of a solution.
    """
    found = _find(arn)
    if isinstance(found, Recipe):
        raise invalid_input(f"The recipe {arn} is for solutions; a recommender takes one of {', '.join(USE_CASES)}.")
    return found


def recipe_arn(arn: str, name: str) -> str:
    """Make the ARN of a recipe, in the partition of another ARN."""
    return f"arn:{arn.split(':')[1]}:personalize:::recipe/{name}"


def list_recipes(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """ListRecipes: those of a domain, or all."""
    domain = parameters.get("domain")
    every: list[Recipe | UseCase] = [*RECIPES.values(), *USE_CASES.values()]
    recipes = [recipe for recipe in every if domain is None or _domain(recipe) == domain]
    eager = context.engine.settings.uncertain.recipes_token_on_first_page
    recipes_on_page, token = page(recipes, context.operation, parameters, token_on_first=eager)
    return {"recipes": [_describe(context.scope, recipe) for recipe in recipes_on_page], "nextToken": token}


def describe_recipe(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """DescribeRecipe."""
    return {"recipe": _describe(context.scope, _find(parameters["recipeArn"]))}


def describe_algorithm(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """DescribeAlgorithm. What image it runs on, and on which machines, is nowhere to be read."""
    arn = parameters["algorithmArn"]
    recipe = next((each for each in _all() if arn == _algorithm_arn(context.scope, each)), None)
    if recipe is None:
        raise not_found(f"The given algorithm does not exist: {arn}")
    parameters_of = list(_hyperparameters(recipe, ParameterKind.ALGORITHM))
    return {
        "algorithm": {
            "name": arn.rpartition("/")[2],
            "algorithmArn": arn,
            "defaultHyperParameters": _defaults(parameters_of),
            "defaultHyperParameterRanges": _ranges(parameters_of),
            **_dates(),
        }
    }


def describe_feature_transformation(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """DescribeFeatureTransformation."""
    arn = parameters["featureTransformationArn"]
    recipes = [each for each in _all() if arn == _feature_transformation_arn(context.scope, each)]
    if not recipes:
        raise not_found(f"The given feature transformation does not exist: {arn}")
    # recipes may share one: its parameters are those of the recipe that has any
    every = [list(_hyperparameters(recipe, ParameterKind.FEATURE_TRANSFORMATION)) for recipe in recipes]
    return {
        "featureTransformation": {
            "name": arn.rpartition("/")[2],
            "featureTransformationArn": arn,
            "defaultParameters": _defaults(max(every, key=len)),
            "status": "ACTIVE",
            **_dates(),
        }
    }


def _all() -> Iterator[Recipe | UseCase]:
    yield from RECIPES.values()
    yield from USE_CASES.values()


def _find(arn: str) -> Recipe | UseCase:
    _, _, name = arn.partition(f"{_SERVICE_ARN}recipe/")
    found = RECIPES.get(name) or USE_CASES.get(name)
    if found is None:
        raise not_found(f"The given recipe does not exist: {arn}")
    return found


def _describe(scope: Scope, recipe: Recipe | UseCase) -> dict[str, Any]:
    return {
        "name": recipe.name,
        "recipeArn": _arn(scope, recipe.resource),
        "algorithmArn": _algorithm_arn(scope, recipe),
        "featureTransformationArn": _feature_transformation_arn(scope, recipe),
        "description": recipe.title if isinstance(recipe, UseCase) else _DESCRIPTIONS.get(recipe.recipe_type),
        "domain": _domain(recipe),
        "status": "ACTIVE",
        "recipeType": recipe.recipe_type.value if recipe.recipe_type else None,
        **_dates(),
    }


def _domain(recipe: Recipe | UseCase) -> str | None:
    return recipe.domain if isinstance(recipe, UseCase) else None


def _arn(scope: Scope, tail: str) -> str:
    return f"arn:{scope.partition}{_SERVICE_ARN}{tail}"


def _algorithm_arn(scope: Scope, recipe: Recipe | UseCase) -> str:
    return _arn(scope, f"algorithm/{_ALGORITHMS.get(recipe.name, recipe.name)}")


def _feature_transformation_arn(scope: Scope, recipe: Recipe | UseCase) -> str | None:
    name = _FEATURE_TRANSFORMATIONS.get(recipe.name)
    return _arn(scope, f"feature-transformation/{name}") if name else None


def _dates() -> dict[str, float]:
    return {"creationDateTime": _SINCE, "lastUpdatedDateTime": _SINCE}


def _hyperparameters(recipe: Recipe | UseCase, kind: ParameterKind) -> Iterator[Hyperparameter]:
    if isinstance(recipe, Recipe):
        yield from (parameter for parameter in recipe.hyperparameters if parameter.kind is kind)


def _defaults(parameters: list[Hyperparameter]) -> dict[str, str]:
    return {parameter.name: str(parameter.default) for parameter in parameters}


def _ranges(parameters: list[Hyperparameter]) -> dict[str, list[dict[str, Any]]]:
    ranges: dict[str, list[dict[str, Any]]] = {
        f"{kind}HyperParameterRanges": [] for kind in ("integer", "continuous", "categorical")
    }
    for parameter in parameters:
        limits: dict[str, Any] = (
            {"values": list(parameter.choices)}
            if parameter.choices
            else {"minValue": parameter.minimum, "maxValue": parameter.maximum}
        )
        if parameter.type == "integer":
            limits = {name: None if value is None else int(value) for name, value in limits.items()}
        ranges[f"{parameter.type}HyperParameterRanges"].append(
            {"name": parameter.name, "isTunable": parameter.tunable, **limits}
        )
    return ranges
