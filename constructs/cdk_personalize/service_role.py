"""The role that Amazon Personalize takes on to read data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_personalize._nag import acknowledge_resource

if TYPE_CHECKING:
    from cdk_personalize.dataset import DataSource

SERVICE = "personalize.amazonaws.com"


class ServiceRole(iam.Role):
    """A role that only Amazon Personalize, working for this account and Region, can take on.

    It starts without permissions; :meth:`allow_reading` adds what an import needs.

    See https://docs.aws.amazon.com/personalize/latest/dg/aws-personalize-set-up-permissions.html
    """

    def __init__(self, scope: Construct, id: str) -> None:
        """Create the role.

        :param scope: Parent.
        :param id: Construct id.
        """
        stack = Stack.of(scope)
        jobs = stack.format_arn(service="personalize", resource="*", arn_format=ArnFormat.NO_RESOURCE_NAME)
        super().__init__(
            scope,
            id,
            description="Lets Amazon Personalize read the data of its datasets",
            assumed_by=iam.ServicePrincipal(
                SERVICE,
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {"aws:SourceArn": jobs},
                },
            ),
        )

    def allow_reading(self, source: DataSource) -> None:
        """Allow to list and read the files of a data source, and to decrypt them.

        :param source: The data source.
        """
        files = source.bucket.arn_for_objects(source.key_pattern)
        self.add_to_policy(iam.PolicyStatement(actions=["s3:GetObject"], resources=[files]))
        self.add_to_policy(iam.PolicyStatement(actions=["s3:ListBucket"], resources=[source.bucket.bucket_arn]))
        acknowledge_resource(self, files, "an import reads every file of the folder that holds the dataset")
        if source.bucket.encryption_key is not None:
            self.add_to_policy(
                iam.PolicyStatement(actions=["kms:Decrypt"], resources=[source.bucket.encryption_key.key_arn])
            )
