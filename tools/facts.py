"""What is uncertain about the service, and what the emulator takes for true: read from `uncertain.py`, nothing else."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from personalize_local.personalize import Uncertain, uncertain

_SWITCH = re.compile(r":param (\w+): (.*?)(?=\n:param|\Z)", re.DOTALL)
_CONSTANT = re.compile(r"([A-Z][A-Z0-9_]*) = ")
_PLACEHOLDER = re.compile(r"\{\w+\}")


@dataclass(frozen=True)
class Fact:
    """Something that no document says.

    :param id: the switch or the constant in `uncertain.py`.
    :param question: what is not known.
    :param assumed: what the emulator does until somebody sees the real service answer.
    """

    id: str
    question: str
    assumed: Any

    def agrees(self, answer: Any) -> bool:
        """Tell whether an answer of the service is what the emulator assumes; placeholders stand for any text."""
        if not isinstance(self.assumed, str) or not isinstance(answer, str):
            return bool(self.assumed == answer)
        parts = [re.escape(part) for part in _PLACEHOLDER.split(self.assumed)]
        return re.fullmatch(".*".join(parts), answer, re.DOTALL) is not None


def _read() -> dict[str, Fact]:
    switches = dict(_SWITCH.findall(inspect.getdoc(Uncertain) or ""))
    values = dataclasses.asdict(Uncertain())
    facts = {name: Fact(name, _one_line(switches[name]), value) for name, value in values.items()}
    comment = ""
    for line in inspect.getsource(uncertain).splitlines():
        # A comment is of all constants that follow it without a blank line between.
        if line.startswith("#:"):
            comment += line.removeprefix("#:")
        elif comment and (found := _CONSTANT.match(line)):
            facts[found[1]] = Fact(found[1], _one_line(comment), getattr(uncertain, found[1]))
        elif not line:
            comment = ""
    return facts


def _one_line(text: str) -> str:
    return " ".join(text.split())


FACTS: Mapping[str, Fact] = _read()
