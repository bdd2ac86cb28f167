"""How many requests a second there may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from personalize_local.personalize import Settings
from personalize_local.personalize.rates import Rates
from personalize_local.personalize.resources import KINDS, RATES, Rate
from personalize_local.personalize.state import Progress, Record, Scope

from .scenario import EVERY
from .support import ITEMS_SCHEMA, REGION, Builder, Cloud

LIMITED = [(rate, operation) for rate in RATES for operation in rate.operations or ("ListSchemas", "CreateSchema")]
GROUPS = ("g1", "g2")


@dataclass
class Clock:
    """Stands still unless it is told to go on."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def scope_of(account: str) -> Scope:
    """Two of everything that has rates of its own, of two groups."""
    scope = Scope(account, REGION)
    for group in GROUPS:
        for kind in ("EventTracker", "Dataset", "Campaign", "Recommender"):
            attributes = {"datasetGroupArn": group, "trackingId": f"{kind}-{group}"}
            scope.add(Record(KINDS[kind], f"{kind}-{group}", attributes, Progress("ACTIVE", 0, 0)))
    return scope


def request(rate: Rate, operation: str, group: str) -> dict[str, Any]:
    if rate.per == "target" or rate.operations[1:]:
        return {"campaignArn": f"Campaign-{group}"}
    if operation in ("PutEvents", "PutActionInteractions"):
        return {"trackingId": f"{'EventTracker' if operation == 'PutEvents' else 'Dataset'}-{group}"}
    return {"datasetArn": f"Dataset-{group}"} if rate.operations else {}


def taken(rates: Rates, operation: str, parameters: dict[str, Any], scope: Scope, most: int) -> int:
    """How many requests are taken before one is refused."""
    for number in range(most):
        try:
            rates.take(EVERY[operation], operation, parameters, scope)
        except Exception:
            return number
    return most


@pytest.mark.parametrize(("rate", "operation"), LIMITED, ids=lambda value: getattr(value, "name", value))
def test_each_rate(rate: Rate, operation: str) -> None:
    """As many as it allows, for each that has a rate of its own; a tenth of a second gives a tenth of them back."""
    clock, number = Clock(), rate.default or 20
    rates = Rates({rate.name: number}, every=False, clock=clock)
    scope, parameters = scope_of("1"), request(rate, operation, "g1")
    assert taken(rates, operation, parameters, scope, number + 1) == number
    others = number if rate.per else 0
    assert taken(rates, operation, request(rate, operation, "g2"), scope, number + 1) == others
    assert taken(rates, operation, parameters, scope_of("2"), number + 1) == number
    clock.now += 0.1
    assert taken(rates, operation, parameters, scope, number) == number // 10
    clock.now += 3600
    assert taken(rates, operation, parameters, scope, number + 1) == number


def test_what_counts_together() -> None:
    """The three operations of the runtime share one rate; those of the control plane have one each."""
    rates = Rates({"runtime_requests_per_second": 2, "control_requests_per_second_per_operation": 1}, every=False)
    scope, one = scope_of("1"), {"campaignArn": "Campaign-g1"}
    assert taken(rates, "GetRecommendations", one, scope, 1) == 1
    assert taken(rates, "GetPersonalizedRanking", one, scope, 1) == 1
    assert taken(rates, "GetActionRecommendations", {"campaignArn": "Campaign-g2"}, scope, 1) == 0
    assert [taken(rates, name, {}, scope, 2) for name in ("ListSchemas", "ListRecipes", "ListSchemas")] == [1, 1, 0]


def test_nothing_is_counted_for_what_does_not_exist() -> None:
    rates = Rates({}, every=True, clock=Clock())
    scope = scope_of("1")
    assert taken(rates, "GetRecommendations", {"campaignArn": "gone"}, scope, 600) == 600
    assert taken(rates, "GetRecommendations", {}, scope, 600) == 600
    assert taken(rates, "PutItems", {"datasetArn": "gone"}, scope, 20) == 20
    assert taken(rates, "PutEvents", {"trackingId": "gone"}, scope, 2000) == 2000


def test_recommenders_have_rates_as_campaigns_have() -> None:
    rates = Rates({"get_recommendations_per_second_per_campaign": 3}, every=False, clock=Clock())
    assert taken(rates, "GetRecommendations", {"recommenderArn": "Recommender-g1"}, scope_of("1"), 9) == 3


def test_nothing_is_limited_unless_it_is_asked_for() -> None:
    assert not Rates({"dataset_groups": 1}, every=False)
    every = Rates({"put_items_per_second_per_dataset_group": 2}, every=True, clock=Clock())
    scope = scope_of("1")
    assert taken(every, "PutItems", {"datasetArn": "Dataset-g1"}, scope, 20) == 2
    assert taken(every, "PutUsers", {"datasetArn": "Dataset-g1"}, scope, 20) == 10
    # not published
    assert taken(every, "ListSchemas", {}, scope, 5000) == 5000


def test_requests_too_many_are_refused(make_cloud: Callable[..., Cloud]) -> None:
    cloud = make_cloud(Settings(limit_rates=True))
    build = Builder(cloud)
    items = build.dataset(build.group(), "Items", ITEMS_SCHEMA)
    engine = cloud.service._engine
    cloud.service._engine = replace(engine, rates=Rates({}, every=True, clock=Clock()))
    entities = [{"itemId": "i", "properties": '{"genres": "Drama"}'}]
    for _ in range(10):
        cloud.events.put_items(datasetArn=items, items=entities)
    with pytest.raises(ClientError, match=r"ThrottlingException.*Rate exceeded") as refused:
        cloud.events.put_items(datasetArn=items, items=entities)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_numbers_below_zero_are_refused(make_cloud: Callable[..., Cloud]) -> None:
    with pytest.raises(ValueError, match=r"must be 0 or more, got \{'schemas': -1\}"):
        make_cloud(Settings(quotas={"schemas": -1}))
