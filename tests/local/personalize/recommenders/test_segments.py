"""What is known of a user, and the context of a request, change what is recommended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from personalize_local.personalize.recommenders import (
    Event,
    Interactions,
    Model,
    Request,
    Table,
    TrainingData,
    load,
    train,
)
from personalize_local.personalize.recommenders.data import Array

from .conftest import VIEWERS, film_id, genre_of

RECIPE = "aws-user-personalization"


def genres(interactions: Interactions) -> Array:
    return np.array([genre_of(item) for item in interactions.item_ids])


@pytest.fixture(scope="module")
def data(interactions: Interactions) -> TrainingData:
    """Whoever likes genre 1, 2 or 3 is a child, and 10 years old; comedies (genre 4) are for the phone."""
    phone = np.where(genres(interactions) == 4, "phone|mobile", "television")
    hour = np.where(genres(interactions) == 4, 8.0, 20.0)
    rows = interactions.with_columns({"DEVICE": phone.astype(object), "HOUR": hour})
    viewers = [f"viewer-{number}" for number in range(VIEWERS)]
    child = [number % 7 < 3 for number in range(VIEWERS)]
    users = Table(
        viewers,
        {"GROUP": ["child" if one else "adult" for one in child], "AGE": [10.0 if one else 40.0 for one in child]},
        frozenset({"GROUP"}),
    )
    return TrainingData(rows, users=users)


@pytest.fixture(scope="module")
def model(data: TrainingData) -> Model:
    return train(RECIPE, data)


def shares(model: Model, request: Request) -> Counter[int]:
    return Counter(genre_of(one.item_id) for one in model.recommend(request, count=40))


@pytest.mark.parametrize(
    ("user", "likes"),
    [
        ({"GROUP": "child"}, {1, 2, 3}),
        ({"GROUP": "adult"}, {4, 5, 6, 7}),
        ({"AGE": 9.0}, {1, 2, 3}),
        ({"AGE": 41}, {4, 5, 6, 7}),
        ({"GROUP": "child", "AGE": 10.0, "NAME": "x"}, {1, 2, 3}),
    ],
)
def test_a_new_user_gets_what_such_users_like(model: Model, user: Mapping[str, Any], likes: set[int]) -> None:
    found = shares(model, Request(user=user))
    liked = sum(found[genre] for genre in likes)
    assert liked > 3 * sum(found[genre] for genre in {1, 2, 3, 4, 5, 6, 7} - likes)
    assert liked > sum(shares(model, Request())[genre] for genre in likes)


@pytest.mark.parametrize("context", [{"DEVICE": "phone"}, {"HOUR": "7.5"}, {"DEVICE": "mobile", "HOUR": "8"}])
@pytest.mark.parametrize("fan", [False, True])
def test_the_context_shifts_what_everybody_gets(model: Model, context: Mapping[str, str], fan: bool) -> None:
    history = [Event(film_id(1, number), None, number) for number in range(6)] if fan else []
    without, within = shares(model, Request(history)), shares(model, Request(history, context=context))
    assert within[4] > without[4]


@pytest.mark.parametrize(
    "request_",
    [
        Request(user={"GROUP": "pensioner", "SIZE": 3.0}),
        Request(user={"AGE": None, "GROUP": None}),
        Request(user={"AGE": float("nan")}),
        Request(context={"DEVICE": "toaster", "HOUR": "early"}),
    ],
)
def test_what_was_never_seen_changes_nothing(model: Model, request_: Request) -> None:
    assert model.recommend(request_) == model.recommend(Request())


def test_scores_are_still_probabilities(model: Model) -> None:
    request = Request([Event(film_id(1, 2))], user={"GROUP": "child"}, context={"DEVICE": "phone"})
    assert sum(one.score for one in model.recommend(request, count=10_000)) == pytest.approx(1)


def test_segments_survive_a_file(model: Model, tmp_path: Path) -> None:
    model.save(tmp_path / "model")
    request = Request(user={"GROUP": "child", "AGE": 10.0}, context={"DEVICE": "phone", "HOUR": "8"})
    found = load(tmp_path / "model").recommend(request, count=500)
    expected = model.recommend(request, count=500)
    assert [one.item_id for one in found] == [one.item_id for one in expected]
    assert [one.score for one in found] == pytest.approx([one.score for one in expected])


def test_columns_that_are_left_out_change_nothing(data: TrainingData) -> None:
    bare = train(RECIPE, TrainingData(data.interactions.with_columns({})))
    request = Request(user={"GROUP": "child"}, context={"DEVICE": "phone"})
    assert bare.recommend(request) == bare.recommend(Request())
