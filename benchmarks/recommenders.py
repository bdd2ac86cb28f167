"""How good and how fast the recommenders are, on MovieLens 100K.

Prints NDCG@25 by Amazon Personalize's protocol (mean of several splits, ratings above 3.6, items seen before left out)
beside that of popularity on the same splits, and how long training and one call take. To be run from the checkout:

    python -m benchmarks.recommenders [path of the recbole wheel, or of a folder to download it to]
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar
from unittest.mock import patch

import numpy as np
import typer
from rich.console import Console
from rich.table import Table as Report

from demo.comparison import EVENT_VALUE_THRESHOLD
from demo.movielens import MovieLens, load
from personalize_local.personalize.recommenders import (
    Event,
    Interactions,
    Model,
    Request,
    Table,
    TrainingData,
    compare_with_popularity,
    personalization,
    select_events,
    train,
)
from personalize_local.personalize.recommenders.data import Array

RECIPE = "aws-user-personalization-v2"
NDCG = "normalized_discounted_cumulative_gain_at_25"
CALLS = 200

Result = TypeVar("Result")


def main(
    cache: Annotated[Path, typer.Argument(help="Folder with, or for, the wheel that holds the data.")] = Path(".cache"),
    splits: Annotated[int, typer.Option(help="How many splits to take the mean of.")] = 10,
) -> None:
    """Measure the recommenders on MovieLens 100K."""
    data = load(cache.parent if cache.is_file() else cache)
    interactions = select_events(interactions_of(data), event_value_threshold=EVENT_VALUE_THRESHOLD)
    items = items_of(data)
    history = [Event(row.film_id, None, row.timestamp) for row in data.ratings if row.user_id == "196"]

    report = Report("way", "NDCG@25", "popularity", "ratio", "worst split", "training", "one call")
    for way, largest_dense in (("EASE", personalization.LARGEST_DENSE_CATALOGUE), ("factors", 0)):
        with patch.object(personalization, "LARGEST_DENSE_CATALOGUE", largest_dense):
            training, model = _timed(partial(train, RECIPE, TrainingData(interactions, items)))
            found = np.array([_quality(interactions, items, seed) for seed in range(splits)])
        calls, _ = _timed(partial(_call_often, model, history))
        personal, popular = found.mean(axis=0)
        report.add_row(
            way,
            f"{personal:.4f}",
            f"{popular:.4f}",
            f"{personal / popular:.2f}",
            f"{(found[:, 0] / found[:, 1]).min():.2f}",
            f"{training:.2f} s",
            f"{calls / CALLS * 1000:.2f} ms",
        )
    Console().print(report)


def _quality(interactions: Interactions, items: Table, seed: int) -> tuple[float, float]:
    found = compare_with_popularity(RECIPE, TrainingData(interactions, items, seed=seed), remove_seen=True)
    return found[RECIPE][NDCG], found["aws-popularity-count"][NDCG]


def _call_often(model: Model, history: Sequence[Event]) -> None:
    for _ in range(CALLS):
        model.recommend(Request(history))


def _timed(run: Callable[[], Result]) -> tuple[float, Result]:
    start = time.perf_counter()
    result = run()
    return time.perf_counter() - start, result


def interactions_of(data: MovieLens) -> Interactions:
    return Interactions(
        _objects(row.user_id for row in data.ratings),
        _objects(row.film_id for row in data.ratings),
        np.array([row.timestamp for row in data.ratings]),
        event_values=np.array([row.value for row in data.ratings]),
    )


def items_of(data: MovieLens) -> Table:
    films = list(data.films.values())
    genres = _objects("|".join(film.genres) for film in films)
    years = np.array([film.year or np.nan for film in films])
    return Table(_objects(film.film_id for film in films), {"GENRES": genres, "YEAR": years}, frozenset({"GENRES"}))


def _objects(values: Iterable[str]) -> Array:
    return np.array(list(values), dtype=object)


if __name__ == "__main__":
    typer.run(main)
