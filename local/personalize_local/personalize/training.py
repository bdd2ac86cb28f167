"""Training: which rows count, whether there are enough of them, and what comes out.

See https://docs.aws.amazon.com/personalize/latest/dg/creating-a-solution-version.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cdk_personalize.recipe import RECIPES, Recipe, RecipeType
from cdk_personalize.use_case import USE_CASES

from .errors import JobError
from .own_tuning import FOUND_BEFORE, OWN_SEARCH, TUNED_AT
from .quotas import Quotas
from .recommenders import Model, Search
from .recommenders.data import Array, Floats, Interactions, Table, TrainingData, select_events, selects
from .recommenders.search import METRIC
from .serving import TrainedVersion
from .uncertain import DEFAULT_EVENT_WEIGHT, DEFAULT_SENSITIVITY, TOO_FEW_INTERACTIONS, TRAINING_JOBS
from .worker import Trainer

TOO_FEW_USERS = "Create failed. Dataset has fewer than {minimum} users with at least 2 interactions each."
NO_DATASET = "Create failed. The dataset group has no data in its {dataset_type} dataset, which {recipe} needs."
NO_OBJECTIVE = "Create failed. The Items dataset has no numeric column {name}, which optimizationObjective names."
TOO_FEW_FOR_RECOMMENDER = "Dataset has fewer than {minimum} interactions{filtered}"
_MIN_SHARE_OF_USERS = 0.01

AUTO_ML_RECIPES = tuple(
    name for name, recipe in RECIPES.items() if recipe.recipe_type is RecipeType.USER_PERSONALIZATION
)
"""What automatic choice of the recipe chooses from; of equals, it takes the first."""


@dataclass(frozen=True)
class Training:
    """What a solution version is trained from.

    :param recipe: its name.
    :param tables: by dataset type, in upper case.
    :param events: per type of event its ``eventType``, ``eventValueThreshold`` and ``weight``. Default: - every type
        counts.
    :param objective: the Items column to optimize for, and its sensitivity. Default: - relevance alone.
    :param action_interactions: what users did with actions, which stand where items do. Default: - there is no such
        dataset.
    :param search: hyperparameters to find first. Default: - none.
    :param previous: the model that is to take up what is new. Default: - everything is learned anew.
    """

    recipe: str
    interactions: Interactions | None
    tables: Mapping[str, Table]
    hyper_parameters: Mapping[str, str]
    event_type: str | None
    event_value_threshold: float | None
    events: tuple[Mapping[str, Any], ...]
    seed: int
    objective: tuple[str, str] | None = None
    search: Search | None = None
    previous: Model | None = None
    action_interactions: Interactions | None = None

    @classmethod
    def of(
        cls,
        version: Mapping[str, Any],
        *,
        interactions: Interactions | None,
        tables: Mapping[str, Table],
        seed: int,
        previous: Model | None = None,
        action_interactions: Interactions | None = None,
        metric: str = METRIC,
    ) -> Training:
        """Read the attributes of a solution version.

        :param metric: what hyperparameter optimization optimizes. Default: - NDCG at 25
        """
        configuration = version.get("solutionConfig", {})
        threshold = configuration.get("eventValueThreshold")
        columns = configuration.get("trainingDataConfig", {})
        recipe = version["recipeArn"].rpartition("/")[2]
        objective = configuration.get("optimizationObjective")
        return cls(
            recipe=recipe,
            interactions=interactions.with_columns(_training_columns("INTERACTIONS", interactions.columns, columns))
            if interactions
            else None,
            tables={
                kind: replace(table, columns=_training_columns(kind, table.columns, columns))
                for kind, table in tables.items()
                if kind in _datasets(recipe)
            },
            hyper_parameters={
                **_fixed_defaults(recipe),
                **version.get(FOUND_BEFORE, {}),
                **configuration.get("algorithmHyperParameters", {}),
                **configuration.get("featureTransformationParameters", {}),
            },
            event_type=version.get("eventType"),
            event_value_threshold=float(threshold) if threshold else None,
            events=tuple(configuration.get("eventsConfig", {}).get("eventParametersList", ())),
            seed=seed,
            objective=(objective["itemAttribute"], objective.get("objectiveSensitivity", DEFAULT_SENSITIVITY))
            if objective and "itemAttribute" in objective
            else None,
            search=_search(version, recipe, metric) if previous is None else None,
            previous=previous,
            action_interactions=action_interactions if "ACTION_INTERACTIONS" in _datasets(recipe) else None,
        )


def train_best(
    candidates: Sequence[Mapping[str, Any]],
    training: Callable[[Mapping[str, Any]], Training],
    trainer: Trainer,
    quotas: Quotas,
    metric: str = METRIC,
) -> TrainedVersion:
    """Train versions that differ in their recipes, and take the best.

    :param training: gives what a version is trained from.
    :param metric: what tells which is best. Default: - NDCG at 25
    :raises JobError: if none can be trained.
    """
    trained: list[TrainedVersion] = []
    failures: list[JobError] = []
    for version in candidates:
        try:
            trained.append(train(training(version), trainer, quotas))
        except JobError as error:
            failures.append(error)
    if not trained:
        raise failures[0]
    best = max(trained, key=lambda version: version.metrics.get(metric, 0.0))
    return replace(best, trainings=sum(version.trainings for version in trained))


def _search(version: Mapping[str, Any], recipe: str, metric: str) -> Search | None:
    if version.get(TUNED_AT) is not None:
        return OWN_SEARCH
    if not version.get("performHPO"):
        return None
    return search_of(RECIPES[recipe], version.get("solutionConfig", {}).get("hpoConfig", {}), metric)


def search_of(recipe: Recipe, configuration: Mapping[str, Any], metric: str = METRIC) -> Search | None:
    """Read what hyperparameter optimization shall search; ``None`` if the recipe has nothing to find.

    :param configuration: ``hpoConfig``. What it lacks is taken from the recipe; Personalize does not take its
        ``hpoObjective`` into account.
    :param metric: what to optimize. Default: - NDCG at 25
    """
    ranges = configuration.get("algorithmHyperParameterRanges") or _ranges(recipe)
    jobs = configuration.get("hpoResourceConfig", {}).get("maxNumberOfTrainingJobs", TRAINING_JOBS)

    def limits(kind: str) -> dict[str, tuple[Any, Any]]:
        return {one["name"]: (one["minValue"], one["maxValue"]) for one in ranges.get(kind, ())}

    search = Search(
        int(jobs),
        limits("integerHyperParameterRanges"),
        limits("continuousHyperParameterRanges"),
        {one["name"]: tuple(one["values"]) for one in ranges.get("categoricalHyperParameterRanges", ())},
        metric,
    )
    return search if search.integer or search.continuous or search.categorical else None


def _ranges(recipe: Recipe) -> Mapping[str, Any]:
    """All that can be tuned, from the lowest to the highest value."""
    ranges: dict[str, list[Mapping[str, Any]]] = {}
    for parameter in recipe.hyperparameters:
        if parameter.tunable:
            one: Mapping[str, Any] = (
                {"name": parameter.name, "values": parameter.choices}
                if parameter.choices
                else {"name": parameter.name, "minValue": parameter.minimum, "maxValue": parameter.maximum}
            )
            ranges.setdefault(f"{parameter.type}HyperParameterRanges", []).append(one)
    return ranges


def train(training: Training, trainer: Trainer, quotas: Quotas) -> TrainedVersion:
    """Train, on a process of its own.

    :raises JobError: if there is too little to train on.
    """
    _require_datasets(training)
    _require_objective(training)
    selected, weights = _select(training)
    _require_enough(training, selected, quotas)
    selected, weights = _with_advised(training, selected, weights)
    trained = trainer.run(
        training.recipe,
        TrainingData(
            interactions=selected,
            items=training.tables.get("ITEMS"),
            users=training.tables.get("USERS"),
            actions=training.tables.get("ACTIONS"),
            action_interactions=training.action_interactions,
            weights=weights,
            hyper_parameters=training.hyper_parameters,
            objective=training.objective,
            seed=training.seed,
        ),
        search=training.search,
        previous=training.previous,
    )
    return TrainedVersion(
        trained.model,
        trained.metrics,
        training.event_type,
        recipe=training.recipe,
        tuned=trained.tuned,
        trainings=training.search.trainings(training.seed) if training.search else 1,
    )


def _datasets(recipe: str) -> frozenset[str]:
    known = RECIPES.get(recipe) or USE_CASES[recipe]
    return known.required_datasets | known.optional_datasets


def _fixed_defaults(recipe: str) -> dict[str, str]:
    """What is set unless the solution sets it; what can be tuned has defaults of the trainer's own."""
    parameters = RECIPES[recipe].hyperparameters if recipe in RECIPES else ()
    return {parameter.name: str(parameter.default) for parameter in parameters if not parameter.tunable}


def _training_columns(kind: str, present: Mapping[str, Array], columns: Mapping[str, Any]) -> dict[str, Array]:
    """Leave out the columns that are excluded, or that are not among the included ones."""

    def named(member: str) -> frozenset[str] | None:
        by_type = {name.upper(): frozenset(values) for name, values in columns.get(member, {}).items()}
        return by_type.get(kind)

    excluded, included = named("excludedDatasetColumns") or frozenset(), named("includedDatasetColumns")
    return {
        name: values
        for name, values in present.items()
        if name not in excluded and (included is None or name in included)
    }


def _require_datasets(training: Training) -> None:
    sizes = {kind: len(table) for kind, table in training.tables.items()}
    sizes["INTERACTIONS"] = len(training.interactions or ())
    for dataset_type in sorted(_needs(training.recipe)):
        if not sizes.get(dataset_type):
            raise JobError(NO_DATASET.format(dataset_type=dataset_type, recipe=training.recipe))


def _require_objective(training: Training) -> None:
    if training.objective is None:
        return
    name = training.objective[0]
    items = training.tables.get("ITEMS")
    values = items.columns.get(name) if items else None
    if values is None or values.dtype.kind != "f":
        raise JobError(NO_OBJECTIVE.format(name=name))


def _needs(recipe: str) -> frozenset[str]:
    return (RECIPES[recipe] if recipe in RECIPES else USE_CASES[recipe]).required_datasets


def _select(training: Training) -> tuple[Interactions, Floats | None]:
    """Keep the events that count, and tell how much each does."""
    interactions = training.interactions
    if interactions is None:
        nothing = np.empty(0, dtype=object)
        interactions = Interactions(nothing, nothing, np.empty(0, dtype=np.int64))
    try:
        if training.events:
            weights = _weights(interactions, training.events)
            weights[~selects(interactions, training.event_type, training.event_value_threshold)] = 0
            return interactions.where(weights > 0), weights[weights > 0]
        selected = select_events(
            interactions, event_type=training.event_type, event_value_threshold=training.event_value_threshold
        )
        return selected, None
    except ValueError as error:
        raise JobError(f"Create failed. {error}.") from error


def _with_advised(
    training: Training, selected: Interactions, weights: Floats | None
) -> tuple[Interactions, Floats | None]:
    """Add the events that a use case learns from beside those that it must have."""
    use_case, interactions = USE_CASES.get(training.recipe), training.interactions
    advised = use_case.advised_event_type if use_case else None
    if advised is None or interactions is None or interactions.event_types is None:
        return selected, weights
    kinds = interactions.event_types
    return interactions.where((kinds == training.event_type) | (kinds == advised)), None


def _weights(interactions: Interactions, events: tuple[Mapping[str, Any], ...]) -> Floats:
    """How much each event counts by ``eventsConfig``; types that it does not name count nothing."""
    if interactions.event_types is None:
        raise ValueError("eventsConfig is set, but the interactions have no EVENT_TYPE column")
    weights = np.zeros(len(interactions), dtype=np.float32)
    for event in events:
        rows = interactions.event_types == event.get("eventType")
        threshold = event.get("eventValueThreshold")
        if threshold is not None and interactions.event_values is not None:
            rows &= np.nan_to_num(interactions.event_values, nan=-np.inf) >= threshold
        weights[rows] = event.get("weight", DEFAULT_EVENT_WEIGHT)
    return weights


def _require_enough(training: Training, selected: Interactions, quotas: Quotas) -> None:
    if "INTERACTIONS" not in _needs(training.recipe):
        return
    minimum = quotas["min_interactions_to_train"]
    if len(selected) < minimum:
        filtered = f" after filtering by event type: {training.event_type}" if training.event_type else ""
        text = TOO_FEW_FOR_RECOMMENDER if training.recipe in USE_CASES else TOO_FEW_INTERACTIONS
        raise JobError(text.format(minimum=minimum, filtered=filtered))
    counts = np.bincount(selected.users.codes)
    active = int((counts >= 2).sum())
    minimum = quotas["min_users_to_train"]
    if active < max(minimum, _MIN_SHARE_OF_USERS * len(counts)):
        raise JobError(TOO_FEW_USERS.format(minimum=minimum))
