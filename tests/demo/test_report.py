"""What is printed."""

import io

from rich.console import Console

from demo.comparison import NDCG
from demo.following import Line
from demo.movielens import Film, MovieLens
from demo.recommending import Recommendation
from demo.report import _METRICS, print_metrics, print_recommendations, progress_table

DATA = MovieLens({name: Film(name, f"Film {name}", ("Drama",), 1990) for name in "abcd"}, [], {})


def console() -> Console:
    return Console(file=io.StringIO(), width=120, color_system=None)


def text(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_changes_are_marked() -> None:
    printed = console()
    before = [Recommendation("a", 0.3), Recommendation("b", 0.2), Recommendation("c", 0.1)]
    after = [Recommendation("b", 0.3), Recommendation("a", 0.2), Recommendation("c", 0.1), Recommendation("d", 0.1)]
    print_recommendations(printed, DATA, "After", after, seen={"a"}, before=before)
    rows = {line.split()[2]: line for line in text(printed).splitlines() if " Film " in line}
    assert "▲ 1" in rows["b"]
    assert "▼ 1" in rows["a"]
    assert "seen" in rows["a"]
    assert "▲" not in rows["c"]
    assert "new" in rows["d"]


def test_the_ratio_to_popularity_is_printed() -> None:
    printed = console()
    model = dict.fromkeys(_METRICS, 0.2)
    print_metrics(printed, model, model, {**dict.fromkeys(_METRICS, 0.1), "coverage": 0.0})
    assert "NDCG@25, films seen before left out, same split: 0.2000 against popularity's 0.1000, 2.00 times" in text(
        printed
    )
    assert _METRICS[NDCG] in text(printed)


def test_progress_has_a_line_each() -> None:
    printed = console()
    printed.print(progress_table([Line("import", "items", "ACTIVE", 1.25), Line("campaign", "live")]))
    assert [line.split() for line in text(printed).splitlines()] == [
        ["import", "items", "active", "1.2", "s"],
        ["campaign", "live", "waiting"],
    ]
