from __future__ import annotations

import pytest

from personalize_local.personalize.recommenders.data import Table
from personalize_local.personalize.themes import NO_THEME, Themes


@pytest.fixture(scope="module")
def themes() -> Themes:
    ids = [f"i{number}" for number in range(12)]
    return Themes(
        Table(
            ids,
            {
                "GENRES": ["Science Fiction"] * 3 + ["Drama"] * 9,
                "TITLE": ["the ship", "the SHIP", "a Ship", *(f"the thing {number}" for number in range(9))],
                "PLOT": ["rocket", "Rocket", None, *["none"] * 9],
                "YEAR": [1.0] * 12,
            },
            frozenset({"GENRES"}),
            frozenset({"PLOT"}),
        ),
        "TITLE",
    )


def test_a_theme_is_what_few_others_have(themes: Themes) -> None:
    theme, relevance = themes.theme(["i0", "i1", "i2"])
    assert theme == "Science Fiction and ship"
    assert list(relevance) == ["i0", "i1", "i2"]
    assert all(0 < value <= 1 for value in relevance.values())


def test_who_has_more_of_the_theme_is_more_relevant(themes: Themes) -> None:
    _, relevance = themes.theme(["i0", "i1", "i2", "i5"])
    assert min(relevance["i0"], relevance["i1"], relevance["i2"]) > relevance["i5"] == 0


def test_what_everybody_has_is_no_theme() -> None:
    same = Themes(Table(["a", "b"], {"GENRES": ["x", "x"], "TITLE": ["t", "t"]}, frozenset({"GENRES"})), "TITLE")
    assert same.theme(["a", "b"]) == (NO_THEME, {"a": 0.0, "b": 0.0})
    assert same.theme(["unheard-of"]) == (NO_THEME, {"unheard-of": 0.0})
