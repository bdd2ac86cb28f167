"""``Custom::PersonalizeEmptyBucket``: empties a bucket before CloudFormation deletes it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from personalize_lambda.aws import client, code_of, is_denied, log

EMPTY_TAG = "cdk-personalize:empty-on-delete"
"""Only buckets with this tag are emptied. CloudFormation removes it first when the removal policy changes."""

GIVE_UP_SECONDS = 13 * 60
BATCH = 1000
_DENY_SID = "CdkPersonalizeDenyWritesWhileEmptying"


def create(event: Mapping[str, Any]) -> dict[str, Any]:
    """Note which bucket it is."""
    return {"PhysicalResourceId": event["ResourceProperties"]["BucketName"]}


update = create


def delete(event: Mapping[str, Any]) -> dict[str, Any]:
    """Empty the bucket, all versions included.

    :raises RuntimeError: When objects could not be deleted.
    """
    bucket = event["PhysicalResourceId"]
    try:
        if _is_ours(bucket):
            _deny_writes(bucket)
            _empty(bucket)
        else:
            log.info("bucket %s does not carry the tag %s and is left alone", bucket, EMPTY_TAG)
    except ClientError as error:
        if code_of(error) != "NoSuchBucket":
            raise
    return {"PhysicalResourceId": bucket}


def is_complete(_event: Mapping[str, Any]) -> dict[str, Any]:
    """Return that it is done."""
    return {"IsComplete": True}


def _is_ours(bucket: str) -> bool:
    try:
        tags = client("s3").get_bucket_tagging(Bucket=bucket)["TagSet"]
    except ClientError as error:
        # The bucket's own policy allows this: where it does no more, the bucket is to be kept.
        if code_of(error) == "NoSuchTagSet" or is_denied(error):
            return False
        raise
    return {"Key": EMPTY_TAG, "Value": "true"} in tags


def _deny_writes(bucket: str) -> None:
    """Keep others, such as the delivery of access logs, from writing what would stop the deletion."""
    s3 = client("s3")
    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    if any(statement.get("Sid") == _DENY_SID for statement in policy["Statement"]):
        return
    partition = s3.meta.partition
    policy["Statement"].append(
        {
            "Sid": _DENY_SID,
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": f"arn:{partition}:s3:::{bucket}/*",
        }
    )
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


def _empty(bucket: str) -> None:
    deadline = time.monotonic() + GIVE_UP_SECONDS
    deleted = 0
    for batch in _batches(bucket):
        response = client("s3").delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
        errors = response.get("Errors", [])
        if errors:
            first = errors[0]
            raise RuntimeError(
                f"{len(errors)} objects of bucket {bucket} could not be deleted, the first is {first['Key']!r}: "
                f"{first['Code']}: {first.get('Message', '')}. Allow it and delete the stack again"
            )
        deleted += len(batch)
        if time.monotonic() > deadline:
            raise RuntimeError(
                f"bucket {bucket} still has objects after {deleted} were deleted in {GIVE_UP_SECONDS // 60} minutes. "
                "Delete the stack again to go on"
            )
    log.info("bucket %s is empty, %s object versions were deleted", bucket, deleted)


def _batches(bucket: str) -> Iterator[list[dict[str, str]]]:
    for page in client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket, MaxKeys=BATCH):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if found:
            yield [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]
