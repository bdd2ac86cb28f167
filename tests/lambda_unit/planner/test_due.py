"""When what is to be done again after a while is due: the same for trainings and jobs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from personalize_lambda.planner.due import EARLY, is_due

DAY = 24 * 3600.0


@pytest.mark.parametrize(
    ("age", "due"), [(0, False), (21.9 * 3600, False), (22 * 3600, True), (DAY, True), (9 * DAY, True)]
)
def test_what_is_a_twelfth_too_young_is_due(age: float, due: bool) -> None:
    assert is_due(100 * DAY - age, DAY, 100 * DAY) is due


def test_the_guides_say_how_early() -> None:
    assert EARLY == 1 / 12
    docs = Path(__file__).parents[3] / "docs"
    said = {
        "workflow.md": ["trained is a twelfth of it early", "a twelfth of it may be missing"],
        "guides/retraining.md": ["eleven twelfths of `every` is enough"],
    }
    for page, sentences in said.items():
        text = re.sub(r"\s+", " ", (docs / page).read_text())
        assert [sentence for sentence in sentences if sentence not in text] == []
