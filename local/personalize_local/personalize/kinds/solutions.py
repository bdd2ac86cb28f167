"""Solutions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from cdk_personalize.recipe import Hyperparameter, ParameterKind, Recipe, RecipeType

from .. import auto_training
from ..crud import Behaviour, require_active, required, start_update
from ..engine import Attributes, Context, Parameters
from ..errors import in_use, invalid_input
from ..lifecycle import CREATE
from ..recommenders.evaluation import ITEM_METRICS
from ..recommenders.search import METRIC
from ..resources import Parent
from ..state import Record
from . import solution_versions
from .datasets import columns_of_dataset, dataset_of
from .recipes import find_recipe

_MAX_DAYS = 30
_RANGES = ("integerHyperParameterRanges", "continuousHyperParameterRanges", "categoricalHyperParameterRanges")
_MOST_JOBS = {"maxNumberOfTrainingJobs": 40, "maxParallelTrainingJobs": 10}


def prepare(context: Context, parameters: Parameters) -> Attributes:
    """Check that the configuration goes with the recipe."""
    attributes = {"performHPO": False, "performAutoML": False, "performAutoTraining": True, **parameters}
    configuration = parameters.get("solutionConfig", {})
    _check_schedule(configuration)
    if attributes["performAutoML"]:
        _check_auto_ml(context, parameters, configuration)
        return attributes
    recipe = find_recipe(required(parameters, "recipeArn", "unless performAutoML is true"))
    _check_features(recipe, parameters, configuration)
    _check_hyperparameters(recipe, configuration)
    if context.engine.settings.uncertain.hyperparameter_values_checked:
        _check_values(recipe, configuration)
    _check_search(recipe, parameters, configuration)
    check_event_type_is_trained_on(configuration)
    _check_objective(context, parameters, configuration)
    return attributes


def described(context: Context, record: Record) -> Attributes:
    """Add the newest version."""
    versions = context.scope.children("SolutionVersion", "solutionArn", record.arn)
    return {"latestSolutionVersion": versions[-1].to_api()} if versions else {}


def update(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """UpdateSolution."""
    record = require_active(context, Parent("solutionArn", "Solution"), parameters["solutionArn"])
    if record.updating:
        raise in_use(f"The resource {record.arn} is being updated.")
    change = parameters.get("solutionUpdateConfig", {})
    if "recipeArn" in record.attributes:
        _check_features(find_recipe(record.attributes["recipeArn"]), parameters, change)
    _check_schedule(change)
    flags = {
        name: parameters[name] for name in ("performAutoTraining", "performIncrementalUpdate") if name in parameters
    }

    def done(result: Any) -> None:
        record.attributes.update(flags)
        if change:
            record.attributes["solutionConfig"] = {**record.attributes.get("solutionConfig", {}), **change}
        if "performAutoTraining" in flags or "autoTrainingConfig" in change:
            auto_training.start(context, record, solution_versions.BEHAVIOUR)

    return start_update(context, record, {**flags, "solutionUpdateConfig": change}, CREATE, done)


def _check_features(recipe: Recipe, parameters: Parameters, configuration: Mapping[str, Any]) -> None:
    tunable = any(parameter.tunable for parameter in recipe.hyperparameters)
    wanted = {
        "performHPO": (parameters.get("performHPO"), tunable),
        "performIncrementalUpdate": (parameters.get("performIncrementalUpdate"), recipe.incremental_update),
        "eventsConfig": ("eventsConfig" in configuration, recipe.events_config),
        "optimizationObjective": ("optimizationObjective" in configuration, recipe.optimization_objective),
    }
    refused = [name for name, (asked, supported) in wanted.items() if asked and not supported]
    if refused:
        raise invalid_input(f"The recipe {recipe.name} does not support {', '.join(refused)}.")


def _check_hyperparameters(recipe: Recipe, configuration: Mapping[str, Any]) -> None:
    for kind in ParameterKind:
        allowed = sorted(parameter.name for parameter in recipe.hyperparameters if parameter.kind is kind)
        unknown = sorted(set(configuration.get(kind.value, {})) - set(allowed))
        if unknown:
            raise invalid_input(f"The recipe {recipe.name} has no {kind.value} {', '.join(unknown)}; it has {allowed}.")


def _check_values(recipe: Recipe, configuration: Mapping[str, Any]) -> None:
    parameters = {parameter.name: parameter for parameter in recipe.hyperparameters}
    for kind in ParameterKind:
        for name, value in configuration.get(kind.value, {}).items():
            parameter = parameters[name]
            if parameter.tuning_only:
                raise invalid_input(f"{name} can be set by the ranges of hpoConfig only.")
            if not _fits(parameter, value):
                allowed = parameter.choices or f"{parameter.type} from {parameter.minimum} to {parameter.maximum}"
                raise invalid_input(f"{kind.value}.{name} must be {allowed}, got {value}.")


def _fits(parameter: Hyperparameter, value: str) -> bool:
    if parameter.choices:
        return value in parameter.choices
    try:
        number = float(value) if parameter.type == "continuous" else int(value)
    except ValueError:
        return False
    lowest = -math.inf if parameter.minimum is None else parameter.minimum
    highest = math.inf if parameter.maximum is None else parameter.maximum
    return lowest <= number <= highest


def _check_search(recipe: Recipe, parameters: Parameters, configuration: Mapping[str, Any]) -> None:
    """Hyperparameter optimization names parameters of its recipe, in ranges that the recipe allows."""
    search = configuration.get("hpoConfig", {})
    _check_jobs(search.get("hpoResourceConfig", {}))
    ranges = search.get("algorithmHyperParameterRanges", {})
    missing = [kind for kind in _RANGES if kind not in ranges]
    if ranges and missing:
        raise invalid_input(f"algorithmHyperParameterRanges lacks {', '.join(missing)}, which may be empty lists.")
    tunable = {parameter.name: parameter for parameter in recipe.hyperparameters if parameter.tunable}
    for kind, wanted in ranges.items():
        for one in wanted:
            parameter = tunable.get(one["name"])
            if parameter is None:
                raise invalid_input(f"{kind} names {one['name']}; {recipe.name} can tune {sorted(tunable)}.")
            if kind != f"{parameter.type}HyperParameterRanges":
                raise invalid_input(f"{kind} names {one['name']}, which is {parameter.type}.")
            _check_range(parameter, one, f"{kind}.{one['name']}")


def _check_jobs(resources: Mapping[str, str]) -> None:
    for name, most in _MOST_JOBS.items():
        jobs = resources.get(name, "1")
        if not jobs.isdecimal() or not 1 <= int(jobs) <= most:
            raise invalid_input(f"{name} must be a number from 1 to {most}, got {jobs}.")


def _check_range(parameter: Hyperparameter, wanted: Mapping[str, Any], path: str) -> None:
    if parameter.choices:
        unknown = sorted(set(wanted.get("values", ())) - set(parameter.choices))
        if unknown or not wanted.get("values"):
            raise invalid_input(f"{path} must be of {sorted(parameter.choices)}, got {unknown or 'nothing'}.")
        return
    lowest, highest = wanted.get("minValue"), wanted.get("maxValue")
    if lowest is None or highest is None or lowest > highest:
        raise invalid_input(f"{path} must have a minValue that is at most its maxValue, got {lowest} and {highest}.")
    for value in (lowest, highest):
        below = parameter.minimum is not None and value < parameter.minimum
        if below or (parameter.maximum is not None and value > parameter.maximum):
            raise invalid_input(f"{path} must be from {parameter.minimum} to {parameter.maximum}, got {value}.")


def check_event_type_is_trained_on(configuration: Mapping[str, Any]) -> None:
    """Refuse a trainingDataConfig that leaves the type of events out.

    :param configuration: of a solution or a recommender.
    :raises ServiceError: InvalidInputException.
    """
    excluded = configuration.get("trainingDataConfig", {}).get("excludedDatasetColumns", {})
    names = {
        name for dataset_type, names in excluded.items() if dataset_type.upper() == "INTERACTIONS" for name in names
    }
    if "EVENT_TYPE" in names:
        raise invalid_input("excludedDatasetColumns must not name EVENT_TYPE: it is always trained on.")


def _check_objective(context: Context, parameters: Parameters, configuration: Mapping[str, Any]) -> None:
    """An objective is a numeric column of the Items dataset that is never null."""
    name = configuration.get("optimizationObjective", {}).get("itemAttribute")
    if name is None:
        return
    dataset = dataset_of(context.scope, parameters["datasetGroupArn"], "ITEMS")
    if dataset is None:
        return  # training will tell
    columns = columns_of_dataset(context.scope, dataset)
    allowed = [column.name for column in columns if column.numeric and not column.nullable]
    if name not in allowed:
        raise invalid_input(
            f"itemAttribute must be a numeric Items column that is never null, of {allowed}, got {name}."
        )


def _check_auto_ml(context: Context, parameters: Parameters, configuration: Mapping[str, Any]) -> None:
    if "recipeArn" in parameters:
        raise invalid_input("recipeArn must not be given when performAutoML is true: the service chooses the recipe.")
    choice = configuration.get("autoMLConfig", {})
    refused = context.engine.settings.uncertain.unknown_auto_ml_metric_refused
    if refused and choice.get("metricName", METRIC) not in ITEM_METRICS:
        raise invalid_input(f"metricName must be one of {sorted(ITEM_METRICS)}, got {choice['metricName']}.")
    for arn in choice.get("recipeList", ()):
        if find_recipe(arn).recipe_type is not RecipeType.USER_PERSONALIZATION:
            raise invalid_input(f"recipeList must have recipes of the type USER_PERSONALIZATION, got {arn}.")


def _check_schedule(configuration: Mapping[str, Any]) -> None:
    expression = configuration.get("autoTrainingConfig", {}).get("schedulingExpression")
    match = auto_training.SCHEDULE.fullmatch(expression) if expression else None
    if match and not 1 <= int(match[1]) <= _MAX_DAYS:
        raise invalid_input(f"schedulingExpression must be from 1 to {_MAX_DAYS} days, got {expression}.")


def activated(context: Context, record: Record, result: Any) -> None:
    """Start the clock of automatic training."""
    auto_training.start(context, record, solution_versions.BEHAVIOUR)


def restored(context: Context, record: Record) -> None:
    """Let the clock of automatic training go on after a restart."""
    auto_training.start(context, record, solution_versions.BEHAVIOUR, resumed=True)


BEHAVIOUR = Behaviour(prepare=prepare, activated=activated, described=described, restored=restored)
