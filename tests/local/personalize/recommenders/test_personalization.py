"""What the recipes of user personalization do beyond ranking: objectives, event weights, reasons, new items."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from personalize_local.personalize.recommenders import (
    UPDATERS,
    Event,
    Interactions,
    Model,
    Request,
    Table,
    TrainingData,
    personalization,
    train,
)

from .conftest import GENRES, fans_of, film_id, genre_of

V1, V2 = "aws-user-personalization", "aws-user-personalization-v2"
COLDSTART = "aws-hrnn-coldstart"


@pytest.fixture(scope="module")
def priced(items: Table) -> Table:
    prices = np.random.default_rng(3).permutation(len(items)).astype(float)
    return Table(items.ids, {**items.columns, "PRICE": prices}, items.categorical)


def mean_price(model: Model, items: Table) -> float:
    price = dict(zip(items.ids, items.columns["PRICE"], strict=True))
    requests = [Request(), *(Request(fans_of(genre)) for genre in range(GENRES))]
    return float(np.mean([price[one.item_id] for request in requests for one in model.recommend(request)]))


@pytest.mark.parametrize("recipe", [V1, "aws-personalized-ranking"])
def test_the_more_sensitive_the_objective_the_higher_its_mean(
    recipe: str, interactions: Interactions, priced: Table
) -> None:
    means = {
        sensitivity: mean_price(
            train(recipe, TrainingData(interactions, priced, objective=("PRICE", sensitivity))), priced
        )
        for sensitivity in ("OFF", "LOW", "MEDIUM", "HIGH")
    }
    assert means["OFF"] == mean_price(train(recipe, TrainingData(interactions, priced)), priced)
    assert means["OFF"] < means["LOW"] < means["MEDIUM"] < means["HIGH"]
    assert means["HIGH"] > 1.3 * means["OFF"]


def test_an_objective_keeps_probabilities_and_taste(interactions: Interactions, priced: Table) -> None:
    model = train(V1, TrainingData(interactions, priced, objective=("PRICE", "LOW")))
    found = model.recommend(Request(fans_of(3)), count=10_000)
    assert sum(one.score for one in found) == pytest.approx(1)
    assert Counter(genre_of(one.item_id) for one in found[:10])[3] >= 6


@pytest.fixture(scope="module")
def typed(interactions: Interactions) -> Interactions:
    """Everything is watched; what is of an even genre was bought, too."""
    even = np.array([genre_of(item) % 2 == 0 for item in interactions.item_ids])
    return Interactions(
        interactions.user_ids,
        interactions.item_ids,
        interactions.timestamps,
        np.where(even, "buy", "watch").astype(object),
    )


def weighted(typed: Interactions, buy: float, watch: float) -> TrainingData:
    weights = np.where(typed.event_types == "buy", buy, watch)
    return TrainingData(typed, weights=weights)


def test_events_of_more_weight_count_more(typed: Interactions) -> None:
    def bought(model: Model, request: Request) -> int:
        return sum(genre_of(one.item_id) % 2 == 0 for one in model.recommend(request, count=40))

    buyers, watchers = (train(V2, weighted(typed, *weights)) for weights in ((1.0, 0.1), (0.1, 1.0)))
    assert bought(buyers, Request()) > bought(watchers, Request()) + 10
    mixed = [Event(film_id(2, 1), "buy", 1), Event(film_id(3, 1), "watch", 2)]
    assert bought(buyers, Request(mixed)) > bought(watchers, Request(mixed)) + 10


def test_equal_weights_change_nothing(typed: Interactions) -> None:
    plain, equal = train(V2, TrainingData(typed)), train(V2, weighted(typed, 1.0, 1.0))
    assert plain.recommend(Request(fans_of(2))) == equal.recommend(
        Request([event._replace(event_type="buy") for event in fans_of(2)])
    )


def test_events_of_types_without_weight_are_passed_over(typed: Interactions) -> None:
    model = train(V2, weighted(typed, 1.0, 0.5))
    unknown = [event._replace(event_type="look") for event in fans_of(2)]
    assert model.recommend(Request(unknown)) == model.recommend(Request())


def test_popular_items_fill_up_what_a_filter_leaves(
    monkeypatch: pytest.MonkeyPatch, interactions: Interactions
) -> None:
    monkeypatch.setattr(personalization, "PERSONAL_CANDIDATES", 40)
    counts = Counter(interactions.item_ids.tolist())

    def of_genre_5(ids: np.typing.NDArray[np.object_]) -> np.typing.NDArray[np.bool_]:
        return np.array([genre_of(one) == 5 for one in ids])

    request = Request(fans_of(1, 10))
    for recipe, reason in ((V1, set[str]()), (V2, {"Popular item"})):
        model = train(recipe, TrainingData(interactions))
        found = model.recommend(request, allowed=of_genre_5)
        assert len(found) == 25
        assert {one for item in found for one in item.reasons} == reason
        scores = [one.score for one in found]
        assert scores == sorted(scores, reverse=True)
        assert not any(one.reasons for one in model.recommend(request))
    filled = [counts[one.item_id] for one in found if one.reasons]
    assert len(filled) >= 20
    assert filled == sorted(filled, reverse=True)


def later(interactions: Interactions) -> Interactions:
    """A new film, which half of the fans of genre 2 have watched since, and a new fan."""
    fans = [f"viewer-{number}" for number in range(1, 280, 14)]
    rows = [(user, "late-film", 5000) for user in [*fans, "new"]] + [("new", film_id(2, 1), 5001)]
    users, items, times = zip(*rows, strict=True)
    return Interactions(
        [*interactions.user_ids, *users], [*interactions.item_ids, *items], [*interactions.timestamps, *times]
    )


@pytest.mark.parametrize("recipe", sorted(UPDATERS))
def test_an_update_takes_up_what_is_new_and_learns_nothing_else(
    recipe: str, interactions: Interactions, items: Table
) -> None:
    trained = train(recipe, TrainingData(interactions, items))
    now = Table(
        [*items.ids, "late-film"],
        {"GENRES": [*items.columns["GENRES"], "genre-2|film"]},
        items.categorical,
    )
    updated = UPDATERS[recipe](trained, TrainingData(later(interactions), now))
    assert "late-film" not in trained.item_ids
    assert "late-film" in updated.item_ids
    scores = {
        genre: {one.item_id: one.score for one in updated.recommend(Request(fans_of(genre)), count=10_000)}
        for genre in (2, 5)
    }
    assert scores[2]["late-film"] > 1.2 * scores[5]["late-film"]
    popularity = {one.item_id: one.score for one in updated.recommend(Request(), count=10_000)}
    assert popularity["late-film"] == pytest.approx(21 / (len(interactions) + 22))
    order = [one.item_id for one in trained.recommend(Request(fans_of(4)), count=20)]
    kept = [one.item_id for one in updated.recommend(Request(fans_of(4)), count=21) if one.item_id != "late-film"]
    assert kept[:15] == order[:15]


def test_an_update_of_another_kind_of_model_is_refused(interactions: Interactions) -> None:
    popularity = train("aws-popularity-count", TrainingData(interactions))
    with pytest.raises(ValueError, match="must be of kind personalization, got popularity"):
        UPDATERS[V1](popularity, TrainingData(interactions))


def test_cold_start_scores_new_items_by_what_they_are_like(interactions: Interactions, items: Table) -> None:
    limits = {"cold_start_max_interactions": "15", "cold_start_max_duration": "5.0"}
    late = 1000 + 30 * 86_400
    watched = [(f"stranger-{number}", film_id(6, 30), late + number) for number in range(10)]
    users, films, times = zip(*watched, strict=True)
    # all who have watched the new film of genre 6 are fans of genre 2
    fans = [(user, film_id(2, number), late) for user in users for number in range(10)]
    more_users, more_films, more_times = zip(*fans, strict=True)
    data = TrainingData(
        Interactions(
            [*interactions.user_ids, *users, *more_users],
            [*interactions.item_ids, *films, *more_films],
            [*interactions.timestamps, *times, *more_times],
        ),
        items,
    )

    def score(model: Model, genre: int) -> float:
        found = model.recommend(Request(fans_of(genre)), count=10_000)
        return next(one.score for one in found if one.item_id == film_id(6, 30))

    cold, plain = train(COLDSTART, replace(data, hyper_parameters=limits)), train(COLDSTART, data)
    assert score(cold, 6) > score(cold, 2)
    assert score(plain, 2) > score(plain, 6)


def test_only_the_newest_events_of_bptt_count(interactions: Interactions) -> None:
    short = train(V1, TrainingData(interactions, hyper_parameters={"bptt": "2"}))
    old = [Event(film_id(3, number), None, number) for number in range(5)]
    newest = [Event(film_id(5, number), None, 100 + number) for number in range(2)]
    assert short.recommend(Request([*old, *newest])) == short.recommend(Request(newest))
    long = train(V1, TrainingData(interactions, hyper_parameters={"bptt": "32"}))
    assert long.recommend(Request([*old, *newest])) != long.recommend(Request(newest))
