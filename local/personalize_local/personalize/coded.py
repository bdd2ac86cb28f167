"""Columns of strings that repeat, kept as numbers: ten million rows take 40 MB, and sort and compare as numbers do."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .recommenders.data import Array, Coded, Codes


class Numbering:
    """Numbers strings that come part by part.

    :param accept: called with each different string once; what it raises, ``add`` raises. Default: - any will do.
    """

    def __init__(self, accept: Callable[[str], None] = lambda string: None) -> None:
        self._numbers: dict[str, int] = _Numbers(accept)
        self._parts: list[Codes] = []

    def add(self, strings: Sequence[str]) -> None:
        """Take up the next rows; the empty string is null."""
        self._parts.append(_codes(map(self._numbers.__getitem__, strings), len(strings)))

    def column(self) -> Coded:
        """All rows that came."""
        # the empty string sorts first, as null does
        places = {value: place for place, value in enumerate(sorted(self._numbers))}
        moved = _codes(map(places.__getitem__, self._numbers), len(places))
        codes = np.concatenate([np.empty(0, dtype=np.int32), *self._parts])
        return Coded(objects([value or None for value in places]), moved[codes])


def numbered(strings: Iterable[str | None]) -> Coded:
    """Number the strings of a column; ``None`` is null."""
    numbering = Numbering()
    numbering.add(["" if value is None else value for value in strings])
    return numbering.column()


def nulls(rows: int) -> Coded:
    """Make a column without a single string."""
    return Coded(objects([None] if rows else []), np.zeros(rows, dtype=np.int32))


def concatenated(parts: Sequence[Coded]) -> Coded:
    """Put columns below each other."""
    if len(parts) == 1:
        return parts[0]
    occurring = set().union(*(part.values for part in parts))
    values = sorted(occurring, key=lambda value: (value is not None, value))
    places = {value: place for place, value in enumerate(values)}
    moved = [_codes(map(places.__getitem__, part.values), len(part.values))[part.codes] for part in parts]
    return Coded(objects(values), np.concatenate(moved))


def place_of(value: str, values: Array) -> int | None:
    """Find a string among sorted ones; ``None`` if it is not there."""
    place = bisect_left(values, value)
    return place if place < len(values) and values[place] == value else None


def objects(values: Sequence[Any]) -> Array:
    """Make an array of objects, whatever they are."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


class _Numbers(dict[str, int]):
    def __init__(self, accept: Callable[[str], None]) -> None:
        super().__init__()
        self._accept = accept

    def __missing__(self, value: str) -> int:
        self._accept(value)
        number = self[value] = len(self)
        return number


def _codes(numbers: Iterable[int], count: int) -> Codes:
    return np.fromiter(numbers, np.int32, count)
