"""How good and how fast the recommenders are, on MovieLens 100K.

Prints NDCG@25 by Amazon Personalize's protocol (mean of several splits, ratings above 3.6, items seen before left out)
beside that of popularity on the same splits, and how long training and one call take. To be run from the checkout:

    python -m benchmarks.recommenders [path of the recbole wheel, or of a folder to download it to]
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated
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
    Table,
    compare_with_popularity,
    personalization,
    select_events,
    train,
)

RECIPE = "aws-user-personalization-v2"
NDCG = "normalized_discounted_cumulative_gain_at_25"
CALLS = 200


def main(
    cache: Annotated[Path, typer.Argument(help="Folder with, or for, the wheel that holds the data.")] = Path(".cache"),
    splits: Annotated[int, typer.Option(help="How many splits to take the mean of.")] = 10,
) -> None:
    """Measure the recommenders on MovieLens 100K."""
    data = load(cache.parent if cache.is_file() else cache)
    interactions = select_events(_interactions(data), event_value_threshold=EVENT_VALUE_THRESHOLD)
    items = _items(data)
    history = [Event(row.film_id, None, row.timestamp) for row in data.ratings if row.user_id == "196"]

    report = Report("way", "NDCG@25", "popularity", "ratio", "worst split", "training", "one call")
    for way, largest_dense in (("EASE", personalization.LARGEST_DENSE_CATALOGUE), ("factors", 0)):
        with patch.object(personalization, "LARGEST_DENSE_CATALOGUE", largest_dense):
            training, model = _timed(lambda: train(RECIPE, interactions, items))
            found = np.array([_quality(interactions, items, seed) for seed in range(splits)])
        calls, _ = _timed(lambda model=model: [model.recommend(history) for _ in range(CALLS)])  # type: ignore[misc]
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
    found = compare_with_popularity(RECIPE, interactions, items, seed=seed, remove_seen=True)
    return found[RECIPE][NDCG], found["aws-popularity-count"][NDCG]


def _timed(run: Callable[[], Model]) -> tuple[float, Model]:
    start = time.perf_counter()
    result = run()
    return time.perf_counter() - start, result


def _interactions(data: MovieLens) -> Interactions:
    users, films, times, values = zip(
        *((row.user_id, row.film_id, row.timestamp, row.value) for row in data.ratings), strict=True
    )
    return Interactions(users, films, times, event_values=values)


def _items(data: MovieLens) -> Table:
    films = list(data.films.values())
    return Table(
        [film.film_id for film in films],
        {"GENRES": ["|".join(film.genres) for film in films], "YEAR": [film.year for film in films]},
        frozenset({"GENRES"}),
    )


if __name__ == "__main__":
    typer.run(main)
