"""Which schema changes the service can make."""

from __future__ import annotations

from typing import Any

import pytest

from personalize_lambda.provider.evolution import problems

ID = {"name": "ITEM_ID", "type": "string"}
GENRE = {"name": "GENRE", "type": "string", "categorical": True}


def schema(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "record", "name": "Items", "fields": [ID, *fields]}


@pytest.mark.parametrize("kind", ["ITEMS", "USERS"])
@pytest.mark.parametrize("type_", [["null", "int"], ["int", "null"]])
def test_nullable_columns_can_be_added(kind: str, type_: list[str]) -> None:
    assert problems(kind, schema(GENRE), schema(GENRE, {"name": "YEAR", "type": type_})) == []


def test_order_and_the_order_in_unions_mean_nothing() -> None:
    one = {"name": "YEAR", "type": ["null", "int"]}
    same = {"name": "YEAR", "type": ["int", "null"], "categorical": False}

    assert problems("INTERACTIONS", schema(GENRE, one), schema(same, GENRE)) == []


def test_each_problem_names_its_column() -> None:
    plain = {"name": "GENRE", "type": ["null", "string"]}
    year = {"name": "YEAR", "type": "int"}
    added = {"name": "LENGTH", "type": "int"}

    assert problems("ITEMS", schema(GENRE, year), schema(plain, added)) == [
        "column GENRE changes from categorical string to null or string",
        "column YEAR is removed",
        "new column LENGTH is not nullable",
    ]


def test_interactions_cannot_get_columns() -> None:
    added = {"name": "DEVICE", "type": ["null", "string"]}

    assert problems("INTERACTIONS", schema(), schema(added)) == ["column DEVICE is added"]
