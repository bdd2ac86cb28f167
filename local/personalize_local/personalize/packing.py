"""Columns of strings and missing values as plain arrays, for files that must not be pickled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from .recommenders.data import Array

_CODES, _VALUES = ".codes", ".values"


def pack(columns: Mapping[str, Array]) -> dict[str, Array]:
    """Replace arrays of objects by codes and the values that they stand for; those may be what JSON knows."""
    packed: dict[str, Array] = {}
    for name, column in columns.items():
        if column.dtype != object:
            packed[f"column {name}"] = column
            continue
        codes, values = _coded(column)
        packed[f"column {name}{_CODES}"] = codes
        packed[f"column {name}{_VALUES}"] = np.frombuffer(json.dumps(values).encode(), dtype=np.uint8)
    return packed


def unpack(packed: Mapping[str, Array]) -> dict[str, Array]:
    """Undo :func:`pack`."""
    columns: dict[str, Array] = {}
    for key, array in packed.items():
        name = key.removeprefix("column ")
        if name.endswith(_CODES):
            name = name.removesuffix(_CODES)
            values = json.loads(packed[f"column {name}{_VALUES}"].tobytes())
            kinds = np.empty(len(values), dtype=object)
            kinds[:] = values
            columns[name] = kinds[array]
        elif not name.endswith(_VALUES):
            columns[name] = array
    return columns


def _coded(column: Array) -> tuple[Array, list[Any]]:
    # 1, 1.0 and True are equal, yet not the same
    numbers: dict[tuple[type, Any], int] = {}
    codes = np.fromiter(
        (numbers.setdefault((type(value), value), len(numbers)) for value in column), np.int32, len(column)
    )
    return codes, [value for _, value in numbers]
