"""Reads CSV files strictly: what the service would reject is rejected, and where it stands is said.

See https://docs.aws.amazon.com/personalize/latest/dg/data-prep-formatting.html
"""

from __future__ import annotations

import csv
import io
import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .coded import Numbering, objects
from .columns import Column
from .recommenders.data import Array, Coded

ID_LENGTH = 256
STRING_LENGTH = 1000
TEXT_LENGTH = 20_000
#: for text in Chinese or Japanese
DENSE_TEXT_LENGTH = 7_000

#: how many bytes, and how many rows, are read at once: few enough to stay in the processor's cache
PIECE = 32_768
ROWS_AT_ONCE = 1024

_COMMA, _NEW_LINE = b",\n"
_END_OF_LINE = re.compile(rb"\r\n|\r|\n")
_LINE_BREAK = re.compile(r"[\r\n]")

# what may not stand in a number; Python's own conversions also take "1_000", " 1" and "nan"
_NOT_IN_INTEGERS = re.compile(r"[^0-9\-+]")
_NOT_IN_FLOATS = re.compile(r"[^0-9\-+.eE]")
_INTEGER_RANGES = {"int": 2**31, "long": 2**63}
_CHINESE_OR_JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_BYTE_ORDER_MARK = "\ufeff"


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


def read_header(body: bytes, columns: Sequence[Column]) -> list[str]:
    """Read the names of the columns.

    :param columns: those that must be there.
    :raises CsvError: if one is missing, or the line is no header.
    """
    _require_utf8(body)
    first = _END_OF_LINE.search(body)
    line = body[: first.start() if first else None].decode()
    names = line.split(",")
    missing = [column.name for column in columns if column.name not in names]
    if missing:
        hint = "; the file starts with a byte order mark, save it without" if line.startswith(_BYTE_ORDER_MARK) else ""
        hint += "; names must not have quotes around them" if '"' in line else ""
        raise MissingColumnsError(missing, f"the header lacks {', '.join(missing)}; it has {', '.join(names)}{hint}")
    if '"' in line:
        raise CsvError("the header has quotes; names must not have quotes around them", line=1)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise CsvError(f"the header has {', '.join(twice)} more than once", line=1)
    return names


def read_rows(
    body: bytes, header: Sequence[str], columns: Sequence[Column], ids: Sequence[str], *, coded: bool
) -> dict[str, Array | Coded]:
    """Read the values of a file.

    :param body: all of the file.
    :param header: its header, see :func:`read_header`.
    :param columns: what to read; others are skipped.
    :param ids: the names of those that are short.
    :param coded: whether strings repeat.
    :returns: values by column name: long and int as 64 bit integers if they cannot be null, all other numbers as
        floats (NaN is null), the rest as objects (``None`` is null), or coded.
    :raises CsvError: at the first line that is none; if there is none, at the first thing that is wrong, by column and
        then by line.
    """
    readers = [(header.index(column.name), _reader(column, column.name in ids, coded)) for column in columns]
    wrong: dict[int, _Bad] = {}
    width, row = len(header), 0
    for values in _values(body, width):
        for place, reader in readers:
            if place in wrong:
                continue
            try:
                reader.add(values[place::width])
            except _BadValueError as error:
                wrong[place] = _Bad(row + error.row, error.problem, error.limit)
        row += len(values) // width
    for column in columns:
        bad = wrong.get(header.index(column.name))
        if bad is not None:
            raise bad.error(column.name, _line(body, bad.row))
    return {column.name: reader.column() for column, (_, reader) in zip(columns, readers, strict=True)}


def shortened(text: str) -> str:
    """Cut a text off where the service does."""
    if len(text) > DENSE_TEXT_LENGTH and _CHINESE_OR_JAPANESE.search(text):
        return text[:DENSE_TEXT_LENGTH]
    return text[:TEXT_LENGTH]


def length_limit(column: Column, *, is_id: bool) -> int | None:
    """How long the strings of a column may be; ``None`` where they are cut off instead."""
    return None if column.textual else ID_LENGTH if is_id else STRING_LENGTH


@dataclass(frozen=True)
class _Bad:
    """The first value of a column that is wrong."""

    row: int
    problem: str
    limit: int | None

    def error(self, column: str, line: int) -> CsvError:
        if self.limit is not None:
            return TooLongError(self.problem, line=line, column=column, limit=self.limit)
        return CsvError(self.problem, line=line, column=column)


class _BadValueError(Exception):
    def __init__(self, row: int, problem: str, limit: int | None = None) -> None:
        super().__init__(problem)
        self.row = row
        self.problem = problem
        self.limit = limit


def _require_utf8(body: bytes) -> None:
    if body.isascii():
        return
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CsvError("is not UTF-8", line=body.count(b"\n", 0, error.start) + 1) from error


def _values(body: bytes, width: int) -> Iterator[list[str]]:
    """Read the values of whole records, many at a time, all records in one list.

    Records without quotes and the like are only split: many times faster than reading them one by one. From the first
    that is not so simple, the ``csv`` module reads.
    """
    start = _start(body)
    while start < len(body):
        end = body.find(b"\n", start + PIECE) + 1 or len(body)
        values = _split(body[start:end], width)
        if values is None:
            yield from _slowly(body, start, width)
            return
        yield values
        start = end


def _split(piece: bytes, width: int) -> list[str] | None:
    """Split whole lines into values; ``None`` if that is not all there is to do."""
    if b'"' in piece or b"\\" in piece or not piece.endswith(b"\n"):
        return None
    if b"\r" in piece:
        if not piece.count(b"\r\n") == piece.count(b"\r") == piece.count(b"\n"):
            return None
        piece = piece.replace(b"\r\n", b"\n")
    text = np.frombuffer(piece, dtype=np.uint8)
    ends = np.flatnonzero((text == _COMMA) | (text == _NEW_LINE))
    if len(ends) % width:
        return None
    new_lines = text[ends].reshape(-1, width) == _NEW_LINE
    if not new_lines[:, -1].all() or new_lines[:, :-1].any():
        return None
    lengths = np.diff(ends, prepend=-1)
    if lengths.max() > csv.field_size_limit() or (width == 1 and lengths.min() == 1):
        return None
    values = piece.decode().replace("\n", ",").split(",")
    values.pop()
    return values


def _slowly(body: bytes, start: int, width: int) -> Iterator[list[str]]:
    """Read records from a place in the file; empty lines at the end are no records."""
    records = _records(body, start)
    while True:
        rows: list[list[str]] = []
        broken = None
        try:
            rows.extend(itertools.islice(records, ROWS_AT_ONCE))
        except csv.Error as error:
            broken = error
        if set(map(len, rows)) - {width} or _is_broken(itertools.chain.from_iterable(rows)):
            place = next(place for place, row in enumerate(rows) if _is_wrong(row, width))
            try:
                rest = next((row for row in itertools.chain(rows[place:], () if broken else records) if row), None)
            except csv.Error as error:
                broken = error
            else:
                if rest is not None:
                    raise _wrong_record(body, start, width)
            rows = rows[:place]
        if broken:
            raise CsvError(str(broken), line=_lines_before(body, start) + records.line_num)
        if not rows:
            return
        yield list(itertools.chain.from_iterable(rows))


def _records(body: bytes, start: int) -> csv._reader:  # type: ignore[name-defined]  # the type has no public name
    file = io.BytesIO(body)
    file.seek(start)
    return csv.reader(io.TextIOWrapper(file, "utf-8", newline=""), escapechar="\\", strict=True)


def _start(body: bytes) -> int:
    """Find where the header has ended."""
    first = _END_OF_LINE.search(body)
    return first.end() if first else len(body)


def _lines_before(body: bytes, start: int) -> int:
    """Count the lines before a place up to which lines were only split."""
    return 1 + body.count(b"\n", _start(body), start)


def _is_broken(values: Iterable[str]) -> bool:
    """Whether there is the end of a line within a value, which only quotes and backslashes allow."""
    return _LINE_BREAK.search("".join(values)) is not None


def _is_wrong(record: Sequence[str], width: int) -> bool:
    return len(record) != width or _is_broken(record)


def _wrong_record(body: bytes, start: int, width: int) -> CsvError:
    """Say what is wrong with the first record that has another number of values, or more than one line."""
    records, before = _records(body, start), 0
    for record in records:
        if _is_wrong(record, width):
            break
        before = int(records.line_num)
    line = _lines_before(body, start) + before + 1
    if _is_broken(record):
        return CsvError("the record that begins here has several lines; each must have one", line=line)
    return CsvError(f"has {len(record)} values, the header has {width}", line=line)


def _line(body: bytes, index: int) -> int:
    """Find the line of a record, by reading the file once more."""
    start = _start(body)
    records = _records(body, start)
    next(itertools.islice(records, index, None), None)
    return _lines_before(body, start) + int(records.line_num)


class _Reader(Protocol):
    def add(self, values: list[str]) -> None: ...

    def column(self) -> Array | Coded: ...


def _reader(column: Column, is_id: bool, coded: bool) -> _Reader:
    if column.numeric:
        return _Numbers(column)
    if column.type == "boolean":
        return _Booleans(column)
    limit = length_limit(column, is_id=is_id)
    return _CodedStrings(column, limit) if coded or is_id else _Strings(column, limit)


class _Numbers:
    """Numbers; the whole part is converted at once, and looked at one by one only if that fails."""

    def __init__(self, column: Column) -> None:
        self._column = column
        self._limit = _INTEGER_RANGES.get(column.type)
        self._hint = ", Unix time in seconds" if column.name.endswith("TIMESTAMP") else ""
        self._type = np.dtype(np.float64 if self._limit is None or column.nullable else np.int64)
        self._parts: list[Array] = []

    def add(self, values: list[str]) -> None:
        empty = "" in values
        if empty and not self._column.nullable:
            raise _BadValueError(values.index(""), f"is empty; a {self._column.type}{self._hint} is required")
        try:
            self._parts.append(self._with_nulls(values) if empty else self._converted(values))
        except (ValueError, OverflowError) as error:
            raise self._first_unfit(values) from error

    def column(self) -> Array:
        return np.concatenate([np.empty(0, dtype=self._type), *self._parts])

    def _with_nulls(self, values: list[str]) -> Array:
        array = np.full(len(values), np.nan)
        array[np.fromiter(map(bool, values), np.bool_, len(values))] = self._converted(list(filter(None, values)))
        return array

    def _converted(self, values: list[str]) -> Array:
        text = "".join(values)
        if self._limit is None:
            if not text.isascii() or (not text.replace(".", "").isdigit() and _NOT_IN_FLOATS.search(text)):
                raise ValueError
            array: Array = np.fromiter(map(float, values), np.float64, len(values))
            if not np.isfinite(array).all():
                raise ValueError
            return array
        if not text.isascii() or (not text.isdigit() and _NOT_IN_INTEGERS.search(text)):
            raise ValueError
        integers = np.fromiter(map(int, values), np.int64, len(values))
        if len(integers) and (integers.min() < -self._limit or integers.max() >= self._limit):
            raise ValueError
        return integers.astype(self._type)

    def _first_unfit(self, values: list[str]) -> _BadValueError:
        for row, value in enumerate(values):
            if value and not self._fits(value):
                return _BadValueError(row, f"{value!r} is not a {self._column.type}{self._hint}")
        raise AssertionError("the column was found wrong, but none of its values")

    def _fits(self, value: str) -> bool:
        try:
            if self._limit is None:
                return _NOT_IN_FLOATS.search(value) is None and math.isfinite(float(value))
            return _NOT_IN_INTEGERS.search(value) is None and -self._limit <= int(value) < self._limit
        except ValueError:
            return False


class _Booleans:
    def __init__(self, column: Column) -> None:
        self._words: Mapping[str, bool | None] = {
            "true": True,
            "false": False,
            **({"": None} if column.nullable else {}),
        }
        self._values: list[bool | None] = []

    def add(self, values: list[str]) -> None:
        for row, value in enumerate(values):
            word = value.lower()
            if word not in self._words:
                raise _BadValueError(row, f"{value!r} is not a boolean: true or false")
            self._values.append(self._words[word])

    def column(self) -> Array:
        return objects(self._values)


class _Strings:
    """Strings as they are."""

    def __init__(self, column: Column, limit: int | None) -> None:
        self._rule = _StringRule(nullable=column.nullable, limit=limit)
        self._values: list[str | None] = []

    def add(self, values: list[str]) -> None:
        self._rule.check(values)
        self._values.extend(value or None for value in (values if self._rule.limit else map(shortened, values)))

    def column(self) -> Array:
        return objects(self._values)


class _CodedStrings:
    """Strings that repeat; each is looked at once."""

    def __init__(self, column: Column, limit: int | None) -> None:
        self._rule = _StringRule(nullable=column.nullable, limit=limit)
        self._numbering = Numbering(self._rule.check_one)

    def add(self, values: list[str]) -> None:
        try:
            self._numbering.add(values if self._rule.limit else list(map(shortened, values)))
        except ValueError:
            self._rule.check(values)
            raise

    def column(self) -> Coded:
        return self._numbering.column()


@dataclass(frozen=True)
class _StringRule:
    """What strings are allowed.

    :param limit: the greatest length; ``None`` where strings are cut off instead.
    """

    nullable: bool
    limit: int | None

    def check(self, values: Sequence[str]) -> None:
        """Find the first value that is not allowed."""
        if not self.nullable and "" in values:
            raise _BadValueError(values.index(""), "is empty; a value is required")
        limit = self.limit
        if limit is not None and max(map(len, values), default=0) > limit:
            row = next(row for row, value in enumerate(values) if len(value) > limit)
            raise _BadValueError(row, f"has {len(values[row])} characters, at most {limit} are allowed", limit)

    def check_one(self, value: str) -> None:
        """Refuse a value that is not allowed."""
        if (not value and not self.nullable) or (self.limit is not None and len(value) > self.limit):
            raise ValueError(value)
