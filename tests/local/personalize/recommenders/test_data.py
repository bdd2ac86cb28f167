"""What recommenders learn from."""

from __future__ import annotations

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
