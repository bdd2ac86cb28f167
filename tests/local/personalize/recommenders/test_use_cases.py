from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cdk_personalize.use_case import USE_CASES
from personalize_local.personalize.recommenders import (
    TRAINERS,
    Event,
    Interactions,
    Request,
    Table,
    TrainingData,
    compare_with_popularity,
    evaluate,
    train,
)
from personalize_local.personalize.recommenders.evaluation import split_data

from .conftest import NDCG, ids_of, random_quality, survives_a_file

HOUR = 3600
SHELVES = 6
PER_SHELF = 10
WEEKS = 4


def ware(shelf: int, number: int) -> str:
    return f"ware-{shelf}-{number}"


def shelf_of(item_id: str) -> int:
    return int(item_id.split("-")[1])


@pytest.fixture(scope="module")
def shop() -> Interactions:
    """Everybody looks around on one shelf, and buys two wares of a pair together; views and purchases differ.

    What is looked at most is never bought. Shoppers look at the same ware several times.
    """
    random = np.random.default_rng(9)
    rows = []
    for user in range(120):
        shelf = user % SHELVES
        for week in range(WEEKS):
            start = (week * 7 * 24 + int(random.integers(48))) * HOUR
            seen = random.integers(PER_SHELF, size=5)
            for step, number in enumerate([*seen, seen[0]]):
                rows.append((f"u{user}", ware(shelf, int(number)), start + 60 * step, "View"))
            rows.append((f"u{user}", "looked-0-at", start + 400, "View"))
            pair = int(random.integers(PER_SHELF // 2))
            rows += [(f"u{user}", ware(shelf, 2 * pair + half), start + 600 + half, "Purchase") for half in (0, 1)]
            rows.append((f"u{user}", "bag-0-0", start + 3 * 24 * HOUR, "Purchase"))
            watched = random.choice(PER_SHELF, size=3, replace=False)
            rows += [(f"u{user}", ware(shelf, int(number)), start + 1200, "Watch") for number in watched]
    users, items, times, kinds = zip(*rows, strict=True)
    return Interactions(users, items, times, kinds)


@pytest.fixture(scope="module")
def wares() -> Table:
    ids = [ware(shelf, number) for shelf in range(SHELVES) for number in range(PER_SHELF)]
    return Table(ids, {"CATEGORY_L1": [f"shelf{shelf_of(one)}" for one in ids]}, frozenset({"CATEGORY_L1"}))


def test_every_use_case_has_a_trainer() -> None:
    assert USE_CASES.keys() <= TRAINERS.keys()


@pytest.mark.parametrize("name", sorted(USE_CASES))
def test_every_use_case_trains_recommends_and_is_measured(
    name: str, shop: Interactions, wares: Table, tmp_path: Path
) -> None:
    data = TrainingData(shop, wares)
    model = train(name, data)
    request = Request([Event(ware(2, 3), "View", 1)], item_id=ware(2, 4))
    assert len(model.recommend(request, count=10)) == 10
    assert survives_a_file(model, request, tmp_path / "model")
    assert train(name, data).recommend(request) == model.recommend(request)
    assert all(0 <= value <= 1 for value in evaluate(name, data).values())


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("aws-ecomm-popular-items-by-views", "looked-0-at"),
        ("aws-ecomm-popular-items-by-purchases", "bag-0-0"),
    ],
)
def test_popular_items_are_those_of_the_event_type(shop: Interactions, name: str, first: str) -> None:
    assert ids_of(train(name, TrainingData(shop)).recommend(count=1)) == [first]


@pytest.mark.parametrize(
    "name",
    [
        "aws-ecomm-customers-who-viewed-x-also-viewed",
        "aws-ecomm-frequently-bought-together",
        "aws-vod-because-you-watched-x",
        "aws-vod-more-like-x",
    ],
)
def test_related_items_are_of_the_same_shelf(shop: Interactions, wares: Table, name: str) -> None:
    model = train(name, TrainingData(shop, wares))
    popular = ids_of(train("aws-popularity-count", TrainingData(shop)).recommend(count=5))
    by_chance = list(np.random.default_rng(1).choice(wares.ids, 5, replace=False))

    def share(found: list[str], shelf: int) -> float:
        return sum(shelf_of(item_id) == shelf for item_id in found) / len(found)

    for shelf in range(1, SHELVES):
        found = share(ids_of(model.recommend(Request(item_id=ware(shelf, 3)), count=5)), shelf)
        assert found >= 0.8
        assert found > max(share(popular, shelf), share(by_chance, shelf))


def test_what_is_bought_by_the_same_people_is_related_to_what_is_viewed() -> None:
    """Who views is told by purchases what goes together: the two are hardly ever viewed by the same people."""
    rows = []
    for user in range(100):
        rows += [(f"u{user}", f"stray-0-{(user + step) % 50}", step, "View") for step in range(3)]
        rows += [(f"u{user}", f"pair-{user % 2}-{half}", 10 + half, "Purchase") for half in range(2)]
    rows += [(f"u{user}", f"pair-{user % 2}-0", 5, "View") for user in range(20)]
    users, items, times, kinds = (list(column) for column in zip(*rows, strict=True))
    every = Interactions(users, items, times, kinds)
    views = every.where(np.array(kinds) == "View")

    def first(interactions: Interactions) -> list[str]:
        model = train("aws-ecomm-customers-who-viewed-x-also-viewed", TrainingData(interactions))
        return [ids_of(model.recommend(Request(item_id=f"pair-{pair}-0"), count=1))[0] for pair in range(2)]

    assert first(every) == ["pair-0-1", "pair-1-1"]
    assert not set(first(views)) & {"pair-0-1", "pair-1-1"}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("aws-ecomm-popular-items-by-views", "View"),
        ("aws-ecomm-popular-items-by-purchases", "Purchase"),
        ("aws-vod-most-popular", "Watch"),
    ],
)
def test_popular_items_of_a_type_beat_what_is_popular_at_all_and_chance(
    shop: Interactions, name: str, kind: str
) -> None:
    """They are measured by the events of the type that they stand for."""
    events = [item for item, found in zip(shop.item_ids, shop.event_types, strict=True) if found == kind]  # type: ignore[arg-type]
    data = TrainingData(shop)
    lists = {
        "model": ids_of(train(name, data).recommend(count=5)),
        "popular": ids_of(train("aws-popularity-count", data).recommend(count=5)),
        "chance": list(np.random.default_rng(1).choice(sorted(set(shop.item_ids)), 5, replace=False)),
    }
    covered = {found: sum(item in ids for item in events) / len(events) for found, ids in lists.items()}
    assert covered["model"] > max(covered["popular"], covered["chance"])


@pytest.mark.parametrize("name", ["aws-ecomm-recommended-for-you", "aws-vod-top-picks"])
def test_use_cases_for_users_beat_popularity_and_chance(name: str, shop: Interactions, wares: Table) -> None:
    data = TrainingData(shop, wares)
    found = compare_with_popularity(name, data)
    chance = random_quality(split_data(data))
    assert found[name][NDCG] > 1.3 * found["aws-popularity-count"][NDCG]
    assert found[name][NDCG] > 3 * chance


def test_trends_of_videos_are_seen_where_popularity_and_chance_are_blind(shop: Interactions) -> None:
    last = int(shop.timestamps.max())
    hot = [(f"fan{number}", "hot-0-0", last + 60 * number, "Watch") for number in range(20)]
    users, items, times, kinds = zip(*hot, strict=True)
    everything = Interactions(
        [*shop.user_ids, *users],
        [*shop.item_ids, *items],
        [*shop.timestamps.tolist(), *times],
        [*(shop.event_types if shop.event_types is not None else ()), *kinds],
    )
    trending = ids_of(train("aws-vod-trending-now", TrainingData(everything)).recommend(count=100))
    popular = ids_of(train("aws-popularity-count", TrainingData(everything)).recommend(count=100))
    by_chance = list(np.random.default_rng(1).permutation(sorted(set(items) | set(shop.item_ids))))
    assert trending.index("hot-0-0") == 0
    assert min(popular.index("hot-0-0"), by_chance.index("hot-0-0")) >= 5


def test_what_is_in_one_basket_is_bought_together(shop: Interactions) -> None:
    together = train("aws-ecomm-frequently-bought-together", TrainingData(shop))
    viewed = train("aws-ecomm-customers-who-viewed-x-also-viewed", TrainingData(shop))
    pairs = [(ware(shelf, 2 * pair), ware(shelf, 2 * pair + 1)) for shelf in range(SHELVES) for pair in range(5)]

    def hits(model: object) -> int:
        return sum(ids_of(model.recommend(Request(item_id=one), count=1)) == [other] for one, other in pairs)  # type: ignore[attr-defined]

    assert hits(together) >= 0.9 * len(pairs)
    assert hits(together) > hits(viewed)
    # the bag is bought by everybody, but never in the same basket
    assert "bag-0-0" not in ids_of(together.recommend(Request(item_id=ware(1, 2)), count=1))


def test_shoppers_are_shown_again_what_they_have_looked_at(shop: Interactions) -> None:
    retail = train("aws-ecomm-recommended-for-you", TrainingData(shop))
    plain = train("aws-vod-top-picks", TrainingData(shop))
    history = [Event(ware(3, number), "View", number) for number in (1, 4, 7)]
    own = {event.item_id for event in history}

    def chance(model: object) -> float:
        return sum(one.score for one in model.recommend(Request(history), count=1000) if one.item_id in own)  # type: ignore[attr-defined]

    assert chance(retail) > chance(plain) + 0.1
    assert sum(one.score for one in retail.recommend(Request(history), count=1000)) == pytest.approx(1)
    # who nobody knows gets what is popular, as ever
    assert retail.recommend(Request()) == plain.recommend(Request())


def test_where_nobody_comes_back_retail_is_like_any_other(interactions: Interactions) -> None:
    history = [Event("film-3-01", None, 1)]
    retail = train("aws-ecomm-recommended-for-you", TrainingData(interactions))
    assert retail.recommend(Request(history)) == train("aws-vod-top-picks", TrainingData(interactions)).recommend(
        Request(history)
    )


def test_without_events_of_its_type_there_is_nothing_to_train_on(interactions: Interactions) -> None:
    kinds = np.full(len(interactions), "click", dtype=object)
    clicks = Interactions(interactions.user_ids, interactions.item_ids, interactions.timestamps, kinds)
    with pytest.raises(
        ValueError, match="must be events of the type Purchase for aws-ecomm-popular-items-by-purchases"
    ):
        train("aws-ecomm-popular-items-by-purchases", TrainingData(clicks))
