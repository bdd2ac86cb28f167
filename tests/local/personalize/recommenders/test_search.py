"""Hyperparameter optimization, as a search."""

from __future__ import annotations

import numpy as np
import pytest

from personalize_local.personalize.recommenders import Interactions, Search, TrainingData, evaluate, search, tune
from personalize_local.personalize.recommenders.search import METRIC

RECIPE = "aws-user-personalization"


def test_candidates_are_different_and_within_their_ranges() -> None:
    wanted = Search(20, {"bptt": (2, 32)}, {"share": (0.25, 0.5)}, {"recency_mask": ("true", "false")})
    found = list(wanted.candidates(1))
    assert len(found) == 20
    assert len({tuple(one.items()) for one in found}) == 20
    for one in found:
        assert set(one) == {"bptt", "share", "recency_mask"}
        assert 2 <= int(one["bptt"]) <= 32
        assert 0.25 <= float(one["share"]) <= 0.5
        assert one["recency_mask"] in {"true", "false"}
    assert found == list(wanted.candidates(1))
    assert found != list(wanted.candidates(2))


def test_there_are_no_more_candidates_than_values() -> None:
    found = list(Search(40, {"bptt": (2, 3)}, categorical={"recency_mask": ("true", "false")}).candidates(1))
    assert len(found) == 4


def test_what_ranks_best_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Users walk along a circle of films: only who forgets what was long ago knows where they are."""
    chance = np.random.default_rng(2)
    users, items, times = [], [], []
    for user in range(200):
        start = chance.integers(60)
        for step in range(20):
            users.append(f"user-{user}")
            items.append(f"film-{(start + step) % 60}")
            times.append(step)
    data = TrainingData(Interactions(users, items, times))
    tried: list[float] = []

    def counting(recipe: str, attempt: TrainingData) -> dict[str, float]:
        found = evaluate(recipe, attempt)
        tried.append(found[METRIC])
        return found

    monkeypatch.setattr(search, "evaluate", counting)
    wanted = Search(6, {"bptt": (2, 20)}, categorical={"recency_mask": ("true", "false")})
    found = tune(RECIPE, data, wanted)
    assert len(tried) == 6
    assert max(tried) > min(tried)
    best = evaluate(RECIPE, TrainingData(data.interactions, hyper_parameters=found, seed=1))
    assert best[METRIC] == max(tried)
    assert tune(RECIPE, data, wanted) == found


def test_the_metric_is_what_is_optimized(monkeypatch: pytest.MonkeyPatch) -> None:
    def measured(recipe: str, attempt: TrainingData) -> dict[str, float]:
        events = float(attempt.hyper_parameters.get("bptt", 50))
        return {METRIC: events, "coverage": 1 / events}

    monkeypatch.setattr(search, "evaluate", measured)
    data = TrainingData(Interactions(["u"], ["i"], [1]))
    limits = {"bptt": (2, 5)}
    assert tune(RECIPE, data, Search(40, limits)) == {"bptt": "5"}
    assert tune(RECIPE, data, Search(40, limits, metric="coverage")) == {"bptt": "2"}
    assert tune(RECIPE, data, Search(40, limits, defaults_first=True)) == {}


def test_the_defaults_are_one_of_the_trainings() -> None:
    wanted = Search(3, {"bptt": (2, 20)}, defaults_first=True)
    first, *others = wanted.candidates(1)
    assert first == {}
    assert len(others) == 2
    assert wanted.trainings(1) == 3
    assert Search(3, {"bptt": (2, 3)}).trainings(1) == 2
    assert list(Search(1, {"bptt": (2, 20)}, defaults_first=True).candidates(1)) == [{}]
