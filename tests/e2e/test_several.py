"""Several dataset groups in a stack and several stacks in an app; a creation that fails."""

from __future__ import annotations

import time
from pathlib import Path

import aws_cdk as cdk
import pytest

from tools.assembly import DeploymentError

from .deployer import Deployer
from .shop import DESTROY, Shop, interactions, items, several


def test_two_groups_in_each_of_two_stacks(deployer: Deployer, tmp_path: Path) -> None:
    several(cdk.App(outdir=str(tmp_path))).synth()
    outputs = deployer.deploy_assembly(tmp_path)
    assert len(outputs) == 4
    for run in outputs.values():
        assert deployer.settled({"Workflow": run})["output"]["status"] == "WAITING"
    for stack in ("North", "South"):
        deployer.destroy_stack(stack)
    assert deployer.cloud.client("personalize").list_dataset_groups()["datasetGroups"] == []


def test_destroy_in_the_middle_of_a_training(deployer: Deployer) -> None:
    shop = Shop(stack="Hasty", removal_policy=DESTROY)
    outputs = deployer.deploy(shop)
    deployer.settled(outputs)
    before = deployer.cloud.calls()[-1]["number"]
    deployer.upload(outputs, interactions=interactions(), items=items())
    deadline = time.monotonic() + 60
    while not deployer.cloud.calls("CreateSolutionVersion", since=before) and time.monotonic() < deadline:
        time.sleep(0.05)
    deployer.destroy(shop)
    client = deployer.cloud.client("personalize")
    assert client.list_dataset_groups()["datasetGroups"] == []
    assert client.list_solutions()["solutions"] == []


def test_failed_creation_of_a_dataset_group_leaves_nothing(deployer: Deployer) -> None:
    shop = Shop(stack="Unlucky")
    deployer.cloud.fail("CreateDatasetGroup", failure_reason="the service had a bad day")
    with pytest.raises(DeploymentError, match="the service had a bad day"):
        deployer.deploy(shop)
    client = deployer.cloud.client("personalize")
    assert client.list_dataset_groups()["datasetGroups"] == []
    assert client.list_schemas()["schemas"] == []
    assert not [b["Name"] for b in deployer.cloud.client("s3").list_buckets()["Buckets"] if "unlucky" in b["Name"]]
    outputs = deployer.deploy(shop)
    assert deployer.settled(outputs)["output"]["status"] == "WAITING"
    deployer.deploy(Shop(stack="Unlucky", removal_policy=DESTROY))
    deployer.destroy(Shop(stack="Unlucky", removal_policy=DESTROY))
