"""Metric attributions: what recommendations and other sources of events have brought about."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, cast

from aws_cdk import CfnResource, IResource, RemovalPolicy, Resource, Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_personalize import avro
from cdk_personalize._custom_resource import custom_resource
from cdk_personalize._imported import Imported
from cdk_personalize._nag import acknowledge, acknowledge_resource
from cdk_personalize._names import personalize_arn, physical_name
from cdk_personalize._provider import Provider, ProviderPolicies
from cdk_personalize._region import check_region
from cdk_personalize.data_bucket import allow_personalize_writing
from cdk_personalize.dataset_group import DatasetGroup
from cdk_personalize.facts import limits
from cdk_personalize.metric_expression import MetricExpression
from cdk_personalize.service_role import ServiceRole

RESOURCE_TYPE: Final = "Custom::PersonalizeMetricAttribution"

CREATE_ACTIONS: Final = ("personalize:CreateMetricAttribution",)
ON_EVENT_ACTIONS: Final = (
    "personalize:DeleteMetricAttribution",
    "personalize:DescribeMetricAttribution",
    "personalize:UpdateMetricAttribution",
)
IS_COMPLETE_ACTIONS: Final = ("personalize:DeleteMetricAttribution", "personalize:DescribeMetricAttribution")
LIST_ACTIONS: Final = ("personalize:ListMetricAttributionMetrics",)
KEY_ACTIONS: Final = ("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey")
PUT_METRICS: Final = ("cloudwatch:PutMetricData",)

_SECTIONS: Final = ("event_type", "metric_name", "expression")


@dataclass(frozen=True, kw_only=True)
class AttributedMetric:
    """What is counted, or summed, over the events of one type.

    The service keeps event types and names in upper case.

    See https://docs.aws.amazon.com/personalize/latest/dg/metric-attribution-requirements.html

    :param event_type: The event type.
    :param metric_name: Name of the metric; it has to be unique, whatever its case.
    :param expression: ``SAMPLECOUNT()``, ``SUM(Items.COLUMN)`` or ``SUM(Interactions.COLUMN)``.
        Default: - ``SAMPLECOUNT()``
    :raises ValueError: When one is empty or too long, or the expression is none.
    """

    event_type: str
    metric_name: str
    expression: str = "SAMPLECOUNT()"

    def __post_init__(self) -> None:
        for section in _SECTIONS:
            value = getattr(self, section)
            if not Token.is_unresolved(value) and not 1 <= len(value) <= limits.METRIC_TEXT_LENGTH:
                raise ValueError(f"{section} must have 1 to {limits.METRIC_TEXT_LENGTH} characters, got {value!r}")
        self.parsed()

    def parsed(self) -> MetricExpression | None:
        """Return the parsed expression; ``None`` when it is not known yet.

        :raises ValueError: When it is none.
        """
        return None if Token.is_unresolved(self.expression) else MetricExpression.parse(self.expression)


class IMetricAttribution(IResource, Protocol):
    """A metric attribution, whether made here or elsewhere."""

    @property
    def metric_attribution_arn(self) -> str:
        """ARN of the metric attribution."""
        ...

    @property
    def metric_attribution_name(self) -> str:
        """Name of the metric attribution."""
        ...


class _ImportedMetricAttribution(Imported):
    KIND = "metric-attribution"

    @property
    def metric_attribution_arn(self) -> str:
        return self._arn

    @property
    def metric_attribution_name(self) -> str:
        return self._name


class MetricAttribution(Resource):
    """The metric attribution of a dataset group; there is at most one.

    Its metrics and the destination of its reports can change in place, which CloudFormation's own type cannot. The
    service keeps no tags for it.

    See https://docs.aws.amazon.com/personalize/latest/dg/measuring-recommendation-impact.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        dataset_group: DatasetGroup,
        metrics: Sequence[AttributedMetric],
        report_bucket: s3.IBucket | None = None,
        report_prefix: str | None = None,
        report_encryption_key: kms.IKey | None = None,
    ) -> None:
        """Create the metric attribution.

        :param scope: Parent.
        :param id: Construct id.
        :param dataset_group: The dataset group whose events are measured.
        :param metrics: What is measured, at most 10 metrics.
        :param report_bucket: Bucket that reports are written to. Default: - CloudWatch alone gets them
        :param report_prefix: Folder of the reports, ending in ``/``.
            Default: - ``<id of the dataset group>/metric-attribution/``
        :param report_encryption_key: KMS key that the reports are encrypted with. Default: - as the bucket says
        :raises ValueError: When the dataset group has one, or a value is not allowed.
        """
        if dataset_group.metric_attribution is not None:
            raise ValueError(
                f"dataset group {dataset_group.node.path!r} has a metric attribution already "
                f"({dataset_group.metric_attribution.node.path!r}); the service allows one"
            )
        _check_metrics(metrics)
        _check_report(report_bucket, report_prefix, report_encryption_key)
        if report_bucket is not None:
            check_region("report_bucket", report_bucket, Stack.of(scope))
        super().__init__(scope, id)
        self._dataset_group = dataset_group
        self._metrics = list(metrics)
        self._bucket = report_bucket
        self._prefix = report_prefix or f"{dataset_group.node.id}/metric-attribution/"
        # One for each dataset group: the name follows the group, so that another construct path is no replacement.
        self._name = physical_name(dataset_group, content="metric-attribution")
        self._role = ServiceRole(
            self, "Role", description="Lets Amazon Personalize report the metrics of a metric attribution"
        )
        self._role.add_to_policy(iam.PolicyStatement(actions=list(PUT_METRICS), resources=["*"]))
        acknowledge_resource(self._role, "*", "CloudWatch authorises the writing of metrics on no resource but *")
        key = self._allow_reports(report_encryption_key)
        policies = self._allow_provider(key)
        self._resource = custom_resource(
            self,
            "Resource",
            resource_type=RESOURCE_TYPE,
            properties={
                "Name": self._name,
                "DatasetGroupArn": dataset_group.dataset_group_arn,
                "Metrics": [_render(metric) for metric in metrics],
                "RoleArn": self._role.role_arn,
                "Path": report_bucket and f"s3://{report_bucket.bucket_name}/{self._prefix}",
                "KmsKeyArn": report_encryption_key and report_encryption_key.key_arn,
            },
            removal_policy=RemovalPolicy.DESTROY,
            policies=policies,
        )
        cast(CfnResource, self._resource.node.default_child).override_logical_id(
            f"PersonalizeMetricAttribution{hashlib.sha256(self._name.encode()).hexdigest()[:8]}"
        )
        # The service tries at once whether it can report.
        self._resource.node.add_dependency(dataset_group.datasets_ready, self._role)
        if report_bucket is not None and report_bucket.policy is not None:
            self._resource.node.add_dependency(report_bucket.policy)
        dataset_group._attach_metric_attribution(self)

    @staticmethod
    def from_metric_attribution_arn(scope: Construct, id: str, metric_attribution_arn: str) -> IMetricAttribution:
        """Import a metric attribution that is managed elsewhere.

        :param scope: Parent.
        :param id: Construct id.
        :param metric_attribution_arn: Its ARN, which says in which account and Region it is.
        :raises ValueError: When it cannot be the ARN of one.
        """
        return _ImportedMetricAttribution(scope, id, arn=metric_attribution_arn)

    @staticmethod
    def from_metric_attribution_name(scope: Construct, id: str, metric_attribution_name: str) -> IMetricAttribution:
        """Import a metric attribution of this account and Region that is managed elsewhere.

        :param scope: Parent.
        :param id: Construct id.
        :param metric_attribution_name: Its name.
        :raises ValueError: When it cannot be the name of one.
        """
        return _ImportedMetricAttribution(scope, id, name=metric_attribution_name)

    @property
    def metric_attribution_arn(self) -> str:
        """ARN of the metric attribution; whatever uses it is created after it."""
        return self._resource.get_att_string("MetricAttributionArn")

    @property
    def metric_attribution_name(self) -> str:
        """Name of the metric attribution."""
        return self._name

    @property
    def report_bucket(self) -> s3.IBucket | None:
        """The bucket that reports are written to, or ``None``."""
        return self._bucket

    @property
    def dataset_group(self) -> DatasetGroup:
        """The dataset group whose events are measured."""
        return self._dataset_group

    def _allow_reports(self, encryption_key: kms.IKey | None) -> kms.IKey | None:
        """Let the service write reports; return the key that it encrypts them with."""
        bucket = self._bucket
        if bucket is None:
            return None
        self._role.allow_writing(bucket, f"{self._prefix}*", "the names of reports hold the time")
        allow_personalize_writing(bucket, f"{self._prefix}*")
        key = encryption_key or bucket.encryption_key
        if key is not None:
            self._role.allow_encrypting(key)
        return key

    def _allow_provider(self, key: kms.IKey | None) -> ProviderPolicies:
        arn = personalize_arn(self, "metric-attribution", self._name)
        reading = iam.PolicyStatement(actions=list(LIST_ACTIONS), resources=["*"])
        policies = Provider.get_or_create(self).allow(
            self,
            on_event=[
                iam.PolicyStatement(actions=list(CREATE_ACTIONS), resources=[self._dataset_group.predicted_arn, arn]),
                iam.PolicyStatement(actions=list(ON_EVENT_ACTIONS), resources=[arn]),
                reading,
                self._role.passing(),
                *([iam.PolicyStatement(actions=list(KEY_ACTIONS), resources=[key.key_arn])] if key else []),
            ],
            is_complete=[iam.PolicyStatement(actions=list(IS_COMPLETE_ACTIONS), resources=[arn]), reading],
        )
        for policy in policies:
            acknowledge(
                policy,
                {
                    "AwsSolutions-IAM5[Resource::*]": "the service authorises its list operations on no resource but *",
                },
            )
        return policies

    def _problems(self) -> list[str]:
        """Return what does not fit the datasets of the group, once all of them are declared."""
        found = [*self._column_problems(), *self._report_problems()]
        return [f"metric attribution {self.node.path!r}: {problem}" for problem in found]

    def _column_problems(self) -> Iterable[str]:
        schemas = {dataset.dataset_type.value: dataset.schema for dataset in self._dataset_group.datasets}
        interactions = schemas.get("INTERACTIONS")
        if interactions is None or "EVENT_TYPE" not in interactions.columns:
            yield "it needs a dataset of INTERACTIONS with the column EVENT_TYPE"
        for metric in self._metrics:
            expression = metric.parsed()
            if expression is None or expression.dataset is None:
                continue
            schema = schemas.get(expression.dataset)
            fields = schema.fields if schema is not None else []
            allowed = [field["name"] for field in fields if avro.value_type(field) in avro.NUMERIC_TYPES]
            if expression.column not in allowed:
                yield (
                    f"expression of the metric {metric.metric_name!r} must sum a numeric column of "
                    f"{expression.dataset}, got {expression.column!r}, allowed: {allowed}"
                )

    def _report_problems(self) -> Iterable[str]:
        for dataset in self._dataset_group.datasets:
            for source in dataset.sources:
                if source.bucket is not self._bucket or Token.is_unresolved(source.prefix + self._prefix):
                    continue
                if source.prefix.endswith("/") and self._prefix.startswith(source.prefix):
                    yield (
                        f"report_prefix must not be in the folder {source.prefix!r} of {dataset.dataset_type.value}, "
                        f"from which reports would be imported, got {self._prefix!r}"
                    )


def _check_metrics(metrics: Sequence[AttributedMetric]) -> None:
    if not 1 <= len(metrics) <= limits.METRICS:
        raise ValueError(f"metrics must have 1 to {limits.METRICS} elements, got {len(metrics)}")
    names = [metric.metric_name.upper() for metric in metrics if not Token.is_unresolved(metric.metric_name)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"metrics must have names that differ in more than their case, got {twice[0]!r} twice")


def _check_report(bucket: s3.IBucket | None, prefix: str | None, key: kms.IKey | None) -> None:
    if bucket is None:
        given = [name for name, value in (("report_prefix", prefix), ("report_encryption_key", key)) if value]
        if given:
            raise ValueError(f"{' and '.join(given)} need report_bucket, got none")
        return
    if prefix is None or Token.is_unresolved(prefix):
        return
    if prefix.startswith("/") or not prefix.endswith("/"):
        raise ValueError(f"report_prefix must be a folder that ends in '/', without a '/' at its start, got {prefix!r}")


def _render(metric: AttributedMetric) -> dict[str, str]:
    return {
        "EventType": _upper(metric.event_type),
        "MetricName": _upper(metric.metric_name),
        "Expression": metric.expression,
    }


def _upper(value: str) -> str:
    """As the service keeps it; the provider does the same with what is known only when it is deployed."""
    return value if Token.is_unresolved(value) else value.upper()
