"""A bucket for the data of datasets, and what other buckets need to serve as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from aws_cdk import Annotations, Duration, RemovalPolicy, Stack, Tags
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_personalize._custom_resource import custom_resource
from cdk_personalize._provider import Provider
from cdk_personalize._removal import check_removal_policy
from cdk_personalize.service_role import READ_BUCKET, READ_OBJECTS, SERVICE, WRITE_OBJECTS

EMPTY_TAG: Final = "cdk-personalize:empty-on-delete"
"""Tag key of buckets that may be emptied: the custom resource touches no other."""

USE_KEY: Final = ("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey")
EMPTY_OBJECTS: Final = ("s3:DeleteObject", "s3:DeleteObjectVersion")
EMPTY_BUCKET: Final = (
    "s3:GetBucketPolicy",
    "s3:GetBucketTagging",
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "s3:PutBucketPolicy",
)

ACCESS_LOG_PREFIX: Final = "access-logs/"


class DataBucket(s3.Bucket):
    """A bucket that Amazon Personalize can import from.

    Encrypted, versioned, reachable by TLS only, closed to the public, with access logs in a bucket of its own, and
    with its events sent to EventBridge, so that new files can start a workflow.

    See https://docs.aws.amazon.com/personalize/latest/dg/granting-personalize-s3-access.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        bucket_name: str | None = None,
        encryption_key: kms.IKey | None = None,
        access_log_retention: Duration | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        """Create the bucket and the bucket for its access logs.

        :param scope: Parent.
        :param id: Construct id.
        :param bucket_name: Name. Default: - CloudFormation makes one
        :param encryption_key: KMS key for the data. Default: - a key that Amazon S3 manages
        :param access_log_retention: How long access logs are kept. Default: - 365 days
        :param removal_policy: What happens when it is removed from the stack; ``DESTROY`` deletes the data in it, all
            versions included. Default: - the buckets and their contents stay
        :raises ValueError: When the removal policy is ``SNAPSHOT``.
        """
        check_removal_policy(removal_policy)
        super().__init__(
            scope,
            id,
            bucket_name=bucket_name,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED if encryption_key is None else s3.BucketEncryption.KMS,
            encryption_key=encryption_key,
            bucket_key_enabled=None if encryption_key is None else True,
            enforce_ssl=True,
            lifecycle_rules=[s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(7))],
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=removal_policy,
            versioned=True,
        )
        self._access_logs = s3.Bucket(
            self,
            "AccessLogs",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            lifecycle_rules=[s3.LifecycleRule(expiration=access_log_retention or Duration.days(365))],
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=removal_policy,
        )
        self._send_events()
        self._write_access_logs()
        allow_personalize(self)
        if removal_policy == RemovalPolicy.DESTROY:
            for bucket in (self, self._access_logs):
                _empty_on_delete(bucket)

    @property
    def access_logs(self) -> s3.IBucket:
        """The bucket that the access logs go to."""
        return self._access_logs

    def _send_events(self) -> None:
        # `event_bridge_enabled=True` would add a function to the stack that has a managed policy.
        cast(s3.CfnBucket, self.node.default_child).add_property_override(
            "NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled", True
        )

    def _write_access_logs(self) -> None:
        # Set here since the parameter of the base class would need the logs bucket outside this construct.
        cast(s3.CfnBucket, self.node.default_child).logging_configuration = s3.CfnBucket.LoggingConfigurationProperty(
            destination_bucket_name=self._access_logs.bucket_name, log_file_prefix=ACCESS_LOG_PREFIX
        )
        self._access_logs.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("logging.s3.amazonaws.com")],
                actions=["s3:PutObject"],
                resources=[self._access_logs.arn_for_objects(f"{ACCESS_LOG_PREFIX}*")],
                conditions={
                    "ArnLike": {"aws:SourceArn": self.bucket_arn},
                    "StringEquals": {"aws:SourceAccount": Stack.of(self).account},
                },
            )
        )


def allow_personalize(bucket: s3.IBucket) -> None:
    """Allow Amazon Personalize, working for the bucket's account, to read a bucket and use its key.

    :param bucket: The bucket. One that was imported gets a warning instead, since its policy is managed elsewhere.
    """
    _allow(bucket, READ_OBJECTS, "*", topic="bucketPolicy")
    if bucket.encryption_key is None:
        return
    key = bucket.encryption_key.add_to_resource_policy(_statement(bucket, USE_KEY, "*"))
    if not key.statement_added:
        _warn(bucket, "keyPolicy", f"the policy of the bucket's key must allow {SERVICE} to call {', '.join(USE_KEY)}")


def allow_personalize_writing(bucket: s3.IBucket, key_pattern: str, *, topic: str = "bucketPolicyForReports") -> None:
    """Allow Amazon Personalize, working for the bucket's account, to list a bucket and write files into it.

    :param bucket: The bucket. One that was imported gets a warning instead, since its policy is managed elsewhere.
    :param key_pattern: Pattern of the keys of the files.
    :param topic: Id of that warning. Default: - that for reports of a metric attribution
    """
    _allow(bucket, WRITE_OBJECTS, key_pattern, topic=topic)


def _allow(bucket: s3.IBucket, object_actions: Sequence[str], key_pattern: str, *, topic: str) -> None:
    objects = bucket.add_to_resource_policy(_statement(bucket, object_actions, bucket.arn_for_objects(key_pattern)))
    bucket.add_to_resource_policy(_statement(bucket, READ_BUCKET, bucket.bucket_arn))
    if not objects.statement_added:
        actions = " and ".join((*object_actions, *READ_BUCKET))
        _warn(bucket, topic, f"the bucket policy must allow {SERVICE} to call {actions}")


def _statement(bucket: s3.IBucket, actions: Sequence[str], resource: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        principals=[iam.ServicePrincipal(SERVICE)],
        actions=list(actions),
        resources=[resource],
        # The service does not document the condition key for these calls; where it sends it, it must match.
        conditions={"StringEqualsIfExists": {"aws:SourceAccount": Stack.of(bucket).account}},
    )


def _warn(bucket: s3.IBucket, topic: str, message: str) -> None:
    Annotations.of(bucket).add_warning_v2(
        f"cdk-personalize:{topic}", f"{message}; this stack cannot add it, as the bucket or key is managed elsewhere"
    )


def _empty_on_delete(bucket: s3.Bucket) -> None:
    Tags.of(bucket).add(EMPTY_TAG, "true", include_resource_types=["AWS::S3::Bucket"])
    # Given by the bucket's own policy, since the bucket's name in the provider's policy would make everything that
    # the provider handles depend on the bucket.
    role = Provider.get_or_create(bucket).on_event_role
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ArnPrincipal(role.role_arn)],
            actions=list(EMPTY_OBJECTS),
            resources=[bucket.arn_for_objects("*")],
        )
    )
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ArnPrincipal(role.role_arn)], actions=list(EMPTY_BUCKET), resources=[bucket.bucket_arn]
        )
    )
    custom_resource(
        bucket,
        "Empty",
        resource_type="Custom::PersonalizeEmptyBucket",
        properties={"BucketName": bucket.bucket_name},
        removal_policy=RemovalPolicy.DESTROY,
        policies=[cast(s3.BucketPolicy, bucket.policy)],
    )
