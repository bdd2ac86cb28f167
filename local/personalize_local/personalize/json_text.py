"""JSON as clients write it, which may be anything."""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn

MAX_DEPTH: Final = 100
"""Deeper than anything that the service takes; Python's own limit depends on who calls."""

_BRACKETS = re.compile(r'"(?:\\.|[^"\\])*"|[\[\]{}]')


def read_json(text: str) -> Any:
    """Read JSON.

    :raises ValueError: also for numbers that JSON does not have, for halves of surrogate pairs, which can be neither
        stored nor sent back, and for what is nested too deeply.
    """
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        raise ValueError(f"it is nested too deeply, at most {MAX_DEPTH} levels are read")
    value = json.loads(text, parse_constant=_refuse)
    if "\\u" in text:
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _depth(text: str) -> int:
    """How deep arrays and objects are nested, at most; what is wrong with the text otherwise does not matter."""
    depth = deepest = 0
    for match in _BRACKETS.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(match[0], 0)
        deepest = max(deepest, depth)
    return deepest


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")
