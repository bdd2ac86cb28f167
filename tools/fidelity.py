"""Writes docs/fidelity.md, which says how true to AWS the local cloud is: `python -m tools.fidelity`.

What is said of each operation stands in local/personalize_local/fidelity.toml. Which operations there are is read from
botocore's models, which of them are emulated from the emulator, what is uncertain from `uncertain.py`, and which test
settles that from the conformance tests.
"""

import ast
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import botocore.session

from personalize_local.personalize.operations import OPERATIONS
from tools.facts import FACTS

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "local" / "personalize_local" / "fidelity.toml"
PAGE = ROOT / "docs" / "fidelity.md"
PROBES = ROOT / "tests" / "conformance"
SERVICES = ("personalize", "personalize-runtime", "personalize-events")
TYPES = "cloudformation"
UNSETTLED = "unsettled"

_HEAD = """# How true to AWS the local cloud is

<!-- Written by `python -m tools.fidelity` from local/personalize_local/fidelity.toml; change that, not this page. -->

"""


def read() -> dict[str, Any]:
    """What the data file says."""
    return tomllib.loads(DATA.read_text(encoding="utf-8"))


def operation_names(service: str) -> list[str]:
    """The operations of a service, as botocore knows them."""
    return sorted(botocore.session.get_session().get_service_model(service).operation_names)


def probes() -> dict[str, str]:
    """The test that settles each uncertain fact."""
    files = sorted(PROBES.glob("test_uncertain*.py"))
    tests = [statement for file in files for statement in ast.parse(file.read_text(encoding="utf-8")).body]
    return {
        str(call.args[0].value): test.name
        for test in tests
        if isinstance(test, ast.FunctionDef)
        for call in ast.walk(test)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "settle"
        and isinstance(call.args[0], ast.Constant)
    }


def page() -> str:
    """The text of the page."""
    return _HEAD + "\n".join(_lines(read())) + "\n"


def _lines(data: Mapping[str, Any]) -> Iterator[str]:
    total = sum(len(operation_names(service)) for service in SERVICES)
    emulated = sum((service, name) in OPERATIONS for service in SERVICES for name in operation_names(service))
    yield f"{emulated} of {total} operations are emulated. Of all of them this is true:"
    yield ""
    yield from (f"* {sentence}" for sentence in data["general"])
    for service in SERVICES:
        yield from ("", f"## {service}", "", "| Operation | Emulated | Differs | Uncertain |", "|---|---|---|---|")
        for name in operation_names(service):
            yield _row(name, data[service][name], (service, name) in OPERATIONS)
    yield from ("", "## CloudFormation", "", "Native templates deploy. What is true of all types:", "")
    yield from (f"* {sentence}" for sentence in data[TYPES]["general"])
    yield from ("", "| Type | Emulated | Differs | Uncertain |", "|---|---|---|---|")
    for name, entry in data[TYPES].items():
        if name != "general":
            yield _row(f"AWS::Personalize::{name}", entry, True)
    yield from ("", "## What is uncertain", "")
    yield "No document says these things. The local cloud assumes one answer each, in one place, `uncertain.py`;"
    yield "[conformance tests](conformance.md) find the answer of a real account."
    yield from ("", "| Fact | Question | Assumed | Test, or why there is none |", "|---|---|---|---|")
    settled_by = probes()
    for fact in FACTS.values():
        test = f"`{settled_by[fact.id]}`" if fact.id in settled_by else _cell(data[UNSETTLED][fact.id])
        yield f"| `{fact.id}` | {_cell(fact.question)} | {_cell(f'`{fact.assumed}`')} | {test} |"


def _row(name: str, entry: Mapping[str, Any], emulated: bool) -> str:
    uncertain = ", ".join(f"`{fact}`" for fact in entry.get("uncertain", []))
    does = entry["does"] if emulated else f"**not yet**: {entry['does']}"
    return f"| {name} | {_cell(does)} | {_cell(entry.get('differs', ''))} | {uncertain} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
