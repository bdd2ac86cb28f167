"""Checks requests and responses against the API's own shapes.

SDKs check types and what is required; patterns, maximum lengths and enumerations are checked by the service alone.
The texts follow those of other AWS services that speak JSON.
"""

from __future__ import annotations

import datetime
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np

from .api import Shape
from .errors import invalid_input

# classes of Java that Python does not know, and what is nearest; only the last one never stands within brackets
_CATEGORIES = {r"\p{L}": r"\w", r"\p{N}": r"\d", r"\p{Z}": r"\s", r"\p{ASCII}": r"[\x00-\x7F]"}

#: brings a value into one form; what does not have the type of its shape is appended to the list
_Normalizer = Callable[[Any, list[str]], Any]

_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (Mapping,),
    "map": (Mapping,),
    "list": (list, tuple),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float, str, datetime.datetime),
}
_ARTICLES = {kind: "an" if kind == "integer" else "a" for kind in _TYPES}
#: how large values of a type can be, either way; of a timestamp: up to the year 9999
_LIMITS = {
    "integer": 2**31 - 1,
    "long": 2**63 - 1,
    "float": float(np.finfo(np.float32).max),
    "double": sys.float_info.max,
    "timestamp": 253_402_300_799,
}


def check_request(shape: Shape | None, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Check the parameters of an operation and bring them into one form.

    :param shape: the operation's input shape.
    :param parameters: by member name. Members that are null or that the shape does not know are left out, as the
        service does.
    :returns: the parameters; timestamps are Unix time in seconds.
    :raises ServiceError: InvalidInputException that names every violation.
    """
    if shape is None:
        return {}
    normalized, fits = _normalized(shape, parameters)
    violations = list(
        _constraint_violations(shape, normalized, "") if fits else _type_violations(shape, normalized, "")
    )
    if violations:
        plural = "error" if len(violations) == 1 else "errors"
        raise invalid_input(f"{len(violations)} validation {plural} detected: {'; '.join(violations)}")
    return dict(normalized)


def shape_response(shape: Shape | None, response: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what the output shape knows.

    :raises RuntimeError: if what is left does not fit the shape: a defect of the emulator, never of the client.
    """
    if shape is None:
        return {}
    # patterns are not checked: some of the model's are wrong for outputs (the role of an import job)
    kept, fits = _normalized(shape, response)
    if not fits:
        wrong = "; ".join(_type_violations(shape, kept, ""))
        raise RuntimeError(f"the response does not fit the shape {shape.name}: {wrong}")
    return dict(kept)


def _normalized(shape: Shape, value: Any) -> tuple[Any, bool]:
    """Bring a value into one form, and tell whether its types are right."""
    misfits: list[str] = []
    return _normalizer(shape)(value, misfits), not misfits


@cache
def _normalizer(shape: Shape) -> _Normalizer:
    """Make what brings values of a shape into one form; since every call needs it, the shape is read only once."""
    if shape.type_name in _NORMALIZERS:
        return _NORMALIZERS[shape.type_name](shape)

    def plain(value: Any, misfits: list[str]) -> Any:
        if not _is_right(shape.type_name, value):
            misfits.append(shape.name)
        return value

    return plain


def _structure(shape: Shape) -> _Normalizer:
    members = {name: _normalizer(member) for name, member in shape.members.items()}
    required = frozenset(shape.required_members)

    def structure(value: Any, misfits: list[str]) -> Any:
        if not isinstance(value, Mapping):
            misfits.append(shape.name)
            return value
        kept = {
            name: normalizer(value[name], misfits)
            for name, normalizer in members.items()
            if value.get(name) is not None
        }
        if not required <= kept.keys():
            misfits.append(shape.name)
        return kept

    return structure


def _list(shape: Shape) -> _Normalizer:
    normalizer = _normalizer(shape.member)

    def items(value: Any, misfits: list[str]) -> Any:
        if not isinstance(value, (list, tuple)):
            misfits.append(shape.name)
            return value
        return [normalizer(item, misfits) for item in value]

    return items


def _map(shape: Shape) -> _Normalizer:
    keys, values = _normalizer(shape.key), _normalizer(shape.value)

    def entries(value: Any, misfits: list[str]) -> Any:
        if not isinstance(value, Mapping):
            misfits.append(shape.name)
            return value
        return {keys(key, misfits): values(item, misfits) for key, item in value.items()}

    return entries


def _moment(shape: Shape) -> _Normalizer:
    def moment(value: Any, misfits: list[str]) -> Any:
        seconds = _timestamp(value)
        if not _is_right("timestamp", seconds):
            misfits.append(shape.name)
        return seconds

    return moment


_NORMALIZERS: dict[str, Callable[[Shape], _Normalizer]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "timestamp": _moment,
}


def _timestamp(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    if isinstance(value, str):
        try:
            return datetime.datetime.fromisoformat(value).timestamp()
        except (ValueError, OverflowError):
            return value
    return value


def _is_right(kind: str, value: Any) -> bool:
    """Whether a value has a type, by itself."""
    if not isinstance(value, _TYPES[kind]) or (kind != "boolean" and isinstance(value, bool)):
        return False
    if kind in _LIMITS:
        # the order of these comparisons refuses what is not a number, too
        return isinstance(value, (int, float)) and -_LIMITS[kind] <= value <= _LIMITS[kind]
    return True


def _type_violations(shape: Shape, value: Any, path: str) -> Iterator[str]:
    kind = shape.type_name
    if not _is_right(kind, value):
        yield f"Value {_shown(value)} at '{path}' failed to satisfy constraint: Member must be {_ARTICLES[kind]} {kind}"
        return
    if kind == "structure":
        for name in shape.required_members:
            if name not in value:
                yield f"Value null at '{_join(path, name)}' failed to satisfy constraint: Member must not be null"
        for name, item in value.items():
            yield from _type_violations(shape.members[name], item, _join(path, name))
    elif kind == "list":
        for index, item in enumerate(value, start=1):
            yield from _type_violations(shape.member, item, f"{path}.{index}.member")
    elif kind == "map":
        for key, item in value.items():
            yield from _type_violations(shape.key, key, f"{path}.key")
            yield from _type_violations(shape.value, item, f"{path}.{key}.member")


def _constraint_violations(shape: Shape, value: Any, path: str) -> Iterator[str]:
    kind = shape.type_name
    for constraint in _CONSTRAINTS.get(kind, ()):
        wanted = constraint(shape, value)
        if wanted:
            yield f"Value {_shown(value)} at '{path}' failed to satisfy constraint: {wanted}"
    if kind == "structure":
        for name, item in value.items():
            yield from _constraint_violations(shape.members[name], item, _join(path, name))
    elif kind == "list":
        for index, item in enumerate(value, start=1):
            yield from _constraint_violations(shape.member, item, f"{path}.{index}.member")
    elif kind == "map":
        for key, item in value.items():
            yield from _constraint_violations(shape.key, key, f"{path}.key")
            yield from _constraint_violations(shape.value, item, f"{path}.{key}.member")


def _length(shape: Shape, value: Any) -> str | None:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and len(value) < least:
        return f"Member must have length greater than or equal to {least}"
    if most is not None and len(value) > most:
        return f"Member must have length less than or equal to {most}"
    return None


def _range(shape: Shape, value: Any) -> str | None:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and value < least:
        return f"Member must have value greater than or equal to {least}"
    if most is not None and value > most:
        return f"Member must have value less than or equal to {most}"
    return None


def violates_pattern(shape: Shape, value: str) -> str | None:
    """Say what is wanted, if a string does not have the form that its shape asks for."""
    pattern = shape.metadata.get("pattern")
    if pattern is None or _compiled(pattern).fullmatch(value):
        return None
    return f"Member must satisfy regular expression pattern: {pattern}"


def _enumeration(shape: Shape, value: str) -> str | None:
    if not shape.enum or value in shape.enum:
        return None
    return f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"


_CONSTRAINTS: dict[str, tuple[Callable[[Shape, Any], str | None], ...]] = {
    "string": (_length, violates_pattern, _enumeration),
    "list": (_length,),
    "map": (_length,),
    "integer": (_range,),
    "long": (_range,),
    "float": (_range,),
    "double": (_range,),
}


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    for category, nearest in _CATEGORIES.items():
        pattern = pattern.replace(category, nearest)
    return re.compile(pattern)


def _shown(value: Any) -> str:
    text = str(value)
    return f"'{text[:200]}...'" if len(text) > 200 else f"'{text}'"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
