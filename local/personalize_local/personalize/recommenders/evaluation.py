"""Offline metrics by Amazon Personalize's protocol.

See https://docs.aws.amazon.com/personalize/latest/dg/working-with-training-metrics.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from cdk_personalize.recipe import RECIPES, RecipeType
from cdk_personalize.use_case import USE_CASES
from personalize_local.personalize.recommenders.data import (
    Array,
    Event,
    Floats,
    Interactions,
    Mask,
    Request,
    Table,
    TrainingData,
)
from personalize_local.personalize.recommenders.model import Allowed, Model
from personalize_local.personalize.recommenders.recipe_metrics import (
    evaluate_actions,
    evaluate_attribute_segments,
    evaluate_item_segments,
    evaluate_trends,
)
from personalize_local.personalize.recommenders.recipes import train

POPULARITY = "aws-popularity-count"

TEST_USERS = 0.1
"""The part of the users that the metrics are measured on; the model does not see them in training."""

TRUTH = 0.1
"""The part of a test user's events, the newest, that the model has to find; the rest is what it is told."""

REMOVE_SEEN = False
"""Whether items of a test user's history are left out of the recommendations that are measured.

Personalize's documentation of the metrics does not say that they are, and a recommender itself never leaves them
out: that is for filters to do. So metrics of a solution version count them. Films are seldom watched twice, so
this keeps figures low there; to know what a filter for seen items would give, ask for it.
"""

MOST_CASES = 1_000
"""How many test users are asked about when there are more; the others only stay out of the training."""

MOST_EVENTS = 2_000_000
"""How many events are parted when there are more: metrics hardly change with more users, and take as long again as the
training itself."""

DEPTHS = (5, 10, 25)
DEEPEST = max(DEPTHS)

REWARDED = 500
"""How many recommendations count as made when rewards are measured: as many as one request can ask for."""

NDCG = "normalized_discounted_cumulative_gain"
WEIGHTED_NDCG = "normalized_discounted_cumulative_gain_with_event_weights"
AVERAGE_REWARDS = "average_rewards_at_k"


@dataclass(frozen=True)
class Case:
    """One test user.

    :param history: what the model is told, oldest first.
    :param truth: the items that it has to find.
    :param gains: what finding an item is worth, by its events' weights. Default: - the events have no weights.
    """

    history: Sequence[Event]
    truth: frozenset[str]
    gains: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Split:
    """Interactions parted for a measurement.

    :param training: the events of the users to train on.
    :param cases: the other users.
    :param item_count: how many items interactions and items know together.
    :param weights: of the events to train on. Default: - they have none.
    :param rewards: by item, what an event with it is worth to the objective. Default: - there is no objective.
    """

    training: Interactions
    cases: Sequence[Case]
    item_count: int
    weights: Floats | None = None
    rewards: Mapping[str, float] | None = None


Evaluator = Callable[[str, TrainingData], dict[str, float]]
"""Takes a recipe's name, trains it on a part of the data, and measures it on the rest."""


def evaluate(recipe: str, data: TrainingData) -> dict[str, float]:
    """Measure what :func:`train` makes of the data, in the way of the recipe's type.

    :param recipe: the name of a recipe or of a use case.
    :return: Personalize's metrics by their names.
    :raises ValueError: as :func:`train`.
    """
    known = RECIPES.get(recipe) or USE_CASES.get(recipe)
    kind = known.recipe_type.value if known and known.recipe_type else ""
    evaluator = EVALUATORS.get(recipe) or EVALUATORS.get(kind, evaluate_items)
    return evaluator(recipe, data)


def evaluate_items(recipe: str, data: TrainingData, *, remove_seen: bool = REMOVE_SEEN) -> dict[str, float]:
    """Train on nine users of ten, and measure on the tenth.

    The parameters are those of :func:`train`, and:

    :param remove_seen: whether items of the history are left out. Default: - :data:`REMOVE_SEEN`
    :return: Personalize's metrics by their names.
    :raises ValueError: as :func:`train`.
    """
    parted = split_data(data)
    return measure(train(recipe, parted_data(data, parted)), parted, remove_seen=remove_seen)


def measure_updated(model: Model, data: TrainingData) -> dict[str, float]:
    """Measure a model that was trained before, and has only taken up what is new.

    :return: Personalize's metrics by their names.
    """
    return measure(model, split_data(data))


def compare_with_popularity(
    recipe: str, data: TrainingData, *, remove_seen: bool = REMOVE_SEEN
) -> dict[str, dict[str, float]]:
    """Measure a recipe and popularity on the same users.

    :return: by recipe name, Personalize's metrics by their names; popularity is ``aws-popularity-count``.
    """
    parted = split_data(data)
    training = parted_data(data, parted)
    return {name: measure(train(name, training), parted, remove_seen=remove_seen) for name in (POPULARITY, recipe)}


def split_data(data: TrainingData) -> Split:
    """Part what a model is trained from, as :func:`split` does; of very many events, those of some users."""
    data = _some_users(data)
    rewards = _rewards(data.items, data.objective) if data.objective else None
    return replace(split(data.interactions, data.items, weights=data.weights, seed=data.seed), rewards=rewards)


def _some_users(data: TrainingData) -> TrainingData:
    """Take as many users, at random, as have about :data:`MOST_EVENTS` events."""
    share = MOST_EVENTS / max(len(data.interactions), 1)
    if share >= 1:
        return data
    users = data.interactions.users
    rows = (np.random.default_rng(data.seed).random(len(users.values)) < share)[users.codes]
    weights = None if data.weights is None else data.weights[rows]
    return replace(data, interactions=data.interactions.where(rows), weights=weights)


def parted_data(data: TrainingData, parted: Split) -> TrainingData:
    """Put the part to train on in the place of all."""
    return replace(data, interactions=parted.training, weights=parted.weights)


def split(
    interactions: Interactions, items: Table | None = None, *, weights: Floats | None = None, seed: int = 0
) -> Split:
    """Part interactions by users, and the test users' events by time.

    A test user with a single event is left out: there is nothing to tell the model.

    :param weights: of the events. Default: - they have none.
    :param seed: which users are test users. Default: - 0
    """
    users = interactions.users.codes
    user_count = len(interactions.users.values)
    tested = np.zeros(user_count, dtype=np.bool_)
    tested[np.random.default_rng(seed).permutation(user_count)[: round(user_count * TEST_USERS)]] = True
    testing = tested[users]
    rows = np.flatnonzero(testing)
    rows = rows[np.lexsort((interactions.timestamps[rows], users[rows]))]
    by_user = np.split(rows, np.flatnonzero(np.diff(users[rows])) + 1)
    cases = []
    for rows_of_user in by_user[:: -(-len(by_user) // MOST_CASES)]:
        truth_count = int(np.ceil(len(rows_of_user) * TRUTH))
        if truth_count < len(rows_of_user):
            told, truth = rows_of_user[:-truth_count], rows_of_user[-truth_count:]
            gains = _gains(interactions, weights, truth)
            cases.append(Case(_events(interactions, told), frozenset(interactions.item_ids[truth]), gains))
    known = set(interactions.items.values) | (set(items.ids) if items else set())
    training = interactions.where(~testing)
    return Split(training, cases, len(known), None if weights is None else weights[~testing])


def measure(model: Model, parted: Split, *, remove_seen: bool = REMOVE_SEEN) -> dict[str, float]:
    """Measure a model.

    :param model: trained on ``parted.training``.
    :param remove_seen: whether items of the history are left out; a user all of whose truth is then out of reach
        does not count. Default: - :data:`REMOVE_SEEN`
    :return: Personalize's metrics by their names; all 0 if there is no test user.
    """
    recommended: set[str] = set()
    rows: list[dict[str, float]] = []
    rewards: list[float] = []
    depth = DEEPEST if parted.rewards is None else REWARDED
    for case in parted.cases:
        seen = frozenset(event.item_id for event in case.history) if remove_seen else frozenset()
        truth = case.truth - seen
        if truth:
            request = Request(case.history)
            found = [item.item_id for item in model.recommend(request, allowed=_without(seen), count=depth)]
            best = found[:DEEPEST]
            recommended.update(best)
            rows.append(_metrics(best, truth, case.gains if parted.weights is not None else None))
            rewards += _reward(found, truth, parted.rewards or {})
    names = _metrics([], frozenset({""}), None if parted.weights is None else {})
    means = {name: float(np.mean([row[name] for row in rows])) if rows else 0.0 for name in names}
    if parted.rewards is not None:
        means[AVERAGE_REWARDS] = float(np.mean(rewards)) if rewards else 0.0
    return {"coverage": len(recommended) / parted.item_count, **means}


def _metrics(best: Sequence[str], truth: frozenset[str], gains: Mapping[str, float] | None) -> dict[str, float]:
    """Measure one list of recommendations.

    :param gains: what each item is worth. Default: - nothing is measured by worth.
    """
    hits = np.array([item in truth for item in best], dtype=np.bool_)
    found = np.flatnonzero(hits)
    metrics = {f"mean_reciprocal_rank_at_{DEEPEST}": 1 / (float(found[0]) + 1) if len(found) else 0.0}
    metrics |= _ndcg(NDCG, best, dict.fromkeys(truth, 1.0))
    metrics |= {f"precision_at_{depth}": float(hits[:depth].sum()) / depth for depth in DEPTHS}
    if gains is not None:
        metrics |= _ndcg(WEIGHTED_NDCG, best, {item: gains.get(item, 0.0) for item in truth})
    return metrics


def _ndcg(name: str, best: Sequence[str], gains: Mapping[str, float]) -> dict[str, float]:
    discounts = 1 / np.log2(np.arange(DEEPEST) + 2)
    ideal = np.sort(np.array(list(gains.values())))[::-1][:DEEPEST]
    found = np.array([gains.get(item, 0.0) for item in best])
    result = {}
    for depth in DEPTHS:
        most = float(discounts[: len(ideal[:depth])] @ ideal[:depth])
        result[f"{name}_at_{depth}"] = float(discounts[: len(found[:depth])] @ found[:depth]) / most if most else 0.0
    return result


def _reward(found: Sequence[str], truth: frozenset[str], rewards: Mapping[str, float]) -> list[float]:
    """Of what the items dealt with brought, the share of the recommendations that bring most.

    Nothing, for a user who has dealt with no recommended item that brings anything.
    """
    total = sum(rewards.get(item, 0.0) for item in found if item in truth)
    top = sorted(found, key=lambda item: -rewards.get(item, 0.0))[:DEEPEST]
    return [sum(rewards.get(item, 0.0) for item in top if item in truth) / total] if total > 0 else []


def _rewards(items: Table | None, objective: tuple[str, str]) -> dict[str, float]:
    values = items.columns.get(objective[0]) if items else None
    if items is None or values is None or values.dtype.kind != "f":
        return {}
    return dict(zip(items.ids.tolist(), np.nan_to_num(values).tolist(), strict=True))


def _gains(interactions: Interactions, weights: Floats | None, rows: Array) -> dict[str, float]:
    gains: dict[str, float] = {}
    if weights is not None:
        for item, weight in zip(interactions.item_ids[rows], weights[rows], strict=True):
            gains[item] = max(gains.get(item, 0.0), float(weight))
    return gains


def _without(item_ids: frozenset[str]) -> Allowed:
    """Let all items through but these."""

    def allowed(catalogue: Array) -> Mask:
        return np.fromiter((item not in item_ids for item in catalogue), dtype=np.bool_, count=len(catalogue))

    return allowed


def _events(interactions: Interactions, rows: Array) -> list[Event]:
    types = interactions.event_types
    return [
        Event(interactions.item_ids[row], None if types is None else types[row], float(interactions.timestamps[row]))
        for row in rows
    ]


EVALUATORS: dict[str, Evaluator] = {
    RecipeType.USER_PERSONALIZATION.value: evaluate_items,
    RecipeType.PERSONALIZED_RANKING.value: evaluate_items,
    RecipeType.RELATED_ITEMS.value: evaluate_items,
    RecipeType.POPULAR_ITEMS.value: evaluate_items,
    RecipeType.PERSONALIZED_ACTIONS.value: evaluate_actions,
    "aws-trending-now": evaluate_trends,
    "aws-vod-trending-now": evaluate_trends,
    "aws-item-affinity": evaluate_item_segments,
    "aws-item-attribute-affinity": evaluate_attribute_segments,
}
"""How recipes are measured, by the type of the recipe; by the name of one that is measured in a way of its own."""

ITEM_METRICS = frozenset({"coverage", *_metrics([], frozenset({""}), None)})
"""The metrics that every recipe for items has."""
