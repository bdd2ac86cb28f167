from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from personalize_local.personalize.recommenders import Event, Interactions, Model, Request, Table, TrainingData, train
from personalize_local.personalize.recommenders.user_segments import SegmentModel

from .conftest import FILMS_PER_GENRE, GENRES, VIEWERS, film_id, survives_a_file

AFFINITY = "aws-item-affinity"
BY_ATTRIBUTE = "aws-item-attribute-affinity"
FANS = VIEWERS // (GENRES - 1)


def likes(user_id: str) -> int:
    """The genre that a synthetic viewer likes."""
    return 1 + int(user_id.split("-")[1]) % (GENRES - 1)


def share_of_fans(found: list[str], genre: int) -> float:
    return sum(likes(user) == genre for user in found) / len(found)


def users_of(model: Model, items: list[str], count: int = FANS) -> list[str]:
    assert isinstance(model, SegmentModel)
    return [one.item_id for one in model.users(items, count=count)]


def test_the_segment_of_a_film_is_the_fans_of_its_genre(interactions: Interactions) -> None:
    model = train(AFFINITY, TrainingData(interactions))
    most_active = users_of(model, ["unheard-of"])
    by_chance = list(np.random.default_rng(1).choice(model.item_ids, FANS, replace=False))
    shares = {"model": 0.0, "active": 0.0, "chance": 0.0}
    for genre in range(1, GENRES):
        shares["model"] += share_of_fans(users_of(model, [film_id(genre, 4)]), genre) / (GENRES - 1)
        shares["active"] += share_of_fans(most_active, genre) / (GENRES - 1)
        shares["chance"] += share_of_fans(by_chance, genre) / (GENRES - 1)
    assert shares["model"] >= 0.8
    assert shares["model"] >= 3 * max(shares["active"], shares["chance"])


def test_users_who_have_not_dealt_with_the_film_are_in_its_segment(interactions: Interactions) -> None:
    seen = {
        user for user, film in zip(interactions.user_ids, interactions.item_ids, strict=True) if film == film_id(2, 9)
    }
    found = users_of(train(AFFINITY, TrainingData(interactions)), [film_id(2, 9)])
    unseen = [user for user in found if user not in seen]
    assert len(unseen) >= 5
    assert share_of_fans(unseen, 2) >= 0.8


def test_the_segment_of_an_attribute_is_the_users_of_all_its_items(interactions: Interactions) -> None:
    model = train(BY_ATTRIBUTE, TrainingData(interactions, Table(["x"])))
    most_active = users_of(model, ["unheard-of"])
    by_chance = list(np.random.default_rng(1).choice(model.item_ids, FANS, replace=False))
    for genre in range(1, GENRES):
        films = [film_id(genre, number) for number in range(FILMS_PER_GENRE)]
        share = share_of_fans(users_of(model, films), genre)
        assert share >= 0.9
        assert share >= 2 * max(share_of_fans(most_active, genre), share_of_fans(by_chance, genre))


def test_a_filter_on_users_is_applied(interactions: Interactions) -> None:
    model = train(AFFINITY, TrainingData(interactions))
    assert isinstance(model, SegmentModel)
    every = users_of(model, [film_id(1, 4)], count=VIEWERS)
    found = model.users([film_id(1, 4)], allowed=lambda ids: np.array([likes(user) == 3 for user in ids]), count=10)
    assert [one.item_id for one in found] == [user for user in every if likes(user) == 3][:10]


def test_one_item_or_its_request(interactions: Interactions) -> None:
    model = train(AFFINITY, TrainingData(interactions))
    assert model.recommend(Request(item_id=film_id(1, 4))) == model.recommend(Request([Event(film_id(1, 4))]))
    assert sum(one.score for one in model.recommend(count=VIEWERS)) == pytest.approx(1)


def test_hidden_dimension_is_the_number_of_factors(interactions: Interactions) -> None:
    sizes = [
        train(AFFINITY, TrainingData(interactions, hyper_parameters={"hidden_dimension": size}))
        .arrays()["factors"]
        .shape[1]
        for size in ("5", "7")
    ]
    assert sizes == [5, 7]


def test_a_model_survives_a_file(interactions: Interactions, tmp_path: Path) -> None:
    model = train(AFFINITY, TrainingData(interactions, seed=2))
    request = Request(item_id=film_id(1, 4))
    assert survives_a_file(model, request, tmp_path / "model")
    assert train(AFFINITY, TrainingData(interactions, seed=2)).recommend(request) == model.recommend(request)
