from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from personalize_local.personalize.columns import Column
from personalize_local.personalize.contents import EntityContents, InteractionsContents, PutEvent


def imported(*rows: tuple[str, str, int]) -> InteractionsContents:
    contents = InteractionsContents()
    users, items, times = zip(*rows, strict=True)
    columns = {
        "USER_ID": np.array(users, dtype=object),
        "ITEM_ID": np.array(items, dtype=object),
        "TIMESTAMP": np.array(times, dtype=np.int64),
    }
    contents.commit(contents.prepare(columns, replace=True))
    return contents


def event(item: str, timestamp: int, session: str) -> PutEvent:
    return PutEvent(item, timestamp, None, None, session)


def items(contents: InteractionsContents, user: str) -> list[str]:
    return [event.item_id for event in contents.history(user)]


def test_history_is_in_the_order_of_time() -> None:
    contents = imported(("a", "late", 30), ("b", "other", 1), ("a", "early", 10))
    contents.put(event("between", 20, "s"), user_id="a", event_id=None)
    assert items(contents, "a") == ["early", "between", "late"]
    assert items(contents, "nobody") == []


@pytest.mark.parametrize("latest", [3, 2**40, 2**62])
def test_rows_of_one_second_stay_in_order(latest: int) -> None:
    chance = random.Random(1)
    rows = [(chance.choice("abc"), str(row), chance.choice([0, 1, 70_000, latest])) for row in range(300)]
    found = imported(*rows).interactions()
    assert list(zip(found.user_ids, found.item_ids, found.timestamps, strict=True)) == sorted(
        rows, key=lambda row: (row[0], row[2])
    )


def test_a_session_named_like_a_user_is_not_that_user() -> None:
    contents = imported(("u1", "imported", 1))
    contents.put(event("theirs", 2, "s"), user_id="u1", event_id=None)
    contents.put(event("not-theirs", 3, "u1"), user_id="u2", event_id=None)
    assert items(contents, "u1") == ["imported", "theirs"]
    assert items(contents, "u2") == ["not-theirs"]


def test_the_user_of_a_session_may_change() -> None:
    contents = InteractionsContents()
    for number, user in enumerate((None, "a", None, "b", None)):
        contents.put(event(str(number), number, "s"), user_id=user, event_id=None)
    assert items(contents, "a") == ["0", "1", "2"]
    assert items(contents, "b") == ["3", "4"]
    assert items(contents, "s") == []


def test_rows_to_train_on() -> None:
    contents = imported(("a", "i", 1))
    contents.put(event("j", 2, "s"), user_id=None, event_id=None)
    found = contents.interactions()
    assert list(zip(found.user_ids, found.item_ids, found.timestamps, strict=True)) == [("a", "i", 1), ("s", "j", 2)]
    assert found.event_types is None
    assert found.event_values is None
    assert len(contents) == 2


USER_COLUMNS = (Column("USER_ID", "string"), Column("AGE", "int", nullable=True), Column("CITY", "string"))


def test_a_row_is_the_newest_of_its_id() -> None:
    contents = EntityContents("USER_ID")

    def bring(*rows: tuple[str, int, str]) -> None:
        ids, ages, cities = (np.array(column, dtype=object) for column in zip(*rows, strict=True))
        columns = {"USER_ID": ids, "AGE": ages.astype(np.int64), "CITY": cities}
        contents.commit(contents.prepare(columns, replace=True))

    assert contents.row(USER_COLUMNS, "a") is None
    contents.put("c", {"CITY": "Rome"})
    bring(("a", 1, "Bonn"), ("b", 2, "Kiel"))
    contents.put("b", {"AGE": 3.0})
    rows = {id_: contents.row(USER_COLUMNS, id_) for id_ in "abcd"}
    assert rows["a"] == {"AGE": 1.0, "CITY": "Bonn"}
    assert rows["b"] == {"AGE": 3.0, "CITY": None}
    assert rows["c"] is not None
    assert np.isnan(rows["c"]["AGE"])
    assert rows["d"] is None
    bring(("b", 4, "Graz"))
    assert contents.row(USER_COLUMNS, "b") == {"AGE": 4.0, "CITY": "Graz"}
    table = contents.table(USER_COLUMNS)
    for place, id_ in enumerate(table.ids):
        row = contents.row(USER_COLUMNS, id_)
        assert row is not None
        assert str(row) == str({name: _plain(values[place]) for name, values in table.columns.items()})


def _plain(value: object) -> object:
    return float(value) if isinstance(value, float) else value


def test_what_is_kept_and_taken_up_again() -> None:
    contents = imported(("a", "i", 1), ("b", "j", 2))
    journal: list[list[Any]] = []
    contents.journal = lambda row: journal.append(json.loads(json.dumps(row)))
    contents.put(event("k", 3, "s"), user_id="a", event_id="e")
    contents.put(event("l", 4, "t"), user_id="b", event_id=None)
    with contents.importing:
        assert contents.forget({"a", "nobody"}) == 2
    contents.put(event("m", 5, "s"), user_id=None, event_id=None)
    again = InteractionsContents()
    again.restore(contents.arrays())
    for row in journal:
        again.put_again(row)
    for found in (contents, again):
        assert items(found, "a") == []
        assert items(found, "b") == ["j", "l"]
        assert items(found, "s") == ["m"]
        assert found.put(event("n", 6, "s"), user_id=None, event_id="e") is False


def test_entities_are_kept_and_taken_up_again() -> None:
    columns = (Column("USER_ID", "string"), Column("AGE", "int"))
    contents = EntityContents("USER_ID")
    rows = {"USER_ID": np.array(["b", "a", "b"], dtype=object), "AGE": np.array([1, 2, 3], dtype=np.int64)}
    contents.commit(contents.prepare(rows, replace=True))
    journal: list[list[Any]] = []
    contents.journal = lambda row: journal.append(json.loads(json.dumps(row)))
    contents.put("a", {"AGE": 4.0})
    contents.put("c", {"AGE": 5.0})
    with contents.importing:
        assert contents.forget({"b", "c", "d"}) == 2
    again = EntityContents("USER_ID")
    again.restore(contents.arrays())
    for row in journal:
        again.put_again(row)
    for found in (contents, again):
        assert found.row(columns, "a") == {"AGE": 4.0}
        assert found.row(columns, "b") is None
        assert found.table(columns).ids.tolist() == ["a"]
        assert len(found) == 1


class Interrupted(dict[str, Any]):
    """Columns of an import; while they are looked at, something else happens."""

    def __init__(self, columns: dict[str, Any], happens: Callable[[], None]) -> None:
        super().__init__(columns)
        self._happens = happens

    def values(self) -> Any:
        self._happens()
        return super().values()


def test_rows_that_come_during_an_import() -> None:
    """What comes while an import is prepared is either older or newer than it, in the memory as on the disk."""
    columns = (Column("ITEM_ID", "string"), Column("YEAR", "int", nullable=True))
    contents, again = EntityContents("ITEM_ID"), EntityContents("ITEM_ID")
    journal: list[list[Any]] = []
    contents.journal = journal.append
    rows = {"ITEM_ID": np.array(["i", "j"], dtype=object), "YEAR": np.array([1990.0, 1990.0])}
    prepared = contents.prepare(Interrupted(rows, lambda: contents.put("i", {"YEAR": 2001})), replace=True)
    contents.put("j", {"YEAR": 2002})
    contents.commit(prepared)
    again.restore(contents.arrays())
    for row in journal:
        again.put_again(row)
    found = [each.table(columns).columns["YEAR"].tolist() for each in (contents, again)]
    assert found[0] == found[1]
    numbers = [*contents.arrays()[""][:1].tolist(), *(row[0] for row in journal)]
    assert len(set(numbers)) == 3
    assert contents.row(columns, "j") == {"YEAR": 2002.0}


@pytest.mark.parametrize("replace", [False, True])
def test_events_that_come_during_an_import(replace: bool) -> None:
    """Neither mode of import loses them; a replacing one drops what was imported before."""
    contents = imported(("u", "old", 1))
    rows = {
        "USER_ID": np.array(["u"], dtype=object),
        "ITEM_ID": np.array(["new"], dtype=object),
        "TIMESTAMP": np.array([2], dtype=np.int64),
    }
    contents.put(event("before", 3, "s"), user_id="u", event_id=None)
    prepared = contents.prepare(rows, replace=replace)
    contents.put(event("during", 4, "s"), user_id="u", event_id=None)
    assert items(contents, "u") == ["old", "before", "during"]
    contents.commit(prepared)
    assert items(contents, "u") == [*([] if replace else ["old"]), "new", "before", "during"]
