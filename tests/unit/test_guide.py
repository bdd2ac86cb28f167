"""What AWS shows is accepted: the examples of ``guide.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cdk_personalize.avro import check_schema
from cdk_personalize.filter_expression import FilterExpression
from cdk_personalize.metric_expression import MetricExpression
from cdk_personalize.schema import Schema

GUIDE = tomllib.loads(Path(__file__).with_name("guide.toml").read_text())
READERS: dict[str, Callable[[str], object]] = {
    "filters": FilterExpression.parse,
    "item_attributes": FilterExpression.of_item_attributes,
    "metrics": MetricExpression.parse,
}


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind in READERS for part in GUIDE[kind] for text in part["expressions"]]
)
def test_expressions(kind: str, text: str) -> None:
    READERS[kind](text)


@pytest.mark.parametrize("example", GUIDE["schemas"], ids=[f"{one['page']}:{one['type']}" for one in GUIDE["schemas"]])
def test_schemas(example: dict[str, Any]) -> None:
    definition = {"type": "record", "name": example["name"], "fields": [field(text) for text in example["fields"]]}

    assert check_schema(definition, example["type"], example.get("domain")) == []
    assert Schema.from_avro(definition).dataset_type.value == example["type"]


def field(text: str) -> dict[str, object]:
    name, kind, *marks = text.split()
    declared = [kind[:-1], "null"] if kind.endswith("?") else kind
    return {"name": name, "type": declared, **dict.fromkeys(marks, True)}
