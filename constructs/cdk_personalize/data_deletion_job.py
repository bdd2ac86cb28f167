"""Data deletion jobs: users, deleted from all data of a dataset group."""

from __future__ import annotations

from aws_cdk import Token
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_personalize._job import Job, default_location
from cdk_personalize.dataset_group import DatasetGroup
from cdk_personalize.s3_location import S3Location


class DataDeletionJob(Job):
    """Deletes the users that are listed in CSV files, and what they did, from all datasets of a dataset group.

    The files have the single column ``USER_ID`` and at most 100 MB in all. The workflow makes a job when it finds files
    that it has not seen together before, and has the users deleted before it trains. Take the users out of the files
    that datasets are imported from, too: the next import would bring them back.

    See https://docs.aws.amazon.com/personalize/latest/dg/delete-records.html
    """

    _INPUT = "data_source"

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        dataset_group: DatasetGroup,
        job_name: str | None = None,
        data_source: S3Location | None = None,
        role: iam.IRole | None = None,
    ) -> None:
        """Declare the jobs.

        :param scope: Parent.
        :param id: Construct id.
        :param dataset_group: The dataset group.
        :param job_name: What the names of the jobs start with. Default: - the construct path
        :param data_source: CSV file, or folder of CSV files, that lists the users. The files must not be encrypted with
            a KMS key. Default: - the folder ``<dataset group id>/data-deletion/`` of the data bucket
        :param role: Role that reads the files. Default: - the service role of the dataset group
        :raises ValueError: When a value is not allowed.
        """
        source = data_source or default_location(dataset_group, "data-deletion")
        if not Token.is_unresolved(source.prefix) and not source.prefix.endswith(("/", ".csv")):
            raise ValueError(
                f"data_source must be a folder that ends in '/' or the key of a '.csv' file, got {source.prefix!r}"
            )
        if source.encryption_key is not None or source.bucket.encryption_key is not None:
            raise ValueError(
                "data_source must not be encrypted with a KMS key, which data deletion jobs cannot use, got "
                f"{source.bucket.node.path!r}; give a bucket whose keys Amazon S3 manages"
            )
        super().__init__(
            scope,
            id,
            dataset_group=dataset_group,
            kind="DataDeletionJob",
            target={"datasetGroupArn": dataset_group.dataset_group_arn},
            configuration={"dataSource": {"dataLocation": source.url}},
            job_name=job_name,
            job_input=source,
            input_suffix=".csv",
            role=role,
        )
