"""MovieLens 100K: downloads it, and writes it as the three CSV files that Amazon Personalize imports.

100,000 ratings of 1,682 films by 943 viewers, with timestamps, collected by GroupLens Research at the University of
Minnesota; see https://grouplens.org/datasets/movielens/100k/. Its licence forbids redistribution, so it is never part
of this repository: it is read from a package of the recommender library RecBole, which the computer's own package
index provides, and kept in an ignored folder. RecBole itself is not installed.
"""

import csv
import hashlib
import io
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from .errors import DemoError

PACKAGE = "recbole==1.2.1"
FILE_NAME = "recbole-1.2.1-py3-none-any.whl"
SHA256 = "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407"
FOLDER = "recbole/dataset_example/ml-100k"
CREDIT = "MovieLens 100K by GroupLens Research"

EVENT_TYPE = "watch"

INTERACTIONS_HEADER = ("USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE")
ITEMS_HEADER = ("ITEM_ID", "TITLE", "GENRES", "YEAR")
USERS_HEADER = ("USER_ID", "AGE", "GENDER", "OCCUPATION")

_ARTICLES = ("The", "A", "An", "Il", "La", "Le", "Les", "L'", "Das", "Der", "Die", "El")


@dataclass(frozen=True)
class Film:
    """One film.

    :param title: as a person writes it, "The Usual Suspects" rather than "Usual Suspects, The"
    :param year: when it came out; None when the data does not know
    """

    film_id: str
    title: str
    genres: tuple[str, ...]
    year: int | None

    def __str__(self) -> str:
        """The title with the year."""
        return f"{self.title} ({self.year})" if self.year else self.title


@dataclass(frozen=True)
class Rating:
    """One viewer rated one film.

    :param value: stars, 1 to 5
    :param timestamp: seconds since 1970
    """

    user_id: str
    film_id: str
    value: float
    timestamp: int


@dataclass(frozen=True)
class MovieLens:
    """The data in memory.

    :param films: by id
    :param ratings: in the order of the original file
    :param users: age, gender and occupation by user id
    """

    films: Mapping[str, Film]
    ratings: Sequence[Rating]
    users: Mapping[str, tuple[str, str, str]]

    @cached_property
    def watched(self) -> Mapping[str, Sequence[Rating]]:
        """The ratings of each viewer, newest first."""
        by_user: dict[str, list[Rating]] = {}
        for rating in sorted(self.ratings, key=lambda rating: (-rating.timestamp, rating.film_id)):
            by_user.setdefault(rating.user_id, []).append(rating)
        return by_user

    def csv_files(self) -> dict[str, bytes]:
        """The three files by the name of their dataset, columns in the order of the app's schemas."""
        return {
            "interactions": _csv(
                INTERACTIONS_HEADER,
                ((r.user_id, r.film_id, r.timestamp, EVENT_TYPE, r.value) for r in self.ratings),
            ),
            "items": _csv(
                ITEMS_HEADER,
                ((film.film_id, film.title, "|".join(film.genres), film.year or "") for film in self.films.values()),
            ),
            "users": _csv(USERS_HEADER, ((user_id, *told) for user_id, told in self.users.items())),
        }


def load(cache: Path) -> MovieLens:
    """Read MovieLens 100K, downloading it first if the cache does not hold it.

    :param cache: folder for the download, outside version control
    :raises DemoError: when the download fails, or its content is not the expected one
    """
    with zipfile.ZipFile(_package(cache)) as package:
        return MovieLens(
            films={film.film_id: film for film in map(_film, _rows(package, "item"))},
            ratings=[
                Rating(row["user_id"], row["item_id"], float(row["rating"]), int(float(row["timestamp"])))
                for row in _rows(package, "inter")
            ],
            users={row["user_id"]: (row["age"], row["gender"], row["occupation"]) for row in _rows(package, "user")},
        )


def _package(cache: Path) -> Path:
    path = cache / FILE_NAME
    if not path.exists():
        _download(cache)
    found = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "nothing"
    if found != SHA256:
        path.unlink(missing_ok=True)
        raise DemoError(
            f"the MovieLens data in {PACKAGE} is not the expected file (its sha256 is {found}, not {SHA256}):"
            " run the command again, and if that does not help look at what your package index serves."
        )
    return path


def _download(cache: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    options = ("--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check", "--quiet")
    log = cache / "download.log"
    with log.open("w", encoding="utf-8") as output:
        done = subprocess.run(  # noqa: S603 - fixed command
            [sys.executable, "-m", "pip", "download", *options, "--dest", str(cache), PACKAGE],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise DemoError(
            f"pip could not download the MovieLens data (inside {PACKAGE}): check that this computer reaches the"
            f" package index that pip is configured for and run the command again; the output is in {log}."
        )


def _rows(package: zipfile.ZipFile, suffix: str) -> Iterator[dict[str, str]]:
    """The rows of one tab-separated file, whose header has the form name:type."""
    with package.open(f"{FOLDER}/ml-100k.{suffix}") as raw:
        rows = csv.reader(io.TextIOWrapper(raw, encoding="utf-8", newline=""), delimiter="\t", quoting=csv.QUOTE_NONE)
        names = [column.partition(":")[0] for column in next(rows)]
        for row in rows:
            yield dict(zip(names, row, strict=True))


def _film(row: Mapping[str, str]) -> Film:
    year = row["release_year"]
    return Film(
        film_id=row["item_id"],
        title=_natural_title(row["movie_title"]),
        genres=tuple(row["class"].split()),
        year=int(year) if year.isdigit() else None,
    )


def _natural_title(title: str) -> str:
    """Put the article back to the front: "Godfather: Part II, The" becomes "The Godfather: Part II"."""
    name, parenthesis, rest = title.partition(" (")
    start, comma, article = name.rpartition(", ")
    if comma and article in _ARTICLES:
        name = f"{article}{start}" if article.endswith("'") else f"{article} {start}"
    return name + parenthesis + rest


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()
