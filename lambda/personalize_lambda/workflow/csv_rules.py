"""What the rows of an import must be like.

Only what the service is sure to refuse is a problem; what it may take is a note.

See https://docs.aws.amazon.com/personalize/latest/dg/data-prep-formatting.html
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

SAMPLE_RECORDS: Final = 1000
"""Of every file, so many records are checked."""
MINIMUM_RECORDS: Final = {
    ("INTERACTIONS", "FULL"): 1000,
    ("INTERACTIONS", "INCREMENTAL"): 1000,
    ("ACTION_INTERACTIONS", "INCREMENTAL"): 1000,
}
"""Fewest records of an import, by dataset type and import mode.

See https://docs.aws.amazon.com/personalize/latest/dg/limits.html
"""
DOUBTFUL_MINIMUM_RECORDS: Final = {("ACTION_INTERACTIONS", "FULL"): 1000}
"""The same where it is not documented whether the service insists on it."""
MAXIMUM_BYTES: Final = {
    ("INTERACTIONS", "FULL"): 1024**4,  # once the quota was raised, which starts at 100 GB
    **{(kind, "FULL"): 100 * 1024**3 for kind in ("ITEMS", "USERS", "ACTIONS", "ACTION_INTERACTIONS")},
    **{(kind, "INCREMENTAL"): 1024**3 for kind in ("INTERACTIONS", "ITEMS", "USERS", "ACTIONS", "ACTION_INTERACTIONS")},
}
"""Most bytes of the files of an import, by dataset type and import mode."""
MILLISECONDS_FROM: Final = 100_000_000_000
"""Unix times in seconds stay below this until the year 5138."""

_ID_LENGTH, _STRING_LENGTH = 256, 1000
_IDS = frozenset({"ACTION_ID", "ITEM_ID", "USER_ID"})
_TIMES = frozenset({"ACTION_EXPIRATION_TIMESTAMP", "CREATION_TIMESTAMP", "EXPIRATION_TIMESTAMP", "TIMESTAMP"})
_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
#: whether the service takes these is not documented
_DOUBTFUL_DECIMAL = re.compile(r"[+-]?(nan|inf(inity)?)", re.IGNORECASE)
_BITS = {"int": 31, "long": 63}
_BYTE_ORDER_MARK = "\ufeff"
_LINE_BREAK = re.compile(r"[\r\n]")
_SHOWN = 80
_MOST_FINDINGS = 20
_LONGEST_LINE = 10 * 1024**2

csv.field_size_limit(_LONGEST_LINE)


@dataclass(frozen=True)
class Column:
    """A column of the schema.

    :param type: Avro type of its values, other than null.
    """

    name: str
    type: str
    nullable: bool
    textual: bool

    @staticmethod
    def of(field: Mapping[str, Any]) -> Column:
        """Read a field of an Avro schema."""
        declared = field["type"]
        types = declared if isinstance(declared, list) else [declared]
        return Column(
            name=field["name"],
            type=next((option for option in types if option != "null"), "null"),
            nullable="null" in types,
            textual=field.get("textual") is True,
        )


@dataclass(frozen=True)
class Finding:
    """Something that was found in a file; ``line`` counts from 1."""

    text: str
    line: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        """Say where it is and what it is."""
        place = [f"line {self.line}"] if self.line else []
        place += [f"column {self.column}"] if self.column else []
        return f"{', '.join(place)}: {self.text}" if place else self.text


@dataclass
class Check:
    """What was found in one file so far.

    :param records: How many of its records were read.
    :param is_whole: Whether all of it was read.
    """

    header: list[str] = field(default_factory=list)
    records: int = 0
    is_whole: bool = False
    problems: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)


def check_rows(raw: io.BufferedReader[Any], columns: Sequence[Column], enough: int, check: Check) -> None:
    """Check the header of a file and so many of its records.

    :param raw: The file.
    :param columns: Those of the schema.
    :param enough: How many records to read.
    :param check: Takes what is found, also when reading breaks off.
    """
    text = io.TextIOWrapper(raw, encoding="utf-8", newline="")
    try:
        _check_header(text.readline(_LONGEST_LINE), columns, check)
        if not check.problems:
            _check_records(text, columns, enough, check)
    except UnicodeDecodeError:
        check.problems.append(Finding("is not UTF-8 from about here on", line=check.records + 2))


def _check_header(line: str, columns: Sequence[Column], check: Check) -> None:
    names = line.rstrip("\r\n").split(",")
    check.header = names
    expected = [column.name for column in columns]
    missing = [name for name in expected if name not in names]
    hint = "; the file starts with a byte order mark, save it without" if line.startswith(_BYTE_ORDER_MARK) else ""
    hint += "; names must not have quotes around them" if '"' in line else ""
    if missing:
        found = _shown(",".join(names))
        check.problems.append(Finding(f"the header lacks {', '.join(missing)}, it is {found}{hint}", line=1))
    twice = [name for name in expected if names.count(name) > 1]
    if twice:
        check.problems.append(Finding(f"the header has {', '.join(twice)} more than once", line=1))
    unknown = [name for name in names if name not in expected]
    if unknown and not missing:
        check.notes.append(Finding(f"the schema does not have {_shown(', '.join(unknown))}", line=1))
    elif not missing and names != expected:
        check.notes.append(Finding(f"the schema has another order: {','.join(expected)}", line=1))


def _check_records(text: io.TextIOWrapper[Any], columns: Sequence[Column], enough: int, check: Check) -> None:
    judges = [(check.header.index(column.name), column.name, _judge(column)) for column in columns]
    wrong: set[str] = set()
    is_broken = False
    records = csv.reader(iter(lambda: text.readline(_LONGEST_LINE), ""), escapechar="\\", strict=True)
    before = 1
    try:
        for record in records:
            line, before = before + 1, records.line_num + 1
            if not record:
                continue  # an empty line
            check.records += 1
            if len(record) != len(check.header):
                found = f"has {len(record)} values, the header has {len(check.header)}"
                check.problems.append(Finding(found, line=line))
            else:
                _check_values(record, judges, line, wrong, check)
            if _LINE_BREAK.search("".join(record)) and not is_broken:
                is_broken = True
                check.notes.append(Finding("a record has several lines; each should have one", line=line))
            if len(check.problems) >= _MOST_FINDINGS or check.records >= enough:
                return
    except csv.Error as error:
        check.problems.append(Finding(f"{error}, in the record that begins here", line=before + 1))
        return
    check.is_whole = True


def _check_values(
    record: Sequence[str], judges: Sequence[tuple[int, str, _Judge]], line: int, wrong: set[str], check: Check
) -> None:
    """Find the first value of each column that is wrong."""
    for place, name, judge in judges:
        if name not in wrong and (problem := judge(record[place])):
            wrong.add(name)
            check.problems.append(Finding(problem, line=line, column=name))


_Judge = Callable[[str], str | None]


def _judge(column: Column) -> _Judge:
    """Return what says what is wrong with a value of a column."""
    article = "an" if column.type == "int" else "a"
    kind = f"{article} {column.type}{', Unix time in seconds' if column.name in _TIMES else ''}"

    def judge(value: str) -> str | None:
        if not value:
            return None if column.nullable else f"is empty; {kind} is required"
        match column.type:
            case "int" | "long":
                return _integer_problem(value.strip(), column, kind)
            case "float" | "double":
                is_one = _DECIMAL.fullmatch(value.strip()) or _DOUBTFUL_DECIMAL.fullmatch(value.strip())
                return None if is_one else f"{_shown(value)} is not {kind}"
            case "boolean":
                return None if value.strip().lower() in ("true", "false") else f"{_shown(value)} is not true or false"
        limit = _ID_LENGTH if column.name in _IDS else _STRING_LENGTH
        if column.textual or len(value) <= limit:
            return None
        return f"{_shown(value)} has {len(value)} characters, at most {limit} are allowed"

    return judge


def _integer_problem(value: str, column: Column, kind: str) -> str | None:
    if len(value) > _SHOWN or not _INTEGER.fullmatch(value):
        return f"{_shown(value)} is not {kind}"
    number, limit = int(value), 2 ** _BITS[column.type]
    if not -limit <= number < limit:
        return f"{value} does not fit into {kind}"
    if column.name in _TIMES and number >= MILLISECONDS_FROM:
        return f"{value} is a time in the far future; it seems to be in milliseconds, must be Unix time in seconds"
    return None


def _shown(value: str) -> str:
    return repr(value if len(value) <= _SHOWN else f"{value[:_SHOWN]}...")
