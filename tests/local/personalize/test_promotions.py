from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from .films import DRAMAS, Films, Planted

FUNNY = {"GENRES": '"Fun"'}


@pytest.fixture
def campaign(films: Films) -> str:
    """A campaign that likes i0 best, then i1: dramas, then comedies."""
    return films.plant("aws-user-personalization-v2", Planted.of([f"i{item}" for item in range(39)]))


def promoted(films: Films, campaign: str, percent: int, count: int = 20, **arguments: Any) -> list[dict[str, Any]]:
    """Ask for recommendations among which comedies are promoted."""
    promotion = {
        "name": "laugh",
        "percentPromotedItems": percent,
        "filterArn": films.filters["genre"],
        "filterValues": FUNNY,
    }
    return films.recommend(
        arguments.pop("user", "nobody"), target=campaign, numResults=count, promotions=[promotion], **arguments
    )


def ids(entries: Sequence[Mapping[str, Any]], *, of_promotion: bool) -> list[str]:
    return [entry["itemId"] for entry in entries if ("promotionName" in entry) is of_promotion]


@pytest.mark.parametrize(
    ("percent", "count", "expected"),
    [
        (1, 25, 1),
        (10, 20, 2),
        (10, 25, 3),
        (20, 25, 5),
        (33, 10, 4),
        (50, 20, 10),
        (100, 10, 10),
        (50, 1, 1),
        (50, 0, 0),
    ],
)
def test_the_share_is_exact(films: Films, campaign: str, percent: int, count: int, expected: int) -> None:
    found = promoted(films, campaign, percent, count)
    assert len(found) == count
    assert len(ids(found, of_promotion=True)) == expected
    assert len({entry["itemId"] for entry in found}) == count


def test_promoted_items_are_the_best_that_their_filter_lets_through(films: Films, campaign: str) -> None:
    found = promoted(films, campaign, 25)
    assert ids(found, of_promotion=True) == [f"i{item}" for item in range(20, 25)]
    assert ids(found, of_promotion=False) == [f"i{item}" for item in range(15)]
    for entry in found:
        assert entry.get("reason") == (["Promoted item"] if entry["itemId"] not in DRAMAS else None)
        assert entry.get("promotionName") == ("laugh" if entry["itemId"] not in DRAMAS else None)
        assert entry["score"] > 0


def test_what_is_not_promoted_can_be_there_all_the_same(films: Films, campaign: str) -> None:
    found = promoted(films, campaign, 10, 30)
    assert ids(found, of_promotion=True) == ["i20", "i21", "i22"]
    assert ids(found, of_promotion=False) == [f"i{item}" for item in [*range(20), *range(23, 30)]]


def test_each_filter_is_for_its_own_items(films: Films, campaign: str) -> None:
    drama = {"filterArn": films.filters["genre"], "filterValues": {"GENRES": '"Drama"'}}
    found = promoted(films, campaign, 50, 30, **drama)
    assert ids(found, of_promotion=True) == [f"i{item}" for item in range(20, 35)]
    assert set(ids(found, of_promotion=False)) == {f"i{item}" for item in range(15)}
    nothing = {"filterArn": films.filters["genre"], "filterValues": {"GENRES": '"War"'}}
    assert ids(promoted(films, campaign, 50, **nothing), of_promotion=False) == []


def test_too_few_matches_are_fewer_promoted_items(films: Films, campaign: str) -> None:
    found = promoted(films, campaign, 100, 30)
    assert len(found) == 30
    assert len(ids(found, of_promotion=True)) == 19


def test_places_are_random_and_come_again(films: Films, campaign: str) -> None:
    def places(user: str) -> tuple[int, ...]:
        found = promoted(films, campaign, 25, user=user)
        return tuple(place for place, entry in enumerate(found) if "promotionName" in entry)

    found = {places(f"user-{number}") for number in range(30)}
    assert len(found) > 25
    assert {place for each in found for place in each} == set(range(20))
    assert places("user-1") == places("user-1")


def test_reasons_are_for_one_recipe(films: Films) -> None:
    campaign = films.plant("aws-popularity-count", Planted.of([f"i{item}" for item in range(39)]))
    found = promoted(films, campaign, 50)
    assert len(ids(found, of_promotion=True)) == 10
    assert not any("reason" in entry for entry in found)


def test_what_a_use_case_leaves_out_is_not_promoted(films: Films, someone: str) -> None:
    recommender = films.plant("aws-vod-top-picks", Planted.of([f"i{item}" for item in range(39)]))
    films.send("i20", "i21", session=someone, user=someone)
    found = promoted(films, recommender, 20, user=someone)
    assert ids(found, of_promotion=True) == ["i22", "i23", "i24", "i25"]


@pytest.mark.parametrize(
    ("promotion", "message"),
    [
        ({"filterArn": "genre"}, r"promotions\.1\.member must have percentPromotedItems"),
        ({"percentPromotedItems": 20}, r"promotions\.1\.member must have filterArn"),
        ({"percentPromotedItems": 0, "filterArn": "genre"}, "greater than or equal to 1"),
        ({"percentPromotedItems": 101, "filterArn": "genre"}, "less than or equal to 100"),
        ({"percentPromotedItems": 20, "filterArn": "genre"}, "must have a value for GENRES"),
        ({"percentPromotedItems": 20, "filterArn": "people"}, "is about UserID, not about ItemID"),
    ],
)
def test_wrong_promotions(films: Films, campaign: str, promotion: dict[str, Any], message: str) -> None:
    if "filterArn" in promotion:
        promotion = {**promotion, "filterArn": films.filters[promotion["filterArn"]]}
    with pytest.raises(films.cloud.runtime.exceptions.InvalidInputException, match=message):
        films.recommend(target=campaign, promotions=[promotion])


def test_one_promotion_at_most(films: Films, campaign: str) -> None:
    promotion = {"percentPromotedItems": 20, "filterArn": films.filters["unseen"]}
    with pytest.raises(films.cloud.runtime.exceptions.InvalidInputException, match="less than or equal to 1"):
        films.recommend(target=campaign, promotions=[promotion, promotion])


def test_not_every_recipe_takes_promotions(films: Films) -> None:
    campaign = films.plant("aws-hrnn", Planted.of(["i1"]))
    with pytest.raises(films.cloud.runtime.exceptions.InvalidInputException, match="aws-hrnn does not support promot"):
        promoted(films, campaign, 20)
