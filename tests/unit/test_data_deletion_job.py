"""DataDeletionJob."""

from __future__ import annotations

import json
import re

import pytest
from aws_cdk import assertions
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

import cdk_personalize as personalize
from tests.unit.conftest import Resources, Synthesis

Location = personalize.S3Location


def test_the_least(synthesis: Synthesis) -> None:
    group = synthesis.group()
    made = group.add_data_deletion_job("Forget")
    personalize.Workflow(synthesis.stack, "Workflow", dataset_group=group)

    assert made.configuration == {
        "dataSource": {"dataLocation": f"s3://{group.data_bucket.bucket_name}/Movies/data-deletion/"}
    }
    assert made.target == {"datasetGroupArn": group.dataset_group_arn}
    assert (made.job_output, made.every) == (None, None)
    found = Resources.of(synthesis.template)
    read = [each for each in found.statements("MoviesServiceRoleDefaultPolicy") if "deletion" in json.dumps(each)]
    assert [each["Action"] for each in read] == ["s3:GetObject"]
    synthesis.template.has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventPattern": {
                "detail": {"object": {"key": assertions.Match.array_with([{"prefix": "Movies/data-deletion/"}])}}
            }
        },
    )


def test_the_files_of_another_bucket(synthesis: Synthesis) -> None:
    bucket = s3.Bucket(synthesis.stack, "Bucket")
    group = synthesis.group()
    made = group.add_data_deletion_job("Forget", job_name="forget", data_source=Location(bucket, "users.csv"))
    personalize.Workflow(synthesis.stack, "Workflow", dataset_group=group)

    assert re.fullmatch("forget-[0-9a-f]{8}", made.job_prefix)
    [policy] = synthesis.template.find_resources(
        "AWS::S3::BucketPolicy", {"Properties": {"Bucket": synthesis.stack.resolve(bucket.bucket_name)}}
    ).values()
    assert "personalize.amazonaws.com" in json.dumps(policy)


@pytest.mark.parametrize(
    ("prefix", "message"),
    [
        ("users", "data_source must be a folder that ends in '/' or the key of a '.csv' file, got 'users'"),
        ("/users/", "prefix must be a folder that ends in '/', or the key of a file, without a '/' at its start, got"),
        ("", "prefix must be a folder that ends in '/', or the key of a file, without a '/' at its start, got ''"),
        ("x" * 300 + ".csv", "an S3 location has at most 256 characters, got 's3://bucket/xxx"),
    ],
)
def test_locations(synthesis: Synthesis, prefix: str, message: str) -> None:
    bucket = s3.Bucket.from_bucket_name(synthesis.stack, "Bucket", "bucket")
    group = synthesis.group()
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        group.add_data_deletion_job("Forget", data_source=Location(bucket, prefix))


def test_files_with_a_key_are_refused(synthesis: Synthesis) -> None:
    key = kms.Key(synthesis.stack, "Key")
    encrypted = s3.Bucket(synthesis.stack, "Encrypted", encryption_key=key)
    plain = s3.Bucket(synthesis.stack, "Plain")
    group = synthesis.group()
    for location in (Location(encrypted, "users/"), Location(plain, "users/", encryption_key=key)):
        path = location.bucket.node.path
        message = f"data_source must not be encrypted with a KMS key, which data deletion jobs cannot use, got '{path}'"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
            group.add_data_deletion_job("Forget", data_source=location)
    group.add_data_deletion_job("Forget", data_source=Location(plain, "users/"))


def test_a_list_of_users_would_not_be_imported() -> None:
    synthesis = Synthesis()
    group = synthesis.group()
    group.add_data_deletion_job("Forget", data_source=Location(group.data_bucket, "Movies/items/gone.csv"))
    personalize.Workflow(synthesis.stack, "Workflow", dataset_group=group)
    message = "DataDeletionJob 'Films/Movies/Forget': data_source must not be in the folder 'Movies/items/' of ITEMS"
    with pytest.raises(RuntimeError, match=re.escape(message)):
        synthesis.app.synth()
