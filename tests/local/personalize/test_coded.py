from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from personalize_local.personalize.coded import concatenated, nulls, numbered, place_of
from personalize_local.personalize.recommenders.data import Coded

STRINGS = st.lists(st.sampled_from(["b", "a", "ü", "é", None]), max_size=8)


def ordered(column: Coded) -> bool:
    """Whether each string is there once, sorted as bytes are, and occurs."""
    values = column.values.tolist()
    keys = [value.encode() if value is not None else b"" for value in values]
    return keys == sorted(set(keys)) and set(column.codes.tolist()) == set(range(len(values)))


@given(STRINGS, STRINGS)
def test_columns_of_strings(first: list[str | None], second: list[str | None]) -> None:
    columns = [numbered(first), numbered(second), nulls(2)]
    joined = concatenated(columns)
    assert joined.decoded().tolist() == [*first, *second, None, None]
    assert all(map(ordered, [*columns, joined]))
    kept = joined.where(np.arange(len(joined.codes)) % 2 == 0)
    assert kept.decoded().tolist() == [*first, *second, None, None][::2]
    assert ordered(kept)


def test_places() -> None:
    values = numbered(["c", "a", "c"]).values
    assert [place_of(value, values) for value in ("a", "b", "c", "d")] == [0, None, 1, None]
    assert place_of("a", nulls(0).values) is None
