"""A dataset group of a domain with a key of its own: recommenders made, changed, stopped, started and removed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms

import cdk_personalize as personalize
from tests.told import Events

from .deployer import Deployer
from .shop import DESTROY, csv_text
from .used import assert_all_used

VIDEO = personalize.Domain.VIDEO_ON_DEMAND


@dataclass(frozen=True, kw_only=True)
class Videos:
    """What the app declares."""

    stack: str = "Videos"
    recommenders: tuple[str, ...] = ("TOP_PICKS_FOR_YOU",)
    requests: int = 1
    running: bool = True

    def synth(self, folder: Path) -> Path:
        """Synthesize the app into ``folder``."""
        app = cdk.App(outdir=str(folder))
        stack = cdk.Stack(app, self.stack)
        key = kms.Key(stack, "Key", removal_policy=DESTROY)
        bucket = personalize.DataBucket(stack, "Data", removal_policy=DESTROY)
        videos = personalize.DatasetGroup(
            stack, "Group", domain=VIDEO, encryption_key=key, data_bucket=bucket, removal_policy=DESTROY
        )
        videos.add_interactions(
            schema=personalize.Schema.interactions(domain=VIDEO),
            source=personalize.DataSource(bucket, "interactions/"),
        )
        workflow = personalize.Workflow(stack, "Workflow", dataset_group=videos)
        outputs = {
            "Group": videos.dataset_group_arn,
            "Bucket": bucket.bucket_name,
            "Workflow": workflow.state_machine_arn,
        }
        for name in self.recommenders:
            recommender = videos.add_recommender(
                name.title().replace("_", ""),
                use_case=getattr(personalize.UseCase, name),
                min_recommendation_requests_per_second=self.requests,
                running=self.running,
            )
            outputs[name.replace("_", "")] = recommender.recommender_arn
        for name, value in outputs.items():
            cdk.CfnOutput(stack, f"{name}Output", value=value).override_logical_id(name)
        app.synth()
        return folder


def watched(count: int = 2500) -> str:
    """What 70 viewers watched."""
    chance = random.Random(3)
    rows = [
        [f"user-{n % 70}", f"video-{chance.randrange(50)}", str(1_700_000_000 + 60 * n), "Watch"] for n in range(count)
    ]
    return csv_text(["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE"], rows)


@pytest.fixture(scope="module")
def outputs(deployer: Deployer) -> dict[str, str]:
    """Deployed, and then given data."""
    outputs = deployer.deploy(Videos())
    assert deployer.settled(outputs)["output"]["status"] == "WAITING"
    deployer.upload(outputs, interactions=watched())
    run = deployer.settled(outputs, more_than=1)
    assert run["status"] == "SUCCEEDED", run.get("cause")
    assert len(run["output"]["recommenders"]) == 1
    return outputs


def change(deployer: Deployer, outputs: dict[str, str], *changes: str, **changed: Any) -> list[str]:
    """Deploy a change, of which these events are told; the calls that it led to."""
    before, runs = deployer.cloud.calls()[-1]["number"], len(deployer.runs(outputs))
    events = Events(deployer.cloud)
    deployer.deploy(Videos(**changed))
    run = deployer.settled(outputs, more_than=runs)
    assert run["status"] == "SUCCEEDED", run.get("cause")
    assert [event["change"] for event in events.of(run["executionArn"])] == list(changes)
    verbs = ("Create", "Update", "Delete", "Start", "Stop")
    return [call["operation"] for call in deployer.cloud.calls(since=before) if call["operation"].startswith(verbs)]


def describe(deployer: Deployer, arn: str) -> dict[str, Any]:
    """DescribeRecommender."""
    found: dict[str, Any] = deployer.cloud.client("personalize").describe_recommender(recommenderArn=arn)["recommender"]
    return found


def test_a_recommender_recommends(deployer: Deployer, outputs: dict[str, str]) -> None:
    group = deployer.cloud.client("personalize").describe_dataset_group(datasetGroupArn=outputs["Group"])
    assert group["datasetGroup"]["domain"] == "VIDEO_ON_DEMAND"
    assert group["datasetGroup"]["kmsKeyArn"].startswith("arn:aws:kms:")
    answer = deployer.cloud.client("personalize-runtime").get_recommendations(
        recommenderArn=outputs["TOPPICKSFORYOU"], userId="user-1"
    )
    assert answer["itemList"]


def test_a_changed_throughput_updates_and_nothing_else(deployer: Deployer, outputs: dict[str, str]) -> None:
    assert change(deployer, outputs, "UPDATING", "SERVING", requests=2) == ["UpdateRecommender"]
    found = describe(deployer, outputs["TOPPICKSFORYOU"])
    assert found["recommenderConfig"]["minRecommendationRequestsPerSecond"] == 2


def test_a_recommender_is_stopped_and_started(deployer: Deployer, outputs: dict[str, str]) -> None:
    assert change(deployer, outputs, "STOPPING", "STOPPED", requests=2, running=False) == ["StopRecommender"]
    assert describe(deployer, outputs["TOPPICKSFORYOU"])["status"] == "INACTIVE"
    assert change(deployer, outputs, "STARTING", "SERVING", requests=2) == ["StartRecommender"]
    assert describe(deployer, outputs["TOPPICKSFORYOU"])["status"] == "ACTIVE"


def test_another_use_case_is_made_before_the_former_one_goes(deployer: Deployer, outputs: dict[str, str]) -> None:
    deployer.note_granted(Videos().stack)
    told = ("CREATING", "SERVING", "DELETED")
    assert change(deployer, outputs, *told, requests=2, recommenders=("MOST_POPULAR",)) == [
        "CreateRecommender",
        "DeleteRecommender",
    ]


def test_destroy_leaves_nothing(deployer: Deployer, outputs: dict[str, str]) -> None:
    deployer.cloud.fail("DeleteRecommender", delay_seconds=1)  # so that the teardown has to wait for it
    deployer.destroy(Videos(recommenders=("MOST_POPULAR",)))
    client = deployer.cloud.client("personalize")
    assert client.list_recommenders()["recommenders"] == client.list_dataset_groups()["datasetGroups"] == []
    assert_all_used(deployer, Videos().stack)
