"""Offline metrics of the recipes that are not measured by what they recommend to users: trends, actions, segments.

See https://docs.aws.amazon.com/personalize/latest/dg/working-with-training-metrics.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np

from personalize_local.personalize.recommenders.data import (
    Event,
    Floats,
    Integers,
    Interactions,
    Mask,
    Request,
    TrainingData,
)
from personalize_local.personalize.recommenders.embedding import categories_in
from personalize_local.personalize.recommenders.next_best_action import TAKEN, rows_by_id
from personalize_local.personalize.recommenders.recipes import train
from personalize_local.personalize.recommenders.trending import interval_of, rates_of_increase
from personalize_local.personalize.uncertain import AREA_UNDER_CURVE, TREND_PREDICTION_ACCURACY

DEPTHS = (5, 10, 25)
TOP_TRENDS = 25
"""How many trending items are compared with those that really trend."""

TEST_USERS = 0.1
"""The part of the users whose actions are predicted."""

ACTIONS_SHOWN = 5
"""How many actions count as recommended: as many as GetActionRecommendations gives."""

SEGMENT_TEST_SHARE = 0.2
"""The part of each user's events, the newest, that segments are measured by."""

TOP_SHARE = 0.01
"""The part of the users, those with the most affinity, that a segment is measured by."""

MOST_QUERIES = 500


def evaluate_trends(recipe: str, data: TrainingData) -> dict[str, float]:
    """Train on all but the newest interval, and see how much of its trends was foretold.

    :return: the share of what the 25 fastest items gained that the 25 recommended ones gained.
    """
    interactions = data.interactions
    seconds = interval_of(data.hyper_parameters)
    before = interactions.timestamps <= interactions.timestamps.max() - seconds
    if not before.any():
        return {"coverage": 0.0, TREND_PREDICTION_ACCURACY: 0.0}
    weights = None if data.weights is None else data.weights[before]
    model = train(recipe, replace(data, interactions=interactions.where(before), weights=weights))
    item_ids = interactions.items.values
    rates = rates_of_increase(
        interactions.items.codes.astype(np.int64), interactions.timestamps, seconds, len(item_ids)
    )
    rate_by_id = dict(zip(item_ids.tolist(), rates.tolist(), strict=True))
    found = [one.item_id for one in model.recommend(count=TOP_TRENDS)]
    best = float(np.sort(rates)[::-1][:TOP_TRENDS].sum())
    return {
        "coverage": len(found) / len(item_ids),
        TREND_PREDICTION_ACCURACY: sum(rate_by_id[item_id] for item_id in found) / best if best else 0.0,
    }


def evaluate_actions(recipe: str, data: TrainingData) -> dict[str, float]:
    """Train on nine users of ten, and predict the actions of the tenth."""
    events = data.action_interactions
    user_ids = events.users.values if events is not None else np.empty(0, dtype=object)
    chosen = np.random.default_rng(data.seed).permutation(len(user_ids))[: round(len(user_ids) * TEST_USERS)]
    tested = user_ids[np.sort(chosen)].tolist()
    testing = _among(events, tested) if events is not None else np.empty(0, dtype=np.bool_)
    model = train(recipe, replace(data, action_interactions=events.where(~testing) if events is not None else None))
    taken, met = _outcomes(events.where(testing)) if events is not None else ({}, {})
    histories, rows = _histories(data.interactions, tested), rows_by_id(data.users)
    lists: dict[str, dict[str, float]] = {}
    for user in tested:
        request = Request(histories.get(user, []), user=rows.get(user, {}))
        lists[user] = {one.item_id: one.score for one in model.recommend(request, count=len(model.item_ids))}
    shown = {user: list(scores)[:ACTIONS_SHOWN] for user, scores in lists.items()}
    pairs = [
        (scores[action], action in taken[user])
        for user, scores in lists.items()
        for action in met[user]
        # an action that has no score yet is no prediction
        if scores.get(action, 0.0) > 0
    ]
    precision, recall = _precision_and_recall(shown, taken)
    return {
        "coverage": len({action for actions in shown.values() for action in actions}) / (len(model.item_ids) or 1),
        **{
            f"normalized_discounted_cumulative_gain_at_{depth}": _mean(
                _gain(list(scores)[:depth], taken[user]) for user, scores in lists.items() if taken[user]
            )
            for depth in DEPTHS
        },
        "precision": precision,
        "recall": recall,
        AREA_UNDER_CURVE: area_under_curve(
            np.array([score for score, _ in pairs]), np.array([yes for _, yes in pairs])
        ),
    }


def evaluate_item_segments(recipe: str, data: TrainingData) -> dict[str, float]:
    """Find the users that deal with an item later."""
    return _evaluate_segments(recipe, data, lambda item_ids: [[item_id] for item_id in item_ids])


def evaluate_attribute_segments(recipe: str, data: TrainingData) -> dict[str, float]:
    """Find the users that deal with items of a category later."""

    def queries(item_ids: Iterable[str]) -> list[list[str]]:
        wanted = set(item_ids)
        by_category: dict[tuple[str, str], list[str]] = {}
        for name in sorted(data.items.categorical & data.items.columns.keys()) if data.items else ():
            for item_id, value in zip(data.items.ids, data.items.columns[name], strict=True) if data.items else ():
                for category in categories_in(value) if item_id in wanted else ():
                    by_category.setdefault((name, category), []).append(item_id)
        return list(by_category.values())

    return _evaluate_segments(recipe, data, queries)


def area_under_curve(scores: Floats, taken: Mask) -> float:
    """Tell how often what was taken has a higher score than what was not; a half is no better than chance.

    :return: 0.5 if there is nothing to compare.
    """
    if not taken.any() or taken.all():
        return 0.5
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    positive, negative = int(taken.sum()), int((~taken).sum())
    return float((ranks[taken].sum() - positive * (positive + 1) / 2) / (positive * negative))


def _evaluate_segments(
    recipe: str, data: TrainingData, queries_of: Callable[[Iterable[str]], list[list[str]]]
) -> dict[str, float]:
    testing = _newest_of_each_user(data.interactions)
    weights = None if data.weights is None else data.weights[~testing]
    training, test = data.interactions.where(~testing), data.interactions.where(testing)
    model = train(recipe, replace(data, interactions=training, weights=weights))
    users_by_item: dict[str, set[str]] = {}
    for user, item in zip(test.user_ids.tolist(), test.item_ids.tolist(), strict=True):
        users_by_item.setdefault(item, set()).add(user)
    queries = queries_of(sorted(users_by_item))
    top = int(np.ceil(len(model.item_ids) * TOP_SHARE))
    recommended: set[str] = set()
    hits, recalls = [], []
    for items in queries[:: -(-len(queries) // MOST_QUERIES) or 1]:
        actual = set().union(*(users_by_item[item] for item in items))
        found = {one.item_id for one in model.recommend(Request([Event(item) for item in items]), count=top)}
        recommended |= found
        hits.append(len(found & actual))
        recalls.append(len(found & actual) / len(actual))
    return {
        "coverage": len(recommended) / len(model.item_ids),
        "hits_at_1_percent": _mean(hits),
        "recall_at_1_percent": _mean(recalls),
    }


def _newest_of_each_user(interactions: Interactions) -> Mask:
    users = interactions.users.codes
    lengths = np.bincount(users)
    order = np.lexsort((interactions.timestamps, users))
    position = np.arange(len(users)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    kept = lengths - np.floor(lengths * SEGMENT_TEST_SHARE).astype(np.int64)
    newest = np.zeros(len(users), dtype=np.bool_)
    newest[order] = position >= np.repeat(kept, lengths)
    return newest


def _among(events: Interactions, user_ids: Iterable[str]) -> Mask:
    wanted = np.array(list(user_ids), dtype=str)
    among: Mask = np.isin(events.users.values.astype(str), wanted)[events.users.codes]
    return among


def _outcomes(events: Interactions) -> tuple[Mapping[str, set[str]], Mapping[str, list[str]]]:
    """Give per user the actions taken, and all that there were events with."""
    taken: dict[str, set[str]] = {}
    met: dict[str, dict[str, None]] = {}
    kinds = events.event_types if events.event_types is not None else np.full(len(events), TAKEN, dtype=object)
    for user, action, kind in zip(events.user_ids, events.item_ids, kinds, strict=True):
        met.setdefault(user, {})[action] = None
        actions = taken.setdefault(user, set())
        if str(kind).upper() == TAKEN:
            actions.add(action)
    return taken, {user: list(actions) for user, actions in met.items()}


def _histories(interactions: Interactions, user_ids: Iterable[str]) -> dict[str, list[Event]]:
    wanted = _among(interactions, user_ids)
    histories: dict[str, list[Event]] = {}
    rows: Integers = np.flatnonzero(wanted)
    for row in rows:
        event = Event(interactions.item_ids[row], None, float(interactions.timestamps[row]))
        histories.setdefault(interactions.user_ids[row], []).append(event)
    return histories


def _precision_and_recall(shown: Mapping[str, list[str]], taken: Mapping[str, set[str]]) -> tuple[float, float]:
    """Mean over actions of the share of those shown who took it, and of those who took it that it was shown to."""
    shown_to = _by_action(shown)
    taken_by = _by_action(taken)
    precision = _mean(len(users & taken_by.get(action, set())) / len(users) for action, users in shown_to.items())
    recall = _mean(len(users & shown_to.get(action, set())) / len(users) for action, users in taken_by.items())
    return precision, recall


def _by_action(actions_by_user: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    users: dict[str, set[str]] = {}
    for user, actions in actions_by_user.items():
        for action in actions:
            users.setdefault(action, set()).add(user)
    return users


def _gain(listed: list[str], truth: set[str]) -> float:
    discounts = 1 / np.log2(np.arange(len(listed)) + 2)
    hits = np.array([action in truth for action in listed], dtype=np.bool_)
    return float(discounts[hits].sum() / discounts[: len(truth)].sum()) if len(listed) else 0.0


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return float(np.mean(listed)) if listed else 0.0
