from __future__ import annotations

import pytest

from personalize_local.personalize import impressions


def test_the_oldest_answers_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(impressions, "REMEMBERED", 2)
    shown = impressions.Impressions()
    for number in range(3):
        shown.remember(f"r{number}", [f"i{number}"], "live")
    assert shown.find("r0") is None
    assert shown.find("r2") == impressions.Shown(("i2",), "live")
    assert shown.find(None) is None
