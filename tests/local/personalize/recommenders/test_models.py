"""Trained models: what they recommend, how well, and that they survive a file."""

from __future__ import annotations

import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from cdk_personalize.recipe import RECIPES, RecipeType
from personalize_local.personalize.recommenders import (
    TRAINERS,
    Event,
    Interactions,
    Model,
    Request,
    Table,
    TrainingData,
    compare_with_popularity,
    load,
    personalization,
    train,
)
from personalize_local.personalize.recommenders.evaluation import split_data

from .conftest import GENRES, NDCG, NEW_FILMS, fans_of, film_id, genre_of, random_quality

V2 = "aws-user-personalization-v2"
FAMILY = (
    V2,
    "aws-user-personalization",
    "aws-personalized-ranking-v2",
    "aws-personalized-ranking",
    "aws-hrnn",
    "aws-hrnn-metadata",
    "aws-hrnn-coldstart",
)
POPULARITY = "aws-popularity-count"
FOR_USERS = sorted(
    name
    for name in TRAINERS.keys() & RECIPES.keys()
    if RECIPES[name].recipe_type in (RecipeType.USER_PERSONALIZATION, RecipeType.POPULAR_ITEMS)
)


@pytest.fixture(params=["dense", "factors"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Train in the way of small catalogues, and in that of large ones."""
    if request.param == "factors":
        monkeypatch.setattr(personalization, "LARGEST_DENSE_CATALOGUE", 0)
    return str(request.param)


@pytest.fixture(scope="module")
def model(interactions: Interactions, items: Table) -> Model:
    return train(V2, TrainingData(interactions, items))


@pytest.mark.parametrize("recipe", FOR_USERS)
def test_every_recipe_for_users_gives_probabilities_over_the_whole_catalogue(
    recipe: str, interactions: Interactions, items: Table
) -> None:
    model = train(recipe, TrainingData(interactions, items))
    for history in ([], fans_of(3), [Event("unheard-of")]):
        recommended = model.recommend(Request(history), count=10_000)
        scores = [found.score for found in recommended]
        assert len(recommended) == len(model.item_ids)
        assert sum(scores) == pytest.approx(1)
        assert min(scores) >= 0
        assert scores == sorted(scores, reverse=True)


@pytest.mark.usefixtures("way")
def test_a_fan_of_a_genre_is_recommended_that_genre(interactions: Interactions, items: Table) -> None:
    model = train(V2, TrainingData(interactions, items))
    for genre in range(1, GENRES):
        genres = Counter(genre_of(item_id) for item_id, *_ in model.recommend(Request(fans_of(genre)), count=10))
        assert genres[genre] >= 8, f"fans of genre {genre} are recommended genres {genres}"


@pytest.mark.usefixtures("way")
def test_personalization_beats_popularity(interactions: Interactions) -> None:
    ratios = []
    for seed in range(3):
        found = compare_with_popularity(V2, TrainingData(interactions, seed=seed), remove_seen=True)
        ratios.append(found[V2][NDCG] / found[POPULARITY][NDCG])
    assert np.mean(ratios) >= 1.6, ratios


@pytest.mark.parametrize("recipe", FAMILY)
def test_every_recipe_of_the_family_beats_popularity_and_chance(
    recipe: str, interactions: Interactions, items: Table
) -> None:
    data = TrainingData(interactions, items, seed=1)
    found = compare_with_popularity(recipe, data, remove_seen=True)
    assert found[recipe][NDCG] > 1.4 * found[POPULARITY][NDCG]
    assert found[POPULARITY][NDCG] > 1.2 * random_quality(split_data(data))


def test_three_events_of_another_genre_change_what_is_recommended(model: Model) -> None:
    before = Counter(genre_of(item_id) for item_id, *_ in model.recommend(Request(fans_of(1)), count=10))
    events = [Event(film_id(5, number), "watch", 100 + number) for number in range(3)]
    after = Counter(genre_of(item_id) for item_id, *_ in model.recommend(Request([*fans_of(1), *events]), count=10))
    assert before[1] >= 8
    assert before[5] == 0
    assert after[5] >= 3


def test_the_newest_events_count_most_whatever_the_order_they_come_in(model: Model) -> None:
    events = [*fans_of(1), *(Event(film_id(5, number), "watch", 100 + number) for number in range(6))]
    assert model.recommend(Request(events[::-1])) == model.recommend(Request(events))
    assert genre_of(model.recommend(Request(events))[0][0]) == 5


def test_without_recency_bias_the_order_of_events_does_not_matter(interactions: Interactions) -> None:
    model = train(V2, TrainingData(interactions, hyper_parameters={"apply_recency_bias": "false"}))
    ones, others = fans_of(1), fans_of(5)
    swapped = [Event(event.item_id, None, -event.timestamp) for event in ones + others]
    assert [found.score for found in model.recommend(Request(ones + others))] == pytest.approx(
        [found.score for found in model.recommend(Request(swapped))]
    )


def test_who_is_unknown_gets_what_is_popular(model: Model, interactions: Interactions) -> None:
    counts = Counter(interactions.item_ids.tolist())
    most_popular = train(POPULARITY, TrainingData(interactions)).recommend(count=25)
    assert [counts[found.item_id] for found in most_popular] == sorted(counts.values(), reverse=True)[:25]
    assert model.recommend(Request([]), count=25) == most_popular
    assert model.recommend(Request([Event("unheard-of")]), count=25) == model.recommend(Request([]), count=25)


def test_seen_items_are_recommended_unless_a_filter_removes_them(model: Model) -> None:
    seen = {event.item_id for event in fans_of(2, 10)}
    recommended = {item_id for item_id, *_ in model.recommend(Request(fans_of(2, 10)), count=25)}
    assert seen & recommended
    unseen = model.recommend(
        Request(fans_of(2, 10)), allowed=lambda ids: np.array([item_id not in seen for item_id in ids]), count=25
    )
    assert len(unseen) == 25
    assert not seen & {found.item_id for found in unseen}


def test_filtering_leaves_scores_as_they_are(model: Model) -> None:
    scores = {found.item_id: found.score for found in model.recommend(Request(fans_of(2)), count=10_000)}
    filtered = model.recommend(
        Request(fans_of(2)), allowed=lambda ids: np.array([genre_of(one) == 4 for one in ids]), count=5
    )
    assert len(filtered) == 5
    assert all(found.score == scores[found.item_id] and genre_of(found.item_id) == 4 for found in filtered)
    assert model.recommend(Request(fans_of(2)), allowed=lambda ids: np.zeros(len(ids), dtype=np.bool_)) == []
    assert model.recommend(Request(fans_of(2)), count=0) == []


def test_new_items_are_scored_by_what_they_are(model: Model) -> None:
    new = [film_id(6, 30 + number) for number in range(NEW_FILMS)]
    scores_of_fans = {found.item_id: found.score for found in model.recommend(Request(fans_of(6, 10)), count=10_000)}
    scores_of_others = {found.item_id: found.score for found in model.recommend(Request(fans_of(2, 10)), count=10_000)}
    assert all(scores_of_fans[item_id] > 1.2 * scores_of_others[item_id] for item_id in new)


@pytest.mark.usefixtures("way")
def test_the_same_seed_gives_the_same_model(interactions: Interactions, items: Table) -> None:
    first, second = (train(V2, TrainingData(interactions, items, seed=3)) for _ in range(2))
    assert first.recommend(Request(fans_of(0)), count=100) == second.recommend(Request(fans_of(0)), count=100)


def test_another_seed_gives_other_factors(interactions: Interactions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(personalization, "LARGEST_DENSE_CATALOGUE", 0)
    first, second = (
        train(V2, TrainingData(interactions, seed=seed)).recommend(Request(fans_of(0)), count=100) for seed in (1, 2)
    )
    assert first != second


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("recipe", [V2, POPULARITY])
def test_a_model_survives_a_file_without_pickle(
    recipe: str, interactions: Interactions, items: Table, tmp_path: Path
) -> None:
    trained = train(recipe, TrainingData(interactions, items))
    path = tmp_path / "model"
    trained.save(path)
    assert load(path).recommend(Request(fans_of(4)), count=50) == trained.recommend(Request(fans_of(4)), count=50)
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            with archive.open(name) as file:
                assert not np.lib.format.read_array(file, allow_pickle=False).dtype.hasobject


def test_a_file_that_holds_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.npz"
    np.savez(path, kind=np.array("other"))
    with pytest.raises(ValueError, match=r"must hold a model of kind .*popularity.*, got 'other'"):
        load(path)


def test_what_cannot_be_trained_is_refused(interactions: Interactions) -> None:
    with pytest.raises(ValueError, match=r"recipe must be one of .*aws-popularity-count.*, got 'aws-unknown'"):
        train("aws-unknown", TrainingData(interactions))
    with pytest.raises(ValueError, match="at least one row to train on, got none"):
        train(V2, TrainingData(Interactions([], [], [])))


@pytest.mark.usefixtures("way")
def test_very_little_data_is_enough() -> None:
    model = train(V2, TrainingData(Interactions(["u", "u", "v"], ["a", "b", "b"], [1, 2, 1]), Table(["c"], {})))
    recommended = model.recommend(Request([Event("a")]), count=10)
    assert {found.item_id for found in recommended} == {"a", "b", "c"}
    assert sum(found.score for found in recommended) == pytest.approx(1)


def test_unusually_long_histories_can_be_left_out(interactions: Interactions) -> None:
    glutton = [("glutton", film_id(number % 8, number // 8), number) for number in range(240)]
    users, films, times = zip(*glutton, strict=True)
    with_glutton = Interactions(
        [*interactions.user_ids, *users], [*interactions.item_ids, *films], [*interactions.timestamps, *times]
    )
    limits = {"max_user_history_length_percentile": "0.99"}
    kept = train(V2, TrainingData(interactions)).recommend(Request(fans_of(0)), count=5)
    without = train(V2, TrainingData(with_glutton, hyper_parameters=limits)).recommend(Request(fans_of(0)), count=5)
    assert [found.item_id for found in without] == [found.item_id for found in kept]
