"""Solution versions: training, and offline metrics."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from ..auto_training import TRAINED_ON, contents
from ..crud import Behaviour
from ..engine import Attributes, Context, Parameters
from ..errors import in_use, invalid_input
from ..lifecycle import Work
from ..own_tuning import TUNED_AT, own_tuning
from ..recommenders import UPDATERS, Model
from ..recommenders.evaluation import ITEM_METRICS
from ..recommenders.search import METRIC
from ..serving import TrainedVersion
from ..state import Record
from ..training import AUTO_ML_RECIPES, Training, train, train_best
from ..uncertain import AUTO_UPDATE_SECONDS, INCREMENTAL_UPDATE_SECONDS, TRAINING_HOURS_PER_HOUR
from .campaigns import follow_latest
from .datasets import action_interactions_of, entities_of, interactions_of
from .recipes import recipe_arn

_UPDATE_TRAINING = tuple(UPDATERS)
_FULL = ("FULL", "AUTOTRAIN")
_COPIED = (
    "recipeArn",
    "eventType",
    "datasetGroupArn",
    "solutionConfig",
    "performHPO",
    "performAutoML",
    "performIncrementalUpdate",
)
_HOUR = 3600


def prepare(context: Context, parameters: Parameters) -> Attributes:
    """Check the training mode, and take the solution's configuration over."""
    solution = context.scope.get("Solution", parameters["solutionArn"])
    mode = parameters.get("trainingMode", "FULL")
    automatic = parameters.get("trainingType") == "AUTOMATIC"
    if mode == "AUTOTRAIN" and not automatic and not context.engine.settings.uncertain.autotrain_by_callers:
        raise invalid_input("The trainingMode AUTOTRAIN is for automatic training only. Use FULL or UPDATE.")
    if mode == "UPDATE":
        _check_update(context, solution)
    token = secrets.token_hex(4)
    if context.engine.settings.uncertain.version_name_in_arn:
        token = parameters.get("name", token)
    earlier = context.scope.children("SolutionVersion", "solutionArn", solution.arn)
    return {
        **{name: solution.attributes[name] for name in _COPIED if name in solution.attributes},
        "id": token,
        "name": f"{solution.name}/{token}",
        "solutionName": solution.name,
        "trainingType": "MANUAL",
        **parameters,
        "trainingMode": mode,
        **own_tuning(
            solution.attributes.get("recipeArn", "").rpartition("/")[2],
            earlier,
            context.scope.versions,
            context.engine.lifecycle.now,
            automatic=automatic,
        ),
        # the same calls give the same models, and no two versions the same chance
        "seed": context.engine.settings.seed + len(earlier),
    }


def work(context: Context, record: Record) -> Work:
    """Train on what is in the datasets when the training begins."""
    engine, scope = context.engine, context.scope
    group = record.attributes["datasetGroupArn"]

    previous = _updated(context, record) if record.attributes["trainingMode"] == "UPDATE" else None
    wanted = _auto_ml(record).get("metricName")
    metric = wanted if wanted in ITEM_METRICS else METRIC

    def run() -> TrainedVersion:
        with engine.state.lock:
            interactions = interactions_of(scope, group)
            entities = {kind: entities_of(scope, group, kind) for kind in ("ITEMS", "USERS", "ACTIONS")}
            rows = interactions.interactions() if interactions else None
            actions = action_interactions_of(scope, group)
            action_rows = actions.interactions() if actions else None
            tables = {kind: found[0].table(found[1]) for kind, found in entities.items() if found}
            record.attributes[TRAINED_ON] = contents(context, record)

        def training(version: Mapping[str, Any]) -> Training:
            return Training.of(
                version,
                interactions=rows,
                tables=tables,
                seed=record.attributes["seed"],
                previous=previous,
                action_interactions=action_rows,
                metric=metric,
            )

        if record.attributes["performAutoML"]:
            return train_best(_candidates(record), training, engine.trainer, engine.quotas, metric)
        return train(training(record.attributes), engine.trainer, engine.quotas)

    return run


def _candidates(record: Record) -> list[Attributes]:
    """The versions that automatic choice of the recipe tries: all tune what their recipe lets them."""
    arns = _auto_ml(record).get("recipeList") or [recipe_arn(record.arn, name) for name in AUTO_ML_RECIPES]
    version = {name: value for name, value in record.attributes.items() if name != "solutionConfig"}
    return [{**version, "recipeArn": arn, "performHPO": True} for arn in arns]


def _auto_ml(record: Record) -> Mapping[str, Any]:
    if not record.attributes["performAutoML"]:
        return {}
    configuration: Mapping[str, Any] = record.attributes.get("solutionConfig", {}).get("autoMLConfig", {})
    return configuration


def _updated(context: Context, record: Record) -> Model:
    """The newest version, which is to take up what is new."""
    versions = context.scope.children("SolutionVersion", "solutionArn", record.attributes["solutionArn"])
    trained = [found for version in versions if (found := context.scope.versions.get(version.arn))]
    return trained[-1].model


def activated(context: Context, record: Record, result: TrainedVersion) -> None:
    """Make it ready to serve, and give it to the campaigns that follow the newest version."""
    _stop_updates_of_earlier(context, record)
    context.scope.versions[record.arn] = result
    if record.attributes["trainingMode"] == "UPDATE":
        result.auto_update.stop()
    incremental = record.attributes.get("performIncrementalUpdate")
    every = INCREMENTAL_UPDATE_SECONDS if incremental else AUTO_UPDATE_SECONDS
    result.auto_update.begin(context.engine.lifecycle.now, every=every)
    hours = (record.kind.seconds or 0.0) / _HOUR * TRAINING_HOURS_PER_HOUR
    record.attributes["trainingHours"] = round(hours * result.trainings, 3)
    # what a recipe finds by itself are no hyperparameters of its own
    if result.tuned and TUNED_AT not in record.attributes:
        record.attributes["tunedHPOParams"] = {"algorithmHyperParameters": dict(result.tuned)}
    if record.attributes["performAutoML"] and result.recipe:
        record.attributes["recipeArn"] = recipe_arn(record.arn, result.recipe)
        solution = context.scope.get("Solution", record.attributes["solutionArn"])
        solution.attributes["autoMLResult"] = {"bestRecipeArn": record.attributes["recipeArn"]}
    follow_latest(context, record)


def _stop_updates_of_earlier(context: Context, record: Record) -> None:
    for version in context.scope.children("SolutionVersion", "solutionArn", record.attributes["solutionArn"]):
        if version.arn in context.scope.versions:
            context.scope.versions[version.arn].auto_update.stop()


def metrics(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """GetSolutionMetrics."""
    record = context.scope.get("SolutionVersion", parameters["solutionVersionArn"])
    version = context.scope.versions.get(record.arn)
    if version is None:
        raise in_use(f"The resource {record.arn} is in status {record.status}, there are no metrics.")
    return {"solutionVersionArn": record.arn, "metrics": dict(version.metrics)}


def _check_update(context: Context, solution: Record) -> None:
    recipe = solution.attributes.get("recipeArn", "a recipe that is still to be chosen").rpartition("/")[2]
    if recipe not in _UPDATE_TRAINING:
        raise invalid_input(f"The trainingMode UPDATE is for the recipes {', '.join(_UPDATE_TRAINING)}, not {recipe}.")
    versions = context.scope.children("SolutionVersion", "solutionArn", solution.arn)
    if not any(version.active and version.attributes["trainingMode"] in _FULL for version in versions):
        raise invalid_input(f"The trainingMode UPDATE needs an ACTIVE version of {solution.arn} with the mode FULL.")


BEHAVIOUR = Behaviour(prepare=prepare, work=work, activated=activated)
