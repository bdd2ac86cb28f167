"""What filters let through."""

from __future__ import annotations

import time

import numpy as np
import pytest

from cdk_personalize import filter_expression
from cdk_personalize.filter_expression import Operator
from personalize_local.personalize import filters
from personalize_local.personalize.filters import Catalogue, CompiledFilter, FilterValueError, Request, Row
from personalize_local.personalize.recommenders import Event, Table

FILMS = Table(
    ["alien", "brazil", "casablanca", "dune", "exotica"],
    {
        "GENRES": ["horror|scifi", "scifi", "drama", None, "drama|horror"],
        "YEAR": [1979, 1985, 1942, None, 1994],
        "STUDIO": ["a|b", "a", "b", "c", None],
    },
    frozenset({"GENRES"}),
)
CATALOGUE = Catalogue(FILMS)
EVENTS = [
    Event("alien", "watch", 1),
    Event("brazil", "Click", 2),
    Event("brazil", "watch", 3),
    Event("casablanca", None, 4),
    Event("not-in-the-catalogue", "watch", 5),
]


def through(text: str, request: Request = Request(), catalogue: Catalogue = CATALOGUE) -> str:  # noqa: B008
    """Give the first letters of the films that a filter lets through."""
    mask = CompiledFilter.parse(text).mask(catalogue, request)
    return "".join(id_[0] for id_ in catalogue.ids[mask])


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ('Items.GENRES IN ("scifi")', "ab"),
        ('Items.GENRES IN ("scifi", "drama")', "abce"),
        ('Items.GENRES IN ("horror|scifi")', ""),
        ('Items.GENRES IN ("Scifi")', ""),
        ('Items.genres NOT IN ("horror")', "bcd"),
        ('Items.GENRES = "horror"', "ae"),
        ('Items.GENRES != "horror"', "bc"),
        ('Items.STUDIO IN ("a")', "b"),
        ('Items.STUDIO IN ("a|b")', "a"),
        ("Items.YEAR = 1985", "b"),
        ("Items.YEAR != 1985", "ace"),
        ("Items.YEAR < 1985", "ac"),
        ("Items.YEAR <= 1985", "abc"),
        ("Items.YEAR > 1985", "e"),
        ('Items.YEAR >= "1985"', "be"),
        ('Items.YEAR IN ("1985", "1994.0")', "be"),
        ('Items.YEAR NOT IN ("1985")', "acde"),
        ('Items.UNKNOWN IN ("a")', ""),
        ('Items.UNKNOWN NOT IN ("a")', "abcde"),
        ("Items.UNKNOWN != 1", ""),
        ('Items.GENRES IN ("drama") AND Items.YEAR > 1950', "e"),
        ('Items.GENRES IN ("drama") OR Items.YEAR > 1980 AND Items.STUDIO IN ("a")', "bce"),
        ('Items.STUDIO IN ("a") AND Items.YEAR > 1980 OR Items.GENRES IN ("drama")', "bce"),
        ('Interactions.EVENT_TYPE IN ("watch")', "ab"),
        ('Interactions.EVENT_TYPE IN ("CLICK")', "b"),
        ('Interactions.EVENT_TYPE IN ("click", "buy")', "b"),
        ('Interactions.EVENT_TYPE IN ("*")', "abc"),
        ('Interactions.EVENT_TYPE IN ("watch") AND Interactions.EVENT_TYPE IN ("click")', "b"),
        ('Interactions.EVENT_TYPE NOT IN ("click")', "acde"),
        ('Interactions.EVENT_TYPE NOT IN ("*")', "de"),
    ],
)
def test_conditions(condition: str, expected: str) -> None:
    request = Request(events=EVENTS)
    assert through(f"INCLUDE ItemID WHERE {condition}", request) == expected
    rest = "".join(letter for letter in "abcde" if letter not in expected)
    assert through(f"EXCLUDE ItemID WHERE {condition}", request) == rest


SCIFI = 'ItemID WHERE Items.GENRES IN ("scifi")'
HORROR = 'ItemID WHERE Items.GENRES IN ("horror")'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"INCLUDE {SCIFI} | INCLUDE {HORROR}", "abe"),
        (f"EXCLUDE {SCIFI} | EXCLUDE {HORROR}", "cd"),
        (f"INCLUDE {SCIFI} | EXCLUDE {HORROR}", "b"),
        (f"EXCLUDE {HORROR} | INCLUDE {SCIFI}", "b"),
        (f"EXCLUDE {HORROR} | INCLUDE {SCIFI} | INCLUDE {HORROR}", "b"),
    ],
)
def test_expressions_together(text: str, expected: str) -> None:
    assert through(text) == expected


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({"AGE": 12.0, "COUNTRY": "DE"}, "bcd"),
        ({"age": 12.0, "country": "DE|FR"}, "bcd"),
        ({"AGE": 12.0, "COUNTRY": "FR"}, "abcde"),
        ({"AGE": 30.0, "COUNTRY": "DE"}, "abcde"),
        ({"AGE": np.nan, "COUNTRY": "DE"}, "abcde"),
        ({"AGE": None, "COUNTRY": None}, "abcde"),
        ({}, "abcde"),
    ],
)
def test_an_expression_applies_if_the_user_meets_its_if(user: dict[str, str | float | None], expected: str) -> None:
    text = f'EXCLUDE {HORROR} IF CurrentUser.AGE < 18 AND CurrentUser.COUNTRY IN ("DE")'
    assert through(text, Request(user=Row(user, frozenset({"country"})))) == expected


def test_only_categories_are_taken_apart() -> None:
    text = f'EXCLUDE {HORROR} IF CurrentUser.COUNTRY = "DE"'
    assert through(text, Request(user=Row({"COUNTRY": "DE|FR"}, frozenset({"COUNTRY"})))) == "bcd"
    assert through(text, Request(user=Row({"COUNTRY": "DE|FR"}))) == "abcde"
    text = "INCLUDE ItemID WHERE Items.STUDIO IN CurrentItem.STUDIO"
    assert through(text, Request(item=Row({"STUDIO": "a|b"}))) == "a"
    assert through(text, Request(item=Row({"STUDIO": "a|b"}, frozenset({"STUDIO"})))) == "bc"


def test_an_include_that_does_not_apply_is_as_if_it_were_not_there() -> None:
    text = f"INCLUDE {SCIFI} IF CurrentUser.AGE < 18 | EXCLUDE {HORROR}"
    assert through(text, Request(user=Row({"AGE": 40.0}))) == "bcd"
    assert through(text, Request(user=Row({"AGE": 4.0}))) == "b"


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"GENRES": "drama|comedy", "YEAR": 1980.0}, "c"),
        ({"genres": "horror", "year": 2000.0}, "ae"),
        ({"GENRES": None, "YEAR": 1980.0}, ""),
        ({"GENRES": "drama", "YEAR": np.nan}, ""),
        ({}, ""),
    ],
)
def test_the_current_item_is_compared_with(item: dict[str, str | float | None], expected: str) -> None:
    text = "INCLUDE ItemID WHERE Items.GENRES IN CurrentItem.GENRES AND Items.YEAR < CurrentItem.YEAR"
    assert through(text, Request(item=Row(item, frozenset({"GENRES", "genres"})))) == expected


def test_a_filter_on_the_current_item_needs_one() -> None:
    with pytest.raises(FilterValueError, match=r"itemId must be given, .* CurrentItem\.YEAR"):
        through("INCLUDE ItemID WHERE Items.YEAR < CurrentItem.YEAR")


@pytest.mark.parametrize(
    ("condition", "values", "expected"),
    [
        ("Items.GENRES IN ($G)", {"G": '"scifi"'}, "ab"),
        ("Items.GENRES IN ($G)", {"G": '"scifi","drama"'}, "abce"),
        ("Items.GENRES IN ($G)", {"G": ' "scifi" , "drama" '}, "abce"),
        ("Items.STUDIO IN ($S)", {"S": '"a,b","a|b"'}, "a"),
        ("Items.STUDIO IN ($S)", {"S": r'"c", "a\|b"'}, "d"),
        ("Items.STUDIO IN ($S)", {"S": r'"say \"b\"","a\\b","c"'}, "d"),
        ("Items.YEAR > $Y", {"Y": "1985"}, "e"),
        ("Items.YEAR > ($Y)", {"Y": '"1985"'}, "e"),
        ("Items.GENRES = $G", {"G": '"drama"'}, "ce"),
        ("Items.GENRES IN ($G) AND Items.YEAR < $Y", {"G": '"drama"', "Y": "1950"}, "c"),
        ("Interactions.EVENT_TYPE IN ($T)", {"T": '"CLICK"'}, "b"),
        ("Interactions.EVENT_TYPE IN ($T)", {"T": '"*"'}, "abc"),
    ],
)
def test_placeholders_get_their_values_from_the_request(condition: str, values: dict[str, str], expected: str) -> None:
    assert through(f"INCLUDE ItemID WHERE {condition}", Request(values=values, events=EVENTS)) == expected


def test_an_exclude_without_its_value_does_not_apply() -> None:
    text = f"EXCLUDE ItemID WHERE Items.GENRES IN ($G) | EXCLUDE {HORROR}"
    assert through(text) == "bcd"
    assert through(text, Request(values={"G": '"drama"'})) == "bd"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "filterValues must have a value for Y, which an INCLUDE needs"),
        ({"y": "1"}, r"must name placeholders of the filter \(Y\), got y"),
        ({"Y": '"1","2"'}, "must have one value for Y, which > compares with, got 2"),
        ({"Y": "1_000"}, "values in double quotes .* for Y, got 1_000"),
        ({"Y": "drama"}, "values in double quotes .* for Y, got drama"),
        ({"Y": ""}, "values in double quotes .* for Y"),
        ({"Y": '"1",'}, "values in double quotes .* for Y"),
        ({"Y": '"1'}, "values in double quotes .* for Y"),
        ({"Y": r'"1\"'}, "values in double quotes .* for Y"),
        ({"Y": '"1" "2"'}, "values in double quotes .* for Y"),
        ({"Y": '"drama"'}, 'Items.YEAR must be compared with a number, got "drama"'),
    ],
)
def test_values_that_do_not_fit_are_refused(values: dict[str, str], message: str) -> None:
    with pytest.raises(FilterValueError, match=message):
        through("INCLUDE ItemID WHERE Items.YEAR > $Y", Request(values=values))


def test_a_filter_without_placeholders_takes_no_values() -> None:
    with pytest.raises(FilterValueError, match=r"placeholders of the filter \(none\), got G"):
        through(f"EXCLUDE {HORROR}", Request(values={"G": '"a"'}))


def test_strings_cannot_be_put_into_order() -> None:
    with pytest.raises(FilterValueError, match=r"Items\.GENRES holds strings, which < cannot compare"):
        through("INCLUDE ItemID WHERE Items.GENRES < $G", Request(values={"G": "5"}))


def test_only_the_newest_hundred_events_of_each_type_are_looked_at() -> None:
    catalogue = Catalogue(Table([f"{number:03}" for number in range(130)]))
    watched = [Event(f"{number:03}", "watch", 1000 - number) for number in range(120)]
    clicked = [Event("129", "click", 1)]
    excluded = ~CompiledFilter.parse('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")').mask(
        catalogue, Request(events=[*watched, *clicked])
    )
    assert np.flatnonzero(excluded).tolist() == [*range(100), 129]


def test_users_are_filtered_by_their_columns_and_events() -> None:
    users = Catalogue(Table(["ann", "bob"], {"CLUB": ["gold", "tin"]}, frozenset({"CLUB"})))
    assert through('INCLUDE UserID WHERE Users.CLUB IN ("gold")', catalogue=users) == "a"
    events = [Event("bob", "watch", 1)]
    text = 'INCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("watch")'
    assert through(text, Request(events=events), users) == "b"
    of_others = [Event(f"user {number}", "watch", 2 + number) for number in range(200)]
    assert through(text, Request(events=[*of_others, *events]), users) == "b"
    assert not CompiledFilter.parse(text).needs_user


def test_quotes_and_backslashes_are_escaped_in_values() -> None:
    catalogue = Catalogue(Table(["quoted", "path", "end"], {"TITLE": ['say "hi", Bob', "a\\b\\", "x\\"]}))
    text = "INCLUDE ItemID WHERE Items.TITLE IN ($T)"
    for value, expected in (
        (r'"say \"hi\", Bob"', "q"),
        (r'"a\b\\"', "p"),
        (r'"x\\","say \"hi\", Bob"', "qe"),
    ):
        assert through(text, Request(values={"T": value}), catalogue) == expected


def test_a_column_without_any_value_meets_nothing() -> None:
    catalogue = Catalogue(Table(["a", "b"], {"TITLE": [None, None]}, frozenset({"TITLE"})))
    for condition, expected in (('= "x"', ""), ('!= "x"', ""), ('IN ("x")', ""), ('NOT IN ("x")', "ab")):
        assert through(f"INCLUDE ItemID WHERE Items.TITLE {condition}", catalogue=catalogue) == expected


@pytest.mark.parametrize("switch", [Operator.NOT_IN, Operator.UNEQUAL])
def test_what_is_missing_meets_what_it_is_set_to_meet(monkeypatch: pytest.MonkeyPatch, switch: Operator) -> None:
    met = {Operator.NOT_IN: 'NOT IN ("{}")', Operator.UNEQUAL: '!= "{}"'}[switch]
    conditions = [
        (f"GENRES {met.format('drama')}", "d"),
        (f"YEAR {met.format(1985)}", "d"),
        (f"X {met.format(1)}", "abcde"),
    ]

    def missing_that_meet(condition: str, missing: str) -> str:
        return "".join(letter for letter in through(f"INCLUDE ItemID WHERE Items.{condition}") if letter in missing)

    monkeypatch.setattr(filters, "_MET_BY_MISSING", frozenset({switch}))
    assert [missing_that_meet(*each) for each in conditions] == [missing for _, missing in conditions]
    monkeypatch.setattr(filters, "_MET_BY_MISSING", frozenset())
    assert [missing_that_meet(*each) for each in conditions] == ["", "", ""]


def test_which_operator_binds_closer_can_be_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    text = 'INCLUDE ItemID WHERE Items.STUDIO IN ("a") AND Items.YEAR > 1980 OR Items.GENRES IN ("drama")'
    assert through(text) == "bce"
    monkeypatch.setattr(filter_expression, "AND_BINDS_CLOSER", False)
    assert through(text) == "b"
    assert through('INCLUDE ItemID WHERE Items.YEAR > 1980 OR Items.YEAR = 1942 AND Items.GENRES IN ("drama")') == "ce"


def test_users_are_needed_where_they_are_looked_at() -> None:
    for text, needed in (
        (f"INCLUDE {SCIFI}", False),
        (f"INCLUDE {SCIFI} IF CurrentUser.AGE > 3", True),
        ('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")', True),
        ('EXCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN ("Taken")', True),
        ("INCLUDE ActionID WHERE Actions.VALUE > 3", False),
    ):
        assert CompiledFilter.parse(text).needs_user is needed


def test_three_hundred_events_of_actions_are_looked_at() -> None:
    catalogue = Catalogue(Table([f"{number:03}" for number in range(320)]))
    events = [Event(f"{number:03}", "TAKEN", 1000 - number) for number in range(310)]
    text = 'EXCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN ("taken")'
    excluded = ~CompiledFilter.parse(text).mask(catalogue, Request(events=events))
    assert np.flatnonzero(excluded).tolist() == [*range(300)]


def test_a_catalogue_takes_the_order_of_a_model_and_lacks_what_the_table_lacks() -> None:
    ids = np.array(["unlisted", "dune", "alien"], dtype=object)
    catalogue = Catalogue.of(ids, FILMS)
    assert through("EXCLUDE ItemID WHERE Items.YEAR < 3000", catalogue=catalogue) == "ud"
    assert through('INCLUDE ItemID WHERE Items.GENRES IN ("scifi")', catalogue=catalogue) == "a"
    assert Catalogue.of(ids, FILMS) is catalogue
    for number in range(20):
        Catalogue.of(np.array([f"{number}"], dtype=object), FILMS)
    again = Catalogue.of(ids, FILMS)
    assert again is not catalogue
    assert through('INCLUDE ItemID WHERE Items.GENRES IN ("scifi")', catalogue=again) == "a"
    assert through('EXCLUDE ItemID WHERE Items.GENRES IN ("scifi")', catalogue=Catalogue.of(ids, None)) == "uda"


def test_a_filter_is_applied_quickly() -> None:
    size = 100_000
    random = np.random.default_rng(0)
    table = Table(
        [f"{number}" for number in range(size)],
        {"GENRES": [f"{a}|{b}" for a, b in random.integers(20, size=(size, 2))], "YEAR": random.random(size)},
        frozenset({"GENRES"}),
    )
    catalogue = Catalogue(table)
    request = Request(
        values={"G": '"1","2","3"'}, events=[Event(f"{number}", "watch", number) for number in range(150)]
    )
    for text in (
        "INCLUDE ItemID WHERE Items.GENRES IN ($G) AND Items.YEAR > 0.5",  # measured: 0.4 ms
        "EXCLUDE ItemID WHERE Items.GENRES IN ($G) | "
        'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")',  # measured: 0.2 ms
    ):
        compiled = CompiledFilter.parse(text)
        durations = []
        for _ in range(5):
            start = time.perf_counter()
            compiled.mask(catalogue, request)
            durations.append(time.perf_counter() - start)
        assert min(durations) < 0.005
