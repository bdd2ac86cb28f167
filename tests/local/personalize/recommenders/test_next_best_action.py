from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from personalize_local.personalize.recommenders import (
    Event,
    Interactions,
    Request,
    Table,
    TrainingData,
    evaluate,
    train,
)
from personalize_local.personalize.recommenders.next_best_action import logistic_regression

from .conftest import film_id, ids_of, survives_a_file

NBA = "aws-next-best-action"
DAY = 24 * 3600
NOW = 1_700_000_000
VIEWERS = 280


def fans(genre: int) -> list[Event]:
    return [Event(film_id(genre, number), None, number) for number in range(6)]


def likes(viewer: int) -> int:
    return 1 + viewer % 7


def action_events(*, days: float = 10, chance: int = 11) -> list[tuple[str, str, str, int]]:
    """Fans of genre 1 subscribe, fans of genre 2 download, the old donate; ``rare`` has too few events."""
    random = np.random.default_rng(chance)
    rows = []
    for viewer in range(VIEWERS):
        shares = {
            "subscribe": 0.9 if likes(viewer) in (1, 3) else 0.1,
            "download": 0.9 if likes(viewer) in (2, 4) else 0.1,
            "donate": 0.9 if viewer % 5 == 0 else 0.15,
        }
        for number, (action, share) in enumerate(shares.items()):
            kind = "TAKEN" if random.random() < share else random.choice(["NOT_TAKEN", "VIEWED"])
            rows.append((f"viewer-{viewer}", action, str(kind), int(NOW - random.random() * days * DAY) + number))
    rows += [(f"viewer-{viewer}", "rare", "TAKEN", NOW) for viewer in range(200)]
    rows += [(f"viewer-{viewer}", "rare", "VIEWED", NOW) for viewer in range(200, 249)]
    return rows


def interactions_of(rows: list[tuple[str, str, str, int]]) -> Interactions:
    users, actions, kinds, times = zip(*rows, strict=True)
    return Interactions(users, actions, times, kinds)


ACTIONS = Table(["subscribe", "download", "donate", "rare", "new"], {"TYPE": ["a", "b", "c", "d", "e"]})
USERS = Table(
    [f"viewer-{viewer}" for viewer in range(VIEWERS)],
    {
        "MEMBER": ["gold|old" if viewer % 5 == 0 else "silver" for viewer in range(VIEWERS)],
        "AGE": [float(60 + viewer % 20 if viewer % 5 == 0 else 20 + viewer % 20) for viewer in range(VIEWERS)],
    },
    frozenset({"MEMBER"}),
)


@pytest.fixture(scope="module")
def data(interactions: Interactions) -> TrainingData:
    return TrainingData(
        interactions, users=USERS, actions=ACTIONS, action_interactions=interactions_of(action_events())
    )


def scores(data: TrainingData, request: Request) -> Mapping[str, float]:
    return {one.item_id: one.score for one in train(NBA, data).recommend(request, count=100)}


def test_actions_that_a_group_takes_come_first_for_that_group(data: TrainingData) -> None:
    model = train(NBA, data)
    young, old = {"MEMBER": "silver", "AGE": 25.0}, {"MEMBER": "gold|old", "AGE": 70.0}
    expected = ((fans(1), young, "subscribe"), (fans(2), young, "download"), (fans(6), old, "donate"))
    for history, user, action in expected:
        found = model.recommend(Request(history, user=user), count=5)
        assert found[0].item_id == action
        assert found[0].score > 0.6
        assert found[1].score < 0.4
        assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_it_beats_popularity_and_chance(data: TrainingData) -> None:
    model = train(NBA, data)
    chance = np.random.default_rng(4)
    popular = ["rare", "subscribe", "download", "donate"]
    hits = {"model": 0, "popularity": 0, "chance": 0}
    for viewer in range(0, VIEWERS, 3):
        wanted = "subscribe" if likes(viewer) in (1, 3) else "download" if likes(viewer) in (2, 4) else None
        if wanted and viewer % 5:
            request = Request(fans(likes(viewer)), user={"MEMBER": "silver", "AGE": 25.0})
            hits["model"] += model.recommend(request, count=1)[0].item_id == wanted
            hits["popularity"] += popular[0] == wanted
            hits["chance"] += str(chance.choice(popular)) == wanted
    assert hits["model"] >= 2 * max(hits["popularity"], hits["chance"])


def test_without_enough_events_the_score_is_zero(data: TrainingData) -> None:
    found = scores(data, Request(fans(1)))
    assert found["rare"] == 0.0
    assert found["new"] == 0.0
    assert all(found[action] > 0 for action in ("subscribe", "download", "donate"))
    one_more = interactions_of([*action_events(), ("viewer-250", "rare", "NOT_TAKEN", NOW)])
    assert scores(replace(data, action_interactions=one_more), Request(fans(1)))["rare"] > 0
    assert set(scores(replace(data, action_interactions=None), Request(fans(1))).values()) == {0.0}


@pytest.mark.parametrize(("days", "scored"), [(41, True), (43, False)])
def test_events_of_six_weeks_count(data: TrainingData, days: int, scored: bool) -> None:
    rows = [
        (user, action, kind, NOW - days * DAY if action == "donate" else moment)
        for user, action, kind, moment in action_events()
    ]
    found = scores(replace(data, action_interactions=interactions_of(rows)), Request(fans(1)))
    assert (found["donate"] > 0) is scored


def test_an_action_shown_counts_as_taken_within_the_period(data: TrainingData) -> None:
    rows = []
    for viewer in range(VIEWERS):
        rows.append((f"viewer-{viewer}", "subscribe", "VIEWED", NOW - 30 * DAY))
        if viewer % 2:
            rows.append((f"viewer-{viewer}", "subscribe", "TAKEN", NOW - 10 * DAY))
    rows.append(("viewer-1", "other", "VIEWED", NOW))
    found = [
        scores(
            replace(
                data,
                action_interactions=interactions_of(rows),
                hyper_parameters={"action_optimization_period": period},
            ),
            Request(fans(6)),
        )["subscribe"]
        for period in ("7", "28")
    ]
    assert found[0] < found[1] - 0.2


def test_of_equally_likely_actions_the_worthier_comes_first(data: TrainingData) -> None:
    twins = [
        (user, twin, kind, time)
        for user, action, kind, time in action_events()
        if action == "subscribe"
        for twin in ("cheap", "dear")
    ]
    for values, first in (([1.0, 10.0], "dear"), ([10.0, 1.0], "cheap")):
        actions = Table(["cheap", "dear"], {"VALUE": values})
        changed = replace(data, actions=actions, action_interactions=interactions_of(twins))
        found = train(NBA, changed).recommend(Request(fans(1)), count=2)
        assert found[0].item_id == first
        assert found[0].score > found[1].score > 0


def test_the_end_of_a_list_explores(data: TrainingData) -> None:
    model = train(NBA, data)
    # the least tried comes first among those without a score
    assert ids_of(model.recommend(Request(fans(1)), count=4))[3] == "new"
    assert set(ids_of(model.recommend(Request(fans(1)), count=5))) == set(ACTIONS.ids)
    assert model.recommend(Request(fans(1)), count=1)[0].score > 0
    assert model.recommend(Request(fans(1)), count=0) == []


def test_expired_actions_and_those_dealt_with_lately_are_left_out(data: TrainingData) -> None:
    now = time.time()
    for name in ("EXPIRATION_TIMESTAMP", "ACTION_EXPIRATION_TIMESTAMP"):
        actions = replace(ACTIONS, columns={name: [now - 5, now + 3600, None, None, None]})
        assert "subscribe" not in scores(replace(data, actions=actions), Request(fans(1)))
        assert "download" in scores(replace(data, actions=actions), Request(fans(1)))
    actions = replace(ACTIONS, columns={"REPEAT_FREQUENCY": [3.0, 3.0, 3.0, 3.0, 3.0]})
    history = [Event("subscribe", "TAKEN", now - 2 * DAY), Event("download", "TAKEN", now - 4 * DAY)]
    found = scores(replace(data, actions=actions), Request(fans(1), action_history=history))
    assert "subscribe" not in found
    assert "download" in found


def test_actions_as_they_are_now(data: TrainingData) -> None:
    model = train(NBA, data)
    now = Table(["brand-new", "subscribe", "donate"], {"EXPIRATION_TIMESTAMP": [None, None, 1.0]})
    found = model.recommend(Request(fans(1), items=now), count=10)
    assert ids_of(found) == ["subscribe", "brand-new"]
    assert found[0] == model.recommend(Request(fans(1)), count=1)[0]
    assert found[1].score == 0.0


def test_filters_leave_scores_as_they_are(data: TrainingData) -> None:
    model = train(NBA, data)
    only = model.recommend(Request(fans(1)), allowed=lambda ids: ids == "donate")
    assert only == [one for one in model.recommend(Request(fans(1))) if one.item_id == "donate"]


def test_metrics(data: TrainingData) -> None:
    found = evaluate(NBA, data)
    assert set(found) == {
        "coverage",
        *(f"normalized_discounted_cumulative_gain_at_{depth}" for depth in (5, 10, 25)),
        "precision",
        "recall",
        "area_under_the_curve",
    }
    assert all(0 <= value <= 1 for value in found.values())
    assert found["area_under_the_curve"] > 0.6
    without = evaluate(NBA, replace(data, action_interactions=None))
    assert without["area_under_the_curve"] == 0.5


def test_what_cannot_be_trained_is_refused(interactions: Interactions) -> None:
    for actions in (None, Table([])):
        with pytest.raises(ValueError, match="must have at least one action"):
            train(NBA, TrainingData(interactions, actions=actions))


def test_logistic_regression_against_its_definition() -> None:
    random = np.random.default_rng(2)
    features = np.column_stack([np.ones(400), random.normal(size=(400, 3))])
    taken = random.random(400) < 1 / (1 + np.exp(-features @ [0.5, 1.0, -2.0, 0.0]))
    coefficients = logistic_regression(features, taken)
    likely = 1 / (1 + np.exp(-features @ coefficients))
    # where the penalized likelihood is highest, its gradient is 0
    assert features.T @ (taken - likely) - [0, 1, 1, 1] * coefficients == pytest.approx(np.zeros(4), abs=1e-4)
    assert coefficients == pytest.approx([0.5, 1.0, -2.0, 0.0], abs=0.4)


def test_a_model_survives_a_file(data: TrainingData, tmp_path: Path) -> None:
    model = train(NBA, data)
    request = Request(fans(1), user={"MEMBER": "gold|old", "AGE": 70.0})
    assert survives_a_file(model, request, tmp_path / "model")
    assert train(NBA, data).recommend(request) == model.recommend(request)
