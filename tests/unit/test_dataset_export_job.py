"""DatasetExportJob."""

from __future__ import annotations

import re
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

import cdk_personalize as personalize
from tests.unit.conftest import INTERACTIONS, Resources, Synthesis

Location = personalize.S3Location


def test_all_records_are_exported_by_default(group: personalize.DatasetGroup) -> None:
    interactions = group.datasets[0]
    made = interactions.add_export_job("Backup")
    assert made.configuration["ingestionMode"] == "ALL"
    assert made.target == {"datasetArn": interactions.dataset_arn}
    assert made.job_input is None
    assert made.job_output is not None
    assert made.job_output.prefix == "Movies/export/interactions/"


@pytest.mark.parametrize("mode", personalize.IngestionMode)
def test_the_mode_is_always_sent(group: personalize.DatasetGroup, mode: personalize.IngestionMode) -> None:
    made = group.datasets[0].add_export_job("Backup", ingestion_mode=mode)
    assert made.configuration["ingestionMode"] == mode.value


def test_the_output_may_be_encrypted() -> None:
    synthesis = Synthesis()
    bucket = s3.Bucket.from_bucket_name(synthesis.stack, "Bucket", "bucket")
    key = kms.Key(synthesis.stack, "Key")
    made = (
        synthesis.group()
        .datasets[0]
        .add_export_job(
            "Backup", job_output=Location(bucket, "backup/", encryption_key=key), every=cdk.Duration.days(30)
        )
    )
    assert synthesis.stack.resolve(made.configuration["jobOutput"]) == {
        "s3DataDestination": {"path": "s3://bucket/backup/", "kmsKeyArn": synthesis.stack.resolve(key.key_arn)}
    }


def test_the_role_may_write_and_nothing_else(synthesis: Synthesis) -> None:
    group = synthesis.group()
    role = personalize.ServiceRole(synthesis.stack, "Writer")
    group.datasets[0].add_export_job("Backup", role=role)
    personalize.Workflow(synthesis.stack, "Workflow", dataset_group=group)

    found = Resources.of(synthesis.template)
    assert [each["Action"] for each in found.statements("WriterDefaultPolicy")] == ["s3:PutObject", "s3:ListBucket"]


def test_an_export_from_an_encrypted_group_may_make_data_keys(synthesis: Synthesis) -> None:
    key = kms.Key(synthesis.stack, "Key")
    group = personalize.DatasetGroup(synthesis.stack, "Movies", encryption_key=key)
    role = personalize.ServiceRole(synthesis.stack, "Writer")
    group.add_interactions(schema=INTERACTIONS).add_export_job("Backup", role=role)
    personalize.Workflow(synthesis.stack, "Workflow", dataset_group=group)

    found = Resources.of(synthesis.template)
    [using] = [each for each in found.statements("WriterDefaultPolicy") if "kms" in str(each["Action"])]
    assert using["Action"] == [
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:GenerateDataKey",
        "kms:ListGrants",
        "kms:GenerateDataKeyWithoutPlaintext",
    ]
    assert "kms:GenerateDataKeyWithoutPlaintext" in str(found.properties("AWS::KMS::Key")["KeyPolicy"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"job_name": "-"}, "job_name must have 1 to 63 letters"),
        ({"every": cdk.Duration.seconds(0)}, "every must be longer than 0 seconds, got 0"),
    ],
)
def test_what_the_service_refuses_is_refused(
    group: personalize.DatasetGroup, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        group.datasets[0].add_export_job("Backup", **arguments)


@pytest.mark.parametrize("folder", ["all/", "new/"])
def test_an_export_would_not_be_imported_again(folder: str) -> None:
    synthesis = Synthesis()
    group = personalize.DatasetGroup(synthesis.stack, "Movies")
    interactions = group.add_interactions(
        schema=INTERACTIONS,
        source=personalize.DataSource(group.data_bucket, "all/"),
        incremental_source=personalize.DataSource(group.data_bucket, "new/"),
    )
    interactions.add_export_job("Backup", job_output=Location(group.data_bucket, f"{folder}old/"))
    personalize.Workflow(synthesis.stack, "Workflow", dataset_group=group)
    message = "DatasetExportJob 'Films/Movies/Interactions/Backup': job_output must not be in the folder"
    with pytest.raises(RuntimeError, match=re.escape(message)):
        synthesis.app.synth()
