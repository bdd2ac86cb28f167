"""Chooses whom the demonstration follows, and what this viewer watches next."""

from collections import Counter
from collections.abc import Sequence

from .movielens import Film, MovieLens

# A filter looks at the last 100 events of a viewer; three more are sent.
_ENOUGH_FILMS = range(70, 98)
_RECENT_FILMS = 20
_LIKED = 4.0
_GENRE_FILMS = 40
_NO_GENRE = "unknown"


def choose_viewer(data: MovieLens) -> str:
    """A viewer who rated 70 to 97 films, and whose last ones keep the most to one genre.

    :return: the user id
    """

    def plainness(user_id: str) -> float:
        genres = _genres([data.films[rating.film_id] for rating in data.watched[user_id][:_RECENT_FILMS]])
        return max(genres.values()) / sum(genres.values())

    candidates = [user_id for user_id, ratings in data.watched.items() if len(ratings) in _ENOUGH_FILMS]
    return max(sorted(candidates), key=plainness)


def liked(data: MovieLens, user_id: str) -> list[Film]:
    """The films that a viewer gave four stars or five, newest first: those that the recommender learns from."""
    return [data.films[rating.film_id] for rating in data.watched[user_id] if rating.value >= _LIKED]


def another_genre(data: MovieLens, user_id: str) -> str:
    """The genre, among those with at least 40 films, that a viewer has liked the least of."""
    sizes = Counter(genre for film in data.films.values() for genre in film.genres if genre != _NO_GENRE)
    genres = _genres(liked(data, user_id))
    return min(
        sorted(genre for genre, size in sizes.items() if size >= _GENRE_FILMS),
        key=lambda genre: genres[genre] / sizes[genre],
    )


def popular_unseen(data: MovieLens, user_id: str, genre: str, count: int) -> list[Film]:
    """The most watched films of a genre that a viewer has not watched, most watched first."""
    watched = {rating.film_id for rating in data.watched[user_id]}
    viewers = Counter(rating.film_id for rating in data.ratings)
    films = [film for film in data.films.values() if genre in film.genres and film.film_id not in watched]
    return sorted(films, key=lambda film: (-viewers[film.film_id], film.film_id))[:count]


def _genres(films: Sequence[Film]) -> Counter[str]:
    return Counter(genre for film in films for genre in film.genres)
