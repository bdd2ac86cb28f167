"""The role that Amazon Personalize takes on to read data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from aws_cdk import Annotations, ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_personalize._nag import acknowledge_resource

if TYPE_CHECKING:
    from cdk_personalize.dataset import DataSource

SERVICE = "personalize.amazonaws.com"

READ_OBJECTS: Final = ("s3:GetObject",)
READ_BUCKET: Final = ("s3:ListBucket",)
WRITE_OBJECTS: Final = ("s3:PutObject",)
USE_KEY_AS_ROLE: Final = ("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:ListGrants")
USE_KEY: Final = (
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:GenerateDataKey",
    "kms:ListGrants",
)
"""See https://docs.aws.amazon.com/personalize/latest/dg/granting-personalize-key-access.html"""


class ServiceRole(iam.Role):
    """A role that only Amazon Personalize, working for this account and Region, can take on.

    It starts without permissions; :meth:`allow_reading` adds what an import needs.

    See https://docs.aws.amazon.com/personalize/latest/dg/aws-personalize-set-up-permissions.html
    """

    def __init__(
        self, scope: Construct, id: str, *, description: str = "Lets Amazon Personalize read the data of its datasets"
    ) -> None:
        """Create the role.

        :param scope: Parent.
        :param id: Construct id.
        :param description: What it is for. Default: - that it reads the data of datasets
        """
        stack = Stack.of(scope)
        jobs = stack.format_arn(service="personalize", resource="*", arn_format=ArnFormat.NO_RESOURCE_NAME)
        super().__init__(
            scope,
            id,
            description=description,
            assumed_by=iam.ServicePrincipal(
                SERVICE,
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {"aws:SourceArn": jobs},
                },
            ),
        )

    def allow_encrypting(self, key: kms.IKey) -> None:
        """Allow to encrypt a dataset group with a key, and let the key's policy allow it.

        The policy of a key that was imported is managed elsewhere; a warning says what it must allow.

        :param key: The key.
        """
        allow_using_key(self, key)

    def passing(self) -> iam.PolicyStatement:
        """Return what a caller needs to pass the role to the service."""
        return iam.PolicyStatement(
            actions=["iam:PassRole"],
            resources=[self.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": SERVICE}},
        )

    def allow_reading(self, source: DataSource) -> None:
        """Allow to list and read the files of a data source, and to decrypt them.

        :param source: The data source.
        """
        reason = "an import reads every file of the folder that holds the dataset"
        allow_files(self, READ_OBJECTS, source.bucket, source.key_pattern, reason)
        if source.bucket.encryption_key is not None:
            self.add_to_policy(
                iam.PolicyStatement(actions=["kms:Decrypt"], resources=[source.bucket.encryption_key.key_arn])
            )

    def allow_writing(self, bucket: s3.IBucket, key_pattern: str, reason: str) -> None:
        """Allow to list a bucket and write files into it.

        :param bucket: The bucket.
        :param key_pattern: Pattern of the keys of the files.
        :param reason: Why the files are not known by name.
        """
        allow_files(self, WRITE_OBJECTS, bucket, key_pattern, reason)


def allow_files(role: iam.IRole, actions: Sequence[str], bucket: s3.IBucket, key_pattern: str, reason: str) -> None:
    """Allow a role to do something with files, and to list their bucket.

    :param role: The role.
    :param actions: What it does with the files.
    :param bucket: The bucket.
    :param key_pattern: Pattern of the keys of the files.
    :param reason: Why the files are not known by name.
    """
    files = bucket.arn_for_objects(key_pattern)
    for allowed, resource in ((actions, files), (READ_BUCKET, bucket.bucket_arn)):
        role.add_to_principal_policy(iam.PolicyStatement(actions=list(allowed), resources=[resource]))
    acknowledge_resource(role, files, reason)


def allow_using_key(role: iam.IRole, key: kms.IKey, *, also: Sequence[str] = ()) -> None:
    """Allow a role, and the service for it, to encrypt and decrypt with a key.

    The policy of a key that was imported is managed elsewhere; a warning says what it must allow.

    :param role: The role.
    :param key: The key.
    :param also: Actions besides the usual ones. Default: - none
    """
    # A key of another stack cannot name the role, as this stack depends on that one already. Such a key's policy
    # lets the role's own policy allow it, which is what the policies of keys do unless they are told otherwise.
    is_elsewhere = Stack.of(key) is not Stack.of(role)
    own = [*(USE_KEY if is_elsewhere else USE_KEY_AS_ROLE), *also]
    role.add_to_principal_policy(iam.PolicyStatement(actions=own, resources=[key.key_arn]))
    principals: list[iam.IPrincipal] = [iam.ServicePrincipal(SERVICE)]
    actions = [*USE_KEY, *also]
    added = key.add_to_resource_policy(
        iam.PolicyStatement(
            principals=principals if is_elsewhere else [iam.ArnPrincipal(role.role_arn), *principals],
            actions=actions,
            resources=["*"],  # in the policy of a key, which it stands for
            conditions={"StringEqualsIfExists": {"aws:SourceAccount": Stack.of(role).account}},
        )
    )
    if not added.statement_added:
        Annotations.of(role).add_warning_v2(
            "cdk-personalize:encryptionKeyPolicy",
            f"the policy of the encryption key must allow {SERVICE} and this role to call "
            f"{', '.join(actions)}; this stack cannot add it, as the key is managed elsewhere",
        )
