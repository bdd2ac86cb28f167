"""Reads large CSV files with DuckDB, where it cannot differ from ``csv_file``.

What is plain is read faster. Whatever is not, and whatever is wrong, is left to ``csv_file``: so there is one verdict,
and one line number, however large a file is.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .coded import numbered, objects
from .columns import Column
from .csv_file import DENSE_TEXT_LENGTH, length_limit, shortened
from .recommenders.data import Array, Coded

if TYPE_CHECKING:
    import duckdb

#: from this size on, starting DuckDB pays
LARGE = 4_000_000

# conversions that are exact for what comes back as it was, or is plain to see; everything else is csv_file's to judge
_WHOLE = "CASE WHEN {name} IS NULL THEN NULL WHEN {name}::{type}::VARCHAR = {name} THEN {name}::{type} ELSE {no} END"
_FLOAT = (
    "CASE WHEN {name} IS NULL THEN NULL WHEN regexp_full_match({name}, '-?[0-9]{{1,17}}(\\.[0-9]{{1,17}})?') "
    "THEN {name}::DOUBLE ELSE {no} END"
)
_BOOLEAN = (
    "CASE WHEN {name} IS NULL THEN NULL WHEN lower({name}) IN ('true', 'false') "
    "THEN lower({name})::BOOLEAN ELSE {no} END"
)
_CONVERSIONS = {"int": (_WHOLE, "INTEGER"), "long": (_WHOLE, "BIGINT"), "boolean": (_BOOLEAN, "")}
_NOT_PLAIN = "error('not plain')"


def read_plain_rows(
    body: bytes, header: Sequence[str], columns: Sequence[Column], ids: Sequence[str], *, coded: bool
) -> dict[str, Array | Coded] | None:
    """Read the values of a file, as :func:`csv_file.read_rows` does.

    :returns: ``None`` if that has to judge.
    """
    import duckdb  # here, since most programs never import a large file

    if not _is_plain(body):
        return None
    readers = [_reader(f"c{header.index(column.name)}", column, column.name in ids, coded) for column in columns]
    names = [f"c{place}" for place in range(len(header))]
    connection = duckdb.connect()
    try:
        with tempfile.NamedTemporaryFile(prefix="personalize-", suffix=".csv") as file:
            file.write(body)
            file.flush()
            try:
                connection.execute(_load(file.name, names, readers))
                return _read(connection, names, columns, readers)
            except duckdb.Error:
                return None
    finally:
        connection.close()


@dataclass(frozen=True)
class _Reader:
    """How one column is read.

    :param name: in the table.
    :param loaded: what is loaded of it.
    :param plain: what is true if all of its rows are fine; an aggregate.
    """

    name: str
    loaded: str
    plain: str
    column: Column
    coded: bool = False


def _reader(name: str, column: Column, is_id: bool, coded: bool) -> _Reader:
    filled = "true" if column.nullable else f"count({name}) = count(*)"
    if column.numeric or column.type == "boolean":
        conversion, type_ = _CONVERSIONS.get(column.type, (_FLOAT, ""))
        loaded = f"{conversion.format(name=name, type=type_, no=_NOT_PLAIN)} AS {name}"
        return _Reader(name, loaded, filled, column)
    limit = length_limit(column, is_id=is_id)
    short = "true" if limit is None else f"coalesce(max(length({name})), 0) <= {limit}"
    return _Reader(name, name, f"{filled} AND {short}", column, coded or is_id)


def _is_plain(body: bytes) -> bool:
    """Whether lines end in one way, no line is empty, and quotes stand around whole values, within a line."""
    if b"\\" in body or b"\0" in body:
        return False
    returns = b"\r" in body
    if returns and not body.count(b"\r") == body.count(b"\n") == body.count(b"\r\n"):
        return False
    ends = np.frombuffer(body, dtype=np.uint8) == ord("\n")
    width = 2 if returns else 1
    return not (ends[width:] & ends[:-width]).any() and _are_quotes_plain(body)


def _are_quotes_plain(body: bytes) -> bool:
    if b'"' not in body:
        return True
    text = np.frombuffer(b"\n" + body + b"\n", dtype=np.uint8)
    quotes = np.flatnonzero(text == ord('"'))
    if len(quotes) % 2:
        return False
    opening, closing = quotes[::2], quotes[1::2]
    around = np.frombuffer(b",\r\n", dtype=np.uint8)
    # two quotes within a value stand for one: the first ends a part of the value, the second begins the next
    begins = np.isin(text[opening - 1], around)
    begins[1:] |= opening[1:] == closing[:-1] + 1
    ends = np.isin(text[closing + 1], around)
    ends[:-1] |= opening[1:] == closing[:-1] + 1
    new_lines = np.flatnonzero(text == ord("\n"))
    within = (np.searchsorted(new_lines, opening) == np.searchsorted(new_lines, closing)).all()
    return bool(within and begins.all() and ends.all())


def _load(path: str, names: Sequence[str], readers: Sequence[_Reader]) -> str:
    types = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    read = {reader.name: reader.loaded for reader in readers}
    # the others are looked at too: no value may be longer than csv_file takes
    loaded = [read.get(name, f"length({name}) AS {name}") for name in names]
    quoted = path.replace("'", "''")
    return (
        f"CREATE TABLE rows AS SELECT {', '.join(loaded)} FROM read_csv('{quoted}', auto_detect = false, "  # noqa: S608
        f"header = false, skip = 1, columns = {{{types}}}, delim = ',', quote = '\"', escape = '\"', nullstr = '', "
        f"strict_mode = true, parallel = true)"
    )


def _read(
    connection: duckdb.DuckDBPyConnection, names: Sequence[str], columns: Sequence[Column], readers: Sequence[_Reader]
) -> dict[str, Array | Coded] | None:
    read = {reader.name: reader for reader in readers}
    limit = csv.field_size_limit()
    texts = [name for name in names if name not in read]
    lengths = [f"coalesce(max({name}), 0) <= {limit}" for name in texts]
    lengths += [
        f"coalesce(max(length({reader.name})), 0) <= {limit}" for reader in readers if reader.column.type == "string"
    ]
    checks = [reader.plain for reader in readers] + lengths
    answer = connection.execute(f"SELECT count(*), {' AND '.join(checks)} FROM rows").fetchone()  # noqa: S608
    if answer is None or not answer[1]:
        return None
    rows = int(answer[0])
    whole = [reader for reader in readers if not reader.coded]
    found: dict[str, Array | Coded] = {}
    found.update(_coded(connection, [reader for reader in readers if reader.coded], rows))
    if whole:
        fetched = connection.execute(f"SELECT {', '.join(reader.name for reader in whole)} FROM rows").fetchnumpy()  # noqa: S608
        found.update((reader.name, _column(reader.column, fetched[reader.name])) for reader in whole)
    return {column.name: found[reader.name] for column, reader in zip(columns, readers, strict=True)}


def _coded(connection: duckdb.DuckDBPyConnection, readers: Sequence[_Reader], rows: int) -> Iterator[tuple[str, Coded]]:
    """Let DuckDB number the strings: sorted by their bytes, which is the order that Python sorts them in."""
    if not readers:
        return
    for reader in readers:
        name = reader.name
        connection.execute(
            f"CREATE TABLE values_{name} AS SELECT DISTINCT {name} FROM rows WHERE {name} IS NOT NULL ORDER BY {name}"  # noqa: S608
        )
    # rows come out in any order; putting them in order afterwards is faster than to have them so
    places = ", ".join(f"coalesce(values_{reader.name}.rowid, -1)::INTEGER AS {reader.name}" for reader in readers)
    joins = " ".join(f"LEFT JOIN values_{reader.name} USING ({reader.name})" for reader in readers)
    codes = connection.execute(f"SELECT rows.rowid::INTEGER AS row, {places} FROM rows {joins}").fetchnumpy()  # noqa: S608
    for reader in readers:
        name = reader.name
        found = connection.execute(f"SELECT {name} FROM values_{name} ORDER BY rowid").fetchnumpy()[name]  # noqa: S608
        values: Array = np.asarray(found, dtype=object)
        numbers = np.empty(rows, dtype=np.int32)
        numbers[codes["row"]] = codes[name]
        if rows and numbers.min() < 0:
            values, numbers = np.concatenate([objects([None]), values]), numbers + np.int32(1)
        coded = Coded(values, numbers)
        yield name, _shortened(coded) if reader.column.textual else coded


def _shortened(coded: Coded) -> Coded:
    if max((len(value) for value in coded.values if value), default=0) <= DENSE_TEXT_LENGTH:
        return coded
    return numbered([value and shortened(value) for value in coded.decoded()])


def _column(column: Column, fetched: Any) -> Array:
    nulls = np.ma.getmaskarray(fetched)
    values: Array = np.ma.getdata(fetched)
    if column.numeric:
        if not column.nullable:
            return values.astype(np.int64 if column.type in ("int", "long") else np.float64)
        values = values.astype(np.float64)
        values[nulls] = np.nan
        return values
    values = values.astype(object)
    values[nulls] = None
    if column.textual:
        for row, value in enumerate(values):
            if value is not None and len(value) > DENSE_TEXT_LENGTH:
                values[row] = shortened(value)
    return values
