"""MetricAttribution."""

from __future__ import annotations

import re
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms

import cdk_personalize as personalize
from cdk_personalize.dataset import DataSource
from tests.unit.conftest import INTERACTIONS, Resources, Synthesis

Metric = personalize.AttributedMetric
WATCHES = Metric(event_type="watch", metric_name="watches")
YEARS = Metric(event_type="Buy", metric_name="Years", expression="sum( Items.YEAR )")
TYPE = "Custom::PersonalizeMetricAttribution"


def resources(synthesis: Synthesis) -> Resources:
    return Resources.of(synthesis.template)


def test_names_and_event_types_are_in_upper_case(synthesis: Synthesis) -> None:
    group = synthesis.group()
    made = group.add_metric_attribution(metrics=[WATCHES, YEARS])

    found = resources(synthesis)
    properties = found.properties(TYPE)
    assert properties["Metrics"] == [
        {"EventType": "WATCH", "MetricName": "WATCHES", "Expression": "SAMPLECOUNT()"},
        {"EventType": "BUY", "MetricName": "YEARS", "Expression": "sum( Items.YEAR )"},
    ]
    assert properties["Name"] == made.metric_attribution_name
    assert not {"Path", "KmsKeyArn"} & properties.keys()
    assert found.statements("MoviesMetricAttributionRoleDefaultPolicy") == [
        {"Action": "cloudwatch:PutMetricData", "Effect": "Allow", "Resource": "*"}
    ]
    assert group.metric_attribution is made
    assert made.dataset_group is group


def test_it_is_made_after_the_datasets_and_what_it_needs(synthesis: Synthesis) -> None:
    group = synthesis.group()
    group.add_metric_attribution(metrics=[WATCHES], report_bucket=group.data_bucket)

    found = resources(synthesis)
    before = set(found.one(TYPE)["DependsOn"])
    assert set(found.ids("Custom::PersonalizeDataset")) <= before
    for start in ("MoviesMetricAttributionRoleDefaultPolicy", "MoviesMetricAttributionOnEventPolicy"):
        assert any(each.startswith(start) for each in before), start
    assert any(each.startswith("MoviesDataBucketPolicy") for each in before)


def test_the_provider_may_do_what_is_needed_and_nothing_else(synthesis: Synthesis) -> None:
    group = synthesis.group()
    made = group.add_metric_attribution(metrics=[WATCHES])

    found = resources(synthesis)
    arn = synthesis.stack.resolve(
        cdk.Stack.of(group).format_arn(
            service="personalize", resource="metric-attribution", resource_name=made.metric_attribution_name
        )
    )
    group_arn = synthesis.stack.resolve(group.predicted_arn)
    listing = {"Action": "personalize:ListMetricAttributionMetrics", "Effect": "Allow", "Resource": "*"}
    create, change, listed, passing = found.statements("MoviesMetricAttributionOnEventPolicy")
    assert create == {
        "Action": "personalize:CreateMetricAttribution",
        "Effect": "Allow",
        "Resource": [group_arn, arn],
    }
    assert change == {
        "Action": [
            "personalize:DeleteMetricAttribution",
            "personalize:DescribeMetricAttribution",
            "personalize:UpdateMetricAttribution",
        ],
        "Effect": "Allow",
        "Resource": arn,
    }
    assert listed == listing
    assert (passing["Action"], passing["Condition"]) == (
        "iam:PassRole",
        {"StringEquals": {"iam:PassedToService": "personalize.amazonaws.com"}},
    )
    assert found.statements("MoviesMetricAttributionIsCompletePolicy") == [
        {
            "Action": ["personalize:DeleteMetricAttribution", "personalize:DescribeMetricAttribution"],
            "Effect": "Allow",
            "Resource": arn,
        },
        listing,
    ]


def test_reports_may_be_written_to_their_folder_only(synthesis: Synthesis) -> None:
    group = synthesis.group()
    group.add_metric_attribution(metrics=[WATCHES], report_bucket=group.data_bucket)

    found = resources(synthesis)
    [bucket] = [each for each in found.ids("AWS::S3::Bucket") if "AccessLogs" not in each]
    files = {"Fn::Join": ["", [{"Fn::GetAtt": [bucket, "Arn"]}, "/Movies/metric-attribution/*"]]}
    assert found.properties(TYPE)["Path"] == {
        "Fn::Join": ["", ["s3://", {"Ref": bucket}, "/Movies/metric-attribution/"]]
    }
    role = found.statements("MoviesMetricAttributionRoleDefaultPolicy")
    assert {"Action": "s3:PutObject", "Effect": "Allow", "Resource": files} in role
    assert {"Action": "s3:ListBucket", "Effect": "Allow", "Resource": {"Fn::GetAtt": [bucket, "Arn"]}} in role
    [written] = [each for each in found.statements("MoviesDataBucketPolicy") if each["Action"] == "s3:PutObject"]
    assert (written["Principal"], written["Resource"]) == ({"Service": "personalize.amazonaws.com"}, files)
    assert written["Condition"] == {"StringEqualsIfExists": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_reports_may_be_encrypted_with_a_key(synthesis: Synthesis) -> None:
    key = kms.Key(synthesis.stack, "Key")
    group = synthesis.group()
    group.add_metric_attribution(
        metrics=[WATCHES], report_bucket=group.data_bucket, report_prefix="reports/", report_encryption_key=key
    )

    found = resources(synthesis)
    arn = synthesis.stack.resolve(key.key_arn)
    assert found.properties(TYPE)["KmsKeyArn"] == arn
    [role] = [each for each in found.statements("MoviesMetricAttributionRoleDefaultPolicy") if each["Resource"] == arn]
    assert role["Action"] == ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:ListGrants"]
    [caller] = [each for each in found.statements("MoviesMetricAttributionOnEventPolicy") if each["Resource"] == arn]
    assert caller["Action"] == ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]


def test_another_construct_id_is_no_replacement() -> None:
    """The service allows one for each dataset group, so that a new one could not be made before the former one went."""

    def made(id: str) -> tuple[list[str], str]:
        synthesis = Synthesis()
        attribution = synthesis.group().add_metric_attribution(id, metrics=[WATCHES])
        return resources(synthesis).ids(TYPE), attribution.metric_attribution_name

    assert made("Impact") == made("MetricAttribution")


BUCKET = object()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metrics": []}, "metrics must have 1 to 10 elements, got 0"),
        (
            {"metrics": [Metric(event_type="watch", metric_name=f"m{number}") for number in range(11)]},
            "metrics must have 1 to 10 elements, got 11",
        ),
        (
            {"metrics": [WATCHES, Metric(event_type="buy", metric_name="Watches")]},
            "metrics must have names that differ in more than their case, got 'WATCHES' twice",
        ),
        ({"metrics": [WATCHES], "report_prefix": "reports/"}, "report_prefix need report_bucket, got none"),
        (
            {"metrics": [WATCHES], "report_bucket": BUCKET, "report_prefix": "reports"},
            "report_prefix must be a folder that ends in '/', without a '/' at its start, got 'reports'",
        ),
    ],
)
def test_what_is_refused(synthesis: Synthesis, arguments: dict[str, Any], message: str) -> None:
    group = synthesis.group()
    given = {name: group.data_bucket if value is BUCKET else value for name, value in arguments.items()}

    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        group.add_metric_attribution(**given)

    assert group.metric_attribution is None
    group.add_metric_attribution(metrics=[WATCHES])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metric_name": ""}, "metric_name must have 1 to 256 characters, got ''"),
        ({"event_type": "e" * 257}, f"event_type must have 1 to 256 characters, got {'e' * 257!r}"),
        (
            {"expression": "MAX(Items.YEAR)"},
            "the expression must be SAMPLECOUNT(), SUM(Items.COLUMN) or SUM(Interactions.COLUMN), "
            "got 'MAX(Items.YEAR)'",
        ),
    ],
)
def test_metrics_that_are_refused(arguments: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Metric(**{"event_type": "watch", "metric_name": "watches", **arguments})


def test_there_is_one(synthesis: Synthesis) -> None:
    group = synthesis.group()
    group.add_metric_attribution(metrics=[WATCHES])

    with pytest.raises(ValueError, match=r"has a metric attribution already \('Films/Movies/MetricAttribution'\)"):
        group.add_metric_attribution("Another", metrics=[WATCHES])


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("SUM(Items.YEAR)", None),
        ("SUM(Interactions.EVENT_VALUE)", None),
        (
            "SUM(Items.GENRES)",
            "expression of the metric 'watches' must sum a numeric column of ITEMS, got 'GENRES', allowed: ['YEAR']",
        ),
        (
            "SUM(Interactions.YEAR)",
            "expression of the metric 'watches' must sum a numeric column of INTERACTIONS, got 'YEAR', "
            "allowed: ['TIMESTAMP', 'EVENT_VALUE']",
        ),
    ],
)
def test_columns_are_looked_up_in_the_schemas(synthesis: Synthesis, expression: str, problem: str | None) -> None:
    metric = Metric(event_type="watch", metric_name="watches", expression=expression)
    made = synthesis.group().add_metric_attribution(metrics=[metric])

    expected = f"metric attribution 'Films/Movies/MetricAttribution': {problem}"
    assert made._problems() == ([expected] if problem else [])


def test_synthesis_tells_of_missing_event_types(synthesis: Synthesis) -> None:
    group = personalize.DatasetGroup(synthesis.stack, "Movies")
    group.add_metric_attribution(metrics=[WATCHES])
    group.add_interactions(schema=personalize.Schema.interactions())

    with pytest.raises(RuntimeError, match="it needs a dataset of INTERACTIONS with the column EVENT_TYPE"):
        synthesis.app.synth()


@pytest.mark.parametrize(("prefix", "refused"), [("in/reports/", True), ("reports/", False)])
def test_reports_must_not_be_imported(synthesis: Synthesis, prefix: str, refused: bool) -> None:
    group = personalize.DatasetGroup(synthesis.stack, "Movies")
    group.add_interactions(schema=INTERACTIONS, source=DataSource(group.data_bucket, "in/"))
    made = group.add_metric_attribution(metrics=[WATCHES], report_bucket=group.data_bucket, report_prefix=prefix)

    assert bool(made._problems()) is refused
    assert all("report_prefix must not be in the folder 'in/' of INTERACTIONS" in each for each in made._problems())


def test_tokens_pass(synthesis: Synthesis) -> None:
    token = cdk.CfnParameter(synthesis.stack, "Text").value_as_string
    group = synthesis.group()
    group.add_metric_attribution(
        metrics=[Metric(event_type=token, metric_name=token, expression=token)] * 2,
        report_bucket=group.data_bucket,
        report_prefix=token,
    )

    reference = {"Ref": "Text"}
    metric = {"EventType": reference, "MetricName": reference, "Expression": reference}
    assert resources(synthesis).properties(TYPE)["Metrics"] == [metric, metric]
