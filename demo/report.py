"""What the demonstration prints."""

from collections.abc import Collection, Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .comparison import NDCG
from .following import Line
from .movielens import Film, MovieLens, Rating
from .recommending import Recommendation

_METRICS = {
    NDCG: "NDCG@25",
    "normalized_discounted_cumulative_gain_at_10": "NDCG@10",
    "normalized_discounted_cumulative_gain_at_5": "NDCG@5",
    "precision_at_25": "precision@25",
    "precision_at_10": "precision@10",
    "precision_at_5": "precision@5",
    "mean_reciprocal_rank_at_25": "reciprocal rank@25",
    "coverage": "coverage",
}

_FILM_WIDTH = 42
_GENRES_WIDTH = 24
#: the width of the columns beside film and genres, and of the space between all of them
_OTHER_COLUMNS = 2 + 6 + 4 + 6 + 6 * 3 + 2

_STATUS_STYLE = {"ACTIVE": "green", "CREATE FAILED": "bold red", "CREATE STOPPED": "red", "waiting": "dim"}


def progress_table(lines: Sequence[Line]) -> Table:
    """The run as a table: one line per dataset import, training and campaign."""
    table = Table.grid(padding=(0, 2))
    for line in lines:
        status = Text(line.status.lower(), style=_STATUS_STYLE.get(line.status, "yellow"))
        seconds = "" if line.seconds is None else f"{line.seconds:.1f} s"
        table.add_row(" ", line.kind, line.name, status, Text(seconds, justify="right"))
    return table


def print_metrics(
    console: Console, reported: Mapping[str, float], model: Mapping[str, float], popularity: Mapping[str, float]
) -> None:
    """The offline metrics in a table.

    :param reported: what the solution version reports; films seen before count
    :param model: the same measurement with films seen before left out
    :param popularity: the most watched films for everybody, measured like `model`
    """
    table = _table("Offline metrics: is what viewers watched next among their recommendations?")
    table.add_column("metric")
    table.add_column("GetSolutionMetrics", justify="right")
    table.add_column("unseen only", justify="right", style="bold")
    table.add_column("popularity", justify="right")
    table.add_column("ratio", justify="right")
    for metric, title in _METRICS.items():
        times = f"{model[metric] / popularity[metric]:.2f}" if popularity[metric] else ""
        table.add_row(title, *(f"{values[metric]:.4f}" for values in (reported, model, popularity)), times)
    console.print(table)
    ratio = model[NDCG] / popularity[NDCG] if popularity[NDCG] else float("inf")
    console.print(
        "The first column counts films that a viewer has seen before, as the service does; the others leave them out."
    )
    console.print(
        f"NDCG@25, films seen before left out, same split: {model[NDCG]:.4f} against popularity's "
        f"{popularity[NDCG]:.4f}, [bold]{ratio:.2f} times[/bold]\n",
        soft_wrap=True,
    )


def print_viewer(console: Console, data: MovieLens, user_id: str, watched: Sequence[Rating]) -> None:
    """Who the viewer is, and the films watched last."""
    age, gender, occupation = data.users[user_id]
    count = len(data.watched[user_id])
    table = _film_table(console, f"Viewer {user_id} ({occupation}, {gender}, {age}; {count} films): watched last")
    table.add_column("stars", width=5)
    for number, rating in enumerate(watched, 1):
        table.add_row(*_film_cells(number, data.films[rating.film_id]), "★" * int(rating.value))
    console.print(table)


def print_recommendations(
    console: Console,
    data: MovieLens,
    title: str,
    recommendations: Sequence[Recommendation],
    *,
    seen: Collection[str],
    before: Sequence[Recommendation] | None = None,
) -> None:
    """A list of recommendations.

    :param seen: films that the viewer has watched, which are marked
    :param before: an earlier list that changes are marked against. Default: - no changes are marked
    """
    table = _film_table(console, title)
    table.add_column("score", justify="right", width=6)
    table.add_column("seen", width=4)
    if before is not None:
        table.add_column("change", width=6)
    ranks = {one.film_id: rank for rank, one in enumerate(before or ())}
    for rank, one in enumerate(recommendations):
        cells = [*_film_cells(rank + 1, data.films[one.film_id]), f"{one.score:.4f}"]
        cells.append("seen" if one.film_id in seen else "")
        table.add_row(*cells, *([] if before is None else [_change(rank, ranks.get(one.film_id))]))
    console.print(table)


def _change(rank: int, earlier: int | None) -> Text:
    if earlier is None:
        return Text("new", style="bold green")
    if earlier == rank:
        return Text("")
    return Text(f"▲ {earlier - rank}", style="green") if earlier > rank else Text(f"▼ {rank - earlier}", style="red")


def _film_table(console: Console, title: str) -> Table:
    """A table of films, as wide as the console lets it be."""
    spare = console.width - _OTHER_COLUMNS
    film_width = min(_FILM_WIDTH, spare * _FILM_WIDTH // (_FILM_WIDTH + _GENRES_WIDTH))
    table = _table(title)
    table.add_column("", justify="right", style="dim", width=2)
    table.add_column("film", width=film_width, overflow="ellipsis", no_wrap=True)
    table.add_column(
        "genres", width=min(_GENRES_WIDTH, spare - film_width), overflow="ellipsis", no_wrap=True, style="cyan"
    )
    return table


def _table(title: str) -> Table:
    return Table(box=SIMPLE_HEAD, title=title, title_justify="left", title_style="bold")


def _film_cells(number: int, film: Film) -> tuple[str, str, str]:
    return str(number), str(film), ", ".join(film.genres)
