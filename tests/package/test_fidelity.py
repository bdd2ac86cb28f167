"""The fidelity page is complete and up to date."""

from __future__ import annotations

from typing import Any

import pytest

from personalize_local.cloud.adapter.resource_types import TYPES
from tools import fidelity
from tools.facts import FACTS

DATA = fidelity.read()


def entries(section: str) -> dict[str, Any]:
    return {name: entry for name, entry in DATA[section].items() if name != "general"}


@pytest.mark.parametrize("service", fidelity.SERVICES)
def test_every_operation_is_described(service: str) -> None:
    assert sorted(entries(service)) == fidelity.operation_names(service)


def test_every_resource_type_is_described() -> None:
    assert sorted(entries(fidelity.TYPES)) == sorted(resource_type.kind for resource_type in TYPES)


@pytest.mark.parametrize("section", [*fidelity.SERVICES, fidelity.TYPES])
def test_entries(section: str) -> None:
    for name, entry in entries(section).items():
        assert entry["does"], name
        assert entry.keys() <= {"does", "differs", "uncertain"}, name
        assert FACTS.keys() >= set(entry.get("uncertain", [])), name


def test_every_uncertain_fact_has_a_probe_or_a_reason_for_having_none() -> None:
    probed, unsettled = fidelity.probes().keys(), DATA[fidelity.UNSETTLED].keys()
    assert probed & unsettled == set()
    assert probed | unsettled == FACTS.keys()


def test_the_page_is_up_to_date() -> None:
    """`python -m tools.fidelity` writes it."""
    assert fidelity.PAGE.read_text(encoding="utf-8") == fidelity.page()
