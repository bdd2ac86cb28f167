"""Every rule refuses something and accepts its neighbour, and no rule can be taken out unnoticed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import cache

import pytest

from tests.unit.rules import applications, datasets, filters, jobs, models, schemas
from tests.unit.rules.rule import Rule, complaint
from tests.unit.rules.sites import ROOT, Lines, Site, code_at, disabled, lines_run, sites

RULES = (*schemas.RULES, *filters.RULES, *datasets.RULES, *models.RULES, *jobs.RULES, *applications.RULES)

NO_RULES = {
    "__init__.py": ("raise AttributeError(", "what Python asks of a module"),
    "_assets.py": ("raise FileNotFoundError(", "a broken installation"),
    "_nag.py": ("raise ValueError(", "a mistake in this library"),
    "published.py": ("yield ", "what is published"),
    "workflow/transitions.py": ("raise ValueError(", "a mistake in this library"),
    "workflow/resources.py": ("raise RuntimeError(", "a mistake in this library"),
}
"""Statements that refuse no declaration, by module: how they start, and why they are none."""


def identity(rule: Rule) -> str:
    return rule.says[:60]


@cache
def refused(index: int) -> tuple[str, Lines]:
    """Return the complaint about the bad value of a rule, and the lines that ran."""
    rule = RULES[index]
    said, lines = lines_run(lambda: complaint(rule, rule.bad))
    return str(said), lines


@cache
def reached() -> dict[Site, list[int]]:
    """Return the rules whose bad value reaches each statement."""
    found: dict[Site, list[int]] = defaultdict(list)
    for site in sites():
        for index in range(len(RULES)):
            if code_at(site, refused(index)[1]):
                found[site].append(index)
    return found


def is_rule(site: Site) -> bool:
    start, _reason = NO_RULES.get(site.path, ("-", ""))
    return not site.text.startswith(start)


@pytest.mark.parametrize("index", range(len(RULES)), ids=[identity(rule) for rule in RULES])
def test_what_is_bad_is_refused_and_its_neighbour_is_not(index: int) -> None:
    rule = RULES[index]

    assert rule.says in refused(index)[0]
    assert complaint(rule, rule.good) == ""


def test_every_statement_that_refuses_has_a_bad_declaration() -> None:
    without = [str(site) for site in sites() if is_rule(site) and site not in reached()]

    assert not without, (
        f"{len(without)} statements refuse what no Rule of tests/unit/rules declares; add one for each:\n  "
        + "\n  ".join(without)
    )


def test_no_rule_can_be_taken_out() -> None:
    unnoticed = []
    for site, indexes in reached().items():
        if not is_rule(site):
            continue
        code = next(code for index in indexes if (code := code_at(site, refused(index)[1])))
        with disabled(site, code):
            if all(RULES[index].says in _outcome(RULES[index]) for index in indexes):
                unnoticed.append(str(site))

    assert not unnoticed, "nothing changes when these are taken out:\n  " + "\n  ".join(unnoticed)


def _outcome(rule: Rule) -> str:
    try:
        return complaint(rule, rule.bad)
    except Exception as error:  # what a missing rule leads to may be anything
        return f"{type(error).__name__}: {error}"


def test_what_is_no_rule_is_there() -> None:
    found = {site.path for site in sites() if not is_rule(site)}

    assert found == set(NO_RULES)


def test_no_problem_is_collected_where_it_cannot_be_seen() -> None:
    """Problems are raised or yielded, which is what the other tests look for."""
    hidden = [path.name for path in ROOT.rglob("*.py") if "problems.append(" in path.read_text()]

    assert hidden == []


@pytest.mark.parametrize("make", models.TOKENS)
def test_what_is_not_known_yet_passes(make: Callable[[], object]) -> None:
    make()
