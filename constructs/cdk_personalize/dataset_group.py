"""Dataset groups: what belongs together in Amazon Personalize."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Protocol

import jsii
from aws_cdk import Annotations, IResource, ITaggableV2, RemovalPolicies, RemovalPolicy, Resource, Stack, TagManager
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct, DependencyGroup, IValidation

from cdk_personalize._custom_resource import custom_resource
from cdk_personalize._imported import Imported
from cdk_personalize._nag import acknowledge_resource
from cdk_personalize._names import check_name, personalize_arn, physical_name
from cdk_personalize._provider import Provider, ProviderPolicies
from cdk_personalize._quotas import warn_above
from cdk_personalize._region import check_region, warn_of_region
from cdk_personalize._removal import check_removal_policy, declared
from cdk_personalize._tags import ResourceTags
from cdk_personalize.data_bucket import DataBucket, allow_personalize
from cdk_personalize.dataset_type import DatasetType
from cdk_personalize.domain import Domain
from cdk_personalize.facts import limits
from cdk_personalize.recipe import Recipe
from cdk_personalize.service_role import ServiceRole

if TYPE_CHECKING:
    from cdk_personalize._job import Job
    from cdk_personalize.campaign import ItemExploration
    from cdk_personalize.data_deletion_job import DataDeletionJob
    from cdk_personalize.dataset import Dataset, DataSource
    from cdk_personalize.event_tracker import EventTracker
    from cdk_personalize.filter import Filter
    from cdk_personalize.metric_attribution import AttributedMetric, MetricAttribution
    from cdk_personalize.quality_gate import QualityGate
    from cdk_personalize.recommender import Recommender
    from cdk_personalize.s3_location import S3Location
    from cdk_personalize.schema import Schema
    from cdk_personalize.solution import (
        EventWeight,
        HyperparameterOptimization,
        OptimizationObjective,
        Solution,
    )
    from cdk_personalize.training import Training
    from cdk_personalize.use_case import UseCase
    from cdk_personalize.workflow.workflow import Workflow

RESOURCE_TYPE: Final = "Custom::PersonalizeDatasetGroup"

ON_EVENT_ACTIONS: Final = (
    "personalize:CreateDataset",
    "personalize:CreateDatasetGroup",
    "personalize:DeleteDataset",
    "personalize:DeleteDatasetGroup",
    "personalize:DescribeDataset",
    "personalize:DescribeDatasetGroup",
    "personalize:ListTagsForResource",
    "personalize:TagResource",
    "personalize:UntagResource",
    "personalize:UpdateDataset",
)
IS_COMPLETE_ACTIONS: Final = (
    "personalize:DeleteDataset",
    "personalize:DeleteDatasetGroup",
    "personalize:DescribeDataset",
    "personalize:DescribeDatasetGroup",
)
SCHEMA_ON_EVENT_ACTIONS: Final = (
    "personalize:CreateSchema",
    "personalize:DeleteSchema",
)
READ_SCHEMA_ACTIONS: Final = ("personalize:DescribeSchema",)
STACK_ON_EVENT_ACTIONS: Final = ("cloudformation:DescribeStacks",)

_ACTION_TYPES: Final = (DatasetType.ACTIONS, DatasetType.ACTION_INTERACTIONS)

# A schema's name goes on with the longest dataset type and the hash of its content.
_SCHEMA_PREFIX_LENGTH: Final = 26


class IDatasetGroup(IResource, Protocol):
    """A dataset group, whether made here or elsewhere."""

    @property
    def dataset_group_arn(self) -> str:
        """ARN of the dataset group."""
        ...

    @property
    def dataset_group_name(self) -> str:
        """Name of the dataset group."""
        ...


class _ImportedDatasetGroup(Imported):
    KIND = "dataset-group"

    @property
    def dataset_group_arn(self) -> str:
        return self._arn

    @property
    def dataset_group_name(self) -> str:
        return self._name


@jsii.implements(ITaggableV2)
class DatasetGroup(Resource):
    """A dataset group: datasets, and the solutions, filters and event tracker that use them.

    Its data are kept when the construct or the stack is removed, unless another removal policy is given; a later
    deployment with the same construct path takes them on again.

    See https://docs.aws.amazon.com/personalize/latest/dg/data-prep-ds-group.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        dataset_group_name: str | None = None,
        domain: Domain | None = None,
        encryption_key: kms.IKey | None = None,
        data_bucket: s3.IBucket | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    ) -> None:
        """Create the dataset group.

        :param scope: Parent.
        :param id: Construct id.
        :param dataset_group_name: Name. It cannot be changed later. Default: - a name derived from the construct path
        :param domain: The domain whose use cases recommenders can be made for. It cannot be changed later.
            Default: - none: a custom dataset group
        :param encryption_key: KMS key that the service encrypts its copy of the data with. It cannot be changed later.
            Default: - a key of the service
        :param data_bucket: Bucket that datasets without a source of their own are imported from.
            Default: - a new :class:`DataBucket` with the same removal policy, the child ``DataBucket``
        :param removal_policy: What happens when it is removed from the stack: ``DESTROY``, ``RETAIN`` or
            ``RETAIN_ON_UPDATE_OR_DELETE``. Default: - it stays, except when its creation is rolled back
        :raises ValueError: When the name or the removal policy is not valid, or the key or the bucket cannot be used.
        """
        check_name("dataset_group_name", dataset_group_name)
        check_removal_policy(removal_policy)
        if encryption_key is not None:
            _check_key(Stack.of(scope), encryption_key)
        if data_bucket is not None:
            check_region("data_bucket", data_bucket, Stack.of(scope))
        super().__init__(scope, id)
        warn_of_region(self)
        self._name = dataset_group_name or physical_name(self)
        self._owner = physical_name(self)
        self._domain = domain
        self._removal_policy = removal_policy
        self._tags = ResourceTags(self, RESOURCE_TYPE, self._owner)
        self._datasets: list[Dataset] = []
        self._filters: list[Filter] = []
        self._solutions: list[Solution] = []
        self._recommenders: list[Recommender] = []
        self._jobs: list[Job] = []
        self._event_tracker: EventTracker | None = None
        self._metric_attribution: MetricAttribution | None = None
        self._workflow: Workflow | None = None
        self.datasets_ready = DependencyGroup()
        self.resources_ready = DependencyGroup()
        self.encryption_key = encryption_key
        self.service_role = ServiceRole(self, "ServiceRole")
        if encryption_key is not None:
            self.service_role.allow_encrypting(encryption_key)
        self.data_bucket: s3.IBucket = data_bucket or DataBucket(self, "DataBucket", removal_policy=removal_policy)
        self._prepared_buckets: list[s3.IBucket] = []
        self.provider_policies = self._allow_provider(encrypted=encryption_key is not None)
        self._resource = custom_resource(
            self,
            "Resource",
            resource_type=RESOURCE_TYPE,
            properties={
                "Name": self._name,
                "Owner": self._owner,
                "Domain": domain and domain.value,
                "KmsKeyArn": encryption_key and encryption_key.key_arn,
                "RoleArn": self.service_role.role_arn if encryption_key is not None else None,
                "Tags": self._tags.for_custom_resource(),
                "RemovalPolicy": declared(removal_policy),
            },
            removal_policy=removal_policy,
            policies=self.provider_policies,
        )
        if encryption_key is not None:
            # The service tries the key at once.
            self._resource.node.add_dependency(self.service_role, encryption_key)
            if removal_policy is not RemovalPolicy.DESTROY:
                # Data that stay can be read with this role only, for good.
                RemovalPolicies.of(self.service_role).apply(removal_policy)
        self.resources_ready.add(self.service_role)
        self.node.add_validation(_Complete(self))

    @staticmethod
    def from_dataset_group_arn(scope: Construct, id: str, dataset_group_arn: str) -> IDatasetGroup:
        """Import a dataset group that is managed elsewhere.

        It can have filters and an event tracker that are declared here. Datasets, and what is trained on them, belong
        to the workflow of a dataset group that is declared.

        :param scope: Parent.
        :param id: Construct id.
        :param dataset_group_arn: Its ARN, which says in which account and Region it is.
        :raises ValueError: When it cannot be the ARN of one.
        """
        return _ImportedDatasetGroup(scope, id, arn=dataset_group_arn)

    @staticmethod
    def from_dataset_group_name(scope: Construct, id: str, dataset_group_name: str) -> IDatasetGroup:
        """Import a dataset group of this account and Region that is managed elsewhere.

        :param scope: Parent.
        :param id: Construct id.
        :param dataset_group_name: Its name.
        :raises ValueError: When it cannot be the name of one.
        """
        return _ImportedDatasetGroup(scope, id, name=dataset_group_name)

    @property
    def dataset_group_arn(self) -> str:
        """ARN of the dataset group; whatever uses it is created after the dataset group."""
        return self._resource.get_att_string("DatasetGroupArn")

    @property
    def dataset_group_name(self) -> str:
        """Name of the dataset group."""
        return self._name

    @property
    def predicted_arn(self) -> str:
        """The ARN that it has or will have; whatever uses it does not depend on the dataset group."""
        return personalize_arn(self, "dataset-group", self._name)

    @property
    def schema_prefix(self) -> str:
        """What the names of its datasets' schemas start with."""
        return physical_name(self, content="schemas", max_length=_SCHEMA_PREFIX_LENGTH)

    @property
    def owner(self) -> str:
        """Value of the tag that marks what belongs to this dataset group."""
        return self._owner

    @property
    def domain(self) -> Domain | None:
        """The domain, or ``None`` for a custom dataset group."""
        return self._domain

    @property
    def removal_policy(self) -> RemovalPolicy:
        """What happens when it is removed from the stack."""
        return self._removal_policy

    @property
    def cdk_tag_manager(self) -> TagManager:
        """The tags set by ``Tags.of(...)``."""
        return self._tags.manager

    @property
    def datasets(self) -> list[Dataset]:
        """Its datasets."""
        return list(self._datasets)

    @property
    def filters(self) -> list[Filter]:
        """Its filters."""
        return list(self._filters)

    @property
    def solutions(self) -> list[Solution]:
        """Its solutions."""
        return list(self._solutions)

    @property
    def recommenders(self) -> list[Recommender]:
        """Its recommenders."""
        return list(self._recommenders)

    @property
    def jobs(self) -> list[Job]:
        """Its batch inference, batch segment, dataset export and data deletion jobs."""
        return list(self._jobs)

    @property
    def event_tracker(self) -> EventTracker | None:
        """Its event tracker, or ``None``."""
        return self._event_tracker

    @property
    def metric_attribution(self) -> MetricAttribution | None:
        """Its metric attribution, or ``None``."""
        return self._metric_attribution

    @property
    def workflow(self) -> Workflow | None:
        """The workflow that imports, trains and deploys, or ``None``."""
        return self._workflow

    def add_interactions(
        self,
        *,
        schema: Schema,
        source: DataSource | None = None,
        incremental_source: DataSource | None = None,
        publish_attribution_metrics: bool = False,
        removal_policy: RemovalPolicy | None = None,
    ) -> Dataset:
        """Add the dataset of interactions, as the child ``Interactions``.

        :param schema: Its columns.
        :param source: Where it is imported from. Default: - the folder ``<id>/interactions/`` of the data bucket
        :param incremental_source: Where additions are imported from. Default: - none, see :class:`Dataset`
        :param publish_attribution_metrics: Whether imports report metrics to S3. Default: - no, see :class:`Dataset`
        :param removal_policy: What happens when it is removed. Default: - as for the dataset group
        :raises ValueError: When there is one, or the schema is for another type.
        """
        return self._add_dataset(
            DatasetType.INTERACTIONS,
            schema,
            source,
            incremental_source,
            removal_policy,
            publish_attribution_metrics=publish_attribution_metrics,
        )

    def add_items(
        self,
        *,
        schema: Schema,
        source: DataSource | None = None,
        incremental_source: DataSource | None = None,
        removal_policy: RemovalPolicy | None = None,
    ) -> Dataset:
        """Add the dataset of items, as the child ``Items``.

        :param schema: Its columns.
        :param source: Where it is imported from. Default: - the folder ``<id>/items/`` of the data bucket
        :param incremental_source: Where additions are imported from. Default: - none, see :class:`Dataset`
        :param removal_policy: What happens when it is removed. Default: - as for the dataset group
        :raises ValueError: When there is one, or the schema is for another type.
        """
        return self._add_dataset(DatasetType.ITEMS, schema, source, incremental_source, removal_policy)

    def add_users(
        self,
        *,
        schema: Schema,
        source: DataSource | None = None,
        incremental_source: DataSource | None = None,
        removal_policy: RemovalPolicy | None = None,
    ) -> Dataset:
        """Add the dataset of users, as the child ``Users``.

        :param schema: Its columns.
        :param source: Where it is imported from. Default: - the folder ``<id>/users/`` of the data bucket
        :param incremental_source: Where additions are imported from. Default: - none, see :class:`Dataset`
        :param removal_policy: What happens when it is removed. Default: - as for the dataset group
        :raises ValueError: When there is one, or the schema is for another type.
        """
        return self._add_dataset(DatasetType.USERS, schema, source, incremental_source, removal_policy)

    def add_actions(
        self,
        *,
        schema: Schema,
        source: DataSource | None = None,
        incremental_source: DataSource | None = None,
        removal_policy: RemovalPolicy | None = None,
    ) -> Dataset:
        """Add the dataset of actions, as the child ``Actions``.

        :param schema: Its columns.
        :param source: Where it is imported from. Default: - the folder ``<id>/actions/`` of the data bucket
        :param incremental_source: Where additions are imported from. Default: - none, see :class:`Dataset`
        :param removal_policy: What happens when it is removed. Default: - as for the dataset group
        :raises ValueError: When there is one, the schema is for another type, or the dataset group has a domain.
        """
        return self._add_dataset(DatasetType.ACTIONS, schema, source, incremental_source, removal_policy)

    def add_action_interactions(
        self,
        *,
        schema: Schema,
        source: DataSource | None = None,
        incremental_source: DataSource | None = None,
        removal_policy: RemovalPolicy | None = None,
    ) -> Dataset:
        """Add the dataset of action interactions, as the child ``Action_Interactions``.

        :param schema: Its columns.
        :param source: Where it is imported from. Default: - the folder ``<id>/action_interactions/`` of the data bucket
        :param incremental_source: Where additions are imported from. Default: - none, see :class:`Dataset`
        :param removal_policy: What happens when it is removed. Default: - as for the dataset group
        :raises ValueError: When there is one, the schema is for another type, or the dataset group has a domain.
        """
        return self._add_dataset(DatasetType.ACTION_INTERACTIONS, schema, source, incremental_source, removal_policy)

    def add_solution(
        self,
        id: str,
        *,
        recipe: Recipe,
        solution_name: str | None = None,
        event_type: str | None = None,
        event_value_threshold: float | None = None,
        events: Sequence[EventWeight] | None = None,
        hyperparameters: Mapping[str, str | int | float | bool] | None = None,
        hyperparameter_optimization: HyperparameterOptimization | None = None,
        optimization_objective: OptimizationObjective | None = None,
        excluded_columns: Mapping[DatasetType, Sequence[str]] | None = None,
        incremental_update: bool | None = None,
        training: Training | None = None,
        quality_gate: QualityGate | None = None,
    ) -> Solution:
        """Add a solution as a child. The parameters are those of :class:`Solution`.

        :param id: Construct id.
        :param recipe: What is trained.
        :param solution_name: What its name starts with. Default: - the construct path
        :param event_type: The only event type to train on. Default: - all
        :param event_value_threshold: Lowest event value to train on. Default: - all
        :param events: Weights and thresholds of event types. Default: - all events count the same
        :param hyperparameters: Hyperparameters of the recipe. Default: - those of the service
        :param hyperparameter_optimization: Search for the best hyperparameters. Default: - none
        :param optimization_objective: Item attribute to optimize for. Default: - relevance alone
        :param excluded_columns: Columns that training ignores. Default: - none
        :param incremental_update: Whether item changes go live without training. Default: - no
        :param training: Who trains it again. Default: - ``Training.manual()``
        :param quality_gate: What a new version has to be like before campaigns serve it. Default: - anything
        """
        from cdk_personalize.solution import Solution

        return Solution(
            self,
            id,
            dataset_group=self,
            recipe=recipe,
            solution_name=solution_name,
            event_type=event_type,
            event_value_threshold=event_value_threshold,
            events=events,
            hyperparameters=hyperparameters,
            hyperparameter_optimization=hyperparameter_optimization,
            optimization_objective=optimization_objective,
            excluded_columns=excluded_columns,
            incremental_update=incremental_update,
            training=training,
            quality_gate=quality_gate,
        )

    def add_recommender(
        self,
        id: str,
        *,
        use_case: UseCase,
        recommender_name: str | None = None,
        min_recommendation_requests_per_second: int = 1,
        item_exploration: ItemExploration | None = None,
        metadata_with_recommendations: bool | None = None,
        excluded_columns: Mapping[DatasetType, Sequence[str]] | None = None,
        running: bool = True,
    ) -> Recommender:
        """Add a recommender as a child. The parameters are those of :class:`Recommender`.

        :param id: Construct id.
        :param use_case: What it recommends.
        :param recommender_name: What its name starts with. Default: - the construct path
        :param min_recommendation_requests_per_second: Requests a second that are always provisioned, and billed.
            Default: - 1
        :param item_exploration: How much is explored. Default: - as the service sets it
        :param metadata_with_recommendations: Whether responses can hold item metadata. Default: - as the service does
        :param excluded_columns: Columns that training ignores. Default: - none
        :param running: Whether it answers, and is billed. Default: - it is running
        :raises ValueError: When the use case is of another domain, or does not allow a parameter.
        """
        from cdk_personalize.recommender import Recommender

        return Recommender(
            self,
            id,
            dataset_group=self,
            use_case=use_case,
            recommender_name=recommender_name,
            min_recommendation_requests_per_second=min_recommendation_requests_per_second,
            item_exploration=item_exploration,
            metadata_with_recommendations=metadata_with_recommendations,
            excluded_columns=excluded_columns,
            running=running,
        )

    def add_filter(self, id: str, *, expression: str, filter_name: str | None = None) -> Filter:
        """Add a filter as a child.

        :param id: Construct id.
        :param expression: The filter expression.
        :param filter_name: What its name starts with. Default: - the construct path
        :raises ValueError: When the expression is not valid.
        """
        from cdk_personalize.filter import Filter

        return Filter(self, id, dataset_group=self, expression=expression, filter_name=filter_name)

    def add_event_tracker(self, id: str = "EventTracker", *, event_tracker_name: str | None = None) -> EventTracker:
        """Add the event tracker as a child.

        :param id: Construct id. Default: - ``EventTracker``
        :param event_tracker_name: Its name. Default: - a name derived from the construct path
        :raises ValueError: When there is one.
        """
        from cdk_personalize.event_tracker import EventTracker

        return EventTracker(self, id, dataset_group=self, event_tracker_name=event_tracker_name)

    def add_metric_attribution(
        self,
        id: str = "MetricAttribution",
        *,
        metrics: Sequence[AttributedMetric],
        report_bucket: s3.IBucket | None = None,
        report_prefix: str | None = None,
        report_encryption_key: kms.IKey | None = None,
    ) -> MetricAttribution:
        """Add the metric attribution as a child. The parameters are those of :class:`MetricAttribution`.

        :param id: Construct id. Default: - ``MetricAttribution``
        :param metrics: What is measured.
        :param report_bucket: Bucket that reports are written to. Default: - CloudWatch alone gets them
        :param report_prefix: Folder of the reports, ending in ``/``.
            Default: - ``<id of the dataset group>/metric-attribution/``
        :param report_encryption_key: KMS key that the reports are encrypted with. Default: - as the bucket says
        :raises ValueError: When there is one, or a value is not allowed.
        """
        from cdk_personalize.metric_attribution import MetricAttribution

        return MetricAttribution(
            self,
            id,
            dataset_group=self,
            metrics=metrics,
            report_bucket=report_bucket,
            report_prefix=report_prefix,
            report_encryption_key=report_encryption_key,
        )

    def add_data_deletion_job(
        self,
        id: str,
        *,
        job_name: str | None = None,
        data_source: S3Location | None = None,
        role: iam.IRole | None = None,
    ) -> DataDeletionJob:
        """Have users deleted from all its datasets. The parameters are those of :class:`DataDeletionJob`.

        :param id: Construct id.
        :param job_name: What the names of the jobs start with. Default: - the construct path
        :param data_source: Where CSV files list the users. Default: - ``<id>/data-deletion/`` of the data bucket
        :param role: Role that reads the files. Default: - the service role
        :raises ValueError: When a value is not allowed.
        """
        from cdk_personalize.data_deletion_job import DataDeletionJob

        return DataDeletionJob(self, id, dataset_group=self, job_name=job_name, data_source=data_source, role=role)

    def _add_dataset(
        self,
        dataset_type: DatasetType,
        schema: Schema,
        source: DataSource | None,
        incremental_source: DataSource | None,
        removal_policy: RemovalPolicy | None,
        *,
        publish_attribution_metrics: bool = False,
    ) -> Dataset:
        from cdk_personalize.dataset import Dataset

        if schema.dataset_type is not dataset_type:
            raise ValueError(
                f"schema must be one of {dataset_type.value} for add_{dataset_type.value.lower()}, "
                f"got one of {schema.dataset_type.value}"
            )
        return Dataset(
            self,
            dataset_type.api_name,
            dataset_group=self,
            schema=schema,
            source=source,
            incremental_source=incremental_source,
            publish_attribution_metrics=publish_attribution_metrics,
            removal_policy=removal_policy,
        )

    def _check_new(self, schema: Schema) -> None:
        dataset_type = schema.dataset_type
        if self._domain is not None and dataset_type in _ACTION_TYPES:
            raise ValueError(
                f"dataset group {self.node.path!r} of the domain {self._domain.value} cannot have a dataset of "
                f"{dataset_type.value}; declare a DatasetGroup without domain for it"
            )
        problems = schema.problems_in(self._domain)
        if problems:
            raise ValueError(
                f"schema of {dataset_type.value} is not valid for the domain of dataset group {self.node.path!r}, "
                f"{self._domain and self._domain.value}: {'; '.join(problems)}"
            )
        for dataset in self._datasets:
            if dataset.dataset_type is dataset_type:
                raise ValueError(
                    f"dataset group {self.node.path!r} has a dataset of {dataset_type.value} already "
                    f"({dataset.node.path!r}); the service allows one of each type"
                )

    def _attach_dataset(self, dataset: Dataset) -> None:
        self._datasets.append(dataset)
        self.datasets_ready.add(dataset)
        self.resources_ready.add(dataset)
        for source in dataset.sources:
            self._prepare_bucket(source.bucket)
            self.service_role.allow_reading(source)

    def _prepare_bucket(self, bucket: s3.IBucket) -> None:
        if any(bucket is prepared for prepared in self._prepared_buckets):
            return
        self._prepared_buckets.append(bucket)
        if not isinstance(bucket, DataBucket):
            allow_personalize(bucket)
            Annotations.of(self).add_warning_v2(
                "cdk-personalize:bucketEvents",
                f"new files in the bucket {bucket.node.path} start a run only if the bucket sends its events to Amazon "
                "EventBridge, as a DataBucket does",
            )
        if bucket.policy is not None:
            self.resources_ready.add(bucket.policy)

    def _attach_filter(self, filter: Filter) -> Filter | None:
        """Take on a filter; return the one before it."""
        previous = self._filters[-1] if self._filters else None
        self._filters.append(filter)
        warn_above(self, "filters", limits.FILTERS_PER_DATASET_GROUP, len(self._filters))
        self.resources_ready.add(filter)
        return previous

    def _attach_event_tracker(self, event_tracker: EventTracker) -> None:
        self._event_tracker = event_tracker
        self.resources_ready.add(event_tracker)

    def _attach_metric_attribution(self, metric_attribution: MetricAttribution) -> None:
        self._metric_attribution = metric_attribution
        self.resources_ready.add(metric_attribution)

    def _attach_solution(self, solution: Solution) -> None:
        self._solutions.append(solution)
        warn_above(self, "solutions", limits.SOLUTIONS_PER_DATASET_GROUP, len(self._solutions))

    def _attach_recommender(self, recommender: Recommender) -> None:
        most = limits.RECOMMENDERS_PER_DATASET_GROUP
        if len(self._recommenders) == most:
            raise ValueError(
                f"dataset group {self.node.path!r} can have at most {most} recommenders, "
                f"{recommender.node.path!r} is one more"
            )
        self._recommenders.append(recommender)

    def _attach_job(self, job: Job) -> None:
        self._jobs.append(job)

    def _campaign_added(self) -> None:
        campaigns = sum(len(solution.campaigns) for solution in self._solutions)
        warn_above(self, "campaigns", limits.CAMPAIGNS_PER_DATASET_GROUP, campaigns)

    def _attach_workflow(self, workflow: Workflow) -> None:
        if self._workflow is not None:
            raise ValueError(
                f"dataset group {self.node.path!r} has a workflow already ({self._workflow.node.path!r}); "
                "two would undo each other's work"
            )
        self._workflow = workflow

    def _allow_provider(self, *, encrypted: bool) -> ProviderPolicies:
        # Not a statement for each dataset: the statements of one that is removed would be gone before it is deleted.
        datasets = personalize_arn(self, "dataset", f"{self._name}/*")
        schemas = personalize_arn(self, "schema", f"{self.schema_prefix}-*")
        any_schema = personalize_arn(self, "schema", "*")
        resources = [self.predicted_arn, datasets]
        policies = Provider.get_or_create(self).allow(
            self,
            on_event=[
                iam.PolicyStatement(actions=list(ON_EVENT_ACTIONS), resources=resources),
                iam.PolicyStatement(actions=list(SCHEMA_ON_EVENT_ACTIONS), resources=[schemas]),
                iam.PolicyStatement(actions=list(READ_SCHEMA_ACTIONS), resources=[any_schema]),
                iam.PolicyStatement(actions=list(STACK_ON_EVENT_ACTIONS), resources=[Stack.of(self).stack_id]),
                *([self.service_role.passing()] if encrypted else []),
            ],
            is_complete=[iam.PolicyStatement(actions=list(IS_COMPLETE_ACTIONS), resources=resources)],
        )
        for policy in policies:
            acknowledge_resource(
                policy, datasets, "a dataset that is declared no more has to be deleted when its name is not known here"
            )
        acknowledge_resource(policies.on_event, schemas, "the name of a schema ends in a hash of its content")
        acknowledge_resource(
            policies.on_event, any_schema, "a dataset that is taken on may have a schema that something else made"
        )
        return policies


@jsii.implements(IValidation)
class _Complete:
    """What can only be said once everything is declared."""

    def __init__(self, dataset_group: DatasetGroup) -> None:
        self._dataset_group = dataset_group

    def validate(self) -> list[str]:
        group = self._dataset_group
        _warn_of_missing_data(group)
        return list(_problems(group))


def _problems(group: DatasetGroup) -> Iterator[str]:
    trained: list[Solution | Recommender] = [*group.solutions, *group.recommenders]
    for each in trained:
        yield from each._problems()
    for dataset in group.datasets:
        yield from dataset._problems()
    for one in group.filters:
        yield from one._problems(group.datasets)
    for job in group.jobs:
        yield from job._problems()
    if group.metric_attribution is not None:
        yield from group.metric_attribution._problems()
    fields = sorted({f"{dataset}.{column}" for one in group.filters for dataset, column in one._fields()})
    most = limits.FILTER_FIELDS_PER_DATASET_GROUP
    if len(fields) > most:
        yield (
            f"the filters of dataset group {group.node.path!r} may use at most {most} different fields in total, "
            f"got {len(fields)}: {', '.join(fields)}"
        )
    if (trained or group.jobs) and group.workflow is None:
        names = ", ".join(repr(each.node.path) for each in [*trained, *group.jobs])
        declared = {"solutions": group.solutions, "recommenders": group.recommenders, "jobs": group.jobs}
        kinds = " and ".join(kind for kind, found in declared.items() if found)
        yield (
            f"dataset group {group.node.path!r} has {kinds} ({names}) but no Workflow, so nothing would train or run "
            "them; add Workflow(scope, id, dataset_group=...)"
        )


def _warn_of_missing_data(group: DatasetGroup) -> None:
    """Warn of what the service accepts and the user may not want."""
    schemas = {dataset.dataset_type: dataset.schema for dataset in group.datasets}
    exploring = [*(each for each in group.solutions if each.recipe.exploration and each.recipe.known)]
    exploring_names = [
        *(each.node.path for each in exploring),
        *(each.node.path for each in group.recommenders if each.use_case.exploration),
    ]
    items = schemas.get(DatasetType.ITEMS)
    if exploring_names and items is not None and "CREATION_TIMESTAMP" not in items.columns:
        Annotations.of(group).add_warning_v2(
            "cdk-personalize:noCreationTimestamp",
            f"ITEMS has no column CREATION_TIMESTAMP, from which {', '.join(map(repr, exploring_names))} would know "
            "which items are new; use Schema.items(..., creation_timestamp=True)",
        )
    if group.event_tracker is not None and DatasetType.INTERACTIONS not in schemas:
        Annotations.of(group.event_tracker).add_warning_v2(
            "cdk-personalize:eventTrackerWithoutInteractions",
            f"dataset group {group.node.path!r} has no dataset of INTERACTIONS, which events are recorded in; use "
            "add_interactions",
        )


def _check_key(stack: Stack, key: kms.IKey) -> None:
    if isinstance(key, kms.Alias):
        raise ValueError(
            f"encryption_key must be a key, of which the service takes the ARN, got the alias {key.alias_name!r}"
        )
    check_region("encryption_key", key, stack)
