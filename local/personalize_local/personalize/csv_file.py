"""Reads CSV files strictly: what the service would reject is rejected, and where it stands is said.

See https://docs.aws.amazon.com/personalize/latest/dg/data-prep-formatting.html
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .columns import Column
from .recommenders.data import Array

ID_LENGTH = 256
STRING_LENGTH = 1000
TEXT_LENGTH = 20_000

# what may not stand in a column of numbers; Python's own conversions also take "1_000", " 1" and "nan"
_NOT_IN_INTEGERS = re.compile(r"[^0-9,\-+]")
_NOT_IN_FLOATS = re.compile(r"[^0-9,\-+.eE]")
_INTEGER_RANGES = {"int": 2**31, "long": 2**63}


class CsvError(Exception):
    """A file that cannot be imported.

    :param line: the first line is 1.
    :param column: its name. Default: - the whole line is wrong.
    """

    def __init__(self, problem: str, *, line: int, column: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line
        self.column = column


class MissingColumnsError(CsvError):
    """The header lacks columns."""

    def __init__(self, names: Sequence[str], problem: str) -> None:
        super().__init__(problem, line=1)
        self.names = list(names)


class TooLongError(CsvError):
    """A value is longer than the service takes."""

    def __init__(self, problem: str, *, line: int, column: str, limit: int) -> None:
        super().__init__(problem, line=line, column=column)
        self.limit = limit


@dataclass(frozen=True)
class _Bad:
    """The first value of a column that is wrong."""

    row: int
    problem: str
    limit: int | None = None


def read_header(text: str) -> list[str]:
    """Read the names of the columns."""
    return next(_reader(text), [])


def read_columns(text: str, columns: Sequence[Column], ids: Sequence[str]) -> dict[str, Array]:
    """Read the values of a file.

    :param text: all of the file.
    :param columns: what it must have; others are skipped.
    :param ids: the names of those that must not be empty and are short.
    :returns: values by column name: long and int as 64 bit integers if they cannot be null, all other numbers as
        floats (NaN is null), the rest as objects (``None`` is null).
    :raises CsvError: at the first thing that is wrong, by column and then by line.
    """
    header = read_header(text)
    missing = [column.name for column in columns if column.name not in header]
    if missing:
        bom = "; the file starts with a byte order mark, save it without" if text.startswith("\ufeff") else ""
        raise MissingColumnsError(missing, f"the header lacks {', '.join(missing)}; it has {', '.join(header)}{bom}")
    rows = _read_rows(text, len(header))
    values = dict(zip(header, zip(*rows, strict=True), strict=True)) if rows else {}
    return {
        column.name: _convert(text, values.get(column.name, ()), column, is_id=column.name in ids) for column in columns
    }


def _reader(text: str) -> csv._reader:  # type: ignore[name-defined]  # the type has no public name
    return csv.reader(io.StringIO(text, newline=""), escapechar="\\", strict=True)


def _read_rows(text: str, width: int) -> list[list[str]]:
    reader = _reader(text)
    next(reader, None)
    rows: list[list[str]] = []
    try:
        rows.extend(reader)
    except csv.Error as error:
        raise CsvError(str(error), line=reader.line_num) from error
    if not all(map(width.__eq__, map(len, rows))):
        # an empty last line is no record
        while rows and not rows[-1]:
            rows.pop()
        for index, row in enumerate(rows):
            if len(row) != width:
                raise CsvError(f"has {len(row)} values, the header has {width}", line=_line(text, index))
    return rows


def _line(text: str, index: int) -> int:
    """Find the line on which a record ends, by reading the file once more."""
    reader = _reader(text)
    next(itertools.islice(reader, index + 1, None), None)
    return int(reader.line_num)


def _convert(text: str, values: Sequence[str], column: Column, *, is_id: bool) -> Array:
    converter = _converter(column, is_id=is_id)
    array, bad = converter(values)
    if bad is None:
        return array
    line = _line(text, bad.row)
    if bad.limit is not None:
        raise TooLongError(bad.problem, line=line, column=column.name, limit=bad.limit)
    raise CsvError(bad.problem, line=line, column=column.name)


_Converter = Callable[[Sequence[str]], tuple[Array, _Bad | None]]


def _converter(column: Column, *, is_id: bool) -> _Converter:
    if column.type in _INTEGER_RANGES:
        return lambda values: _integers(values, column)
    if column.numeric:
        return lambda values: _floats(values, column)
    if column.type == "boolean":
        return lambda values: _booleans(values, column)
    return lambda values: _strings(values, column, is_id=is_id)


def _integers(values: Sequence[str], column: Column) -> tuple[Array, _Bad | None]:
    limit = _INTEGER_RANGES[column.type]
    hint = ", Unix time in seconds" if column.name.endswith("TIMESTAMP") else ""

    def fits(value: str) -> bool:
        return _NOT_IN_INTEGERS.search(value) is None and "," not in value and -limit <= int(value) < limit

    empty = None if column.nullable else _first_empty(values)
    if empty is not None:
        return _nothing(), _Bad(empty, f"is empty; a {column.type}{hint} is required")
    try:
        if _NOT_IN_INTEGERS.search(",".join(values)) is None:
            if column.nullable:
                return np.array([int(value) if value else np.nan for value in values], dtype=np.float64), None
            array = np.array([int(value) for value in values], dtype=np.int64)
            if column.type == "long" or not len(array) or (array.min() >= -limit and array.max() < limit):
                return array, None
    except (ValueError, OverflowError):
        pass
    return _nothing(), _first_unfit(values, fits, f"is not a {column.type}{hint}")


def _floats(values: Sequence[str], column: Column) -> tuple[Array, _Bad | None]:
    def fits(value: str) -> bool:
        return _NOT_IN_FLOATS.search(value) is None and "," not in value and float(value) is not None

    empty = None if column.nullable else _first_empty(values)
    if empty is not None:
        return _nothing(), _Bad(empty, f"is empty; a {column.type} is required")
    try:
        if _NOT_IN_FLOATS.search(",".join(values)) is None:
            return np.array([float(value) if value else np.nan for value in values], dtype=np.float64), None
    except ValueError:
        pass
    return _nothing(), _first_unfit(values, fits, f"is not a {column.type}")


def _booleans(values: Sequence[str], column: Column) -> tuple[Array, _Bad | None]:
    words: dict[str, bool | None] = {"true": True, "false": False}
    if column.nullable:
        words[""] = None
    lowered = [value.lower() for value in values]
    for row, value in enumerate(lowered):
        if value not in words:
            return _nothing(), _Bad(row, f"{values[row]!r} is not a boolean: true or false")
    return _objects([words[value] for value in lowered]), None


def _strings(values: Sequence[str], column: Column, *, is_id: bool) -> tuple[Array, _Bad | None]:
    empty = None if column.nullable else _first_empty(values)
    if empty is not None:
        return _nothing(), _Bad(empty, "is empty; a value is required")
    if column.textual:
        return _objects([value[:TEXT_LENGTH] or None for value in values]), None
    limit = ID_LENGTH if is_id else STRING_LENGTH
    if max(map(len, values), default=0) > limit:
        row = next(row for row, value in enumerate(values) if len(value) > limit)
        return _nothing(), _Bad(row, f"has {len(values[row])} characters, at most {limit} are allowed", limit)
    if column.nullable:
        return _objects([value or None for value in values]), None
    return _objects(values), None


def _first_empty(values: Sequence[str]) -> int | None:
    return values.index("") if "" in values else None


def _first_unfit(values: Sequence[str], fits: Callable[[str], bool], problem: str) -> _Bad:
    for row, value in enumerate(values):
        try:
            if value == "" or fits(value):
                continue
        except ValueError:
            pass
        return _Bad(row, f"{value!r} {problem}")
    raise AssertionError("the column was found wrong, but none of its values")


def _objects(values: Sequence[object]) -> Array:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _nothing() -> Array:
    return np.empty(0, dtype=object)
