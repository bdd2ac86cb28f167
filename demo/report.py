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
    "mean_reciprocal_rank_at_25": "mean reciprocal rank@25",
    "coverage": "coverage",
}

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
    table = Table(box=SIMPLE_HEAD, title="Offline metrics: what viewers watched next, and was it recommended?")
    table.add_column("metric")
    table.add_column("GetSolutionMetrics", justify="right")
    table.add_column("unseen only", justify="right", style="bold")
    table.add_column("popularity, unseen only", justify="right")
    table.add_column("ratio", justify="right")
    for metric, title in _METRICS.items():
        times = f"{model[metric] / popularity[metric]:.2f}" if popularity[metric] else ""
        table.add_row(title, *(f"{values[metric]:.4f}" for values in (reported, model, popularity)), times)
    console.print(table)
    ratio = model[NDCG] / popularity[NDCG] if popularity[NDCG] else float("inf")
    console.print(
        f"NDCG@25, films seen before left out, same split: {model[NDCG]:.4f} against popularity's "
        f"{popularity[NDCG]:.4f}, [bold]{ratio:.2f} times[/bold]"
    )
    console.print()


def print_viewer(console: Console, data: MovieLens, user_id: str, watched: Sequence[Rating]) -> None:
    """Who the viewer is, and the films watched last."""
    age, gender, occupation = data.users[user_id]
    count = len(data.watched[user_id])
    table = _film_table(f"Viewer {user_id} ({occupation}, {gender}, {age}; {count} films): watched last")
    table.add_column("stars")
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
    table = _film_table(title)
    table.add_column("score", justify="right")
    table.add_column("seen")
    if before is not None:
        table.add_column("change")
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


def _film_table(title: str) -> Table:
    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left", title_style="bold")
    table.add_column("", justify="right", style="dim")
    table.add_column("film", max_width=44, overflow="ellipsis", no_wrap=True)
    table.add_column("genres", max_width=24, overflow="ellipsis", no_wrap=True, style="cyan")
    return table


def _film_cells(number: int, film: Film) -> tuple[str, str, str]:
    return str(number), str(film), ", ".join(film.genres)
