from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from personalize_local.personalize.recommenders import Event, Interactions, Request, TrainingData, train

from .conftest import FILMS_PER_GENRE, GENRES, film_id, genre_of, genre_share, ids_of, survives_a_file

SIMS = "aws-sims"
DAY = 24 * 3600


def test_related_films_are_of_the_same_genre(interactions: Interactions) -> None:
    model = train(SIMS, TrainingData(interactions))
    popular = ids_of(train("aws-popularity-count", TrainingData(interactions)).recommend(count=10))
    by_chance = np.random.default_rng(1).choice(model.item_ids, 10, replace=False)
    for genre in range(1, GENRES):
        share = genre_share(ids_of(model.recommend(Request(item_id=film_id(genre, 5)), count=10)), genre)
        assert share >= 0.8
        assert share >= genre_share(popular, genre) + 0.5
        assert share >= genre_share(by_chance, genre) + 0.5


def test_the_item_itself_is_never_related(interactions: Interactions) -> None:
    model = train(SIMS, TrainingData(interactions))
    found = ids_of(model.recommend(Request(item_id=film_id(1, 5)), count=10_000))
    assert len(found) == len(model.item_ids) - 1
    assert film_id(1, 5) not in found


def test_without_an_item_it_is_the_newest_of_the_history(interactions: Interactions) -> None:
    model = train(SIMS, TrainingData(interactions))
    history = [Event(film_id(2, 5), None, 9), Event(film_id(3, 5), None, 5)]
    assert model.recommend(Request(history)) == model.recommend(Request(item_id=film_id(2, 5)))


def test_an_item_that_nobody_knows_gets_what_is_popular(interactions: Interactions) -> None:
    found = train(SIMS, TrainingData(interactions)).recommend(Request(item_id="unheard-of"))
    assert found == train("aws-popularity-count", TrainingData(interactions)).recommend()


def test_what_is_allowed_is_ranked_as_before(interactions: Interactions) -> None:
    model = train(SIMS, TrainingData(interactions))
    request = Request(item_id=film_id(1, 5))
    every = ids_of(model.recommend(request, count=10_000))
    allowed = ids_of(model.recommend(request, allowed=lambda ids: np.array([genre_of(one) == 4 for one in ids])))
    assert allowed == [item_id for item_id in every if genre_of(item_id) == 4][:25]


def test_popularity_is_discounted(interactions: Interactions) -> None:
    def mean_count(factor: str) -> float:
        parameters = {"popularity_discount_factor": factor, "max_item_interaction_count_percentile": "1"}
        model = train(SIMS, TrainingData(interactions, hyper_parameters=parameters))
        found = [ids_of(model.recommend(Request(item_id=film_id(genre, 5)), count=5)) for genre in range(1, GENRES)]
        return float(np.mean([list(interactions.item_ids).count(item_id) for ids in found for item_id in ids]))

    assert mean_count("1.0") < mean_count("0.5") < mean_count("0.0")


def together(users: int, pair: tuple[str, str], *, first: int = 0) -> list[tuple[str, str, int]]:
    return [(f"u{user}", item, user) for user in range(first, first + users) for item in pair]


def data_of(rows: list[tuple[str, str, int]], **parameters: str) -> TrainingData:
    users, items, times = zip(*rows, strict=True)
    return TrainingData(Interactions(users, items, times), hyper_parameters=parameters)


@pytest.mark.parametrize(("minimum", "related"), [("2", "b"), ("3", "popular")])
def test_pairs_of_too_few_users_do_not_count(minimum: str, related: str) -> None:
    rows = together(2, ("a", "b")) + together(9, ("popular", "other"), first=10) + [("x", "popular", 1)]
    parameters = {"min_cointeraction_count": minimum, "max_item_interaction_count_percentile": "1"}
    assert train(SIMS, data_of(rows, **parameters)).recommend(Request(item_id="a"), count=1)[0].item_id == related


@pytest.mark.parametrize(("longest", "related"), [("1.0", "b"), ("0.9", "c")])
def test_users_with_unusually_long_histories_can_be_left_out(longest: str, related: str) -> None:
    gluttons = [
        (f"glutton-{number}", item, number)
        for number in range(8)
        for item in ("a", "b", *(f"x{one}" for one in range(20)))
    ]
    rows = gluttons + together(5, ("a", "c"), first=100) + [(f"v{user}", f"y{user % 9}", 1) for user in range(90)]
    parameters = {
        "max_user_history_length_percentile": longest,
        "max_item_interaction_count_percentile": "1",
        "popularity_discount_factor": "0",
    }
    assert train(SIMS, data_of(rows, **parameters)).recommend(Request(item_id="a"), count=1)[0].item_id == related


def test_the_most_popular_items_are_not_trained_on_by_default() -> None:
    rows = [
        row for number in range(FILMS_PER_GENRE) for row in together(4, (f"a{number}", f"b{number}"), first=4 * number)
    ]
    rows += [(f"u{user}", "hit", 1) for user in range(4 * FILMS_PER_GENRE)]

    def related(**parameters: str) -> set[str]:
        data = data_of(rows, popularity_discount_factor="1", **parameters)
        model = train(SIMS, data)
        scores = {found.item_id: found.score for found in model.recommend(Request(item_id="a7"), count=100)}
        return {item_id for item_id, score in scores.items() if score > 0.001}

    assert related() == {"b7"}
    assert related(max_item_interaction_count_percentile="1") == {"b7", "hit"}


def test_a_model_survives_a_file(interactions: Interactions, tmp_path: Path) -> None:
    model = train(SIMS, TrainingData(interactions))
    assert survives_a_file(model, Request(item_id=film_id(3, 2)), tmp_path / "model")
    assert train(SIMS, TrainingData(interactions)).recommend(Request(item_id="x")) == model.recommend(
        Request(item_id="x")
    )
