"""Datasets: what a dataset group knows about interactions, items and users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import jsii
from aws_cdk import Duration, IResolvable, IResource, ITaggableV2, RemovalPolicy, Resource, Stack, TagManager, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_personalize import _grants
from cdk_personalize._custom_resource import custom_resource
from cdk_personalize._imported import Imported
from cdk_personalize._names import physical_name
from cdk_personalize._region import check_region
from cdk_personalize._removal import check_removal_policy, declared
from cdk_personalize._tags import ResourceTags
from cdk_personalize.dataset_type import DatasetType
from cdk_personalize.facts.limits import LOCATION_LENGTH, NAME_LENGTH
from cdk_personalize.metrics import ImportMetrics, RequestMetrics, metrics_of_dataset
from cdk_personalize.schema import Schema

if TYPE_CHECKING:
    from cdk_personalize.dataset_export_job import DatasetExportJob, IngestionMode
    from cdk_personalize.dataset_group import DatasetGroup, IDatasetGroup
    from cdk_personalize.s3_location import S3Location

RESOURCE_TYPE: Final = "Custom::PersonalizeDataset"
SCHEMA_RESOURCE_TYPE: Final = "Custom::PersonalizeSchema"

_GRANT_OF: Final = {
    DatasetType.ITEMS: "put_items",
    DatasetType.USERS: "put_users",
    DatasetType.ACTIONS: "put_actions",
    DatasetType.ACTION_INTERACTIONS: "put_action_interactions",
}
_ACTIONS_OF: Final = {
    "put_items": _grants.PUT_ITEMS,
    "put_users": _grants.PUT_USERS,
    "put_actions": _grants.PUT_ACTIONS,
    "put_action_interactions": _grants.PUT_ACTION_INTERACTIONS,
}

# Leaves room for what makes the name of an import job unique.
DATASET_NAME_LENGTH: Final = NAME_LENGTH - 22


@dataclass(frozen=True)
class DataSource:
    """Where a dataset is imported from.

    :param bucket: The bucket.
    :param prefix: A folder, ending in ``/``, whose CSV files are all imported; or the key of one CSV file. A value that
        is known only when it is deployed may be either, and access is given as to a folder.
    :raises ValueError: When it is neither.
    """

    bucket: s3.IBucket
    prefix: str

    def __post_init__(self) -> None:
        if Token.is_unresolved(self.prefix):
            return
        if self.prefix.startswith("/") or not self.prefix.endswith(("/", ".csv")):
            raise ValueError(
                f"prefix must be a folder that ends in '/' or the key of a '.csv' file, without a '/' at its start, "
                f"got {self.prefix!r}"
            )
        if not Token.is_unresolved(self.bucket.bucket_name) and len(self.location) > LOCATION_LENGTH:
            raise ValueError(
                f"the location of a data source has at most {LOCATION_LENGTH} characters, got {self.location!r}"
            )

    @property
    def location(self) -> str:
        """The S3 URL, as the service takes it."""
        return f"s3://{self.bucket.bucket_name}/{self.prefix}"

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder; a token is taken for one."""
        return Token.is_unresolved(self.prefix) or self.prefix.endswith("/")

    @property
    def key_pattern(self) -> str:
        """Pattern of the keys of its files, as a policy takes it."""
        return f"{self.prefix}*" if self.is_folder else self.prefix


class IDataset(IResource, Protocol):
    """A dataset, whether made here or elsewhere."""

    @property
    def dataset_arn(self) -> str:
        """ARN of the dataset."""
        ...

    @property
    def dataset_type(self) -> DatasetType | None:
        """What it holds; ``None`` when that is known only when it is deployed."""
        ...

    @property
    def grants(self) -> DatasetGrants:
        """What can be allowed on the dataset."""
        ...

    @property
    def metrics(self) -> RequestMetrics:
        """Metrics of the requests that add to it one by one."""
        ...

    @property
    def import_metrics(self) -> ImportMetrics:
        """Metrics of its imports."""
        ...


class DatasetGrants:
    """Permissions on a dataset."""

    def __init__(self, dataset: IDataset) -> None:
        """Grant permissions on a dataset.

        :param dataset: The dataset.
        """
        self._dataset = dataset

    def put_items(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to add items one by one.

        :param grantee: Who is allowed.
        :raises ValueError: When it is not a dataset of items.
        """
        return self._grant(grantee, "put_items")

    def put_users(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to add users one by one.

        :param grantee: Who is allowed.
        :raises ValueError: When it is not a dataset of users.
        """
        return self._grant(grantee, "put_users")

    def put_actions(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to add actions one by one.

        :param grantee: Who is allowed.
        :raises ValueError: When it is not a dataset of actions.
        """
        return self._grant(grantee, "put_actions")

    def put_action_interactions(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to send what users did with actions; they are sent with :attr:`Dataset.tracking_id`.

        The service authorises this action on no resource but ``*``: whoever is allowed can send to every dataset of
        the account whose tracking id is known.

        :param grantee: Who is allowed.
        :raises ValueError: When it is not a dataset of action interactions.
        """
        return self._grant(grantee, "put_action_interactions")

    def _grant(self, grantee: iam.IGrantable, name: str) -> iam.Grant:
        dataset_type = self._dataset.dataset_type
        allowed = _GRANT_OF.get(dataset_type) if dataset_type is not None else name
        if dataset_type is not None and name != allowed:
            hint = f"use {allowed}" if allowed else "events go to the event tracker, use its put_events"
            raise ValueError(f"a dataset of {dataset_type.value} does not take what {name} allows, {hint}")
        resource = "*" if name == "put_action_interactions" else self._dataset.dataset_arn
        return _grants.grant(grantee, _ACTIONS_OF[name], resource)


class _ImportedDataset(Imported):
    KIND = "dataset"
    PATTERN = rf"{Imported.PATTERN}/({'|'.join(each.value for each in DatasetType)})"
    SHAPE = f"<dataset group>/<one of {', '.join(each.value for each in DatasetType)}>"

    def __init__(self, scope: Construct, id: str, *, arn: str, dataset_type: DatasetType | None = None) -> None:
        super().__init__(scope, id, arn=arn)
        known = dataset_type is None and not Token.is_unresolved(arn)
        self._dataset_type = DatasetType(arn.rsplit("/", 1)[-1]) if known else dataset_type

    @property
    def dataset_arn(self) -> str:
        return self._arn

    @property
    def dataset_type(self) -> DatasetType | None:
        return self._dataset_type

    @property
    def grants(self) -> DatasetGrants:
        return DatasetGrants(self)

    @property
    def metrics(self) -> RequestMetrics:
        return metrics_of_dataset(self._arn, self._dataset_type)

    @property
    def import_metrics(self) -> ImportMetrics:
        return _import_metrics(self._arn)


@jsii.implements(ITaggableV2)
class Dataset(Resource):
    """A dataset of one type.

    A changed schema of items or users is taken on in place, as far as the service can: columns can be added when they
    are nullable. Every other change fails and names the columns; a dataset is never replaced.

    See https://docs.aws.amazon.com/personalize/latest/dg/how-it-works-dataset-schema.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        dataset_group: DatasetGroup,
        schema: Schema,
        source: DataSource | None = None,
        incremental_source: DataSource | None = None,
        publish_attribution_metrics: bool = False,
        removal_policy: RemovalPolicy | None = None,
    ) -> None:
        """Create the dataset.

        :param scope: Parent.
        :param id: Construct id.
        :param dataset_group: The dataset group that it belongs to.
        :param schema: Its columns; they say what type it is of.
        :param source: Where it is imported from. Its files are all of the data: when they change, they are imported in
            place of what was imported before.
            Default: - the folder ``<id of the dataset group>/<type in lower case>/`` of the group's data bucket
        :param incremental_source: A folder of additions to the source: every file in it, and every folder in it, is
            imported once, in the order of their names, and adds to what is there. Interactions are appended, items,
            users and actions of the same id are replaced. An import of interactions needs 1,000 records at least, any
            has 1 GB at most. When the source changes, and with it all of the data, additions that are still in the
            folder are imported again: move those away that the source now contains.
            See https://docs.aws.amazon.com/personalize/latest/dg/incremental-data-updates.html
            Default: - nothing is added; the source is imported as a whole
        :param publish_attribution_metrics: Whether each import writes a report of the metric attribution to its report
            bucket; for interactions. Default: - no report
        :param removal_policy: What happens when it is removed from the stack: ``DESTROY``, ``RETAIN`` or
            ``RETAIN_ON_UPDATE_OR_DELETE``. Default: - as for the dataset group
        :raises ValueError: When the group has one of this type, its domain does not take the schema, a source is in
            another Region, the sources overlap, only interactions can publish metrics, or the removal policy is not
            valid.
        """
        policy = removal_policy or dataset_group.removal_policy
        check_removal_policy(policy)
        for given in (source, incremental_source):
            if given is not None:
                check_region("the bucket of source", given.bucket, Stack.of(scope))
        dataset_group._check_new(schema)
        if publish_attribution_metrics and schema.dataset_type is not DatasetType.INTERACTIONS:
            raise ValueError(
                "publish_attribution_metrics is for the dataset of INTERACTIONS, which metrics are computed from, "
                f"got True for {schema.dataset_type.value}"
            )
        source = source or _default_source(dataset_group, schema.dataset_type)
        if incremental_source is not None:
            _check_incremental_source(source, incremental_source)
        super().__init__(scope, id)
        self._dataset_group = dataset_group
        self._schema = schema
        self._source = source
        self._incremental_source = incremental_source
        self._publish_attribution_metrics = publish_attribution_metrics
        self._name = physical_name(self, max_length=DATASET_NAME_LENGTH)
        self._tags = ResourceTags(self, RESOURCE_TYPE, dataset_group.owner)
        schema_resource = custom_resource(
            self,
            "Schema",
            resource_type=SCHEMA_RESOURCE_TYPE,
            properties={
                "Name": f"{dataset_group.schema_prefix}-{schema.dataset_type.value.lower()}-{schema.content_hash}",
                "Schema": schema.document,
                "Domain": dataset_group.domain and dataset_group.domain.value,
            },
            # A schema that a kept dataset still uses stays whatever the policy says.
            removal_policy=RemovalPolicy.DESTROY,
            policies=dataset_group.provider_policies,
        )
        self._resource = custom_resource(
            self,
            "Resource",
            resource_type=RESOURCE_TYPE,
            properties={
                "Name": self._name,
                "DatasetGroupArn": dataset_group.dataset_group_arn,
                "DatasetType": schema.dataset_type.api_name,
                "SchemaArn": schema_resource.get_att_string("SchemaArn"),
                "Owner": dataset_group.owner,
                "Tags": self._tags.for_custom_resource(),
                "RemovalPolicy": declared(policy),
            },
            removal_policy=policy,
            policies=dataset_group.provider_policies,
        )
        dataset_group._attach_dataset(self)

    @staticmethod
    def from_dataset_arn(scope: Construct, id: str, dataset_arn: str) -> IDataset:
        """Import a dataset that is managed elsewhere.

        :param scope: Parent.
        :param id: Construct id.
        :param dataset_arn: Its ARN, which says in which account and Region it is, and what it holds.
        :raises ValueError: When it cannot be the ARN of one.
        """
        return _ImportedDataset(scope, id, arn=dataset_arn)

    @staticmethod
    def from_dataset_attributes(
        scope: Construct, id: str, *, dataset_group: IDatasetGroup, dataset_type: DatasetType
    ) -> IDataset:
        """Import a dataset that is managed elsewhere, of a dataset group.

        :param scope: Parent.
        :param id: Construct id.
        :param dataset_group: The dataset group that it belongs to.
        :param dataset_type: What it holds.
        """
        arn = Stack.of(dataset_group).format_arn(
            service="personalize",
            account=dataset_group.env.account,
            region=dataset_group.env.region,
            resource=_ImportedDataset.KIND,
            resource_name=f"{dataset_group.dataset_group_name}/{dataset_type.value}",
        )
        return _ImportedDataset(scope, id, arn=arn, dataset_type=dataset_type)

    @property
    def dataset_arn(self) -> str:
        """ARN of the dataset; whatever uses it is created after the dataset."""
        return self._resource.get_att_string("DatasetArn")

    @property
    def dataset_name(self) -> str:
        """Name of the dataset."""
        return self._name

    @property
    def dataset_type(self) -> DatasetType:
        """What it holds."""
        return self._schema.dataset_type

    @property
    def dataset_group(self) -> DatasetGroup:
        """The dataset group that it belongs to."""
        return self._dataset_group

    @property
    def schema(self) -> Schema:
        """Its columns."""
        return self._schema

    @property
    def source(self) -> DataSource:
        """Where it is imported from."""
        return self._source

    @property
    def incremental_source(self) -> DataSource | None:
        """Where additions are imported from, or ``None``."""
        return self._incremental_source

    @property
    def sources(self) -> list[DataSource]:
        """Everywhere that it is imported from."""
        return [self._source] if self._incremental_source is None else [self._source, self._incremental_source]

    @property
    def publish_attribution_metrics(self) -> bool:
        """Whether each import writes a report of the metric attribution."""
        return self._publish_attribution_metrics

    @property
    def grants(self) -> DatasetGrants:
        """What can be allowed on the dataset."""
        return DatasetGrants(self)

    @property
    def metrics(self) -> RequestMetrics:
        """Metrics of the requests that add to it one by one.

        :raises ValueError: When it holds actions or action interactions, of which the service has none.
        """
        return metrics_of_dataset(self.dataset_arn, self.dataset_type)

    @property
    def import_metrics(self) -> ImportMetrics:
        """Metrics of its imports, whoever starts them."""
        return _import_metrics(self.dataset_arn)

    @property
    def tracking_id(self) -> str:
        """What a client sends action interactions with.

        :raises ValueError: When it holds something else; events go to the event tracker of the dataset group.
        """
        if self.dataset_type is not DatasetType.ACTION_INTERACTIONS:
            raise ValueError(
                f"a dataset of {self.dataset_type.value} has no tracking id, only one of ACTION_INTERACTIONS has; "
                "events go to the event tracker of the dataset group"
            )
        return self._resource.get_att_string("TrackingId")

    @property
    def cdk_tag_manager(self) -> TagManager:
        """The tags set by ``Tags.of(...)``."""
        return self._tags.manager

    @property
    def document_tags(self) -> IResolvable:
        """Its tags, as the API of the service has them; a token."""
        return self._tags.for_api()

    def add_export_job(
        self,
        id: str,
        *,
        job_name: str | None = None,
        ingestion_mode: IngestionMode | None = None,
        job_output: S3Location | None = None,
        every: Duration | None = None,
        role: iam.IRole | None = None,
    ) -> DatasetExportJob:
        """Add dataset export jobs as a child. The parameters are those of :class:`DatasetExportJob`.

        :param id: Construct id.
        :param job_name: What the names of the jobs start with. Default: - the construct path
        :param ingestion_mode: Which records are exported. Default: - all
        :param job_output: Folder to write to. Default: - a folder of the data bucket
        :param every: After how much time a job is made again. Default: - never
        :param role: Role that writes the output. Default: - the service role of the dataset group
        :raises ValueError: When a value is not allowed.
        """
        from cdk_personalize.dataset_export_job import DatasetExportJob

        return DatasetExportJob(
            self,
            id,
            dataset=self,
            job_name=job_name,
            ingestion_mode=ingestion_mode,
            job_output=job_output,
            every=every,
            role=role,
        )

    def _problems(self) -> list[str]:
        """Return what does not fit the rest of the group, once all of it is declared."""
        attribution = self._dataset_group.metric_attribution
        if not self._publish_attribution_metrics or (attribution is not None and attribution.report_bucket is not None):
            return []
        return [
            f"publish_attribution_metrics of dataset {self.node.path!r} needs a metric attribution with a report "
            "bucket, got none; add add_metric_attribution(metrics=..., report_bucket=...) to the dataset group"
        ]


def _check_incremental_source(source: DataSource, additions: DataSource) -> None:
    if Token.is_unresolved(additions.prefix) or Token.is_unresolved(source.prefix):
        return
    if not additions.prefix.endswith("/"):
        raise ValueError(
            f"incremental_source must be a folder, whose prefix ends in '/', got {additions.prefix!r}; a single file "
            "can be imported as source"
        )
    is_same_bucket = additions.bucket is source.bucket or additions.bucket.bucket_name == source.bucket.bucket_name
    if is_same_bucket and (additions.prefix.startswith(source.prefix) or source.prefix.startswith(additions.prefix)):
        raise ValueError(
            f"incremental_source must be outside of source, and source outside of it, since all files below a folder "
            f"are imported with it, got {additions.prefix!r} and {source.prefix!r}; allowed is, for instance, "
            f"'{additions.prefix.split('/')[0]}-additions/'"
        )


def _import_metrics(dataset_arn: str) -> ImportMetrics:
    return ImportMetrics({"DatasetArn": dataset_arn})


def _default_source(dataset_group: DatasetGroup, dataset_type: DatasetType) -> DataSource:
    return DataSource(dataset_group.data_bucket, f"{dataset_group.node.id}/{dataset_type.value.lower()}/")
