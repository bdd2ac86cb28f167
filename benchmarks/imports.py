"""How fast imports are: from the bytes of a CSV file, all of them checked, to rows that recommenders can use.

    python -m benchmarks.imports [rows]

Prints rows per second with DuckDB, which large files are read with, and with the standard library; and how much memory
the rows take then.
"""

from __future__ import annotations

import sys
import time
import tracemalloc
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from personalize_local.personalize.columns import ID_COLUMNS, columns_of
from personalize_local.personalize.contents import Columns, InteractionsContents
from personalize_local.personalize.csv_file import read_header, read_rows
from personalize_local.personalize.large_csv import read_plain_rows

SCHEMA = """{"fields": [{"name": "USER_ID", "type": "string"}, {"name": "ITEM_ID", "type": "string"},
{"name": "TIMESTAMP", "type": "long"}, {"name": "EVENT_TYPE", "type": "string"},
{"name": "EVENT_VALUE", "type": ["null", "float"]}]}"""
COLUMNS = columns_of(SCHEMA)
IDS = ID_COLUMNS["INTERACTIONS"]
USERS, ITEMS = 100_000, 20_000
RUNS = 3


def main(rows: Annotated[int, typer.Argument(help="How many interactions to import.")] = 1_000_000) -> None:
    """Measure the import of interactions of 100,000 users with 20,000 items."""
    body = _file(rows)
    report = Table("read with", "rows", "MB", "rows/s, best of 3", "rows/s, median")
    for name, duckdb in (("DuckDB", True), ("standard library", False)):
        seconds = sorted(_seconds(body, duckdb=duckdb) for _ in range(RUNS))
        rates = [f"{rows / taken:,.0f}" for taken in (seconds[0], seconds[RUNS // 2])]
        report.add_row(name, f"{rows:,}", f"{len(body) / 1e6:,.0f}", *rates)
    console = Console()
    console.print(report)
    console.print(f"memory of the rows: {_memory(body) / rows:.0f} bytes each; Python {sys.version.split()[0]}")


def _file(rows: int) -> bytes:
    random = np.random.default_rng(0)
    users, items = random.integers(0, USERS, rows).tolist(), random.integers(0, ITEMS, rows).tolist()
    times = random.integers(1_600_000_000, 1_700_000_000, rows).tolist()
    values = random.integers(1, 6, rows).tolist()
    lines = (
        f"user{user},item{item},{timestamp},watch,{value}.0"
        for user, item, timestamp, value in zip(users, items, times, values, strict=True)
    )
    return "\n".join([",".join(column.name for column in COLUMNS), *lines, ""]).encode()


def _seconds(body: bytes, *, duckdb: bool) -> float:
    start = time.perf_counter()
    _import(body, duckdb=duckdb)
    return time.perf_counter() - start


def _import(body: bytes, *, duckdb: bool) -> InteractionsContents:
    header = read_header(body, COLUMNS)
    columns: Columns | None
    if duckdb:
        columns = read_plain_rows(body, header, COLUMNS, IDS, coded=True)
    else:
        columns = read_rows(body, header, COLUMNS, IDS, coded=True)
    if columns is None:
        raise RuntimeError("DuckDB did not read the file")
    contents = InteractionsContents()
    contents.commit(contents.prepare(columns, replace=True))
    return contents


def _memory(body: bytes) -> int:
    tracemalloc.start()
    contents = _import(body, duckdb=True)
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return used if contents.has_bulk else 0


if __name__ == "__main__":
    typer.run(main)
