"""Whom the demonstration follows."""

from demo.movielens import Film, MovieLens, Rating
from demo.viewer import another_genre, choose_viewer, popular_unseen

GENRES = ("Comedy", "Horror", "Drama")


def _data() -> MovieLens:
    """Fifty films per genre: viewer 1 watched comedies, viewer 2 dramas and comedies, viewer 3 little."""
    films = {
        f"{genre}{number:02}": Film(f"{genre}{number:02}", f"{genre} {number}", (genre,), 1990)
        for genre in GENRES
        for number in range(50)
    }
    comedies = [*(f"Drama{n:02}" for n in range(35)), *(f"Comedy{n:02}" for n in range(50))]
    mixed = [film for n in range(40) for film in (f"Comedy{n:02}", f"Drama{n:02}")]
    watched = {"1": comedies, "2": mixed, "3": ["Horror07", "Horror07", "Horror03"]}
    ratings = [
        Rating(user_id, film_id, 5.0, timestamp)
        for user_id, film_ids in watched.items()
        for timestamp, film_id in enumerate(film_ids)
    ]
    return MovieLens(films, ratings, dict.fromkeys(watched, ("30", "F", "writer")))


def test_the_viewer_keeps_to_one_genre_and_fits_into_a_filters_memory() -> None:
    assert choose_viewer(_data()) == "1"


def test_the_other_genre_is_the_one_liked_least() -> None:
    assert another_genre(_data(), "1") == "Horror"


def test_what_is_watched_next_is_popular_and_new_to_the_viewer() -> None:
    assert [film.film_id for film in popular_unseen(_data(), "1", "Horror", 3)] == ["Horror07", "Horror03", "Horror00"]
    assert [film.film_id for film in popular_unseen(_data(), "3", "Horror", 1)] == ["Horror00"]
