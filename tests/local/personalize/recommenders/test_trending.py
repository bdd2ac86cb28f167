from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from personalize_local.personalize.recommenders import Event, Interactions, Request, TrainingData, evaluate, train

from .conftest import ids_of, survives_a_file

TRENDING = "aws-trending-now"
HOUR = 3600
NOW = 1_700_000_000


def steady(*, hours: int = 48, per_hour: int = 40) -> list[tuple[str, str, int]]:
    """Popular items that are always popular."""
    random = np.random.default_rng(5)
    share = 1 / np.arange(1, 31)
    return [
        (f"u{random.integers(100)}", f"item-{item}", NOW - hour * HOUR - int(random.integers(HOUR)))
        for hour in range(hours)
        for item in random.choice(30, per_hour, p=share / share.sum())
    ]


def burst(item: str, *, ago: float, events: int = 15, hours: float = 1) -> list[tuple[str, str, int]]:
    return [(f"b{n}", item, int(NOW - ago * HOUR - n * hours * HOUR / events)) for n in range(events)]


def data_of(rows: list[tuple[str, str, int]], frequency: str | None = None) -> TrainingData:
    users, items, times = zip(*rows, strict=True)
    parameters = {} if frequency is None else {"trend_discovery_frequency": frequency}
    return TrainingData(Interactions(users, items, times), hyper_parameters=parameters)


def place(item: str, found: list[str]) -> int:
    return found.index(item) if item in found else len(found)


def test_a_burst_is_found_that_popularity_and_chance_do_not_see() -> None:
    data = data_of(steady() + burst("hot", ago=0))
    trending = ids_of(train(TRENDING, data).recommend(count=31))
    popular = ids_of(train("aws-popularity-count", data).recommend(count=31))
    by_chance = [str(one) for one in np.random.default_rng(2).permutation(trending)]
    assert trending[0] == "hot"
    assert place("hot", popular) > 5
    assert place("hot", by_chance) > 0
    assert trending != popular


def test_what_was_hot_before_is_not_any_more() -> None:
    found = ids_of(train(TRENDING, data_of(steady() + burst("yesterday", ago=24), "1 hour")).recommend(count=31))
    assert place("yesterday", found) > 10


@pytest.mark.parametrize(("frequency", "first"), [("30 minutes", "sudden"), ("1 day", "slow")])
def test_the_frequency_tells_what_counts_as_a_trend(frequency: str, first: str) -> None:
    rows = steady(hours=24 * 5) + burst("sudden", ago=0, events=12, hours=0.4)
    rows += burst("slow", ago=0.6, events=60, hours=20)
    assert train(TRENDING, data_of(rows, frequency)).recommend(count=1)[0].item_id == first


def test_events_after_training_move_it() -> None:
    model = train(TRENDING, data_of(steady() + burst("hot", ago=0)))
    recent = [Event("item-25", "watch", NOW + n) for n in range(40)]
    assert ids_of(model.recommend(Request(recent=recent), count=1)) == ["item-25"]
    assert ids_of(model.recommend(Request(), count=1)) == ["hot"]
    # what is not newer was part of the training already
    old = [Event("item-25", "watch", NOW - 60 - n) for n in range(40)]
    assert model.recommend(Request(recent=old)) == model.recommend(Request())


def test_new_items_trend_without_training() -> None:
    model = train(TRENDING, data_of(steady()))
    recent = [Event("new", "watch", NOW + n) for n in range(40)]
    assert ids_of(model.recommend(Request(recent=recent), count=1)) == ["new"]
    seen = []
    model.recommend(Request(recent=recent), allowed=lambda ids: seen.append(ids) or np.ones(len(ids), dtype=np.bool_))
    model.recommend(
        Request(recent=[*recent, Event("new", "watch", NOW + 99)]),
        allowed=lambda ids: seen.append(ids) or np.ones(len(ids), dtype=np.bool_),
    )
    assert seen[0] is seen[1], "filters know a catalogue by its identity"


def test_an_unknown_frequency_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must be one of 30 minutes, .*1 day, got '5 hours'"):
        train(TRENDING, data_of(steady(), "5 hours"))


def test_accuracy_is_high_where_trends_last_and_low_where_there_are_none() -> None:
    rising = [(f"r{n}", "rising", int(NOW - 6 * HOUR + 6 * HOUR * (n / 300) ** 0.5)) for n in range(300)]
    lasting = evaluate(TRENDING, data_of(steady() + rising))
    none = evaluate(TRENDING, data_of(steady()))
    assert set(lasting) >= {"coverage", "trend_prediction_accuracy"}
    assert lasting["trend_prediction_accuracy"] > 0.5
    assert 0 <= none["trend_prediction_accuracy"] < lasting["trend_prediction_accuracy"] <= 1


def test_a_model_survives_a_file(tmp_path: Path) -> None:
    model = train(TRENDING, data_of(steady() + burst("hot", ago=0)))
    recent = [Event("new", "watch", NOW + n) for n in range(5)]
    assert survives_a_file(model, Request(recent=recent), tmp_path / "model")
