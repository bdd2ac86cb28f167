"""New files that start runs: the event pattern, which EventBridge wants short."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3

import cdk_personalize as personalize
from tests.unit.conftest import INTERACTIONS, ITEMS, Synthesis


def pattern(synthesis: Synthesis) -> dict[str, Any]:
    """What the rule for new files listens to."""
    rules = synthesis.template.find_resources("AWS::Events::Rule").values()
    [found] = [rule["Properties"]["EventPattern"] for rule in rules if "aws.s3" in json.dumps(rule)]
    return dict(found)


def test_each_place_is_named_once(synthesis: Synthesis) -> None:
    group = personalize.DatasetGroup(synthesis.stack, "Movies")
    personalize.Workflow(synthesis.stack, "Workflow", dataset_group=group)
    bucket = s3.Bucket(synthesis.stack, "Files")
    prefix = cdk.CfnParameter(synthesis.stack, "Prefix").value_as_string
    group.add_interactions(schema=INTERACTIONS, source=personalize.DataSource(bucket, "all/"))
    group.add_items(schema=ITEMS, source=personalize.DataSource(bucket, prefix))
    group.add_data_deletion_job("Forget", data_source=personalize.S3Location(group.data_bucket, "all/forget/"))
    detail = pattern(synthesis)["detail"]
    assert detail["object"]["key"] == [{"prefix": "all/"}, {"prefix": {"Ref": "Prefix"}}]
    assert len(detail["bucket"]["name"]) == 2


def declare(synthesis: Synthesis, jobs: int) -> None:
    group = synthesis.group()
    personalize.Workflow(synthesis.stack, "Workflow", dataset_group=group)
    picks = group.add_solution("Picks", recipe=personalize.Recipe.USER_PERSONALIZATION_V2)
    output = personalize.S3Location(s3.Bucket(synthesis.stack, "Out"), "out/")
    for number in range(jobs):
        place = personalize.S3Location(group.data_bucket, f"mail/{number:03}/{'x' * 30}/")
        picks.add_batch_inference_job(f"Mail{number}", job_input=place, job_output=output)


def test_a_pattern_that_is_just_short_enough_is_no_problem(synthesis: Synthesis) -> None:
    declare(synthesis, 33)
    found = pattern(synthesis)
    found["detail"]["bucket"]["name"] = ["b" * 63]
    length = len(json.dumps(found, separators=(",", ":")))
    assert 2048 - 56 < length <= 2048


def test_a_pattern_that_is_too_long_is_refused(synthesis: Synthesis) -> None:
    declare(synthesis, 34)
    with pytest.raises(
        RuntimeError,
        match=r"the 36 folders whose new files start runs of 'Films/Workflow' make an event pattern of 20\d\d "
        "characters, "
        "of which EventBridge takes 2048: give the sources of datasets and the inputs of jobs shorter prefixes",
    ):
        synthesis.app.synth()
