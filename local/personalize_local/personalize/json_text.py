"""JSON as clients write it, which may be anything."""

from __future__ import annotations

import json
from typing import Any, NoReturn


def read_json(text: str) -> Any:
    """Read JSON.

    :raises ValueError: also for numbers that JSON does not have, for halves of surrogate pairs, which can be neither
        stored nor sent back, and for what is nested too deeply.
    """
    try:
        value = json.loads(text, parse_constant=_refuse)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return value


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")
