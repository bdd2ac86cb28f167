"""The newest answers are remembered, also in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from personalize_local.personalize import impressions
from personalize_local.personalize.impressions import Impressions, ImpressionsFile, Shown


def test_the_oldest_answers_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(impressions, "REMEMBERED", 2)
    shown = Impressions()
    for number in range(3):
        shown.remember(f"r{number}", [f"i{number}"], "live")
    assert shown.find("r0") is None
    assert shown.find("r2") == Shown(("i2",), "live")
    assert shown.find(None) is None


def add(file: ImpressionsFile, *numbers: int) -> None:
    for number in numbers:
        file.append("000000000000", "us-east-1", f"r{number}", Shown((f"i{number}",), "live"))


def kept(folder: Path) -> list[str]:
    file = ImpressionsFile(folder)
    try:
        return [recommendation_id for _, _, recommendation_id, _ in file.read()]
    finally:
        file.close()


def test_a_file_has_the_newest_answers_and_not_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Also after a restart, which counts what is there."""
    monkeypatch.setattr(impressions, "REMEMBERED", 3)
    file = ImpressionsFile(tmp_path)
    add(file, *range(8))
    assert kept(tmp_path) == ["r3", "r4", "r5", "r6", "r7"]
    again = ImpressionsFile(tmp_path)
    assert list(again.read())[-1] == ("000000000000", "us-east-1", "r7", Shown(("i7",), "live"))
    add(again, 8, 9)
    assert kept(tmp_path) == ["r6", "r7", "r8", "r9"]
    again.clear()
    assert kept(tmp_path) == []
    add(again, 10)
    assert kept(tmp_path) == ["r10"]
    again.close()
    add(again, 11)
    assert kept(tmp_path) == ["r10"]


def test_half_a_line_spoils_no_other(tmp_path: Path) -> None:
    file = ImpressionsFile(tmp_path)
    add(file, 1)
    file.close()
    with (tmp_path / "impressions.jsonl").open("ab") as torn:
        torn.write(b'["000000000000", "us-ea')
    again = ImpressionsFile(tmp_path)
    add(again, 2)
    again.close()
    assert kept(tmp_path) == ["r1", "r2"]
