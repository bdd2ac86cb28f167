"""Exploration, over a hundred users: new items appear when they shall, and not when they shall not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from personalize_local.personalize.recommenders import (
    Event,
    Exploration,
    Interactions,
    Model,
    Recommendation,
    Request,
    Table,
    TrainingData,
    train,
)
from personalize_local.personalize.recommenders.exploration import DAY

from .conftest import GENRES, NEW_FILMS, VIEWERS, film_id, genre_of

V1, V2 = "aws-user-personalization", "aws-user-personalization-v2"
COLD = frozenset(film_id(genre, 30 + number) for genre in range(GENRES) for number in range(NEW_FILMS))
NEVER = Exploration(0.0)
ALWAYS = Exploration(1.0)


def aged(days: float, interactions: Interactions, items: Table) -> Table:
    """Items that nobody has dealt with, which came so many days before the newest interaction, and old ones."""
    created = interactions.timestamps.max() - days * DAY
    ages = [created if item in COLD else created - 1000 * DAY for item in items.ids]
    return Table(items.ids, {**items.columns, "CREATION_TIMESTAMP": ages}, items.categorical)


@pytest.fixture(scope="module")
def items(interactions: Interactions, items: Table) -> Table:
    """Only what nobody has dealt with is new."""
    return aged(1, interactions, items)


@pytest.fixture(scope="module", params=[V1, V2])
def model(request: pytest.FixtureRequest, interactions: Interactions, items: Table) -> Model:
    return train(request.param, TrainingData(interactions, items))


@pytest.fixture(scope="module")
def histories(interactions: Interactions) -> list[list[Event]]:
    by_user: dict[str, list[Event]] = {}
    for user, item, time in zip(
        interactions.user_ids, interactions.item_ids, interactions.timestamps.tolist(), strict=True
    ):
        by_user.setdefault(user, []).append(Event(item, "watch", time))
    assert len(by_user) == VIEWERS
    return [[], *by_user.values()][:100]


def cold_of(found: Sequence[Recommendation]) -> int:
    return sum(one.item_id in COLD for one in found)


def test_cold_items_appear_with_weight_one_and_never_with_weight_zero(
    model: Model, histories: list[list[Event]]
) -> None:
    for history in histories:
        assert cold_of(model.recommend(Request(history, exploration=NEVER))) == 0
        assert cold_of(model.recommend(Request(history, exploration=NEVER), count=10_000)) == 0
        assert cold_of(model.recommend(Request(history, exploration=ALWAYS))) == 25


@pytest.mark.parametrize(("weight", "places"), [(0.04, 1), (0.3, 7), (0.5, 12)])
def test_the_weight_is_the_share_of_explored_places(
    model: Model, histories: list[list[Event]], weight: float, places: int
) -> None:
    for history in histories:
        assert cold_of(model.recommend(Request(history, exploration=Exploration(weight)))) == places


def test_scores_stay_probabilities_in_falling_order(model: Model, histories: list[list[Event]]) -> None:
    for history in histories[:20]:
        found = model.recommend(Request(history, exploration=Exploration(0.3)), count=10_000)
        scores = [one.score for one in found]
        assert scores == sorted(scores, reverse=True)
        assert sum(scores) == pytest.approx(1)
        assert len({one.item_id for one in found}) == len(found)


def test_the_same_request_explores_the_same_items_and_another_user_explores_others(
    model: Model, histories: list[list[Event]]
) -> None:
    requests = [Request(history, exploration=Exploration(0.3)) for history in histories[1:20]]
    found = [model.recommend(request) for request in requests]
    assert found == [model.recommend(request) for request in requests]
    assert len({frozenset(one.item_id for one in each if one.item_id in COLD) for each in found}) > 5


def test_what_fits_the_user_is_explored_first(interactions: Interactions, items: Table) -> None:
    model = train(V1, TrainingData(interactions, items))
    fits = 0
    for genre in range(1, GENRES):
        history = [Event(film_id(genre, number), "watch", number) for number in range(10)]
        found = model.recommend(Request(history, exploration=Exploration(0.1)))
        fits += sum(genre_of(one.item_id) == genre for one in found if one.item_id in COLD)
    assert fits >= 7  # of 14; by chance it would be less than two


def test_a_filter_applies_to_what_is_explored_too(model: Model, histories: list[list[Event]]) -> None:
    for history in histories[:20]:
        found = model.recommend(
            Request(history, exploration=ALWAYS), allowed=lambda ids: np.array([genre_of(one) == 2 for one in ids])
        )
        assert {genre_of(one.item_id) for one in found} == {2}
        assert cold_of(found) == NEW_FILMS
        assert len(found) == 25


def test_only_version_two_says_why(interactions: Interactions, items: Table, histories: list[list[Event]]) -> None:
    request = Request(histories[1], exploration=Exploration(0.3))
    for recipe, expected in ((V1, set[tuple[str, ...]]()), (V2, {("Exploration",)})):
        found = train(recipe, TrainingData(interactions, items)).recommend(request)
        assert {one.reasons for one in found if one.item_id in COLD} == (expected or {()})
        assert {one.reasons for one in found if one.item_id not in COLD} == {()}


def test_items_older_than_the_cut_off_are_not_explored(interactions: Interactions, items: Table) -> None:
    model = train(V1, TrainingData(interactions, aged(10, interactions, items)))
    for cut_off, expected in ((9.0, 0), (11.0, 25)):
        assert cold_of(model.recommend(Request(exploration=Exploration(1.0, cut_off)))) == expected
    later = float(interactions.timestamps.max()) + 2 * DAY
    assert cold_of(model.recommend(Request(exploration=Exploration(1.0, 11.0, now=later)))) == 0


def test_items_that_came_after_training_are_explored(model: Model, items: Table, histories: list[list[Event]]) -> None:
    later = Table(
        [*items.ids, "late-1", "late-2"],
        {"GENRES": [*items.columns["GENRES"], "genre-1|film", "genre-2|film"]},
        items.categorical,
    )
    shown = {
        one.item_id
        for history in histories
        for one in model.recommend(Request(history, exploration=ALWAYS, items=later))
    }
    assert {"late-1", "late-2"} <= shown
    without = model.recommend(Request(exploration=NEVER, items=later), count=10_000)
    assert not {"late-1", "late-2"} & {one.item_id for one in without}
    fan = Request([Event(film_id(2, number), "watch", number) for number in range(10)], exploration=ALWAYS, items=later)
    only_late = {
        one.item_id: one.score
        for one in model.recommend(fan, allowed=lambda ids: np.isin(ids.astype(str), ["late-1", "late-2"]))
    }
    assert set(only_late) <= {"late-1", "late-2"}
