"""What recommenders learn from."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from personalize_local.personalize.recommenders import Interactions, Table, select_events

INTERACTIONS = Interactions(
    ["u", "u", "v", "v"],
    ["a", "b", "a", "c"],
    [1, 2, 3, 4],
    event_types=["watch", "click", "watch", None],
    event_values=[5.0, 3.0, np.nan, 4.0],
)


@pytest.mark.parametrize(
    ("event_type", "threshold", "expected"),
    [
        (None, None, ["a", "b", "a", "c"]),
        ("watch", None, ["a", "a"]),
        ("Watch", None, []),
        (None, 4.0, ["a", "c"]),
        ("watch", 4.0, ["a"]),
        ("click", 3.1, []),
    ],
)
def test_events_are_selected_by_type_and_value(
    event_type: str | None, threshold: float | None, expected: list[str]
) -> None:
    selected = select_events(INTERACTIONS, event_type=event_type, event_value_threshold=threshold)
    assert selected.item_ids.tolist() == expected
    assert len(selected.timestamps) == len(expected)


@pytest.mark.parametrize(
    ("column", "arguments"), [("TYPE", {"event_type": "a"}), ("VALUE", {"event_value_threshold": 1})]
)
def test_selecting_by_a_column_that_is_missing_is_refused(column: str, arguments: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"no EVENT_{column} column"):
        select_events(Interactions(["u"], ["a"], [1]), **arguments)  # type: ignore[arg-type]


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="'item_ids': 2"):
        Interactions(["u"], ["a", "b"], [1])
    with pytest.raises(ValueError, match="YEAR must have 2 values, one per id, got 1"):
        Table(["a", "b"], {"YEAR": [1.0]})


def test_missing_numbers_are_nan_and_missing_strings_none() -> None:
    table = Table(["a", "b"], {"YEAR": [1990, None], "GENRE": ["x", None]})
    assert table.columns["YEAR"].dtype == np.float64
    assert np.isnan(table.columns["YEAR"][1])
    assert table.columns["GENRE"].tolist() == ["x", None]


def full() -> Interactions:
    return Interactions(
        ["b", "a", "b", "c"],
        ["y", "x", "x", "z"],
        [4, 3, 2, 1],
        ["watch", None, "buy", "buy"],
        [1.0, np.nan, 3.0, 4.0],
        {"DEVICE": ["tv", None, "phone", "tv"], "HOUR": [1, None, 3, 4]},
    )


def columns(interactions: Interactions) -> list[list[object]]:
    everything = [
        interactions.user_ids,
        interactions.item_ids,
        interactions.timestamps,
        interactions.event_types,
        interactions.event_values,
        *interactions.columns.values(),
    ]
    return [[] if one is None else [None if value != value else value for value in one.tolist()] for one in everything]


def test_interactions_are_handed_over_as_they_are() -> None:
    given = full()
    taken = pickle.loads(pickle.dumps(given))
    assert columns(taken) == columns(given)
    assert taken.users.codes.tolist() == [1, 0, 1, 2]
    assert taken.items.values.tolist() == ["x", "y", "z"]


def test_ids_are_handed_over_as_numbers() -> None:
    users = np.array([f"a-very-long-user-id-{number % 10:040}" for number in range(5000)], dtype=object)
    interactions = Interactions(users, users, range(5000), users)
    assert len(pickle.dumps(interactions)) < 5000 * (4 + 4 + 4 + 8) + 10_000


@pytest.mark.parametrize("rows", [np.array([True, False, True, False]), np.array([2, 0])])
def test_some_rows_of_all_columns(rows: np.typing.NDArray[np.int64]) -> None:
    taken = full().where(rows)
    assert columns(taken) == [np.array(one, dtype=object)[rows].tolist() for one in columns(full())]
    assert set(taken.users.values) == {"b"}
    assert set(taken.users.codes.tolist()) == {0}
    assert taken.with_columns({}).columns == {}


def test_contexts_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"must be of one length.*'DEVICE': 1"):
        Interactions(["a", "b"], ["x", "y"], [1, 2], columns={"DEVICE": ["tv"]})


def test_interactions_have_no_other_columns() -> None:
    with pytest.raises(AttributeError, match="action_ids"):
        full().action_ids  # noqa: B018
