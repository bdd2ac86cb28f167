from __future__ import annotations

import io

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize_local.personalize.packing import pack, unpack

_VALUES = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text()


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["", "GENRES", "YEAR"]), st.lists(_VALUES, max_size=6)))
def test_what_is_packed_comes_back_from_a_file_without_pickle(columns: dict[str, list[object]]) -> None:
    file = io.BytesIO()
    given_columns = {name: np.array([*values, None], dtype=object)[:-1] for name, values in columns.items()}
    np.savez(file, allow_pickle=False, **pack({**given_columns, "TIMESTAMP": np.array([3, 1])}))
    file.seek(0)
    with np.load(file, allow_pickle=False) as packed:
        found = unpack(dict(packed))
    assert found.pop("TIMESTAMP").tolist() == [3, 1]
    assert {name: [(type(v), v) for v in values] for name, values in found.items()} == {
        name: [(type(v), v) for v in values] for name, values in columns.items()
    }


def test_a_value_that_repeats_is_stored_once() -> None:
    packed = pack({"GENRES": np.array(["Drama"] * 1000, dtype=object)})
    assert sum(array.nbytes for array in packed.values()) < 4200
