from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from personalize_local.personalize.recommenders import Interactions, Request, Table, TrainingData, train

from .conftest import FILMS_PER_GENRE, GENRES, NEW_FILMS, film_id, genre_of, genre_share, ids_of, survives_a_file

SIMILAR = "aws-similar-items"


def test_similar_films_are_of_the_same_genre(interactions: Interactions, items: Table) -> None:
    popular = ids_of(train("aws-popularity-count", TrainingData(interactions)).recommend(count=10))
    by_chance = np.random.default_rng(1).choice(items.ids, 10, replace=False)
    for data in (TrainingData(interactions), TrainingData(interactions, items)):
        model = train(SIMILAR, data)
        for genre in range(1, GENRES):
            share = genre_share(ids_of(model.recommend(Request(item_id=film_id(genre, 5)), count=10)), genre)
            assert share >= 0.7
            assert share >= genre_share(popular, genre) + 0.5
            assert share >= genre_share(by_chance, genre) + 0.5


def test_new_films_are_similar_by_their_metadata(interactions: Interactions, items: Table) -> None:
    model = train(SIMILAR, TrainingData(interactions, items))
    new = [film_id(6, FILMS_PER_GENRE + number) for number in range(NEW_FILMS)]
    assert genre_share(ids_of(model.recommend(Request(item_id=new[0]), count=10)), 6) >= 0.9
    found = ids_of(model.recommend(Request(item_id=film_id(6, 29)), count=len(items)))
    others = [found.index(item_id) for item_id in found if genre_of(item_id) not in (6, 0)]
    assert max(found.index(item_id) for item_id in new) < np.median(others)


def test_texts_count_as_metadata(interactions: Interactions) -> None:
    ids = [film_id(genre, number) for genre in range(GENRES) for number in range(FILMS_PER_GENRE)] + ["new"]
    texts = [f"a story about subject{genre_of(one) if one != 'new' else 3} and more" for one in ids]
    table = Table(ids, {"PLOT": texts}, textual=frozenset({"PLOT"}))
    found = ids_of(train(SIMILAR, TrainingData(interactions, table)).recommend(Request(item_id="new"), count=10))
    assert genre_share(found, 3) == 1


@pytest.mark.parametrize("name", ["item_id_hidden_dim", "item_metadata_hidden_dim"])
def test_hyperparameters_are_dimensions(interactions: Interactions, items: Table, name: str) -> None:
    sizes = {
        size: train(SIMILAR, TrainingData(interactions, items, hyper_parameters={name: size})).arrays()
        for size in ("3", "5")
    }
    member = "by_users" if name == "item_id_hidden_dim" else "by_metadata"
    assert [arrays[member].shape[1] for arrays in sizes.values()] == [3, 5]


def test_a_model_survives_a_file(interactions: Interactions, items: Table, tmp_path: Path) -> None:
    model = train(SIMILAR, TrainingData(interactions, items, seed=4))
    request = Request(item_id=film_id(3, 2))
    assert survives_a_file(model, request, tmp_path / "model")
    assert train(SIMILAR, TrainingData(interactions, items, seed=4)).recommend(request) == model.recommend(request)
