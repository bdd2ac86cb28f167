"""DataBucket."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

import cdk_personalize as personalize
from cdk_personalize.data_bucket import allow_personalize
from tests.unit.conftest import Resources, Synthesis


def buckets(resources: Resources) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the data bucket and the bucket of its access logs."""
    found = {"AccessLogs" in key: resources.all[key] for key in resources.ids("AWS::S3::Bucket")}
    return found[False], found[True]


def policy(resources: Resources, *, logs: bool = False) -> list[dict[str, Any]]:
    [key] = [key for key in resources.ids("AWS::S3::BucketPolicy") if ("AccessLogs" in key) == logs]
    return list(resources.all[key]["Properties"]["PolicyDocument"]["Statement"])


def test_both_buckets_are_closed_and_kept(synthesis: Synthesis) -> None:
    personalize.DataBucket(synthesis.stack, "Data")

    for bucket in buckets(Resources.of(synthesis.template)):
        assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
        assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["Properties"]["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        [encryption] = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert encryption["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_data_are_versioned_logged_and_announced(synthesis: Synthesis) -> None:
    personalize.DataBucket(synthesis.stack, "Data")
    resources = Resources.of(synthesis.template)
    data = buckets(resources)[0]["Properties"]

    assert data["VersioningConfiguration"] == {"Status": "Enabled"}
    assert data["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    assert data["LoggingConfiguration"]["LogFilePrefix"] == "access-logs/"
    assert data["LoggingConfiguration"]["DestinationBucketName"]["Ref"].startswith("DataAccessLogs")
    assert resources.ids("Custom::S3BucketNotifications") == []


@pytest.mark.parametrize("logs", [False, True])
def test_only_tls(synthesis: Synthesis, logs: bool) -> None:
    personalize.DataBucket(synthesis.stack, "Data")

    first = policy(Resources.of(synthesis.template), logs=logs)[0]

    assert (first["Effect"], first["Action"]) == ("Deny", "s3:*")
    assert first["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_personalize_may_read(synthesis: Synthesis) -> None:
    personalize.DataBucket(synthesis.stack, "Data")
    resources = Resources.of(synthesis.template)
    [key] = [key for key in resources.ids("AWS::S3::Bucket") if "AccessLogs" not in key]
    arn = {"Fn::GetAtt": [key, "Arn"]}
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "personalize.amazonaws.com"},
        "Condition": {"StringEqualsIfExists": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    }

    assert policy(resources)[1:] == [
        {**statement, "Action": "s3:GetObject", "Resource": {"Fn::Join": ["", [arn, "/*"]]}},
        {**statement, "Action": "s3:ListBucket", "Resource": arn},
    ]


def test_access_logs_may_be_delivered_for_this_bucket_alone(synthesis: Synthesis) -> None:
    personalize.DataBucket(synthesis.stack, "Data")

    statement = policy(Resources.of(synthesis.template), logs=True)[1]

    assert statement["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert statement["Action"] == "s3:PutObject"
    assert list(statement["Condition"]) == ["ArnLike", "StringEquals"]


@pytest.mark.parametrize(("given", "days"), [(None, 365), (cdk.Duration.days(30), 30)])
def test_access_logs_expire(synthesis: Synthesis, given: cdk.Duration | None, days: int) -> None:
    personalize.DataBucket(synthesis.stack, "Data", access_log_retention=given)

    logs = buckets(Resources.of(synthesis.template))[1]

    assert logs["Properties"]["LifecycleConfiguration"]["Rules"] == [{"ExpirationInDays": days, "Status": "Enabled"}]


def test_a_key_lets_personalize_decrypt(synthesis: Synthesis) -> None:
    key = kms.Key(synthesis.stack, "Key", enable_key_rotation=True)
    personalize.DataBucket(synthesis.stack, "Data", encryption_key=key)
    resources = Resources.of(synthesis.template)
    data, logs = buckets(resources)

    [encryption] = data["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert encryption["BucketKeyEnabled"] is True
    assert "KMSMasterKeyID" not in str(logs)
    statement = resources.properties("AWS::KMS::Key")["KeyPolicy"]["Statement"][-1]
    assert statement["Principal"] == {"Service": "personalize.amazonaws.com"}
    assert statement["Action"] == ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
    assert statement["Condition"] == {"StringEqualsIfExists": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_destroy_empties_both_buckets_before_their_deletion(synthesis: Synthesis) -> None:
    personalize.DataBucket(synthesis.stack, "Data", removal_policy=cdk.RemovalPolicy.DESTROY)
    resources = Resources.of(synthesis.template)
    emptied = {}
    for key in resources.ids("Custom::PersonalizeEmptyBucket"):
        resource = resources.all[key]
        bucket = resource["Properties"]["BucketName"]["Ref"]
        emptied[bucket] = resource
        # Deleted first, while the bucket policy still allows it.
        [bucket_policy] = [
            each
            for each in resources.ids("AWS::S3::BucketPolicy")
            if resources.all[each]["Properties"]["Bucket"] == {"Ref": bucket}
        ]
        assert bucket_policy in resource["DependsOn"]
        assert resource["Properties"]["ServiceTimeout"] == "3600"

    assert sorted(emptied) == sorted(resources.ids("AWS::S3::Bucket"))
    for bucket in emptied:
        assert resources.all[bucket]["DeletionPolicy"] == "Delete"
        assert {"Key": "cdk-personalize:empty-on-delete", "Value": "true"} in resources.all[bucket]["Properties"][
            "Tags"
        ]


def test_only_the_bucket_policy_allows_to_empty(synthesis: Synthesis) -> None:
    personalize.DataBucket(synthesis.stack, "Data", removal_policy=cdk.RemovalPolicy.DESTROY)
    resources = Resources.of(synthesis.template)

    objects, bucket = policy(resources)[-2:]

    assert objects["Action"] == ["s3:DeleteObject", "s3:DeleteObjectVersion"]
    assert bucket["Action"] == [
        "s3:GetBucketPolicy",
        "s3:GetBucketTagging",
        "s3:ListBucket",
        "s3:ListBucketVersions",
        "s3:PutBucketPolicy",
    ]
    for statement in (objects, bucket):
        assert statement["Principal"]["AWS"]["Fn::GetAtt"][0].startswith("CdkPersonalizeProviderOnEventRole")
    for key in resources.ids("AWS::IAM::Policy"):
        assert "s3:" not in str(resources.all[key])


@pytest.mark.parametrize("policy", [cdk.RemovalPolicy.RETAIN, cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE])
def test_what_is_kept_has_no_custom_resource_and_no_tag(synthesis: Synthesis, policy: cdk.RemovalPolicy) -> None:
    personalize.DataBucket(synthesis.stack, "Data", removal_policy=policy)
    resources = Resources.of(synthesis.template)

    assert resources.ids("AWS::Lambda::Function") == []
    assert "empty-on-delete" not in str(resources.all)


def test_snapshot_is_refused(synthesis: Synthesis) -> None:
    with pytest.raises(
        ValueError, match=r"^removal_policy must be one of \['DESTROY', 'RETAIN', 'RETAIN_ON_UPDATE_OR_DELETE'\], got S"
    ):
        personalize.DataBucket(synthesis.stack, "Data", removal_policy=cdk.RemovalPolicy.SNAPSHOT)


def test_an_imported_bucket_gets_a_warning_for_its_policy(synthesis: Synthesis) -> None:
    key = kms.Key.from_key_arn(synthesis.stack, "Key", "arn:aws:kms:us-east-1:111122223333:key/one")
    bucket = s3.Bucket.from_bucket_attributes(synthesis.stack, "Data", bucket_name="films", encryption_key=key)
    allow_personalize(bucket)

    found = assertions.Annotations.from_stack(synthesis.stack).find_warning(
        "*", assertions.Match.string_like_regexp("personalize.amazonaws.com")
    )

    assert len(found) == 2
    assert {each.entry.data.rpartition("ack: ")[2].rstrip("]") for each in found} == {
        "cdk-personalize:bucketPolicy",
        "cdk-personalize:keyPolicy",
    }
