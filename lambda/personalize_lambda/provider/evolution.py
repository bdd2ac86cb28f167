"""What a changed schema means for a dataset that holds data.

Source: https://docs.aws.amazon.com/personalize/latest/dg/updating-dataset.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

EVOLVING_TYPES = frozenset({"ITEMS", "USERS"})


def problems(dataset_type: str, current: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Return what the service cannot change in place, naming the columns.

    :param dataset_type: Dataset type in upper case.
    :param current: Parsed schema that the dataset has.
    :param wanted: Parsed schema that it is to have.
    """
    return list(_problems(dataset_type, _columns(current), _columns(wanted)))


def _problems(
    dataset_type: str, current: Mapping[str, Mapping[str, Any]], wanted: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    for name, column in current.items():
        if name not in wanted:
            yield f"column {name} is removed"
        elif column != wanted[name]:
            yield f"column {name} changes from {_text(column)} to {_text(wanted[name])}"
    for name, column in wanted.items():
        if name in current:
            continue
        if dataset_type not in EVOLVING_TYPES:
            yield f"column {name} is added"
        elif "null" not in column["type"]:
            yield f"new column {name} is not nullable"


def _columns(schema: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the columns by name, in a form that compares equal when they mean the same."""
    return {field["name"]: _canonical(field) for field in schema["fields"]}


def _canonical(field: Mapping[str, Any]) -> dict[str, Any]:
    declared = field["type"] if isinstance(field["type"], list) else [field["type"]]
    marks = {name: True for name, value in field.items() if value is True}
    return {"type": sorted(declared)} | marks


def _text(column: Mapping[str, Any]) -> str:
    marks = [name for name in column if name != "type"]
    return " ".join([*marks, " or ".join(column["type"])])
