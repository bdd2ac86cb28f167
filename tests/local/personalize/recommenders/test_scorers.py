"""Scores, against what they are by definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from personalize_local.personalize.recommenders import Interactions, scorers
from personalize_local.personalize.recommenders.encoding import Sequences
from personalize_local.personalize.recommenders.scorers import EASE_REGULARIZATION, Factors, ItemToItem


def test_each_item_is_explained_by_the_others_by_least_squares(
    interactions: Interactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scorers, "TRANSITION_WEIGHT", 0.0)
    sequences = Sequences.of(interactions)
    matrix = ItemToItem.train(sequences).arrays()["matrix"]
    watched = sequences.user_items().toarray().astype(np.float64)
    for item in (0, 17, 101):
        others = np.delete(watched, item, axis=1)
        penalty = EASE_REGULARIZATION * np.eye(others.shape[1])
        weights = np.linalg.solve(others.T @ others + penalty, others.T @ watched[:, item])
        assert np.delete(matrix[:, item], item) == pytest.approx(weights, abs=1e-6)
        assert matrix[item, item] == 0


def test_what_often_comes_next_scores_higher() -> None:
    rows = [(f"user-{user}", item, time) for user in range(40) for time, item in enumerate(("a", "b", "c"))]
    users, items, times = zip(*rows, strict=True)
    scorer = ItemToItem.train(Sequences.of(Interactions(users, items, times)))
    after_a, after_b, after_c = (scorer.scores(np.array([place]), np.array([1.0])) for place in range(3))
    assert after_a.argmax() == 1
    assert after_b.argmax() == 2
    assert after_a[1] > after_c[1]


def test_an_item_of_the_history_is_scored_as_if_it_were_not_there() -> None:
    random = np.random.default_rng(5)
    factors = random.normal(size=(50, 8))
    scorer = Factors(factors, sparse.csr_matrix((50, 50)))

    def scores(*items: int) -> float:
        found = scorer._folded_in(np.array(items), np.full(len(items), 1 / len(items)))
        return float(found[0])

    assert scores(0, 1, 2, 3) == pytest.approx(scores(1, 2, 3))
    assert scores(0, 4) == pytest.approx(scores(4))


def test_events_in_between_weaken_a_transition() -> None:
    sequences = Sequences.of(Interactions(["u"] * 4 + ["v"], ["a", "b", "c", "d", "a"], [1, 2, 3, 4, 5]))
    found = sequences.transitions(window=2, decay=0.5).toarray()
    assert found.tolist() == [[0, 1, 0.5, 0], [0, 0, 1, 0.5], [0, 0, 0, 1], [0, 0, 0, 0]]
