"""Solutions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cdk_personalize.recipe import ParameterKind, Recipe

from ..crud import Behaviour, require_active, required, start_update
from ..engine import Attributes, Context, Parameters
from ..errors import ServiceError, in_use, invalid_input
from ..lifecycle import CREATE
from ..resources import Parent
from ..state import Record
from .recipes import find_recipe

_SCHEDULE = re.compile(r"rate\((\d+) days?\)")
_MAX_DAYS = 30


def prepare(context: Context, parameters: Parameters) -> Attributes:
    """Check that the configuration goes with the recipe."""
    attributes = {"performHPO": False, "performAutoML": False, "performAutoTraining": True, **parameters}
    if attributes["performAutoML"]:
        raise ServiceError("InternalFailure", "performAutoML is not emulated.", 501)
    recipe = find_recipe(required(parameters, "recipeArn", "unless performAutoML is true"))
    configuration = parameters.get("solutionConfig", {})
    _check_features(recipe, parameters, configuration)
    _check_hyperparameters(recipe, configuration)
    _check_schedule(configuration)
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
    recipe = find_recipe(record.attributes["recipeArn"])
    _check_features(recipe, parameters, change)
    _check_schedule(change)
    flags = {
        name: parameters[name] for name in ("performAutoTraining", "performIncrementalUpdate") if name in parameters
    }

    def done(result: Any) -> None:
        record.attributes.update(flags)
        if change:
            record.attributes["solutionConfig"] = {**record.attributes.get("solutionConfig", {}), **change}

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


def _check_schedule(configuration: Mapping[str, Any]) -> None:
    expression = configuration.get("autoTrainingConfig", {}).get("schedulingExpression")
    match = _SCHEDULE.fullmatch(expression) if expression else None
    if match and not 1 <= int(match[1]) <= _MAX_DAYS:
        raise invalid_input(f"schedulingExpression must be from 1 to {_MAX_DAYS} days, got {expression}.")


BEHAVIOUR = Behaviour(prepare=prepare, described=described)
