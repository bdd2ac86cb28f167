"""Measures the recommender against plain popularity, on the same viewers and films.

The offline metrics that a solution version reports count films that a viewer has seen already, as Amazon Personalize
does. What a shop window shows has them filtered out, so both are measured here once more without them.
"""

import numpy as np

from personalize_local.personalize.recommenders import (
    Interactions,
    Table,
    TrainingData,
    compare_with_popularity,
    select_events,
)

from .movielens import EVENT_TYPE, MovieLens

RECIPE = "aws-user-personalization-v2"
NDCG = "normalized_discounted_cumulative_gain_at_25"

#: the threshold of the app's solution: films that got four stars or five
EVENT_VALUE_THRESHOLD = 3.6
#: the local cloud's default seed, from which it chooses its test users: the split is the same
SEED = 0


def compare(data: MovieLens) -> dict[str, dict[str, float]]:
    """Offline metrics of the app's recipe and of popularity, films seen before left out.

    :return: by ``model`` and ``popularity``, the metrics by Personalize's names
    """
    ratings = data.ratings
    interactions = select_events(
        Interactions(
            user_ids=np.array([rating.user_id for rating in ratings], dtype=object),
            item_ids=np.array([rating.film_id for rating in ratings], dtype=object),
            timestamps=np.array([rating.timestamp for rating in ratings], dtype=np.int64),
            event_types=np.array([EVENT_TYPE] * len(ratings), dtype=object),
            event_values=np.array([rating.value for rating in ratings]),
        ),
        event_type=EVENT_TYPE,
        event_value_threshold=EVENT_VALUE_THRESHOLD,
    )
    found = compare_with_popularity(
        RECIPE, TrainingData(interactions, _items(data), _users(data), seed=SEED), remove_seen=True
    )
    popularity = next(metrics for name, metrics in found.items() if name != RECIPE)
    return {"model": found[RECIPE], "popularity": popularity}


def _items(data: MovieLens) -> Table:
    films = list(data.films.values())
    return Table(
        ids=np.array([film.film_id for film in films], dtype=object),
        columns={
            "GENRES": np.array(["|".join(film.genres) for film in films], dtype=object),
            "YEAR": np.array([np.nan if film.year is None else film.year for film in films]),
        },
        categorical=frozenset({"GENRES"}),
    )


def _users(data: MovieLens) -> Table:
    ages, genders, occupations = zip(*data.users.values(), strict=True)
    return Table(
        ids=np.array(list(data.users), dtype=object),
        columns={
            "AGE": np.array(ages, dtype=np.float64),
            "GENDER": np.array(genders, dtype=object),
            "OCCUPATION": np.array(occupations, dtype=object),
        },
        categorical=frozenset({"GENDER", "OCCUPATION"}),
    )
