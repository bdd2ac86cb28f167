"""Dataset export jobs: the records of a dataset, written into a CSV file."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_personalize._job import Job, default_location
from cdk_personalize.s3_location import S3Location
from cdk_personalize.service_role import allow_using_key

if TYPE_CHECKING:
    from cdk_personalize.dataset import Dataset

EXPORT_ENCRYPTED: Final = ("kms:GenerateDataKeyWithoutPlaintext",)
"""What the export from an encrypted dataset group needs besides. See
https://docs.aws.amazon.com/personalize/latest/dg/granting-personalize-key-access.html"""


class IngestionMode(Enum):
    """Which records are exported, by the way they came."""

    BULK = "BULK"
    """Those that were imported from files."""
    PUT = "PUT"
    """Those that came one by one, such as events."""
    ALL = "ALL"
    """Both; of each item, user or action the newest record alone."""


class DatasetExportJob(Job):
    """The records of a dataset, written into a CSV file that can be imported again.

    One declaration makes many jobs over time. The workflow makes the first one as soon as there are data, and another
    one in every run that finds that ``every`` has passed, or another configuration. Each job writes into a folder of
    its own below ``job_output``, named after the job.

    See https://docs.aws.amazon.com/personalize/latest/dg/export-data.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        dataset: Dataset,
        job_name: str | None = None,
        ingestion_mode: IngestionMode | None = None,
        job_output: S3Location | None = None,
        every: Duration | None = None,
        role: iam.IRole | None = None,
    ) -> None:
        """Declare the jobs.

        :param scope: Parent.
        :param id: Construct id.
        :param dataset: The dataset that is exported.
        :param job_name: What the names of the jobs start with. Default: - the construct path
        :param ingestion_mode: Which records are exported; always sent, since the service by itself exports those of
            ``PUT`` alone. Default: - all
        :param job_output: Folder to write to.
            Default: - the folder ``<dataset group id>/export/<dataset type in lower case>/`` of the data bucket
        :param every: After how much time a job is made again, by the first run from then on. Default: - never
        :param role: Role that writes the output. Default: - the service role of the dataset group
        :raises ValueError: When a value is not allowed.
        """
        group = dataset.dataset_group
        super().__init__(
            scope,
            id,
            dataset_group=group,
            kind="DatasetExportJob",
            target={"datasetArn": dataset.dataset_arn},
            configuration={"ingestionMode": (ingestion_mode or IngestionMode.ALL).value},
            job_name=job_name,
            job_output=job_output or default_location(group, "export", dataset.dataset_type.value.lower()),
            every=every,
            role=role,
        )
        if group.encryption_key is not None:
            allow_using_key(self.role, group.encryption_key, also=EXPORT_ENCRYPTED)
