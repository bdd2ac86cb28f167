from __future__ import annotations

import numpy as np
import pytest

from personalize_local.personalize.recommenders import Interactions, Table, TrainingData, evaluate
from personalize_local.personalize.recommenders.recipe_metrics import area_under_curve

from .conftest import GENRES


@pytest.fixture(scope="module")
def habits() -> Interactions:
    """Each user deals with two items of a group of their own, again and again."""
    rows = [(f"u{user}", f"i{user % 50}-{time % 2}", time) for user in range(400) for time in range(20)]
    users, items, times = zip(*rows, strict=True)
    return Interactions(users, items, times)


def test_segments_are_measured_by_the_newest_fifth(habits: Interactions) -> None:
    found = evaluate("aws-item-affinity", TrainingData(habits))
    assert set(found) == {"coverage", "hits_at_1_percent", "recall_at_1_percent"}
    # 8 users have each habit, and one percent of the users are 4
    assert 3 <= found["hits_at_1_percent"] <= 4
    assert found["recall_at_1_percent"] == pytest.approx(found["hits_at_1_percent"] / 8)
    assert found["coverage"] > 0.4


def test_segments_of_chance_are_worse(habits: Interactions) -> None:
    shuffled = Interactions(habits.user_ids, np.random.default_rng(1).permutation(habits.item_ids), habits.timestamps)
    by_chance = evaluate("aws-item-affinity", TrainingData(shuffled))
    assert by_chance["hits_at_1_percent"] < 1


def test_attribute_segments_are_measured_by_category(interactions: Interactions, items: Table) -> None:
    found = evaluate("aws-item-attribute-affinity", TrainingData(interactions, items))
    # nearly all users in a top percent watch a film of their genre
    assert found["hits_at_1_percent"] > 2
    assert 0 < found["recall_at_1_percent"] < 1
    assert found["coverage"] <= GENRES * 3 / 280 + 0.02


@pytest.mark.parametrize(
    ("scores", "taken", "area"),
    [
        ([0.9, 0.8, 0.1], [True, True, False], 1.0),
        ([0.1, 0.8, 0.9], [True, False, False], 0.0),
        ([0.5, 0.5], [True, False], 0.5),
        ([0.9, 0.5, 0.5, 0.1], [True, True, False, False], 0.875),
        ([0.9, 0.1], [True, True], 0.5),
        ([], [], 0.5),
    ],
)
def test_area_under_the_curve(scores: list[float], taken: list[bool], area: float) -> None:
    assert area_under_curve(np.array(scores), np.array(taken, dtype=np.bool_)) == area
