"""Writes docs/parameters.md, which says what sets each parameter of the service: `python -m tools.parameters`.

Which parameters there are is read from botocore's model; what sets each stands in tools/parameters.toml.
"""

import inspect
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import botocore.session

import cdk_personalize

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "tools" / "parameters.toml"
PAGE = ROOT / "docs" / "parameters.md"

KINDS = ("by", "library", "omitted", "not_yet")
"""A parameter is set by parameters of constructs, by the library itself, left out for a reason, or not there yet."""

_OPERATION = re.compile(r"(Create|Update)[A-Z]")
_WHOLE = ("Tags",)  # lists that are set as one
_SETTER = re.compile(r"(?P<tags>Tags\.of\()?(?P<owner>\w+)(?:\.(?P<name>\w+)|\))")

_HEAD = """# What sets each parameter of Amazon Personalize

<!-- Written by `python -m tools.parameters` from tools/parameters.toml; change that, not this page. -->

Every parameter of every operation that creates or updates something. `Campaign.min_provisioned_tps` is the parameter
of that name of the construct `Campaign`; a member of a nested structure is written `campaignConfig.rankingInfluence`,
one of a list of structures `metrics[].metricName`.

"""
_CELLS = {
    "by": "{}",
    "library": "the library: {}",
    "omitted": "left out on purpose: {}",
    "not_yet": "**not yet**: {}",
}


def read() -> dict[str, Any]:
    """What the data file says."""
    return tomllib.loads(DATA.read_text(encoding="utf-8"))


def operations() -> dict[str, list[str]]:
    """The parameters of each operation that creates or updates something, as botocore knows them."""
    model = botocore.session.get_session().get_service_model("personalize")
    return {
        name: sorted(_leaves(model.operation_model(name).input_shape, ""))
        for name in sorted(model.operation_names)
        if _OPERATION.match(name)
    }


def setters(entry: Mapping[str, Any]) -> list[str]:
    """What sets a parameter: parameters of constructs, or the tags of a construct."""
    found = entry.get("by", [])
    return [found] if isinstance(found, str) else list(found)


def exists(setter: str) -> bool:
    """Whether there is such a parameter or factory of a construct, or such a construct to set tags on."""
    match = _SETTER.fullmatch(setter)
    owner = getattr(cdk_personalize, match["owner"], None) if match else None
    if match is None or owner is None:
        return False
    if match["tags"]:
        return match["name"] is None
    is_factory = callable(getattr(owner, match["name"] or "", None))
    return is_factory or match["name"] in inspect.signature(owner.__init__).parameters


def count(data: Mapping[str, Any], kind: str) -> int:
    """How many parameters are of one of the ``KINDS``."""
    return sum(kind in entry for section in data.values() if isinstance(section, dict) for entry in section.values())


def page() -> str:
    """The text of the page."""
    return _HEAD + "\n".join(_lines(read())) + "\n"


def _lines(data: Mapping[str, Any]) -> Iterator[str]:
    found = {kind: count(data, kind) for kind in KINDS}
    yield (
        f"Of {sum(found.values())} parameters, {found['by']} are set by a parameter of a construct and "
        f"{found['library']} by the library itself; {found['omitted']} are left out on purpose, {found['not_yet']} "
        "cannot be set yet."
    )
    for operation, parameters in operations().items():
        yield from ("", f"## {operation}", "", "| Parameter | Set by |", "|---|---|")
        for parameter in parameters:
            yield f"| `{parameter}` | {_cell(data[operation][parameter])} |"


def _cell(entry: Mapping[str, Any]) -> str:
    [kind] = (kind for kind in KINDS if kind in entry)
    said = ", ".join(f"`{setter}`" for setter in setters(entry)) if kind == "by" else str(entry[kind])
    return _CELLS[kind].format(said).replace("|", "\\|")


def _leaves(shape: Any, path: str) -> Iterator[str]:
    if shape.type_name == "structure" and shape.members:
        for name, member in shape.members.items():
            yield from _leaves(member, f"{path}.{name}".lstrip("."))
    elif shape.type_name == "list" and shape.name not in _WHOLE:
        yield from _leaves(shape.member, f"{path}[]")
    else:
        yield path


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
