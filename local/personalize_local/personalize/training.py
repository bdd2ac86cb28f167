"""Training: which rows count, whether there are enough of them, and what comes out.

See https://docs.aws.amazon.com/personalize/latest/dg/creating-a-solution-version.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cdk_personalize.recipe import RECIPES

from .errors import JobError
from .quotas import Quotas
from .recommenders.data import Interactions, Mask, Table, TrainingData, select_events
from .serving import TrainedVersion
from .uncertain import TOO_FEW_INTERACTIONS
from .worker import Trainer

TOO_FEW_USERS = "Create failed. Dataset has fewer than {minimum} users with at least 2 interactions each."
NO_DATASET = "Create failed. The dataset group has no data in its {dataset_type} dataset, which {recipe} needs."
_MIN_SHARE_OF_USERS = 0.01


@dataclass(frozen=True)
class Training:
    """What a solution version is trained from.

    :param recipe: its name.
    :param tables: by dataset type, in upper case.
    :param events: per type of event its ``eventType`` and ``eventValueThreshold``. Default: - every type counts.
    """

    recipe: str
    interactions: Interactions | None
    tables: Mapping[str, Table]
    hyper_parameters: Mapping[str, str]
    event_type: str | None
    event_value_threshold: float | None
    events: tuple[Mapping[str, Any], ...]
    seed: int

    @classmethod
    def of(
        cls,
        version: Mapping[str, Any],
        *,
        interactions: Interactions | None,
        tables: Mapping[str, Table],
        seed: int,
    ) -> Training:
        """Read the attributes of a solution version."""
        configuration = version.get("solutionConfig", {})
        threshold = configuration.get("eventValueThreshold")
        columns = configuration.get("trainingDataConfig", {})
        return cls(
            recipe=version["recipeArn"].rpartition("/")[2],
            interactions=interactions,
            tables={kind: _training_columns(kind, table, columns) for kind, table in tables.items()},
            hyper_parameters={
                **configuration.get("algorithmHyperParameters", {}),
                **configuration.get("featureTransformationParameters", {}),
            },
            event_type=version.get("eventType"),
            event_value_threshold=float(threshold) if threshold else None,
            events=tuple(configuration.get("eventsConfig", {}).get("eventParametersList", ())),
            seed=seed,
        )


def train(training: Training, trainer: Trainer, quotas: Quotas) -> TrainedVersion:
    """Train, on a process of its own.

    :raises JobError: if there is too little to train on.
    """
    _require_datasets(training)
    selected = _select(training)
    _require_enough(training, selected, quotas)
    trained = trainer.run(
        training.recipe,
        TrainingData(
            interactions=selected,
            items=training.tables.get("ITEMS"),
            users=training.tables.get("USERS"),
            hyper_parameters=training.hyper_parameters,
            seed=training.seed,
        ),
    )
    return TrainedVersion(trained.model, trained.metrics, training.event_type)


def _training_columns(kind: str, table: Table, columns: Mapping[str, Any]) -> Table:
    excluded = set(columns.get("excludedDatasetColumns", {}).get(kind, ()))
    included = columns.get("includedDatasetColumns", {}).get(kind)
    kept = {
        name: values
        for name, values in table.columns.items()
        if name not in excluded and (included is None or name in included)
    }
    return replace(table, columns=kept)


def _require_datasets(training: Training) -> None:
    sizes = {kind: len(table) for kind, table in training.tables.items()}
    sizes["INTERACTIONS"] = len(training.interactions or ())
    for dataset_type in sorted(RECIPES[training.recipe].required_datasets):
        if not sizes.get(dataset_type):
            raise JobError(NO_DATASET.format(dataset_type=dataset_type, recipe=training.recipe))


def _select(training: Training) -> Interactions:
    interactions = training.interactions
    if interactions is None:
        interactions = Interactions(*(np.empty(0, dtype=object) for _ in range(3)))
    try:
        if training.events:
            interactions = interactions.where(_mask(interactions, training.events))
        return select_events(
            interactions, event_type=training.event_type, event_value_threshold=training.event_value_threshold
        )
    except ValueError as error:
        raise JobError(f"Create failed. {error}.") from error


def _mask(interactions: Interactions, events: tuple[Mapping[str, Any], ...]) -> Mask:
    if interactions.event_types is None:
        raise ValueError("eventsConfig is set, but the interactions have no EVENT_TYPE column")
    chosen = np.zeros(len(interactions), dtype=np.bool_)
    for event in events:
        rows = interactions.event_types == event.get("eventType")
        threshold = event.get("eventValueThreshold")
        if threshold is not None and interactions.event_values is not None:
            rows &= np.nan_to_num(interactions.event_values, nan=-np.inf) >= threshold
        chosen |= rows
    return chosen


def _require_enough(training: Training, selected: Interactions, quotas: Quotas) -> None:
    if "INTERACTIONS" not in RECIPES[training.recipe].required_datasets:
        return
    minimum = quotas["min_interactions_to_train"]
    if len(selected) < minimum:
        filtered = f" after filtering by event type: {training.event_type}" if training.event_type else ""
        raise JobError(TOO_FEW_INTERACTIONS.format(minimum=minimum, filtered=filtered))
    _, counts = np.unique(selected.user_ids.astype(str), return_counts=True)
    active = int((counts >= 2).sum())
    minimum = quotas["min_users_to_train"]
    if active < max(minimum, _MIN_SHARE_OF_USERS * len(counts)):
        raise JobError(TOO_FEW_USERS.format(minimum=minimum))
