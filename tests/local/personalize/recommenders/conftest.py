"""Synthetic viewers: each likes one genre, and everybody watches the blockbusters, which are of genre 0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

import numpy as np
import pytest

from personalize_local.personalize.recommenders import Event, Interactions, Model, Recommendation, Request, Table, load
from personalize_local.personalize.recommenders.data import Array, Floats
from personalize_local.personalize.recommenders.evaluation import DEEPEST, Split, measure
from personalize_local.personalize.recommenders.evaluation import NDCG as GAIN

GENRES = 8
FILMS_PER_GENRE = 30
NEW_FILMS = 4
VIEWERS = 280
EVENTS_PER_VIEWER = 20
TASTE = 0.9
NDCG = f"{GAIN}_at_{DEEPEST}"


def film_id(genre: int, number: int) -> str:
    """Name a film, so that its genre and its place in the genre can be read."""
    return f"film-{genre}-{number:02}"


def genre_of(item_id: str) -> int:
    """Read the genre of a film."""
    return int(item_id.split("-")[1])


@pytest.fixture(scope="session")
def interactions() -> Interactions:
    """What the viewers watched, one film per second."""
    random = np.random.default_rng(7)
    films = [film_id(genre, number) for genre in range(GENRES) for number in range(FILMS_PER_GENRE)]
    appeal = 1 / np.arange(1, FILMS_PER_GENRE + 1)
    rows = []
    for viewer in range(VIEWERS):
        weights = np.zeros((GENRES, FILMS_PER_GENRE))
        weights[0] = (1 - TASTE) * appeal
        weights[1 + viewer % (GENRES - 1)] = TASTE * appeal
        weights += 0.01
        watched = random.choice(films, size=EVENTS_PER_VIEWER, replace=False, p=weights.ravel() / weights.sum())
        rows += [(f"viewer-{viewer}", film, 1000 + time) for time, film in enumerate(watched.tolist())]
    users, items, times = zip(*rows, strict=True)
    return Interactions(users, items, times)


@pytest.fixture(scope="session")
def items() -> Table:
    """All films with their genres, and a few that nobody has watched yet."""
    ids = [film_id(genre, number) for genre in range(GENRES) for number in range(FILMS_PER_GENRE + NEW_FILMS)]
    return Table(
        ids,
        {
            "GENRES": [f"genre-{genre_of(item_id)}|film" for item_id in ids],
            "YEAR": [1990.0 + number % 30 for number in range(len(ids))],
        },
        frozenset({"GENRES"}),
    )


def fans_of(genre: int, count: int = 6) -> list[Event]:
    """What somebody has watched who likes a genre."""
    return [Event(film_id(genre, number), "watch", number) for number in range(count)]


def genre_share(item_ids: Iterable[str], genre: int) -> float:
    """Tell how many of some films are of a genre, from 0 to 1."""
    genres = [genre_of(item_id) for item_id in item_ids]
    return genres.count(genre) / len(genres)


def ids_of(found: Iterable[Recommendation]) -> list[str]:
    """Take the ids of recommendations, best first."""
    return [one.item_id for one in found]


def survives_a_file(model: Model, request: Request, path: Path) -> bool:
    """Tell whether a model recommends the same once it was written and read."""
    model.save(path)
    return load(path).recommend(request, count=100) == model.recommend(request, count=100)


def random_quality(parts: Split) -> float:
    """What a list in no order at all reaches, in the mean of many."""
    chance = np.random.default_rng(1)
    catalogue = np.unique(parts.training.item_ids)
    gains = [measure(_Shuffled(chance.permutation(catalogue)), parts, remove_seen=True)[NDCG] for _ in range(20)]
    return float(np.mean(gains))


class _Shuffled(Model):
    kind = "test-shuffled"

    def probabilities(self, request: Request) -> Floats:
        falling = np.arange(len(self.item_ids), 0, -1, dtype=np.float64)
        shares: Floats = falling / falling.sum()
        return shares

    def arrays(self) -> dict[str, Array]:
        return {}

    @classmethod
    def from_arrays(cls, item_ids: Array, arrays: Mapping[str, Array]) -> Self:
        return cls(item_ids)
