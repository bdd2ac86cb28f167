"""The data of the demonstration, on a synthetic package of the same form."""

import csv
import hashlib
import io
import zipfile
from pathlib import Path

import aws_cdk as cdk
import pytest

from demo import movielens
from demo.errors import DemoError
from stacks.films_data import FilmsData
from stacks.films_recommender import FilmsRecommender

FILES = {
    "inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t2\t4\t880000002\n1\t1\t3\t880000001\n",
    "item": (
        "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
        "1\tUsual Suspects, The\t1995\tCrime Thriller\n"
        "2\tEnfer, L'\t1994\tDrama\n"
        "3\tConvent, The (Convento, O)\tV\tDrama\n"
        "4\tParis, France\t1993\tComedy\n"
    ),
    "user": "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n1\t24\tM\ttechnician\t85711\n",
}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with a package that passes for the real one."""
    package = tmp_path / movielens.FILE_NAME
    with zipfile.ZipFile(package, "w") as file:
        for suffix, text in FILES.items():
            file.writestr(f"{movielens.FOLDER}/ml-100k.{suffix}", text)
    monkeypatch.setattr(movielens, "SHA256", hashlib.sha256(package.read_bytes()).hexdigest())
    return tmp_path


def test_titles_and_years_are_those_of_a_person(cache: Path) -> None:
    films = movielens.load(cache).films
    assert [str(film) for film in films.values()] == [
        "The Usual Suspects (1995)",
        "L'Enfer (1994)",
        "The Convent (Convento, O)",
        "Paris, France (1993)",
    ]
    assert films["1"].genres == ("Crime", "Thriller")


def test_viewers_have_their_films_newest_first(cache: Path) -> None:
    assert [rating.film_id for rating in movielens.load(cache).watched["1"]] == ["2", "1"]


def test_the_columns_are_those_of_the_schemas(cache: Path) -> None:
    app = cdk.App()
    stack = FilmsRecommender(app, "FilmsRecommender", data_bucket=FilmsData(app, "FilmsData").bucket)
    group = stack.node.find_child("Films")
    schemas = {dataset.dataset_type.value.lower(): dataset.schema.columns for dataset in group.datasets}  # type: ignore[attr-defined]
    files = movielens.load(cache).csv_files()
    assert {name: tuple(next(csv.reader(io.StringIO(text.decode())))) for name, text in files.items()} == schemas


def test_values_are_in_the_form_that_personalize_imports(cache: Path) -> None:
    files = {name: text.decode().splitlines()[1:] for name, text in movielens.load(cache).csv_files().items()}
    assert files["interactions"] == ["1,2,880000002,watch,4.0", "1,1,880000001,watch,3.0"]
    assert files["items"][0] == "1,The Usual Suspects,Crime|Thriller,1995"
    assert files["items"][2] == '3,"The Convent (Convento, O)",Drama,'
    assert files["users"] == ["1,24,M,technician"]


def test_another_file_than_the_expected_one_is_refused_and_removed(tmp_path: Path) -> None:
    package = tmp_path / movielens.FILE_NAME
    package.write_bytes(b"not the package")
    with pytest.raises(DemoError, match="is not the expected file"):
        movielens.load(tmp_path)
    assert not package.exists()


def test_a_download_that_fails_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    with pytest.raises(DemoError, match="could not download the MovieLens data") as raised:
        movielens.load(tmp_path)
    assert str(tmp_path / "download.log") in str(raised.value)
