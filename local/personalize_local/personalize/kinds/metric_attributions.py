"""Metric attributions, and the reports that they send to S3 and CloudWatch.

See https://docs.aws.amazon.com/personalize/latest/dg/measuring-recommendation-impact.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from cdk_personalize.facts.limits import METRICS
from cdk_personalize.metric_expression import MetricExpression

from ..attribution import (
    OLDEST_IN_CLOUDWATCH,
    UNDEFINED,
    Metric,
    Occurrence,
    Point,
    Tally,
    report,
)
from ..columns import Column
from ..contents import Columns, PutEvent
from ..crud import Behaviour, required, start_update
from ..engine import Attributes, Context, Parameters
from ..errors import JobError, ServiceError, already_exists, in_use, invalid_input
from ..lifecycle import Work
from ..locations import Files, Location, LocationError, PrivilegesError
from ..pagination import page
from ..recommenders.data import Array, Coded
from ..resources import Path
from ..state import Progress, Record, Scope
from ..uncertain import (
    ATTRIBUTION_FAILED,
    ATTRIBUTION_NAMESPACE,
    ATTRIBUTION_REPORT_OF_EVENTS,
    ATTRIBUTION_TRIAL_FILE,
)
from .datasets import columns_of_dataset, dataset_of, entities_of

REPORT_NAME = "AggregatedAttributionMetrics - {method} - {timestamp}.csv"
_REPORT_AFTER = 15 * 60.0
_WAIT = Path(("COUNTING",), "REPORTED")


def prepare(context: Context, parameters: Parameters) -> Attributes:
    """Check the metrics against the schemas of the group; names and types are kept in upper case."""
    group = parameters["datasetGroupArn"]
    present = context.scope.children("MetricAttribution", "datasetGroupArn", group)
    if present:
        code = context.engine.settings.uncertain.second_metric_attribution_error
        raise ServiceError(code, f"The dataset group {group} already has the metric attribution {present[0].arn}.")
    _check_output(parameters["metricsOutputConfig"])
    return {**parameters, "metrics": _checked(context, group, (), parameters["metrics"])}


def work(context: Context, record: Record) -> Work:
    """Try whether reports can be written."""
    output = record.attributes["metricsOutputConfig"]
    return lambda: _try(context, output)


def restored(context: Context, record: Record) -> None:
    """Report later what was counted before a restart."""
    tally = context.scope.tallies.get(record.arn)
    if tally:
        _later(context, lambda: _report_events(context, record, tally))


def update(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """UpdateMetricAttribution."""
    arn = required(parameters, "metricAttributionArn", "to tell which one to update")
    record = context.scope.get("MetricAttribution", arn)
    if not record.active:
        raise in_use(f"The resource {arn} is in status {record.status} and cannot be updated yet.")
    removed = {name.upper() for name in parameters.get("removeMetrics", ())}
    present = record.attributes["metrics"]
    unknown = sorted(removed - {metric["metricName"] for metric in present})
    if unknown:
        raise invalid_input(f"removeMetrics has {', '.join(unknown)}, which {arn} does not have.")
    kept = [metric for metric in present if metric["metricName"] not in removed]
    added = parameters.get("addMetrics", ())
    twice = {metric["metricName"] for metric in kept} & {metric["metricName"].upper() for metric in added}
    if twice:
        raise already_exists(f"{arn}/{min(twice)}")
    changed: dict[str, Any] = {"metrics": _checked(context, record.attributes["datasetGroupArn"], kept, added)}
    if "metricsOutputConfig" in parameters:
        _check_output(parameters["metricsOutputConfig"])
        changed["metricsOutputConfig"] = parameters["metricsOutputConfig"]
    output = changed.get("metricsOutputConfig")
    return start_update(
        context,
        record,
        changed,
        record.kind.update_path,
        lambda result: record.attributes.update(changed),
        (lambda: _try(context, output)) if output else None,
    )


def list_metrics(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """ListMetricAttributionMetrics. As with other lists, nothing belongs to what does not exist."""
    arn = parameters.get("metricAttributionArn")
    records = context.scope.all("MetricAttribution", lambda record: arn in (None, record.arn))
    metrics = [metric for record in records for metric in record.attributes["metrics"]]
    found, token = page(metrics, context.operation, parameters)
    return {"metrics": found, "nextToken": token}


def attribution_of(scope: Scope, group: str) -> Record | None:
    """Find the metric attribution of a group that counts."""
    found = scope.children("MetricAttribution", "datasetGroupArn", group)
    return found[0] if found and found[0].progress.status == "ACTIVE" else None


def count_events(context: Context, group: str, events: Sequence[PutEvent]) -> None:
    """Count events that came one by one; they are reported a quarter of an hour later. The lock must be held."""
    record = attribution_of(context.scope, group)
    if record is None:
        return
    tally = context.scope.tallies.setdefault(record.arn, Tally())
    waiting = bool(tally)
    numbers = _item_numbers(context.scope, group)
    _add(context, record, tally, _of_events(context.scope, events, numbers))
    if tally and not waiting:
        _later(context, lambda: _report_events(context, record, tally))


def rows_counted(context: Context, group: str, *, to_s3: bool, mode: str) -> Callable[[Columns], None]:
    """Get ready to count what an import brings.

    :param to_s3: whether a report goes to S3.
    :param mode: the import's; CloudWatch gets what is added to what is there.
    :returns: counts and reports; to be called without the lock.
    """
    record = attribution_of(context.scope, group)
    if record is None or not (to_s3 or mode == "INCREMENTAL"):
        return lambda columns: None
    output = record.attributes["metricsOutputConfig"]

    def count(columns: Columns) -> None:
        tally = Tally()
        with context.engine.state.lock:
            numbers = _item_numbers(context.scope, group)
        _add(context, record, tally, _of_rows(context.scope, columns, numbers))
        _publish(
            context, output, tally.begin().points, method=mode if to_s3 else None, to_metrics=mode == "INCREMENTAL"
        )

    return count


def require_report(context: Context, group: str) -> None:
    """Check that an import can send a report to S3.

    :raises ServiceError: InvalidInputException if there is nowhere to send it.
    """
    record = attribution_of(context.scope, group)
    if record is None or "s3DataDestination" not in record.attributes["metricsOutputConfig"]:
        raise invalid_input(
            f"publishAttributionMetricsToS3 needs an ACTIVE metric attribution in {group} that has an "
            "s3DataDestination."
        )


def _checked(
    context: Context, group: str, kept: Sequence[Mapping[str, str]], added: Sequence[Mapping[str, str]]
) -> list[dict[str, str]]:
    interactions = _columns(context.scope, group, "INTERACTIONS")
    if "EVENT_TYPE" not in {column.name for column in interactions}:
        raise invalid_input(f"Metrics need an Interactions dataset with the column EVENT_TYPE, {group} has none.")
    metrics = [
        *map(dict, kept),
        *(
            {
                "eventType": metric["eventType"].upper(),
                "metricName": metric["metricName"].upper(),
                "expression": metric["expression"],
            }
            for metric in added
        ),
    ]
    names = [metric["metricName"] for metric in metrics]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise invalid_input(f"The metricName {twice[0]} is there more than once; upper and lower case are the same.")
    if not 1 <= len(metrics) <= METRICS:
        raise invalid_input(f"A metric attribution has 1 to {METRICS} metrics, got {len(metrics)}.")
    for metric in metrics:
        _check_expression(context, group, metric)
    return metrics


def _check_expression(context: Context, group: str, metric: Mapping[str, str]) -> None:
    try:
        expression = MetricExpression.parse(metric["expression"])
    except ValueError as error:
        raise invalid_input(f"Metric {metric['metricName']}: {error}.") from error
    if expression.dataset is None:
        return
    numeric = [column.name for column in _columns(context.scope, group, expression.dataset) if column.numeric]
    if expression.column not in numeric:
        raise invalid_input(
            f"Metric {metric['metricName']}: {expression.column} is not a numeric column of the dataset of type "
            f"{expression.dataset}; it has {', '.join(numeric) or 'none'}."
        )


def _columns(scope: Scope, group: str, dataset_type: str) -> tuple[Column, ...]:
    dataset = dataset_of(scope, group, dataset_type)
    return columns_of_dataset(scope, dataset) if dataset else ()


def _check_output(output: Mapping[str, Any]) -> None:
    if "s3DataDestination" in output:
        try:
            Location.parse(output["s3DataDestination"]["path"])
        except LocationError as error:
            raise invalid_input(f"metricsOutputConfig.s3DataDestination.path: {error}.") from error


def _try(context: Context, output: Mapping[str, Any]) -> None:
    files = Files(context.engine, context.scope, output["roleArn"])
    try:
        files.require_any("cloudwatch:PutMetricData")
        if "s3DataDestination" in output:
            files.write(Location.parse(output["s3DataDestination"]["path"]).file(ATTRIBUTION_TRIAL_FILE), b"")
    except (LocationError, PrivilegesError) as error:
        context.engine.log.getChild("attribution").error("%s", error)
        raise JobError(ATTRIBUTION_FAILED.format(problem=error)) from error


def _item_numbers(scope: Scope, group: str) -> Callable[[str, str], float | None]:
    """Get ready to look up what a column of the Items dataset says of an item."""
    items = entities_of(scope, group, "ITEMS")

    def number(item_id: str, column: str) -> float | None:
        row = items[0].row(items[1], item_id) if items else None
        return None if row is None else _number(row.get(column))

    return number


def _of_events(
    scope: Scope, events: Iterable[PutEvent], items: Callable[[str, str], float | None]
) -> Iterator[Occurrence]:
    for event in events:
        source = _source(scope, event.values.get("EVENT_ATTRIBUTION_SOURCE"), event.values.get("RECOMMENDATION_ID"))

        def value(expression: MetricExpression, event: PutEvent = event) -> float | None:
            column = str(expression.column)
            if expression.dataset == "ITEMS":
                return items(event.item_id, column)
            own = {"EVENT_VALUE": event.event_value, "TIMESTAMP": event.timestamp}
            return _number(own.get(column, event.values.get(column)))

        yield Occurrence(event.event_type, event.timestamp, source, value)


def _of_rows(scope: Scope, columns: Columns, items: Callable[[str, str], float | None]) -> Iterator[Occurrence]:
    whole: dict[str, Array] = {
        name: column.decoded() if isinstance(column, Coded) else column for name, column in columns.items()
    }
    nothing = [None] * len(whole["TIMESTAMP"])
    sources = whole.get("EVENT_ATTRIBUTION_SOURCE", nothing)
    recommendations = whole.get("RECOMMENDATION_ID", nothing)
    for row, event_type in enumerate(whole["EVENT_TYPE"]):

        def value(expression: MetricExpression, row: int = row) -> float | None:
            column = str(expression.column)
            if expression.dataset == "ITEMS":
                return items(whole["ITEM_ID"][row], column)
            return _number(whole[column][row])

        source = _source(scope, sources[row], recommendations[row])
        yield Occurrence(event_type, float(whole["TIMESTAMP"][row]), source, value)


def _source(scope: Scope, source: str | None, recommendation_id: str | None) -> str:
    """The source that an event names itself comes before that of the recommendation."""
    if source:
        return source
    shown = scope.impressions.find(recommendation_id)
    return shown.source if shown else UNDEFINED


def _number(value: Any) -> float | None:
    return None if value is None or value != value else float(value)


def _add(context: Context, record: Record, tally: Tally, occurrences: Iterable[Occurrence]) -> None:
    refused = tally.add([Metric.of(metric) for metric in record.attributes["metrics"]], occurrences)
    if refused:
        context.engine.log.getChild("attribution").warning(
            "%s: too many event attribution sources; %s and others do not count", record.arn, min(refused)
        )


def _later(context: Context, action: Callable[[], None]) -> None:
    now = time.time()
    context.engine.lifecycle.run(Progress("", now, now), _WAIT, _REPORT_AFTER, done=lambda result: action())


def _report_events(context: Context, record: Record, tally: Tally) -> None:
    """Report; what was counted is kept until that is done, so that no restart loses it."""
    made, output, now = tally.begin(), record.attributes["metricsOutputConfig"], time.time()
    context.engine.lifecycle.run(
        Progress("", now, now),
        _WAIT,
        0,
        work=lambda: _publish(context, output, made.points, method=ATTRIBUTION_REPORT_OF_EVENTS, to_metrics=True),
        done=lambda result: tally.end(made),
    )


def _publish(
    context: Context, output: Mapping[str, Any], points: Sequence[Point], *, method: str | None, to_metrics: bool
) -> None:
    files = Files(context.engine, context.scope, output["roleArn"])
    log = context.engine.log.getChild("attribution")
    try:
        if method and "s3DataDestination" in output:
            name = REPORT_NAME.format(method=method, timestamp=time.time_ns() // 1_000_000)
            files.write(Location.parse(output["s3DataDestination"]["path"]).file(name), report(points))
        if to_metrics and context.engine.metrics:
            files.require_any("cloudwatch:PutMetricData")
            _put_metrics(context, points)
    except (LocationError, PrivilegesError) as error:
        log.error("a report is lost: %s", error)


def _put_metrics(context: Context, points: Iterable[Point]) -> None:
    oldest = time.time() - OLDEST_IN_CLOUDWATCH
    for point in points:
        if context.engine.metrics and point.timestamp >= oldest:
            context.engine.metrics.put(
                ATTRIBUTION_NAMESPACE,
                point.metric.name,
                point.value,
                dimensions={"EVENT_TYPE": point.metric.event_type, "EVENT_ATTRIBUTION_SOURCE": point.source},
                timestamp=point.timestamp,
                account=context.scope.account,
                region=context.scope.region,
            )


BEHAVIOUR = Behaviour(prepare=prepare, work=work, restored=restored)
