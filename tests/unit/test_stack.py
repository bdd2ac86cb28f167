"""A stack of all constructs, as cdk-nag and cfn-lint see it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import aws_cdk as cdk
import cdk_nag
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

import cdk_personalize as personalize
from tests.unit.conftest import USERS, Synthesis


def films(app: cdk.App, policy: cdk.RemovalPolicy) -> None:
    """Two stacks: data, and everything else, so that there are references between stacks."""
    data = cdk.Stack(app, "FilmsData")
    key = kms.Key(data, "Key", enable_key_rotation=True, removal_policy=policy)
    bucket = personalize.DataBucket(data, "Bucket", encryption_key=key, removal_policy=policy)
    stack = cdk.Stack(app, "Films")
    for key, data_bucket in (("Movies", bucket), ("Series", None)):
        group = personalize.DatasetGroup(stack, key, data_bucket=data_bucket, removal_policy=policy)
        group.add_interactions(schema=personalize.Schema.interactions(event_type=True))
        group.add_users(schema=USERS)
        group.add_event_tracker()
        group.add_metric_attribution(
            metrics=[personalize.AttributedMetric(event_type="watch", metric_name="watches")],
            report_bucket=group.data_bucket,
        )
        group.add_filter("Unwatched", expression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")')
        role = iam.Role(stack, f"{key}Loader", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        group.datasets[1].grants.put_users(role)


def synthesize(folder: Path, policy: cdk.RemovalPolicy = cdk.RemovalPolicy.DESTROY, *, nag: bool = False) -> list[Path]:
    app = cdk.App(outdir=str(folder))
    films(app, policy)
    if nag:
        cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))
    app.synth()
    return sorted(folder.glob("*.template.json"))


@pytest.mark.parametrize("policy", [cdk.RemovalPolicy.DESTROY, cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE])
def test_cdk_nag_and_cfn_lint_find_nothing(tmp_path: Path, policy: cdk.RemovalPolicy) -> None:
    templates = synthesize(tmp_path, policy, nag=True)

    assert len(templates) == 2
    lint = Path(sys.executable).with_name("cfn-lint")
    # W3005: the CDK declares dependencies that references imply as well.
    command = [lint, "--ignore-checks", "W3005", "--format", "json", "--", *templates]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert json.loads(result.stdout) == []


def test_every_custom_resource_has_a_time_limit(tmp_path: Path) -> None:
    found = 0
    for path in synthesize(tmp_path):
        for resource in json.loads(path.read_text())["Resources"].values():
            if resource["Type"].startswith("Custom::"):
                found += 1
                assert resource["Properties"]["ServiceTimeout"] == "3600"
    assert found == 16


def test_two_syntheses_are_identical(tmp_path: Path) -> None:
    first, second = (synthesize(tmp_path / name) for name in ("one", "two"))

    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_a_stack_needs_nothing_of_its_environment() -> None:
    synthesis = Synthesis(env=cdk.Environment(account="111122223333", region="eu-west-1"))
    group = synthesis.group()
    template = json.dumps(synthesis.template.to_json())

    assert f"arn:aws:personalize:eu-west-1:111122223333:dataset-group/{group.dataset_group_name}" not in template
    assert f":personalize:eu-west-1:111122223333:dataset-group/{group.dataset_group_name}" in template
