"""Solution versions: training, stopping it, and offline metrics."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from ..crud import Behaviour
from ..engine import Attributes, Context, Parameters
from ..errors import in_use, invalid_input
from ..lifecycle import STOP, Work
from ..serving import TrainedVersion
from ..state import Record
from ..training import Training, train
from ..uncertain import TRAINING_HOURS_PER_HOUR
from .campaigns import follow_latest
from .datasets import entities_of, interactions_of

_UPDATE_TRAINING = ("aws-user-personalization", "aws-hrnn-coldstart")
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
_STOP_SECONDS = 60.0


def prepare(context: Context, parameters: Parameters) -> Attributes:
    """Check the training mode, and take the solution's configuration over."""
    solution = context.scope.get("Solution", parameters["solutionArn"])
    mode = parameters.get("trainingMode", "FULL")
    if mode == "AUTOTRAIN" and not context.engine.settings.uncertain.autotrain_by_callers:
        raise invalid_input("The trainingMode AUTOTRAIN is for automatic training only. Use FULL or UPDATE.")
    if mode == "UPDATE":
        _check_update(context, solution)
    token = secrets.token_hex(4)
    return {
        **{name: solution.attributes[name] for name in _COPIED if name in solution.attributes},
        "id": token,
        "name": f"{solution.name}/{token}",
        "solutionName": solution.name,
        "trainingType": "MANUAL",
        **parameters,
        "trainingMode": mode,
    }


def work(context: Context, record: Record) -> Work:
    """Train on what is in the datasets when the training begins."""
    engine, scope = context.engine, context.scope
    group = record.attributes["datasetGroupArn"]

    def run() -> TrainedVersion:
        with engine.state.lock:
            interactions = interactions_of(scope, group)
            tables = {kind: entities_of(scope, group, kind) for kind in ("ITEMS", "USERS")}
            training = Training.of(
                record.attributes,
                interactions=interactions.interactions() if interactions else None,
                tables={kind: found[0].table(found[1]) for kind, found in tables.items() if found},
                seed=engine.settings.seed,
            )
        return train(training, engine.trainer, engine.quotas)

    return run


def activated(context: Context, record: Record, result: TrainedVersion) -> None:
    """Make it ready to serve, and give it to the campaigns that follow the newest version."""
    context.scope.versions[record.arn] = result
    hours = (record.kind.seconds or 0.0) / _HOUR * TRAINING_HOURS_PER_HOUR
    record.attributes["trainingHours"] = round(hours, 3)
    follow_latest(context, record)


def stop(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """StopSolutionVersionCreation."""
    record = context.scope.get("SolutionVersion", parameters["solutionVersionArn"])
    if record.status == "CREATE PENDING":
        context.engine.lifecycle.stop(record.progress, STOP.done)
    elif record.status == "CREATE IN_PROGRESS":
        context.engine.lifecycle.run(record.progress, STOP, _STOP_SECONDS)
    else:
        raise in_use(f"The resource {record.arn} is in status {record.status}, only its creation can be stopped.")
    return {}


def metrics(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """GetSolutionMetrics."""
    record = context.scope.get("SolutionVersion", parameters["solutionVersionArn"])
    version = context.scope.versions.get(record.arn)
    if version is None:
        raise in_use(f"The resource {record.arn} is in status {record.status}, there are no metrics.")
    return {"solutionVersionArn": record.arn, "metrics": dict(version.metrics)}


def _check_update(context: Context, solution: Record) -> None:
    recipe = solution.attributes["recipeArn"].rpartition("/")[2]
    if recipe not in _UPDATE_TRAINING:
        raise invalid_input(f"The trainingMode UPDATE is for the recipes {', '.join(_UPDATE_TRAINING)}, not {recipe}.")
    versions = context.scope.children("SolutionVersion", "solutionArn", solution.arn)
    if not any(version.active and version.attributes["trainingMode"] == "FULL" for version in versions):
        raise invalid_input(f"The trainingMode UPDATE needs an ACTIVE version of {solution.arn} with the mode FULL.")


BEHAVIOUR = Behaviour(prepare=prepare, work=work, activated=activated)
