"""Batch inference jobs: recommendations for many users or items, from a file into a file.

See https://docs.aws.amazon.com/personalize/latest/dg/getting-batch-recommendations.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cdk_personalize.recipe import Recipe, RecipeType

from ..batch import Batch, Line, check_paths, request_of, run_batch
from ..crud import Behaviour, required
from ..deployments import Deployment, is_updated
from ..engine import Attributes, Context, Parameters
from ..errors import invalid_input
from ..lifecycle import Work
from ..offers import check_exploration, gives_reasons, gives_scores
from ..recommendations import DEFAULT_RESULTS, Prepared, prepare, ranked
from ..state import Record
from ..themes import Themes
from ..uncertain import BATCH_REASONS, MOST_BATCH_RESULTS
from .campaigns import check_influence
from .datasets import columns_of_dataset, dataset_of, entities_of
from .filters import check_filter
from .recipes import find_recipe

THEMES = "THEME_GENERATION"
_THEME_REGIONS = ("us-east-1", "us-west-2", "ap-northeast-1")
_THEME_RECIPE = "aws-similar-items"
_MEMBERS = ("userId", "itemId")


def check(context: Context, parameters: Parameters) -> Attributes:
    """Check that recipe, filter and configuration go together."""
    check_paths(parameters)
    version = context.scope.get("SolutionVersion", parameters["solutionVersionArn"])
    group = version.attributes["datasetGroupArn"]
    recipe = find_recipe(version.attributes["recipeArn"])
    if not recipe.batch or recipe.recipe_type is RecipeType.USER_SEGMENTATION:
        raise invalid_input(f"Batch inference jobs cannot use solution versions of the recipe {recipe.name}.")
    count = parameters.get("numResults", DEFAULT_RESULTS)
    if not 0 <= count <= MOST_BATCH_RESULTS:
        raise invalid_input(f"numResults must be from 0 to {MOST_BATCH_RESULTS}, got {count}.")
    configuration = parameters.get("batchInferenceJobConfig", {})
    check_exploration(recipe, configuration.get("itemExplorationConfig", {}))
    check_influence(context.scope, group, recipe, configuration.get("rankingInfluence", {}))
    if "filterArn" in parameters:
        check_filter(context, group, parameters["filterArn"], recipe)
    mode = parameters.get("batchInferenceJobMode", "BATCH_INFERENCE")
    if mode == THEMES:
        _check_themes(context, parameters, recipe, group)
    return {
        **parameters,
        "numResults": count,
        "batchInferenceJobMode": mode,
        "datasetGroupArn": group,
        "recipeArn": version.attributes["recipeArn"],
    }


def work(context: Context, record: Record) -> Work:
    """Answer line by line, each from what is known at that moment."""
    engine, attributes = context.engine, record.attributes
    themed = attributes["batchInferenceJobMode"] == THEMES
    limit = "batch_inference_records_with_themes" if themed else "batch_inference_records_per_file"
    deployment = _deployment(context, attributes)

    def run() -> None:
        themes = _themes(context, attributes) if themed else None

        def answer(line: Line) -> Mapping[str, Any]:
            request = request_of(line, _MEMBERS, attributes)
            with engine.state.lock:
                prepared = prepare(context, deployment, request)
            return _answer(prepared, line, attributes["numResults"], themes)

        run_batch(context, Batch.of(attributes, engine.quotas[limit], answer), engine.log.getChild("batch"))

    return run


def _deployment(context: Context, attributes: Attributes) -> Deployment:
    """Take the version as if it were deployed for this job alone."""
    recipe = find_recipe(attributes["recipeArn"])
    arn = attributes["solutionVersionArn"]
    return Deployment(
        arn=arn,
        offer=recipe,
        group=attributes["datasetGroupArn"],
        version=context.scope.versions[arn],
        configuration=attributes.get("batchInferenceJobConfig", {}),
        updates=is_updated(context.scope, arn, recipe),
    )


def _answer(prepared: Prepared, line: Line, count: int, themes: Themes | None) -> Mapping[str, Any]:
    offer = prepared.deployment.offer
    if offer.recipe_type is RecipeType.PERSONALIZED_RANKING:
        order = ranked(prepared, _item_list(line))
        return {"recommendedItems": [item_id for item_id, _ in order], "scores": [score for _, score in order]}
    found = prepared.recommend(prepared.allowed, count)
    ids = [item.item_id for item in found]
    if themes is not None:
        theme, relevance = themes.theme(ids) if ids else ("", {})
        ids.sort(key=lambda item_id: -relevance[item_id])
        scores = [relevance[item_id] for item_id in ids]
        return {"recommendedItems": ids, "theme": theme, "itemsThemeRelevanceScores": scores}
    answer: dict[str, Any] = {"recommendedItems": ids}
    if gives_scores(offer):
        answer["scores"] = [item.score for item in found]
    if gives_reasons(offer):
        answer[BATCH_REASONS] = [list(item.reasons) for item in found]
    return answer


def _item_list(line: Line) -> list[str]:
    items = line.get("itemList")
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise invalid_input(f"A line must have itemList, a list of strings, got {items!r}.")
    if len(items) > MOST_BATCH_RESULTS:
        raise invalid_input(f"itemList can have at most {MOST_BATCH_RESULTS} items, got {len(items)}.")
    return list(dict.fromkeys(items))


def _name_column(parameters: Parameters) -> str:
    configuration = required(parameters, "themeGenerationConfig", f"by the mode {THEMES}")
    name: str = configuration["fieldsForThemeGeneration"]["itemName"]
    return name


def _check_themes(context: Context, parameters: Parameters, recipe: Recipe, group: str) -> None:
    if recipe.name != _THEME_RECIPE:
        raise invalid_input(f"Themes are for the recipe {_THEME_RECIPE} only, not for {recipe.name}.")
    if context.scope.region not in _THEME_REGIONS:
        raise invalid_input(f"Themes can be had in {', '.join(_THEME_REGIONS)} only, not in {context.scope.region}.")
    wanted = _name_column(parameters)
    items = dataset_of(context.scope, group, "ITEMS")
    columns = columns_of_dataset(context.scope, items) if items else ()
    if wanted not in {column.name for column in columns if column.type == "string"}:
        raise invalid_input(f"itemName must name a column of strings in the Items dataset, got {wanted}.")
    if not any(column.textual for column in columns):
        raise invalid_input("Themes need a textual column in the Items dataset, such as a description.")


def _themes(context: Context, attributes: Attributes) -> Themes:
    with context.engine.state.lock:
        items = entities_of(context.scope, attributes["datasetGroupArn"], "ITEMS")
        table = items[0].table(items[1]) if items else None
    if table is None:
        raise invalid_input("There is no Items dataset to take themes from.")
    return Themes(table, _name_column(attributes))


BEHAVIOUR = Behaviour(prepare=check, work=work)
