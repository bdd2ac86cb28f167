"""Metric attribution: what the sources of recommendations have brought about.

See https://docs.aws.amazon.com/personalize/latest/dg/measuring-recommendation-impact.html
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self, TypeAlias

from cdk_personalize.metric_expression import MetricExpression

#: the length of the intervals that are reported, in seconds
INTERVAL = 15 * 60
#: the source of events that have none
UNDEFINED = "SOURCE_NAME_UNDEFINED"
MAX_SOURCES = 100
#: CloudWatch takes no older values, in seconds
OLDEST_IN_CLOUDWATCH = 14 * 24 * 3600

_HEADER = ("METRIC_NAME", "EVENT_TYPE", "VALUE", "MATH_FUNCTION", "EVENT_ATTRIBUTION_SOURCE", "TIMESTAMP")


@dataclass(frozen=True)
class Metric:
    """One metric of a metric attribution.

    :param event_type: in upper case.
    """

    name: str
    event_type: str
    expression: MetricExpression

    @classmethod
    def of(cls, attributes: Mapping[str, str]) -> Metric:
        """Read the API's MetricAttribute."""
        return cls(attributes["metricName"], attributes["eventType"], MetricExpression.parse(attributes["expression"]))


class Occurrence(NamedTuple):
    """One event.

    :param value: gives the number in a column of its item, or of itself; ``None`` if there is none.
    """

    event_type: str | None
    timestamp: float
    source: str
    value: Callable[[MetricExpression], float | None]


class Point(NamedTuple):
    """One line of a report."""

    metric: Metric
    value: float
    source: str
    timestamp: int


class Report(NamedTuple):
    """What is being reported.

    :param number: tells it from others of the same tally.
    """

    number: int
    points: list[Point]


_Values: TypeAlias = dict[tuple[Metric, str, int], float]


class Tally:
    """What was counted and is not reported yet."""

    def __init__(self) -> None:
        self._values: _Values = {}
        self._under_way: dict[int, _Values] = {}
        self._reports = itertools.count()
        self._sources: set[str] = set()

    def __bool__(self) -> bool:
        """Whether there is anything to report that is not being reported."""
        return bool(self._values)

    def add(self, metrics: Iterable[Metric], occurrences: Iterable[Occurrence]) -> set[str]:
        """Count events.

        :returns: sources that were too many, and are not counted.
        """
        by_type: dict[str, list[Metric]] = {}
        for metric in metrics:
            by_type.setdefault(metric.event_type, []).append(metric)
        refused = set()
        for occurrence in occurrences:
            for metric in by_type.get((occurrence.event_type or "").upper(), ()):
                value = occurrence.value(metric.expression) if metric.expression.column else 1.0
                if value is None:
                    continue
                if not self._accepts(occurrence.source):
                    refused.add(occurrence.source)
                    continue
                key = metric, occurrence.source, int(occurrence.timestamp) // INTERVAL * INTERVAL
                self._values[key] = self._values.get(key, 0.0) + value
        return refused

    def begin(self) -> Report:
        """Give what was counted, by metric, source and time, and begin anew; sources stay known."""
        report = next(self._reports)
        values, self._values = self._values, {}
        self._under_way[report] = values
        points = (Point(metric, value, source, start) for (metric, source, start), value in values.items())
        return Report(report, sorted(points, key=lambda point: (point.metric.name, point.source, point.timestamp)))

    def end(self, report: Report) -> None:
        """Forget what has been reported."""
        del self._under_way[report.number]

    def to_json(self) -> dict[str, Any]:
        """Give what :meth:`from_json` needs, as plain values; a report that has not ended is to be made again."""
        total: _Values = {}
        for values in (*self._under_way.values(), self._values):
            for key, value in values.items():
                total[key] = total.get(key, 0.0) + value
        rows = [
            [metric.name, metric.event_type, metric.expression, source, start, value]
            for (metric, source, start), value in total.items()
        ]
        return {"values": rows, "sources": sorted(self._sources)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Build it again from what :meth:`to_json` gave."""
        made = cls()
        made._sources = set(document["sources"])
        for name, event_type, expression, source, start, value in document["values"]:
            made._values[Metric(name, event_type, MetricExpression(*expression)), source, start] = value
        return made

    def _accepts(self, source: str) -> bool:
        if source not in self._sources and len(self._sources) >= MAX_SOURCES:
            return False
        self._sources.add(source)
        return True


def report(points: Iterable[Point]) -> bytes:
    """Write the report that goes to S3."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER)
    for point in points:
        metric: tuple[Any, ...] = (point.metric.name, point.metric.event_type, point.value)
        writer.writerow((*metric, point.metric.expression.function, point.source, point.timestamp))
    return text.getvalue().encode()
