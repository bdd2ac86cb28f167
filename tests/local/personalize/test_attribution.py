from __future__ import annotations

import json

import pytest

from cdk_personalize.metric_expression import MetricExpression
from personalize_local.personalize.attribution import Metric, Occurrence, Tally, report


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SAMPLECOUNT()", MetricExpression()),
        (" samplecount ( ) ", MetricExpression()),
        ("SUM(Items.PRICE)", MetricExpression("ITEMS", "PRICE")),
        ("sum( interactions . EVENT_VALUE )", MetricExpression("INTERACTIONS", "EVENT_VALUE")),
    ],
)
def test_expressions(text: str, expected: MetricExpression) -> None:
    assert MetricExpression.parse(text) == expected


@pytest.mark.parametrize(
    "text", ["", "SAMPLECOUNT", "SAMPLECOUNT(Items.PRICE)", "SUM()", "SUM(PRICE)", "SUM(Users.AGE)", "MAX(Items.PRICE)"]
)
def test_what_is_no_expression(text: str) -> None:
    with pytest.raises(ValueError, match="must be SAMPLECOUNT"):
        MetricExpression.parse(text)


COUNT = Metric("COUNT", "WATCH", MetricExpression())
SUM = Metric("REVENUE", "BUY", MetricExpression("ITEMS", "PRICE"))


def event(kind: str | None, timestamp: float, source: str = "live", value: float | None = 2.5) -> Occurrence:
    return Occurrence(kind, timestamp, source, lambda expression: value)


def test_what_is_counted() -> None:
    tally = Tally()
    refused = tally.add(
        [COUNT, SUM],
        [
            event("watch", 900),
            event("Watch", 1799.9),
            event("watch", 1800),
            event("watch", 900, "mail"),
            event("buy", 900),
            event("buy", 901),
            event("buy", 902, value=None),
            event("click", 900),
            event(None, 900),
        ],
    )
    assert not refused
    assert report(tally.begin().points).decode() == (
        "METRIC_NAME,EVENT_TYPE,VALUE,MATH_FUNCTION,EVENT_ATTRIBUTION_SOURCE,TIMESTAMP\n"
        "COUNT,WATCH,2.0,samplecount,live,900\n"
        "COUNT,WATCH,1.0,samplecount,live,1800\n"
        "COUNT,WATCH,1.0,samplecount,mail,900\n"
        "REVENUE,BUY,5.0,sum,live,900\n"
    )
    assert not tally
    assert tally.begin().points == []


def test_a_hundred_sources() -> None:
    tally = Tally()
    assert tally.add([COUNT], [event("watch", 0, f"s{number}") for number in range(101)]) == {"s100"}
    tally.begin()
    assert tally.add([COUNT], [event("watch", 0, "s100"), event("watch", 0, "s1")]) == {"s100"}
    assert [point.source for point in tally.begin().points] == ["s1"]


def test_what_is_being_reported_is_kept_until_that_is_done() -> None:
    tally = Tally()
    tally.add([COUNT], [event("watch", 900), event("watch", 900)])
    first = tally.begin()
    tally.add([COUNT], [event("watch", 900), event("watch", 1800)])
    assert tally

    def kept() -> list[tuple[float, int]]:
        again = Tally.from_json(json.loads(json.dumps(tally.to_json())))
        return [(point.value, point.timestamp) for point in again.begin().points]

    assert kept() == [(3.0, 900), (1.0, 1800)]
    tally.end(first)
    assert kept() == [(1.0, 900), (1.0, 1800)]
    second = tally.begin()
    assert not tally
    tally.end(second)
    assert kept() == []
