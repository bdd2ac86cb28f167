"""Recommenders: what a Domain dataset group has in place of solutions and campaigns.

See https://docs.aws.amazon.com/personalize/latest/dg/creating-recommenders.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cdk_personalize.use_case import UseCase

from ..auto_training import start_for_recommender
from ..crud import Behaviour, start_update
from ..engine import Attributes, Context, Parameters
from ..errors import in_use, invalid_input
from ..lifecycle import Work
from ..offers import check_exploration
from ..serving import TrainedVersion
from ..state import Record, Scope
from ..training import Training, train
from .datasets import columns_of_dataset, dataset_of, entities_of, interactions_of
from .recipes import find_use_case
from .solutions import check_event_type_is_trained_on

_CONFIG = "recommenderConfig"
_DEFAULTS = {"minRecommendationRequestsPerSecond": 1}


def prepare(context: Context, parameters: Parameters) -> Attributes:
    """Check that group, use case and configuration go together."""
    group = context.scope.get("DatasetGroup", parameters["datasetGroupArn"])
    use_case = find_use_case(parameters["recipeArn"])
    domain = group.attributes.get("domain")
    if domain != use_case.domain:
        raise invalid_input(
            f"The recipe {parameters['recipeArn']} is for dataset groups of the domain {use_case.domain}, "
            f"{group.arn} is {f'of the domain {domain}' if domain else 'a custom dataset group'}."
        )
    configuration = {**_DEFAULTS, **parameters.get(_CONFIG, {})}
    _check(context.scope, group.arn, use_case, configuration)
    return {**parameters, _CONFIG: configuration}


def work(context: Context, record: Record) -> Work:
    """Train the use case on what is in the datasets when the training begins.

    This is what the making of a recommender does, an update of its training columns, and each later retraining;
    hand the result to ``activated``.
    """
    return _training(context, record, record.attributes[_CONFIG])


def activated(context: Context, record: Record, result: TrainedVersion) -> None:
    """Make it ready to serve."""
    result.auto_update.begin(context.engine.lifecycle.now)
    context.scope.versions[record.arn] = result


def created(context: Context, record: Record, result: TrainedVersion) -> None:
    """Make it ready to serve, and train it anew every week."""
    activated(context, record, result)
    start_for_recommender(context, record, Behaviour(work=work, activated=activated))


def restored(context: Context, record: Record) -> None:
    """Let the weekly training go on after a restart."""
    start_for_recommender(context, record, Behaviour(work=work, activated=activated), resumed=True)


def described(context: Context, record: Record) -> Attributes:
    """Add the offline metrics; there are none before it is ACTIVE, nor while it is being deleted."""
    version = context.scope.versions.get(record.arn)
    if version is None or record.status.startswith("DELETE"):
        return {}
    return {"modelMetrics": dict(version.metrics)}


def update(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """UpdateRecommender: it goes on as before until the update has come through; other training columns train anew."""
    record = context.scope.get("Recommender", parameters["recommenderArn"])
    inactive = ("INACTIVE",) if context.engine.settings.uncertain.update_inactive_recommender else ()
    updatable = ("ACTIVE", *inactive)
    if record.updating or record.status not in updatable:
        status = record.update.progress.status if record.update and record.updating else record.status
        raise in_use(f"The resource {record.arn} is in status {status}, it must be {' or '.join(updatable)}.")
    wanted = {**_DEFAULTS, **parameters[_CONFIG]}
    use_case = find_use_case(record.attributes["recipeArn"])
    _check(context.scope, record.attributes["datasetGroupArn"], use_case, wanted)
    other_columns = wanted.get("trainingDataConfig") != record.attributes[_CONFIG].get("trainingDataConfig")

    def done(result: TrainedVersion | None) -> None:
        record.attributes[_CONFIG] = wanted
        if result is not None:
            activated(context, record, result)

    training = _training(context, record, wanted) if other_columns else None
    return start_update(context, record, {_CONFIG: wanted}, record.kind.update_path, done, training)


def _training(context: Context, record: Record, configuration: Attributes) -> Work:
    engine, scope = context.engine, context.scope
    group = record.attributes["datasetGroupArn"]
    use_case = find_use_case(record.attributes["recipeArn"])
    version = {
        "recipeArn": record.attributes["recipeArn"],
        "eventType": use_case.event_type,
        "solutionConfig": {"trainingDataConfig": configuration.get("trainingDataConfig", {})},
    }

    def run() -> TrainedVersion:
        with engine.state.lock:
            interactions = interactions_of(scope, group)
            wanted = (use_case.required_datasets | use_case.optional_datasets) & {"ITEMS", "USERS"}
            tables = {kind: entities_of(scope, group, kind) for kind in sorted(wanted)}
            training = Training.of(
                version,
                interactions=interactions.interactions() if interactions else None,
                tables={kind: found[0].table(found[1]) for kind, found in tables.items() if found},
                seed=engine.settings.seed,
            )
        return train(training, engine.trainer, engine.quotas)

    return run


def _check(scope: Scope, group: str, use_case: UseCase, configuration: Parameters) -> None:
    check_exploration(use_case, configuration.get("itemExplorationConfig", {}))
    columns = configuration.get("trainingDataConfig", {})
    check_event_type_is_trained_on(configuration)
    for member in ("excludedDatasetColumns", "includedDatasetColumns"):
        for dataset_type, names in columns.get(member, {}).items():
            _check_columns(scope, group, f"{member}.{dataset_type}", dataset_type, names)


def _check_columns(scope: Scope, group: str, member: str, dataset_type: str, names: list[str]) -> None:
    dataset = dataset_of(scope, group, dataset_type.upper())
    if dataset is None:
        raise invalid_input(f"{member} is about a dataset that the dataset group does not have.")
    present = [column.name for column in columns_of_dataset(scope, dataset)]
    unknown = [name for name in names if name not in present]
    if unknown:
        raise invalid_input(f"{member} names {', '.join(unknown)}; the dataset has {', '.join(present)}.")


BEHAVIOUR = Behaviour(prepare=prepare, work=work, activated=created, described=described, restored=restored)
