"""What is found in the rows of a file; what the emulator refuses of it, too."""

from __future__ import annotations

import io
import json

import pytest

from personalize_lambda.workflow import csv_rules
from personalize_lambda.workflow.csv_rules import (
    DOUBTFUL_MINIMUM_RECORDS,
    MINIMUM_RECORDS,
    Check,
    Column,
    check_rows,
)
from personalize_local.personalize import Settings
from personalize_local.personalize.columns import columns_of
from personalize_local.personalize.csv_file import CsvError, read_header, read_rows
from personalize_local.personalize.uncertain import Uncertain
from tests.local.personalize.support import (
    ACTION_INTERACTIONS_SCHEMA,
    ACTIONS_SCHEMA,
    INTERACTIONS_SCHEMA,
    ITEMS_SCHEMA,
    USERS_SCHEMA,
    Builder,
    Cloud,
    interactions_csv,
)

FIELDS = [
    {"name": "USER_ID", "type": "string"},
    {"name": "TIMESTAMP", "type": "long"},
    {"name": "AGE", "type": ["null", "int"]},
    {"name": "SCORE", "type": "float"},
    {"name": "SEEN", "type": ["boolean", "null"]},
    {"name": "GENRE", "type": ["null", "string"], "categorical": True},
    {"name": "PLOT", "type": ["null", "string"], "textual": True},
]
HEADER = ",".join(str(field["name"]) for field in FIELDS)
GOOD = "u1,1700000000,30,1.5,true,drama,A plot"


def check(text: str | bytes, *, enough: int = 1000, buffer: int = 8192) -> Check:
    body = text if isinstance(text, bytes) else text.encode()
    found = Check()
    raw = io.BufferedReader(io.BytesIO(body), buffer)  # type: ignore[arg-type]  # as good as a raw file
    check_rows(raw, [Column.of(field) for field in FIELDS], enough, found)
    return found


def emulator_refuses(text: str | bytes) -> bool:
    columns = columns_of(json.dumps({"fields": FIELDS}))
    body = text if isinstance(text, bytes) else text.encode()
    try:
        read_rows(body, read_header(body, columns), columns, ("USER_ID",), coded=False)
    except CsvError:
        return True
    return False


def row(column: str, value: str) -> str:
    values = GOOD.split(",")
    values[HEADER.split(",").index(column)] = value
    return f"{HEADER}\n{GOOD}\n{','.join(values)}\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("", f"line 1: the header lacks {', '.join(HEADER.split(','))}, it is ''", id="empty"),
        pytest.param(
            HEADER.replace("TIMESTAMP", "TIME") + "\n",
            "line 1: the header lacks TIMESTAMP, it is 'USER_ID,TIME,AGE,SCORE,SEEN,GENRE,PLOT'",
            id="column missing",
        ),
        pytest.param(
            HEADER.replace("AGE", '"AGE"') + "\n",
            "line 1: the header lacks AGE, it is 'USER_ID,TIMESTAMP,\"AGE\",SCORE,SEEN,GENRE,PLOT'; names must not "
            "have quotes around them",
            id="quotes in the header",
        ),
        pytest.param(
            f"\ufeff{HEADER}\n{GOOD}\n",
            "line 1: the header lacks USER_ID, it is '\\ufeffUSER_ID,TIMESTAMP,AGE,SCORE,SEEN,GENRE,PLOT'; the file "
            "starts with a byte order mark, save it without",
            id="byte order mark",
        ),
        pytest.param(f"{HEADER},AGE\n{GOOD},1\n", "line 1: the header has AGE more than once", id="column twice"),
        pytest.param(f"{HEADER}\n{GOOD}\n{GOOD},x\n", "line 3: has 8 values, the header has 7", id="too many values"),
        pytest.param(f"{HEADER}\n\n{GOOD}\nu1\n", "line 4: has 1 values, the header has 7", id="too few values"),
        pytest.param(row("USER_ID", ""), "line 3, column USER_ID: is empty; a string is required", id="empty id"),
        pytest.param(
            row("USER_ID", "x" * 257),
            f"line 3, column USER_ID: '{'x' * 80}...' has 257 characters, at most 256 are allowed",
            id="long id",
        ),
        pytest.param(
            row("GENRE", "x" * 1001),
            f"line 3, column GENRE: '{'x' * 80}...' has 1001 characters, at most 1000 are allowed",
            id="long category",
        ),
        pytest.param(
            row("TIMESTAMP", "yesterday"),
            "line 3, column TIMESTAMP: 'yesterday' is not a long, Unix time in seconds",
            id="no time",
        ),
        pytest.param(
            row("TIMESTAMP", "1700000000.0"),
            "line 3, column TIMESTAMP: '1700000000.0' is not a long, Unix time in seconds",
            id="decimal time",
        ),
        pytest.param(row("AGE", "1_000"), "line 3, column AGE: '1_000' is not an int", id="no integer"),
        pytest.param(row("AGE", "2147483648"), "line 3, column AGE: 2147483648 does not fit into an int", id="too big"),
        pytest.param(row("SCORE", "high"), "line 3, column SCORE: 'high' is not a float", id="no float"),
        pytest.param(row("SCORE", ""), "line 3, column SCORE: is empty; a float is required", id="empty float"),
        pytest.param(row("SEEN", "yes"), "line 3, column SEEN: 'yes' is not true or false", id="no boolean"),
        pytest.param(
            row("GENRE", '"a"b'), "line 3: ',' expected after '\"', in the record that begins here", id="quote"
        ),
        pytest.param(
            row("GENRE", '"open'), "line 3: unexpected end of data, in the record that begins here", id="open"
        ),
        pytest.param(
            f"{HEADER}\n{GOOD}\n".encode() + b"\xff", "line 2: is not UTF-8 from about here on", id="not UTF-8"
        ),
    ],
)
def test_problems(text: str | bytes, problem: str) -> None:
    assert [str(found) for found in check(text).problems] == [problem]
    assert emulator_refuses(text)


def test_milliseconds_are_refused() -> None:
    """The service takes them for seconds; nothing that is made of them is of use."""
    assert [str(found) for found in check(row("TIMESTAMP", "1700000000000")).problems] == [
        "line 3, column TIMESTAMP: 1700000000000 is a time in the far future; it seems to be in milliseconds, must be "
        "Unix time in seconds"
    ]
    assert check(row("TIMESTAMP", "99999999999")).problems == []


@pytest.mark.parametrize(
    ("text", "note"),
    [
        pytest.param(f"{HEADER}\n{GOOD}\n", None, id="good"),
        pytest.param(f"{HEADER}\r\n{GOOD}\r\n\r\n", None, id="lines of Windows, and an empty one"),
        pytest.param(f"{HEADER}\n{GOOD}", None, id="no end of the last line"),
        pytest.param(row("AGE", ""), None, id="nothing in a nullable column"),
        pytest.param(row("SEEN", "FALSE"), None, id="boolean in capitals"),
        pytest.param(row("SCORE", "-1.5e-3"), None, id="exponent"),
        pytest.param(row("TIMESTAMP", "-5"), None, id="before 1970"),
        pytest.param(row("GENRE", "x" * 1000), None, id="longest category"),
        pytest.param(row("PLOT", "x" * 30_000), None, id="long text, which is cut off"),
        pytest.param(row("PLOT", '"a, \\"quoted\\" ""word"""'), None, id="comma and quotes in quotes"),
        pytest.param(f"{HEADER},EXTRA\n{GOOD},1\n", "line 1: the schema does not have 'EXTRA'", id="unknown column"),
        pytest.param(
            "TIMESTAMP,USER_ID,AGE,SCORE,SEEN,GENRE,PLOT\n1700000000,u1,30,1.5,true,drama,A plot\n",
            f"line 1: the schema has another order: {HEADER}",
            id="other order",
        ),
    ],
)
def test_what_the_service_takes_or_may_take(text: str, note: str | None) -> None:
    found = check(text)
    assert found.problems == []
    assert [str(each) for each in found.notes] == ([note] if note else [])
    assert found.is_whole
    assert not emulator_refuses(text)


@pytest.mark.parametrize("value", ["NaN", "-Infinity", " 1.5"])
def test_numbers_that_are_left_to_the_service(value: str) -> None:
    assert check(row("SCORE", value)).problems == []


@pytest.mark.parametrize("buffer", [1, 7, 8192])
def test_quotes_and_lines_within_quotes_whatever_is_read_at_once(buffer: int) -> None:
    text = f'{HEADER}\n{GOOD[:-6]}"two\nlines, ünd ""more"""\n{GOOD}\nu1,soon,30,1.5,true,drama,"x"\n'
    found = check(text, buffer=buffer)
    assert found.records == 3
    assert [str(each) for each in found.notes] == ["line 2: a record has several lines; each should have one"]
    assert [str(each) for each in found.problems] == [
        "line 5, column TIMESTAMP: 'soon' is not a long, Unix time in seconds"
    ]


def test_each_column_is_named_once_and_no_more_is_read_than_is_asked_for() -> None:
    found = check(f"{HEADER}\n" + "u1,a,b,1,true,x,y\n" * 50, enough=10)
    assert [each.column for each in found.problems] == ["TIMESTAMP", "AGE"]
    assert (found.records, found.is_whole) == (10, False)


def test_an_endless_line_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_rules, "_LONGEST_LINE", 1000)
    found = check("x" * 100_000)
    assert len(found.header[0]) == 1000
    assert "it is 'xxx" in str(found.problems[0])


@pytest.mark.parametrize("uncertain", [True, False])
@pytest.mark.parametrize("mode", ["FULL", "INCREMENTAL"])
def test_the_least_records_are_those_that_the_emulator_asks_for(mode: str, uncertain: bool) -> None:
    cloud = Cloud(Settings(uncertain=Uncertain(full_action_interactions_minimum=uncertain)))
    try:
        make = Builder(cloud)
        group = make.group()
        few = {
            "INTERACTIONS": ("Interactions", INTERACTIONS_SCHEMA, interactions_csv(users=50, per_user=19)),
            "ITEMS": ("Items", ITEMS_SCHEMA, _one_row(ITEMS_SCHEMA)),
            "USERS": ("Users", USERS_SCHEMA, _one_row(USERS_SCHEMA)),
            "ACTIONS": ("Actions", ACTIONS_SCHEMA, _one_row(ACTIONS_SCHEMA)),
            "ACTION_INTERACTIONS": (
                "Action_Interactions",
                ACTION_INTERACTIONS_SCHEMA,
                _one_row(ACTION_INTERACTIONS_SCHEMA),
            ),
        }
        refused = set()
        for kind, (name, schema, text) in few.items():
            dataset = make.dataset(group, name, schema)
            if mode == "INCREMENTAL":
                header, *rows = text.splitlines()
                enough = "\n".join([header, *(rows * 1000)[:1000], ""])
                make.import_csv(dataset, enough, name=f"{kind}-first")
            job = make.start_import(dataset, text, name=kind, mode=mode)
            if make.wait("dataset_import_job", job, until=("ACTIVE", "CREATE FAILED"))["status"] != "ACTIVE":
                refused.add((kind, mode))
        asked = {*MINIMUM_RECORDS, *(DOUBTFUL_MINIMUM_RECORDS if uncertain else ())}
        assert refused == {rule for rule in asked if rule[1] == mode}
    finally:
        cloud.service.close()


def _one_row(schema: str) -> str:
    """A CSV file with one record."""
    values = {"int": "1", "long": "1700000000", "float": "1.5"}
    columns = [Column.of(field) for field in json.loads(schema)["fields"]]
    named = {"EVENT_TYPE": "Viewed"}
    row = [named.get(column.name) or values.get(column.type, "x") for column in columns]
    return f"{','.join(column.name for column in columns)}\n{','.join(row)}\n"
