"""Rules for dataset groups, their datasets and what belongs to them once."""

from __future__ import annotations

from typing import Any

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

import cdk_personalize as personalize
from cdk_personalize import Domain, Field, Schema, WorkflowRemovalPolicy
from tests.unit.rules.rule import INTERACTIONS, ITEMS, Rule, films, fresh_id, group, problems, shared_stack, stack

ACTIONS = Schema.actions(Field.int("BONUS"))
KEY_ARN = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000"


def named(name: str) -> personalize.DatasetGroup:
    """Return a dataset group of that name."""
    return personalize.DatasetGroup(shared_stack(), fresh_id(), dataset_group_name=name, data_bucket=bucket())


def bucket(region: str | None = None) -> s3.IBucket:
    """Return a bucket that is managed elsewhere."""
    return s3.Bucket.from_bucket_attributes(shared_stack(), fresh_id(), bucket_name="films", region=region)


def source(prefix: str) -> personalize.DataSource:
    """Return a data source."""
    return personalize.DataSource(bucket(), prefix)


def removed(policy: RemovalPolicy) -> personalize.DatasetGroup:
    """Return a dataset group with a removal policy."""
    return personalize.DatasetGroup(shared_stack(), fresh_id(), removal_policy=policy, data_bucket=bucket())


def encrypted(alias: bool) -> personalize.DatasetGroup:
    """Return a dataset group with a key, or with its alias."""
    key = kms.Key.from_key_arn(shared_stack(), fresh_id(), KEY_ARN)
    given = kms.Alias(shared_stack(), fresh_id(), alias_name=f"alias/{fresh_id()}", target_key=key) if alias else key
    return personalize.DatasetGroup(shared_stack(), fresh_id(), encryption_key=given, data_bucket=bucket())


def in_region(region: str) -> personalize.DatasetGroup:
    """Return a dataset group that imports from a bucket in a Region."""
    return personalize.DatasetGroup(shared_stack(), fresh_id(), data_bucket=bucket(region))


def encrypted_in_region(region: str) -> personalize.DatasetGroup:
    """Return a dataset group with a key in a Region."""
    key = kms.Key.from_key_arn(shared_stack(), fresh_id(), KEY_ARN.replace("eu-west-1", region))
    return personalize.DatasetGroup(shared_stack(), fresh_id(), encryption_key=key, data_bucket=bucket())


def imported_from(region: str) -> personalize.Dataset:
    """Return a dataset with a source in a Region."""
    return group().add_items(schema=ITEMS, source=personalize.DataSource(bucket(region), "items/"))


def twice(method: str, number: int, **arguments: Any) -> None:
    """Add something to one dataset group, so many times."""
    made = group()
    for _ in range(number):
        getattr(made, method)(fresh_id(), **arguments)


def two_datasets(schemas: tuple[Schema, ...]) -> None:
    """Return a dataset group with datasets of these schemas."""
    group(*schemas)


def metrics(names: tuple[str, ...]) -> None:
    """Return a metric attribution of metrics of these names."""
    group(INTERACTIONS).add_metric_attribution(
        metrics=[personalize.AttributedMetric(event_type="watch", metric_name=name) for name in names]
    )


def report(arguments: dict[str, Any]) -> None:
    """Return a metric attribution that reports."""
    group(INTERACTIONS).add_metric_attribution(metrics=[METRIC], **arguments)


METRIC = personalize.AttributedMetric(event_type="watch", metric_name="watched")


def attributed(schema: Schema) -> list[str]:
    """Return what is wrong with a metric attribution for a dataset of interactions."""
    made = group(schema)
    made.add_metric_attribution(metrics=[METRIC])
    return problems(made)


def summed(column: str) -> list[str]:
    """Return what is wrong with a metric that sums a column of items."""
    made = group(INTERACTIONS, ITEMS)
    made.add_metric_attribution(
        metrics=[personalize.AttributedMetric(event_type="watch", metric_name="sum", expression=f"SUM(Items.{column})")]
    )
    return problems(made)


def reported_to(prefix: str) -> list[str]:
    """Return what is wrong with reports in a folder of the data bucket."""
    made = group(INTERACTIONS)
    made.add_metric_attribution(
        metrics=[METRIC],
        report_bucket=made.data_bucket,
        report_prefix=prefix.format(id=made.node.id),
    )
    return problems(made)


def reported_in(region: str) -> None:
    """Report to a bucket in a Region."""
    group(INTERACTIONS).add_metric_attribution(metrics=[METRIC], report_bucket=bucket(region))


def filtered(conditions: tuple[int, ...]) -> list[str]:
    """Return what is wrong with a dataset group of filters, each on so many columns of its own."""
    made = group(Schema.items(*(Field.int(f"F{index}") for index in range(30))))
    start = 0
    for number in conditions:
        tests = " AND ".join(f"Items.F{start + index} = 1" for index in range(number))
        made.add_filter(fresh_id(), expression=f"EXCLUDE ItemID WHERE {tests}")
        start += number
    return problems(made)


def filtered_by(column: str) -> list[str]:
    """Return what is wrong with a filter by a column."""
    made = group(ITEMS)
    made.add_filter("Filter", expression=f"EXCLUDE ItemID WHERE Items.{column} = 1")
    return problems(made)


def arn(tail: str) -> str:
    """Return the name of an imported campaign."""
    return personalize.Campaign.from_campaign_arn(
        shared_stack(), fresh_id(), f"arn:aws:personalize:eu-west-1:123456789012:{tail}"
    ).campaign_name


def two_workflows(number: int) -> None:
    """Add workflows to a dataset group."""
    made = group()
    for _ in range(number):
        made._attach_workflow(_Named())  # type: ignore[arg-type]


class _Named:
    node = shared_stack().node


def workflow_removed(policy: WorkflowRemovalPolicy) -> None:
    """Add a workflow with a removal policy."""
    made = group(scope=stack())
    personalize.Workflow(made, "Workflow", dataset_group=made, removal_policy=policy)


def training_deadline(duration: Duration) -> personalize.Deadlines:
    """Return deadlines."""
    return personalize.Deadlines(training=duration)


def tagged(tags: dict[str, str]) -> list[str]:
    """Return what is wrong with tags."""
    made = group()
    for key, value in tags.items():
        made.cdk_tag_manager.set_tag(key, value)
    return problems(made)


RULES = (
    Rule(
        "a resource has at most 50 tags, got 51",
        tagged,
        {f"t{index}": "" for index in range(50)},
        {f"t{index}": "" for index in range(49)},
    ),
    Rule("the key of a tag must have 1 to 128 characters", tagged, {"k" * 129: ""}, {"k" * 128: ""}),
    Rule("the key of a tag must not start with aws:, got 'AWS:x'", tagged, {"AWS:x": ""}, {"aws-x": ""}),
    Rule("the value of a tag has at most 256 characters, got 257 of 'k'", tagged, {"k": "v" * 257}, {"k": "v" * 256}),
    Rule("the value of a tag has letters, digits, spaces and", tagged, {"k": "R&D"}, {"k": "R und D \u00fc 1@x"}),
    Rule("the key of a tag has letters, digits, spaces and", tagged, {"k?": ""}, {"k": ""}),
    Rule("dataset_group_name must have 1 to 63 letters, digits, hyphens and underscores", named, "-films", "films-"),
    Rule("and start with a letter or digit, got '" + "f" * 64, named, "f" * 64, "f" * 63),
    Rule(
        "campaign_arn must look like arn:<partition>:personalize:",
        arn,
        "campaign",
        "campaign/live",
    ),
    Rule("prefix must be a folder that ends in '/' or the key of a '.csv' file", source, "items", "items/"),
    Rule("without a '/' at its start, got '/items/'", source, "/items/", "items/"),
    Rule("the location of a data source has at most 256 characters", source, "i" * 245 + "/", "i" * 244 + "/"),
    Rule(
        "removal_policy must be one of ['DESTROY', 'RETAIN', 'RETAIN_ON_UPDATE_OR_DELETE'], got SNAPSHOT",
        removed,
        RemovalPolicy.SNAPSHOT,
        RemovalPolicy.RETAIN,
    ),
    Rule("encryption_key must be a key, of which the service takes the ARN, got the alias", encrypted, True, False),
    Rule(
        "encryption_key must be in the Region of its dataset group, eu-west-1, got one in us-east-1",
        encrypted_in_region,
        "us-east-1",
        "eu-west-1",
    ),
    Rule("data_bucket must be in the Region of its dataset group", in_region, "us-east-1", "eu-west-1"),
    Rule("the bucket of source must be in the Region of its dataset group", imported_from, "us-east-1", "eu-west-1"),
    Rule("report_bucket must be in the Region of its dataset group", reported_in, "us-east-1", "eu-west-1"),
    Rule(
        "schema must be one of ITEMS for add_items, got one of INTERACTIONS",
        lambda schema: group().add_items(schema=schema),
        INTERACTIONS,
        ITEMS,
    ),
    Rule(
        "of the domain ECOMMERCE cannot have a dataset of ACTIONS",
        lambda domain: group(domain=domain).add_actions(schema=ACTIONS),
        Domain.ECOMMERCE,
        None,
    ),
    Rule(
        "schema of ITEMS is not valid for the domain of dataset group",
        lambda schema: group(domain=Domain.ECOMMERCE).add_items(schema=schema),
        ITEMS,
        Schema.items(domain=Domain.ECOMMERCE),
    ),
    Rule("has a dataset of ITEMS already", two_datasets, (ITEMS, ITEMS), (ITEMS, INTERACTIONS)),
    Rule("has an event tracker already", lambda number: twice("add_event_tracker", number), 2, 1),
    Rule(
        "has a metric attribution already",
        lambda number: twice("add_metric_attribution", number, metrics=[METRIC]),
        2,
        1,
    ),
    Rule("has a workflow already", two_workflows, 2, 1),
    Rule("removal_policy of the workflow", workflow_removed, RemovalPolicy.RETAIN, WorkflowRemovalPolicy.RETAIN),
    Rule(
        "Deadlines.training is 59 s; a deadline is at least 1 minute",
        training_deadline,
        Duration.seconds(59),
        Duration.minutes(1),
    ),
    Rule("at most 10000 are allowed", training_deadline, Duration.days(4), Duration.days(3)),
    Rule("metric_name must have 1 to 256 characters", lambda name: metrics((name,)), "m" * 257, "m" * 256),
    Rule(
        "event_type must have 1 to 256 characters, got ''",
        lambda kind: personalize.AttributedMetric(event_type=kind, metric_name="m"),
        "",
        "e",
    ),
    Rule(
        "metrics must have 1 to 10 elements, got 11",
        metrics,
        tuple(f"m{index}" for index in range(11)),
        tuple(f"m{index}" for index in range(10)),
    ),
    Rule(
        "metrics must have names that differ in more than their case, got 'SOLD' twice",
        metrics,
        ("sold", "Sold"),
        ("sold", "sold2"),
    ),
    Rule("report_prefix need report_bucket, got none", report, {"report_prefix": "r/"}, {}),
    Rule(
        "report_prefix must be a folder that ends in '/'",
        report,
        {"report_bucket": bucket(), "report_prefix": "r"},
        {"report_bucket": bucket(), "report_prefix": "r/"},
    ),
    Rule(
        "it needs a dataset of INTERACTIONS with the column EVENT_TYPE", attributed, Schema.interactions(), INTERACTIONS
    ),
    Rule(
        "expression of the metric 'sum' must sum a numeric column of ITEMS, got 'GENRES', allowed: ['YEAR']",
        summed,
        "GENRES",
        "YEAR",
    ),
    Rule("report_prefix must not be in the folder", reported_to, "{id}/interactions/reports/", "{id}/reports/"),
    Rule("may use at most 20 different fields in total, got 21", filtered, (10, 10, 1), (10, 10)),
    Rule("Items must have the column PRICE", filtered_by, "PRICE", "YEAR"),
    Rule(
        "so nothing would train or run them; add Workflow(scope, id, dataset_group=...)",
        lambda trained: untrained(trained=trained),
        False,
        True,
    ),
    Rule(
        "filter_name must have 1 to 63 letters",
        lambda name: films().add_filter(fresh_id(), expression="EXCLUDE ItemID WHERE Items.YEAR = 1", filter_name=name),
        "top ten",
        "top-ten",
    ),
)


def untrained(*, trained: bool) -> list[str]:
    """Return what is wrong with a solution that nothing trains."""
    made = group(INTERACTIONS)
    made.add_solution("Sims", recipe=personalize.Recipe.SIMS)
    return problems(made, trained=trained)
