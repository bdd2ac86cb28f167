"""Reading CSV files, with and without DuckDB: one verdict, whatever is in the file."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personalize_local.personalize.columns import Column
from personalize_local.personalize.csv_file import CsvError, read_header, read_rows
from personalize_local.personalize.large_csv import read_plain_rows
from personalize_local.personalize.recommenders.data import Array, Coded

COLUMNS = (
    Column("USER_ID", "string"),
    Column("TIMESTAMP", "long"),
    Column("VALUE", "float", nullable=True),
    Column("YEAR", "int", nullable=True),
    Column("FREE", "boolean", nullable=True),
    Column("GENRES", "string", nullable=True, categorical=True),
    Column("TEXT", "string", nullable=True, textual=True),
)
HEADER = ["USER_ID", "TIMESTAMP", "OTHER", "VALUE", "YEAR", "FREE", "GENRES", "TEXT"]
FIRST = ",".join(HEADER)
QUICK = settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)

WORDS = st.sampled_from(["a", "b", "user1", "ü", "é|x", "漢", ' "a"', 'a"b', "a b", "", ","]) | st.text(
    'ab"\\\n\r \0,', max_size=4
)
CELLS = {
    "TIMESTAMP": st.integers(-5, 10**10).map(str)
    | st.sampled_from(["", "1.5", " 1", "1e3", "+1", "-0", "007", "9" * 19]),
    "VALUE": st.sampled_from(["1", "2.50", "-0.1", "", ".5", "1.", "1e5", "nan", "1e999", "0.30000000000000004"]),
    "YEAR": st.sampled_from(["", "1", "-7", "2147483648", "-2147483648", "x"]),
    "FREE": st.sampled_from(["", "true", "FALSE", "1"]),
}
LINES = st.tuples(*(CELLS.get(name, WORDS) for name in HEADER))


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Files that are mostly right: plain or quoted, then changed in a few places."""
    quoted, end = draw(st.booleans()), draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    good = ("u", "1", "x", "1", "1", "true", "a|b", "text")
    rows = [draw(st.just(good) | LINES) for _ in range(draw(st.integers(0, 5)))]
    text = end.join([*(",".join(_cell(value, quoted) for value in row) for row in rows), ""])
    for place, new in draw(st.lists(st.tuples(st.integers(0, 300), st.sampled_from(["", *'",\\\n\r x'])), max_size=2)):
        text = text[:place] + new + text[place + (new == "") :]
    return (FIRST + end + text).encode()


def _cell(value: str, quoted: bool) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '""') + '"' if quoted or set(value) & set('",\n\r') else value


def read(body: bytes, *, coded: bool = True) -> dict[str, Array | Coded]:
    return read_rows(body, read_header(body, COLUMNS), COLUMNS, ("USER_ID",), coded=coded)


def listed(columns: dict[str, Array | Coded]) -> dict[str, list[object]]:
    """The values, and what they are kept as; nulls are equal."""
    found: dict[str, list[object]] = {}
    for name, column in columns.items():
        if isinstance(column, Coded):
            found[name] = [column.values.tolist(), column.codes.dtype, column.codes.tolist()]
        else:
            values = column if column.dtype == object else np.where(np.isnan(column), -123.0, column)
            found[name] = [column.dtype, values.tolist()]
    return found


def verdict(body: bytes) -> dict[str, list[object]] | tuple[type[CsvError], int, str | None, str]:
    """What is read, or what is wrong and where."""
    try:
        return listed(read(body))
    except CsvError as error:
        return type(error), error.line, error.column, error.problem


@QUICK
@given(files(), st.booleans())
def test_duckdb_accepts_what_is_right_and_only_that(body: bytes, coded: bool) -> None:
    try:
        expected = read(body, coded=coded)
    except CsvError:
        assert read_plain_rows(body, HEADER, COLUMNS, ("USER_ID",), coded=coded) is None
        return
    found = read_plain_rows(body, HEADER, COLUMNS, ("USER_ID",), coded=coded)
    assert found is None or listed(found) == listed(expected)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("quoted", [False, True])
def test_duckdb_reads_ordinary_files(quoted: bool, end: str) -> None:
    rows = [
        [
            f"u{row % 7}",
            str(row),
            "x",
            "" if row % 3 else f"{row / 8}",
            str(row),
            "TRUE",
            "" if row % 2 else "a|ü",
            text,
        ]
        for row, text in enumerate(["", "漢" * 8000, "x" * 21_000, *['say "hi", please'] * 3000])
    ]
    body = end.join([FIRST, *(",".join(_cell(value, quoted) for value in row) for row in rows), ""]).encode()
    for coded in (False, True):
        found = read_plain_rows(body, HEADER, COLUMNS, ("USER_ID",), coded=coded)
        assert found is not None
        assert listed(found) == listed(read(body, coded=coded))
    texts = read(body, coded=False)["TEXT"]
    assert isinstance(texts, np.ndarray)
    assert [len(text or "") for text in texts[:4]] == [0, 7000, 20_000, 16]


#: what is wrong with a line, by column; a line that is none has no column
WRONG = {
    ("u", "x", "", "1", "1", "", "a", "t"): "TIMESTAMP",
    ("", "1", "", "1", "1", "", "a", "t"): "USER_ID",
    ("u" * 257, "1", "", "1", "1", "", "a", "t"): "USER_ID",
    ("u", "1", "", "nan", "1", "", "a", "t"): "VALUE",
    ("u", "1", "", "1", "1.5", "", "a", "t"): "YEAR",
    ("u", "1", "", "1", "1", "yes", "a", "t"): "FREE",
    ("u", "1", "", "1", "1", "", "a" * 1001, "t"): "GENRES",
    ("u", "1", "", "1", "1", "", "a"): None,
    ("u", "1", "", "1", "1", "", "a", "t", "t"): None,
    ("u", "1", "", "1", "1", "", "a", "b\nc"): None,
}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize("row", [0, 1023, 1024])
def test_a_wrong_line_is_found_wherever_it_is(quoted: bool, end: str, row: int) -> None:
    """One line of many is wrong: neither reader takes the file, and the line and the column are those."""
    good = ("user", "1", "x", "0.5", "7", "true", "a|b", "some text, or other")
    lines = [",".join(_cell(value, quoted) for value in good)] * 1100
    for values, column in WRONG.items():
        lines[row] = ",".join(_cell(value, quoted) for value in values)
        body = end.join([FIRST, *lines, ""]).encode()
        found = verdict(body)
        assert isinstance(found, tuple)
        assert found[1:3] == (row + 2, column)
        assert read_plain_rows(body, HEADER, COLUMNS, ("USER_ID",), coded=True) is None


@QUICK
@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode), st.booleans())
def test_whatever_bytes_there_are_they_are_read_or_refused(rest: bytes, with_header: bool) -> None:
    body = FIRST.encode() + b"\n" + rest if with_header else rest
    lines = len(body.decode(errors="replace").splitlines()) + 1
    found = verdict(body)
    if isinstance(found, dict):
        assert set(found) == {column.name for column in COLUMNS}
    else:
        assert 1 <= found[1] <= lines


@QUICK
@given(files(), st.integers(1, 64))
def test_the_verdict_does_not_depend_on_the_parts_that_are_read(body: bytes, size: int) -> None:
    whole = verdict(body)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("personalize_local.personalize.csv_file.PIECE", size)
        patch.setattr("personalize_local.personalize.csv_file.ROWS_AT_ONCE", size % 5 + 1)
        assert verdict(body) == whole


@pytest.mark.parametrize(
    "body",
    [
        FIRST + '\n"' + "x" * 3_000_000,
        FIRST + "\n" + "x" * 3_000_000,
        FIRST + "\n" + "," * 3_000_000,
        FIRST + "\n" * 3_000_000 + "x",
        FIRST + "\n" + '"\n' * 1_500_000,
        "x," * 50_000 + FIRST + "\n" + "\r" * 1_000_000,
    ],
    ids=["open quote", "one value", "commas", "empty lines", "quotes", "wide"],
)
def test_hostile_files_take_little(body: str) -> None:
    encoded = body.encode()
    tracemalloc.start()
    try:
        with pytest.raises(CsvError):
            read(encoded)
        assert tracemalloc.get_traced_memory()[1] < 40 * len(encoded)
    finally:
        tracemalloc.stop()
