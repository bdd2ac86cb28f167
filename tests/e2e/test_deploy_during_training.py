"""A deployment in the middle of a training: what has begun is taken up, and not begun, and billed, again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

import cdk_personalize as personalize
from personalize_local.cloud.client import LocalCloud
from personalize_local.cloud.process import free_port, start
from personalize_local.cloud.settings import CloudSettings

from .deployer import Deployer
from .shop import DESTROY, Shop, interactions, items
from .used import assert_some_used

SHOP = Shop(stack="Busy", removal_policy=DESTROY)
# a training takes 6 s, and so longer than a deployment
TIME_SCALE = 0.005


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployer]:
    """A local cloud in which trainings take a while."""
    folder = tmp_path_factory.mktemp("deployer")
    process = start(
        CloudSettings(port=free_port(), time_scale=TIME_SCALE, enforce_iam=True, exit_with_parent=True),
        folder / "cloud.log",
    )
    try:
        yield Deployer(LocalCloud(process.port, process.log_path), folder)
    finally:
        process.stop()


def wait_for(deployer: Deployer, operation: str, count: int) -> None:
    deadline = time.monotonic() + 60
    while len(deployer.cloud.calls(operation)) < count:
        assert time.monotonic() < deadline, f"no {operation}"
        time.sleep(0.05)


def test_a_training_under_way_is_followed_and_an_obsolete_one_stopped(slow: Deployer) -> None:
    outputs = slow.deploy(SHOP)
    slow.settled(outputs)
    slow.upload(outputs, interactions=interactions(), items=items())
    wait_for(slow, "CreateSolutionVersion", 1)

    slow.deploy(replace(SHOP, tps=2))
    run = slow.settled(outputs)
    assert run["status"] == "SUCCEEDED", run.get("cause")
    assert len(slow.cloud.calls("CreateSolutionVersion")) == 1
    campaign = slow.cloud.client("personalize").describe_campaign(campaignArn=outputs["Campaign"])["campaign"]
    assert campaign["minProvisionedTPS"] == 2
    aborted = [run for run in slow.runs(outputs) if run["status"] == "ABORTED"]
    assert len(aborted) == 1

    slow.deploy(replace(SHOP, tps=2, recipe=personalize.Recipe.USER_PERSONALIZATION))
    wait_for(slow, "CreateSolutionVersion", 2)
    slow.deploy(replace(SHOP, tps=2, recipe=personalize.Recipe.HRNN))
    wait_for(slow, "StopSolutionVersionCreation", 1)  # by the run of the deployment, so that another has to stand back
    slow.cloud.client("stepfunctions").start_execution(stateMachineArn=outputs["Workflow"])
    run = slow.settled(outputs)
    assert run["status"] == "SUCCEEDED", run.get("cause")
    stopped, created = slow.cloud.calls("StopSolutionVersionCreation"), slow.cloud.calls("CreateSolutionVersion")
    assert (len(stopped), len(created)) == (1, 3)
    assert stopped[0]["number"] < created[2]["number"]
    assert_some_used(slow, SHOP.stack)
