"""Every combination of what may be declared and what may exist, with what the planner is to do.

A table is text: a row for each state of what exists, a column for each state of what is declared. The states are those
of the service, by kind of resource: the part "Lifecycle" of the API reference of each resource.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product

NONE = "none"
MADE = ("CREATE PENDING", "CREATE IN_PROGRESS", "ACTIVE", "CREATE FAILED")
GOING = ("DELETE PENDING", "DELETE IN_PROGRESS")
STOPPED = ("STOP PENDING", "STOP IN_PROGRESS", "INACTIVE", "START PENDING", "START IN_PROGRESS")
#: What a solution version may be
VERSION = (*MADE, "CREATE STOPPING", "CREATE STOPPED")
#: What a solution or a campaign may be
MODEL = (*MADE, *GOING)
#: What a recommender may be
RECOMMENDER = (*MADE, *STOPPED, *GOING)
#: What the latest update of a campaign or recommender may be
UPDATE = (NONE, *MADE)
#: What a batch or export job may be
JOB = MADE
#: What a data deletion job may be
DELETION = ("PENDING", "IN_PROGRESS", "COMPLETED", "FAILED")

Table = dict[tuple[str, str], str]


def parse(text: str, *parts: Sequence[str]) -> Table:
    """Read a table: what is to be done, by what exists and what is declared.

    Cells are two blanks apart or more. ``a|b`` in a row stands for either, ``any`` for all states of that part.

    :param text: The table.
    :param parts: The states of each part of what may exist.
    """
    head, *rows = (re.split(r"\s{2,}", line.strip()) for line in text.strip().splitlines())
    table: Table = {}
    for existing, *cells in rows:
        for state in _meant(existing, parts):
            for declared, cell in zip(head, cells, strict=True):
                if (state, declared) in table:
                    raise ValueError(f"{state!r} is there twice")
                table[state, declared] = cell
    return table


def states(*parts: Sequence[str]) -> list[str]:
    """The names of all combinations of states, as tables have them; and that there is nothing."""
    return [NONE, *(", ".join(combination) for combination in product(*parts))]


def _meant(existing: str, parts: Sequence[Sequence[str]]) -> list[str]:
    if existing == NONE:
        return [NONE]
    found = zip(existing.split(", "), parts, strict=True)
    return states(*(part if text == "any" else text.split("|") for text, part in found))[1:]
