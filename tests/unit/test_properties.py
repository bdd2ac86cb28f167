"""No input makes what reads text or data raise anything but its own errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdk_personalize._names import check_name
from cdk_personalize.avro import check_schema
from cdk_personalize.dataset import DataSource
from cdk_personalize.facts.fields import DATASET_RULES
from cdk_personalize.facts.limits import NAME_LENGTH
from cdk_personalize.filter_expression import FilterExpression, FilterExpressionError
from cdk_personalize.metric_attribution import AttributedMetric
from cdk_personalize.metric_expression import MetricExpression
from cdk_personalize.recipe import RECIPES, Recipe
from cdk_personalize.schema import Schema
from cdk_personalize.solution import _render_hyperparameters

FAST = settings(max_examples=100, deadline=None, derandomize=True)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "PRICE", "GENRES", "ACTION_ID", ""])
TYPES = st.sampled_from(["string", "long", "float", "int", "null", "boolean", "record"])
FIELDS = st.fixed_dictionaries(
    {"name": NAMES | JSON, "type": TYPES | st.lists(TYPES | JSON, max_size=3) | JSON},
    optional={mark: st.booleans() | JSON for mark in ("categorical", "textual", "itemName", "doc", "odd")},
)
SCHEMAS = st.fixed_dictionaries(
    {
        "type": st.just("record") | JSON,
        "name": st.sampled_from(["Items", "Users", "Interactions", "Actions", "ActionInteractions"]) | JSON,
        "fields": st.lists(FIELDS | JSON, max_size=6) | JSON,
    },
    optional={"version": st.just("1.0") | JSON, "namespace": JSON},
)


def message(call: Any, *arguments: Any) -> str | None:
    """Return why a call is refused; ``None`` when it is not."""
    try:
        call(*arguments)
    except ValueError as error:
        refused = error
    else:
        return None
    assert type(refused) in (ValueError, FilterExpressionError), f"{type(refused)} is not an error of the library"
    assert str(refused)
    return str(refused)


@FAST
@given(SCHEMAS | st.dictionaries(st.text(max_size=8), JSON, max_size=4))
def test_schemas(definition: dict[str, Any]) -> None:
    refused = message(Schema.from_avro, definition)

    assert refused == message(Schema.from_avro, json.dumps(definition))


@FAST
@given(JSON | st.text(max_size=60))
def test_what_may_not_even_be_a_schema(definition: Any) -> None:
    assert message(Schema.from_avro, definition) or isinstance(definition, dict)


@pytest.mark.parametrize("definition", ["[" * 100_000, "1" * 5_000, {"name": "Items", "fields": {1, 2}}, b"{}", None])
def test_what_json_cannot_say(definition: Any) -> None:
    assert message(Schema.from_avro, definition)


@FAST
@given(SCHEMAS, st.sampled_from([None, *DATASET_RULES[None]]), st.sampled_from(list(DATASET_RULES)))
def test_schemas_of_every_type_and_domain(definition: dict[str, Any], kind: str | None, domain: str | None) -> None:
    assert all(problem for problem in check_schema(definition, kind, domain))


WORDS = """INCLUDE EXCLUDE ItemID WHERE Items . A = 1 SUM ( ) SAMPLECOUNT PRICE $A | AND IN ("a")"""
TEXTS = st.text(max_size=60) | st.lists(st.sampled_from(WORDS.split()), max_size=12).map(" ".join)


@FAST
@given(TEXTS)
def test_expressions(text: str) -> None:
    for read in (FilterExpression.parse, FilterExpression.of_item_attributes, MetricExpression.parse):
        message(read, text)


CONDITIONS = st.builds(
    "{}.{} {}".format,
    st.sampled_from(["Items", "Interactions"]),
    st.sampled_from(["GENRES", "YEAR", "EVENT_TYPE", "ADULT"]),
    st.sampled_from(['IN ("a")', "= 5", '= "5"', "> $A", "IN CurrentItem.YEAR", "NOT IN (*)", '< "x"']),
)
COLUMNS = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from(["GENRES", "YEAR", "EVENT_TYPE", "ADULT"]), "type": TYPES}),
    max_size=4,
)


@FAST
@given(CONDITIONS, st.dictionaries(st.sampled_from(["ITEMS", "INTERACTIONS"]), COLUMNS))
def test_expressions_against_schemas(condition: str, columns: dict[str, list[dict[str, str]]]) -> None:
    schemas = {
        kind: {"fields": [field for field in fields if field["type"] != "null"]} for kind, fields in columns.items()
    }
    message(lambda: FilterExpression.parse(f"EXCLUDE ItemID WHERE {condition}").check_schemas(schemas))


@FAST
@given(st.text(max_size=80), st.text(max_size=300))
def test_names(name: str, long: str) -> None:
    assert message(check_name, "name", name) or (name.isascii() and len(name) <= NAME_LENGTH)
    message(Recipe.of, name)
    message(lambda: AttributedMetric(event_type=long, metric_name=name, expression=name))


class _Bucket:
    bucket_name = "films"


@FAST
@given(st.text(max_size=300))
def test_prefixes(prefix: str) -> None:
    message(DataSource, _Bucket(), prefix)


VALUES = st.text(max_size=8) | st.integers() | st.floats() | st.booleans()


@FAST
@given(st.sampled_from(sorted(RECIPES)), st.data())
def test_hyperparameters(recipe: str, data: st.DataObject) -> None:
    known = [parameter.name for parameter in RECIPES[recipe].hyperparameters]
    values = data.draw(st.dictionaries(st.sampled_from([*known, "odd"]), VALUES, max_size=3))
    message(_render_hyperparameters, RECIPES[recipe], values)
