from __future__ import annotations

from personalize_local.personalize.recommenders import Table
from personalize_local.personalize.serving import AutoUpdate

HOUR = 3600.0


def test_new_items_are_taken_up_every_two_hours() -> None:
    update, tables = AutoUpdate(), [Table([str(number)]) for number in range(5)]
    update.begin(100.0)
    assert update.items(tables[0], 100.0) is None
    assert update.items(tables[0], 99.0 + 2 * HOUR) is None
    assert update.items(tables[1], 100.0 + 2 * HOUR) is tables[1]
    assert update.items(tables[2], 99.0 + 4 * HOUR) is tables[1]
    assert update.items(tables[2], 101.0 + 4 * HOUR) is tables[2]
    update.stop()
    assert update.items(tables[3], 100 * HOUR) is tables[2]


def test_where_no_time_passes_items_are_taken_up_at_once() -> None:
    update, tables = AutoUpdate(), [Table([str(number)]) for number in range(2)]
    update.begin(float("inf"))
    assert [update.items(table, float("inf")) for table in tables] == tables
