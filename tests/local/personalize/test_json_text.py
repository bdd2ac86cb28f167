from __future__ import annotations

import json

import pytest

from personalize_local.personalize.json_text import read_json

from .support import ITEMS_SCHEMA, Builder, Cloud


@pytest.mark.parametrize("text", ['{"a": [1, 2.5, null, true, "\\u00e9\\ud83d\\ude00"]}', "3", '"x"'])
def test_reads_json(text: str) -> None:
    assert read_json(text) == json.loads(text)


WRONG = [
    ("{", "Expecting property name"),
    ('{"genres": NaN}', "NaN is not a number"),
    ('{"year": -Infinity}', "-Infinity is not a number"),
    ('{"genres": "\\ud800"}', "surrogates not allowed"),
    ("[" * 10_000, "nested too deeply"),
    ('{"a":' * 2_000, "nested too deeply"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_refuses_what_is_none(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_json(text)


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_schemas_and_properties_are_read_so(cloud: Cloud, build: Builder, text: str, message: str) -> None:
    client, events = cloud.personalize, cloud.events
    with pytest.raises(client.exceptions.InvalidInputException, match=message):
        client.create_schema(name="s", schema=text)
    items = build.dataset(build.group(), "Items", ITEMS_SCHEMA)
    with pytest.raises(events.exceptions.InvalidInputException, match=message):
        events.put_items(datasetArn=items, items=[{"itemId": "i", "properties": text}])
