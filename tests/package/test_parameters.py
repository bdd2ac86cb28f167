"""The page of parameters is complete, true and up to date."""

from __future__ import annotations

import pytest

from tools import parameters

DATA = parameters.read()
OPERATIONS = parameters.operations()


def test_every_operation_that_creates_or_updates_is_listed() -> None:
    assert sorted(name for name, section in DATA.items() if isinstance(section, dict)) == list(OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_parameter_is_covered_or_omitted_with_a_reason(operation: str) -> None:
    assert sorted(DATA[operation]) == OPERATIONS[operation]
    for name, entry in DATA[operation].items():
        assert len(entry) == 1, name
        assert entry.keys() <= set(parameters.KINDS), name
        assert all(len(entry[kind]) > 10 for kind in ("library", "omitted", "not_yet") if kind in entry), name


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_said_to_set_a_parameter_exists(operation: str) -> None:
    for name, entry in DATA[operation].items():
        missing = [setter for setter in parameters.setters(entry) if not parameters.exists(setter)]
        assert not missing, name


@pytest.mark.parametrize(
    ("setter", "expected"),
    [
        ("Campaign.min_provisioned_tps", True),
        ("Campaign.min_provisioned", False),
        ("Tags.of(Campaign)", True),
        ("Tags.of(Campaigns)", False),
        ("Campaign", False),
    ],
)
def test_what_does_not_exist_is_found_out(setter: str, expected: bool) -> None:
    assert parameters.exists(setter) is expected


def test_what_cannot_be_set_yet_only_becomes_less() -> None:
    assert parameters.count(DATA, "not_yet") == DATA["not_yet"], "count again; the number may only go down"


def test_the_page_is_up_to_date() -> None:
    """`python -m tools.parameters` writes it."""
    assert parameters.PAGE.read_text(encoding="utf-8") == parameters.page()
