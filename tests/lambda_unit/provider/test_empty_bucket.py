"""Custom::PersonalizeEmptyBucket against botocore's stub of Amazon S3."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber

from personalize_lambda import aws
from personalize_lambda.provider import empty_bucket

OURS = {"TagSet": [{"Key": "team", "Value": "films"}, {"Key": "cdk-personalize:empty-on-delete", "Value": "true"}]}
POLICY = {"Version": "2012-10-17", "Statement": [{"Sid": "Tls", "Effect": "Deny"}]}


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    monkeypatch.setattr(aws.boto3, "client", lambda *_, **__: client)
    aws.client.cache_clear()
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()
    aws.client.cache_clear()


def event(request_type: str = "Delete", **members: Any) -> dict[str, Any]:
    return {
        "RequestType": request_type,
        "PhysicalResourceId": "films",
        "ResourceProperties": {"BucketName": "films"},
        **members,
    }


def denied(bucket: str = "films") -> dict[str, Any]:
    statement = {
        "Sid": "CdkPersonalizeDenyWritesWhileEmptying",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    return {**POLICY, "Statement": [*POLICY["Statement"], statement]}


def test_create_only_notes_the_name() -> None:
    assert empty_bucket.create(event("Create")) == {"PhysicalResourceId": "films"}


def test_another_bucket_is_another_resource() -> None:
    assert empty_bucket.update(event("Update", ResourceProperties={"BucketName": "series"})) == {
        "PhysicalResourceId": "series"
    }


def test_delete_denies_writes_and_deletes_all_versions(s3: Stubber) -> None:
    s3.add_response("get_bucket_tagging", OURS, {"Bucket": "films"})
    s3.add_response("get_bucket_policy", {"Policy": json.dumps(POLICY)}, {"Bucket": "films"})
    s3.add_response("put_bucket_policy", {}, {"Bucket": "films", "Policy": json.dumps(denied())})
    s3.add_response(
        "list_object_versions",
        {
            "IsTruncated": True,
            "NextKeyMarker": "a",
            "NextVersionIdMarker": "1",
            "Versions": [{"Key": "a", "VersionId": "1"}],
            "DeleteMarkers": [{"Key": "a", "VersionId": "2"}],
        },
        {"Bucket": "films", "MaxKeys": 1000},
    )
    first = [{"Key": "a", "VersionId": "1"}, {"Key": "a", "VersionId": "2"}]
    s3.add_response("delete_objects", {}, {"Bucket": "films", "Delete": {"Objects": first, "Quiet": True}})
    s3.add_response(
        "list_object_versions",
        {"IsTruncated": False, "Versions": [{"Key": "b", "VersionId": "null"}]},
        {"Bucket": "films", "KeyMarker": "a", "VersionIdMarker": "1", "MaxKeys": 1000},
    )
    second = [{"Key": "b", "VersionId": "null"}]
    s3.add_response("delete_objects", {}, {"Bucket": "films", "Delete": {"Objects": second, "Quiet": True}})

    assert empty_bucket.delete(event()) == {"PhysicalResourceId": "films"}


def test_delete_of_an_empty_bucket_whose_writes_are_denied_already(s3: Stubber) -> None:
    s3.add_response("get_bucket_tagging", OURS)
    s3.add_response("get_bucket_policy", {"Policy": json.dumps(denied())})
    s3.add_response("list_object_versions", {"IsTruncated": False})

    empty_bucket.delete(event())


def test_a_bucket_without_our_tag_is_left_alone(s3: Stubber) -> None:
    s3.add_response("get_bucket_tagging", {"TagSet": [{"Key": "cdk-personalize:empty-on-delete", "Value": "no"}]})

    empty_bucket.delete(event())


@pytest.mark.parametrize("code", ["NoSuchTagSet", "NoSuchBucket", "AccessDenied"])
def test_a_bucket_without_tags_one_that_is_gone_and_one_whose_policy_allows_no_more_are_done(
    s3: Stubber, code: str
) -> None:
    s3.add_client_error("get_bucket_tagging", code)

    empty_bucket.delete(event())


def test_no_other_error_is_hidden(s3: Stubber) -> None:
    s3.add_client_error("get_bucket_tagging", "PermanentRedirect")

    with pytest.raises(ClientError, match="PermanentRedirect"):
        empty_bucket.delete(event())


def test_an_object_that_cannot_be_deleted_is_named(s3: Stubber) -> None:
    s3.add_response("get_bucket_tagging", OURS)
    s3.add_response("get_bucket_policy", {"Policy": json.dumps(denied())})
    s3.add_response("list_object_versions", {"IsTruncated": False, "Versions": [{"Key": "a", "VersionId": "1"}]})
    errors = [{"Key": "a", "Code": "AccessDenied", "Message": "locked"}]
    s3.add_response("delete_objects", {"Errors": errors}, {"Bucket": "films", "Delete": ANY})

    with pytest.raises(
        RuntimeError,
        match=r"^1 objects of bucket films could not be deleted, the first is 'a': AccessDenied: locked\.",
    ):
        empty_bucket.delete(event())


def test_more_than_fits_into_one_call_says_how_to_go_on(s3: Stubber, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(empty_bucket, "GIVE_UP_SECONDS", -1)
    s3.add_response("get_bucket_tagging", OURS)
    s3.add_response("get_bucket_policy", {"Policy": json.dumps(denied())})
    s3.add_response("list_object_versions", {"IsTruncated": False, "Versions": [{"Key": "a", "VersionId": "1"}]})
    s3.add_response("delete_objects", {})

    with pytest.raises(
        RuntimeError, match=r"still has objects after 1 were deleted .+ Delete the stack again to go on"
    ):
        empty_bucket.delete(event())
