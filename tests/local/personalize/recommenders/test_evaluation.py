"""Offline metrics, against figures worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import log2
from typing import Self

import numpy as np
import pytest

from personalize_local.personalize.recommenders import (
    EVALUATORS,
    Event,
    Interactions,
    Model,
    Request,
    Table,
    TrainingData,
    evaluate,
    evaluation,
)
from personalize_local.personalize.recommenders.data import Array, Floats
from personalize_local.personalize.recommenders.evaluation import Case, Split, measure, split, split_data

CATALOGUE = [f"item-{number:02}" for number in range(40)]
METRICS = {
    "coverage",
    "mean_reciprocal_rank_at_25",
    *(f"normalized_discounted_cumulative_gain_at_{depth}" for depth in (5, 10, 25)),
    *(f"precision_at_{depth}" for depth in (5, 10, 25)),
}


class InOrder(Model):
    """Recommends the catalogue from front to back."""

    kind = "test-in-order"

    def probabilities(self, request: Request) -> Floats:
        falling = np.arange(len(self.item_ids), 0, -1, dtype=np.float64)
        result: Floats = falling / falling.sum()
        return result

    def arrays(self) -> dict[str, Array]:
        return {}

    @classmethod
    def from_arrays(cls, item_ids: Array, arrays: Mapping[str, Array]) -> Self:
        return cls(item_ids)


def parted(*cases: tuple[list[int], list[int]]) -> Split:
    return Split(
        Interactions([], [], []),
        [
            Case([Event(CATALOGUE[h]) for h in history], frozenset(CATALOGUE[t] for t in truth))
            for history, truth in cases
        ],
        item_count=50,
    )


def gain(*ranks: int) -> float:
    return sum(1 / log2(rank + 1) for rank in ranks)


def test_metrics_of_one_user() -> None:
    found = measure(InOrder(np.array(CATALOGUE)), parted(([30], [2, 7, 20, 35])), remove_seen=False)
    best = gain(1, 2, 3, 4)
    assert found == pytest.approx(
        {
            "coverage": 25 / 50,
            "mean_reciprocal_rank_at_25": 1 / 3,
            "normalized_discounted_cumulative_gain_at_5": gain(3) / best,
            "normalized_discounted_cumulative_gain_at_10": gain(3, 8) / best,
            "normalized_discounted_cumulative_gain_at_25": gain(3, 8, 21) / best,
            "precision_at_5": 1 / 5,
            "precision_at_10": 2 / 10,
            "precision_at_25": 3 / 25,
        }
    )


def test_metrics_are_means_over_users() -> None:
    found = measure(InOrder(np.array(CATALOGUE)), parted(([30], [0]), ([30], [1]), ([30], [39])), remove_seen=False)
    assert found["mean_reciprocal_rank_at_25"] == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert found["precision_at_5"] == pytest.approx(2 / 15)


def test_with_seen_items_removed_what_comes_after_moves_up() -> None:
    model = InOrder(np.array(CATALOGUE))
    parts = parted(([0, 1, 2], [3]), ([0], [0]))
    assert measure(model, parts, remove_seen=False)["mean_reciprocal_rank_at_25"] == pytest.approx((1 / 4 + 1) / 2)
    assert measure(model, parts, remove_seen=True)["mean_reciprocal_rank_at_25"] == 1


def test_a_perfect_list_has_a_gain_of_one_even_if_there_is_more_truth_than_places() -> None:
    found = measure(InOrder(np.array(CATALOGUE)), parted(([39], list(range(30)))), remove_seen=False)
    assert {found[name] for name in METRICS if "gain" in name} == {1.0}


def test_users_are_parted_nine_to_one_and_their_newest_events_are_the_truth() -> None:
    users = np.repeat([f"user-{number:02}" for number in range(50)], 20)
    numbers = np.tile(np.arange(20), 50)
    shuffled = np.random.default_rng(1).permutation(1000)
    interactions = Interactions(users, [f"item-{number}" for number in numbers], numbers, numbers.astype(str)).where(
        shuffled
    )
    parts = split(interactions, Table(["item-1", "unwatched"]), seed=5)
    assert len(set(parts.training.user_ids)) == 45
    assert len(parts.cases) == 5
    assert parts.item_count == 21
    for case in parts.cases:
        assert [event.item_id for event in case.history] == [f"item-{number}" for number in range(18)]
        assert case.truth == {"item-18", "item-19"}
        assert case.history[3] == Event("item-3", "3", 3)


def test_the_seed_chooses_the_test_users() -> None:
    interactions = Interactions([f"user-{n % 50}" for n in range(200)], ["a"] * 200, range(200))

    def trained(seed: int) -> set[str]:
        return set(split(interactions, seed=seed).training.user_ids)

    assert trained(1) == trained(1)
    assert trained(1) != trained(2)


def test_users_with_a_single_event_are_not_measured() -> None:
    interactions = Interactions([f"user-{n}" for n in range(50)], ["a"] * 50, range(50))
    parts = split(interactions)
    assert parts.cases == []
    assert set(measure(InOrder(np.array(CATALOGUE)), parts).values()) == {0.0}


def test_evaluation_gives_personalizes_metrics(interactions: Interactions, items: Table) -> None:
    found = evaluate("aws-user-personalization-v2", TrainingData(interactions, items))
    assert set(found) == METRICS
    assert all(0 < value <= 1 for value in found.values())
    assert found == evaluate("aws-user-personalization-v2", TrainingData(interactions, items))


def test_events_of_more_weight_are_worth_more() -> None:
    parts = parted(([30], [0, 1]))
    (case,) = parts.cases
    heavy_first, heavy_last = (
        replace(parts, weights=np.ones(0), cases=[replace(case, gains={CATALOGUE[0]: first, CATALOGUE[1]: last})])
        for first, last in ((1.0, 0.2), (0.2, 1.0))
    )
    name = "normalized_discounted_cumulative_gain_with_event_weights_at_5"
    model = InOrder(np.array(CATALOGUE))
    assert measure(model, heavy_first)[name] == pytest.approx(1)
    assert measure(model, heavy_last)[name] == pytest.approx((0.2 + 1 / log2(3)) / (1 + 0.2 / log2(3)))
    assert set(measure(model, heavy_first)) == METRICS | {
        f"normalized_discounted_cumulative_gain_with_event_weights_at_{depth}" for depth in (5, 10, 25)
    }


def test_rewards_are_those_of_the_25_most_rewarding_recommendations() -> None:
    rewards = {item: float(number) for number, item in enumerate(CATALOGUE)}
    # all 40 are recommended; the 25 most rewarding are items 15 to 39
    parts = replace(parted(([30], [10, 20, 30]), ([30], [0]), ([30], [5])), rewards=rewards)
    found = measure(InOrder(np.array(CATALOGUE)), parts)
    assert found["average_rewards_at_k"] == pytest.approx(((20 + 30) / 60 + 0) / 2)
    assert set(found) == METRICS | {"average_rewards_at_k"}


def test_weights_and_objectives_add_their_metrics(interactions: Interactions, items: Table) -> None:
    data = TrainingData(interactions, items, weights=np.full(len(interactions), 0.5))
    found = evaluate("aws-user-personalization-v2", data)
    for depth in (5, 10, 25):
        weighted = f"normalized_discounted_cumulative_gain_with_event_weights_at_{depth}"
        assert found[weighted] == pytest.approx(found[f"normalized_discounted_cumulative_gain_at_{depth}"])
    optimized = evaluate("aws-user-personalization", TrainingData(interactions, items, objective=("YEAR", "HIGH")))
    assert 0 < optimized["average_rewards_at_k"] <= 1


def test_a_recipe_can_be_measured_in_a_way_of_its_own(
    monkeypatch: pytest.MonkeyPatch, interactions: Interactions
) -> None:
    monkeypatch.setitem(EVALUATORS, "aws-popularity-count", lambda recipe, data: {"own": float(len(data.interactions))})
    assert evaluate("aws-popularity-count", TrainingData(interactions)) == {"own": len(interactions)}
    assert set(evaluate("aws-user-personalization", TrainingData(interactions))) == METRICS


def test_of_very_many_events_those_of_some_users_are_parted(
    monkeypatch: pytest.MonkeyPatch, interactions: Interactions
) -> None:
    monkeypatch.setattr(evaluation, "MOST_EVENTS", len(interactions) // 4)
    parts = split_data(TrainingData(interactions, seed=2, weights=np.arange(len(interactions), dtype=np.float64)))
    users = set(parts.training.user_ids)
    assert 30 < len(users) < 110
    assert len(parts.training) == 20 * len(users)
    assert parts.weights is not None
    assert len(parts.weights) == len(parts.training)
    monkeypatch.setattr(evaluation, "MOST_CASES", 2)
    assert 1 <= len(split(interactions).cases) <= 2
