"""Offline metrics by Amazon Personalize's protocol.

See https://docs.aws.amazon.com/personalize/latest/dg/working-with-training-metrics.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from personalize_local.personalize.recommenders.data import (
    Array,
    Event,
    Interactions,
    Mask,
    Request,
    Table,
    TrainingData,
)
from personalize_local.personalize.recommenders.model import Allowed, Model
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

DEPTHS = (5, 10, 25)
DEEPEST = max(DEPTHS)


@dataclass(frozen=True)
class Case:
    """One test user.

    :param history: what the model is told, oldest first.
    :param truth: the items that it has to find.
    """

    history: Sequence[Event]
    truth: frozenset[str]


@dataclass(frozen=True)
class Split:
    """Interactions parted for a measurement.

    :param training: the events of the users to train on.
    :param cases: the other users.
    :param item_count: how many items interactions and items know together.
    """

    training: Interactions
    cases: Sequence[Case]
    item_count: int


def evaluate(recipe: str, data: TrainingData, *, remove_seen: bool = REMOVE_SEEN) -> dict[str, float]:
    """Train on nine users of ten, and measure on the tenth.

    The parameters are those of :func:`train`, and:

    :param remove_seen: whether items of the history are left out. Default: - :data:`REMOVE_SEEN`
    :return: Personalize's metrics by their names.
    :raises ValueError: as :func:`train`.
    """
    parted = split(data.interactions, data.items, seed=data.seed)
    model = train(recipe, replace(data, interactions=parted.training))
    return measure(model, parted, remove_seen=remove_seen)


def compare_with_popularity(
    recipe: str, data: TrainingData, *, remove_seen: bool = REMOVE_SEEN
) -> dict[str, dict[str, float]]:
    """Measure a recipe and popularity on the same users.

    :return: by recipe name, Personalize's metrics by their names; popularity is ``aws-popularity-count``.
    """
    parted = split(data.interactions, data.items, seed=data.seed)
    training = replace(data, interactions=parted.training)
    return {name: measure(train(name, training), parted, remove_seen=remove_seen) for name in (POPULARITY, recipe)}


def split(interactions: Interactions, items: Table | None = None, *, seed: int = 0) -> Split:
    """Part interactions by users, and the test users' events by time.

    A test user with a single event is left out: there is nothing to tell the model.

    :param seed: which users are test users. Default: - 0
    """
    user_ids, users = np.unique(interactions.user_ids, return_inverse=True)
    test_users = np.random.default_rng(seed).permutation(len(user_ids))[: round(len(user_ids) * TEST_USERS)]
    testing = np.isin(users, test_users)
    cases = []
    for user in np.sort(test_users):
        rows = np.flatnonzero(users == user)
        rows = rows[np.argsort(interactions.timestamps[rows], kind="stable")]
        truth_count = int(np.ceil(len(rows) * TRUTH))
        if truth_count < len(rows):
            told, truth = rows[:-truth_count], rows[-truth_count:]
            cases.append(Case(_events(interactions, told), frozenset(interactions.item_ids[truth])))
    known = set(interactions.item_ids) | (set(items.ids) if items else set())
    return Split(interactions.where(~testing), cases, len(known))


def measure(model: Model, parted: Split, *, remove_seen: bool = REMOVE_SEEN) -> dict[str, float]:
    """Measure a model.

    :param model: trained on ``parted.training``.
    :param remove_seen: whether items of the history are left out; a user all of whose truth is then out of reach
        does not count. Default: - :data:`REMOVE_SEEN`
    :return: Personalize's metrics by their names; all 0 if there is no test user.
    """
    recommended: set[str] = set()
    rows: list[dict[str, float]] = []
    for case in parted.cases:
        seen = frozenset(event.item_id for event in case.history) if remove_seen else frozenset()
        truth = case.truth - seen
        if truth:
            best = [
                found.item_id for found in model.recommend(Request(case.history), allowed=_without(seen), count=DEEPEST)
            ]
            recommended.update(best)
            rows.append(_metrics(np.array([item in truth for item in best], dtype=np.bool_), len(truth)))
    names = _metrics(np.zeros(0, dtype=np.bool_), 1)
    means = {name: float(np.mean([row[name] for row in rows])) if rows else 0.0 for name in names}
    return {"coverage": len(recommended) / parted.item_count, **means}


def _metrics(hits: Mask, truth_count: int) -> dict[str, float]:
    """Measure one list of recommendations."""
    discounts = 1 / np.log2(np.arange(DEEPEST) + 2)
    found = np.flatnonzero(hits)
    ndcg = {
        f"normalized_discounted_cumulative_gain_at_{depth}": float(
            discounts[found[found < depth]].sum() / discounts[: min(depth, truth_count)].sum()
        )
        for depth in DEPTHS
    }
    precision = {f"precision_at_{depth}": float(hits[:depth].sum()) / depth for depth in DEPTHS}
    reciprocal_rank = 1 / (found[0] + 1) if len(found) else 0.0
    return {f"mean_reciprocal_rank_at_{DEEPEST}": float(reciprocal_rank), **ndcg, **precision}


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
