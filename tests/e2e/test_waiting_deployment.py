"""A deployment that waits for its run, what is changed by hand afterwards, and a removal that keeps the models."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_scheduler as scheduler

import cdk_personalize as personalize
from tools.assembly import DeploymentError

from .deployer import Deployer
from .shop import DESTROY, interactions

NOON = scheduler.ScheduleExpression.cron(hour="12", minute="0", time_zone=cdk.TimeZone.EUROPE_BERLIN)


@dataclass(frozen=True, kw_only=True)
class Books:
    """What the app declares."""

    stack: str = "Books"
    deployment: personalize.Deployment = personalize.Deployment.WAIT
    solution: bool = True
    similar: bool = False

    def synth(self, folder: Path) -> Path:
        """Synthesize the app into ``folder``."""
        app = cdk.App(outdir=str(folder))
        stack = cdk.Stack(app, self.stack)
        bucket = personalize.DataBucket(stack, "Data", removal_policy=DESTROY)
        books = personalize.DatasetGroup(stack, "Group", data_bucket=bucket)
        books.add_interactions(
            schema=personalize.Schema.interactions(event_type=True, event_value=True),
            source=personalize.DataSource(bucket, "interactions/"),
        )
        if self.similar:
            books.add_solution("Similar", recipe=personalize.Recipe.SIMILAR_ITEMS).add_campaign("Alike")
        workflow = personalize.Workflow(
            stack,
            "Workflow",
            dataset_group=books,
            deployment=self.deployment,
            schedule=NOON,
            removal_policy=personalize.WorkflowRemovalPolicy.STOP_BILLING,
        )
        outputs = {
            "Bucket": bucket.bucket_name,
            "Group": books.dataset_group_arn,
            "Workflow": workflow.state_machine_arn,
            "Run": workflow.deployment_run_arn,
            "Topic": workflow.topic.topic_arn,
        }
        if self.solution:
            picks = books.add_solution("Picks", recipe=personalize.Recipe.USER_PERSONALIZATION_V2)
            outputs |= {"Solution": picks.solution_arn, "Campaign": picks.add_campaign("Live").campaign_arn}
        for name, value in outputs.items():
            cdk.CfnOutput(stack, f"{name}Output", value=value).override_logical_id(name)
        app.synth()
        return folder


@pytest.fixture(scope="module")
def outputs(deployer: Deployer) -> dict[str, str]:
    """Data first, then a deployment that waits for what is made from them."""
    first = deployer.deploy(Books(deployment=personalize.Deployment.ASYNC, solution=False))
    deployer.upload(first, interactions=interactions())
    run = deployer.settled(first, more_than=1)
    assert run["status"] == "SUCCEEDED", run.get("cause")
    return deployer.deploy(Books())


def start(deployer: Deployer, outputs: dict[str, str], value: str) -> dict[str, Any]:
    arn = deployer.cloud.client("stepfunctions").start_execution(stateMachineArn=outputs["Workflow"], input=value)
    while deployer.run(arn["executionArn"])["status"] == "RUNNING":
        pass
    return deployer.run(arn["executionArn"])


def test_what_was_deployed_serves(deployer: Deployer, outputs: dict[str, str]) -> None:
    assert deployer.run(outputs["Run"])["output"]["status"] == "COMPLETED"
    assert deployer.recommend(outputs)


def test_an_idle_run_plans_once(deployer: Deployer, outputs: dict[str, str]) -> None:
    run = start(deployer, outputs, "{}")
    assert run["output"]["status"] == "COMPLETED"
    history = deployer.cloud.client("stepfunctions").get_execution_history(executionArn=run["executionArn"])["events"]
    entered = [event["stateEnteredEventDetails"]["name"] for event in history if "stateEnteredEventDetails" in event]
    assert [name for name in entered if name.startswith("Plan")] == ["Plan imports"]


def test_what_was_deleted_by_hand_is_told_and_made_again(deployer: Deployer, outputs: dict[str, str]) -> None:
    personalize_client = deployer.cloud.client("personalize")
    queue = deployer.subscribe(outputs)
    personalize_client.delete_campaign(campaignArn=outputs["Campaign"])
    solution = outputs["Solution"]
    while personalize_client.list_campaigns(solutionArn=solution)["campaigns"]:
        pass
    name = outputs["Campaign"].rpartition("/")[2]
    told = start(deployer, outputs, '{"mode": "plan"}')["output"]
    assert (told["steps"], told["drift"]) == ([f"create campaign {name}"], [f"campaign {name} is gone"])
    assert not personalize_client.list_campaigns(solutionArn=solution)["campaigns"]

    assert start(deployer, outputs, "{}")["output"]["drift"] == [f"campaign {name} is gone"]
    assert deployer.recommend(outputs)
    (message,) = deployer.told(queue)
    assert f"Changed by hand since the last run:\n- campaign {name} is gone" in message


def test_a_deployment_that_cannot_serve_fails_and_says_why(deployer: Deployer, outputs: dict[str, str]) -> None:
    deployer.cloud.fail("CreateSolutionVersion", failure_reason="There are too few items.")
    with pytest.raises(DeploymentError, match=r"There are too few items\."):
        deployer.deploy(replace(Books(), similar=True))
    assert deployer.stack("Books")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert deployer.recommend(outputs)


def test_models_outlive_the_stack_and_what_is_billed_does_not(deployer: Deployer, outputs: dict[str, str]) -> None:
    deployer.settled(outputs)
    deployer.destroy(Books())
    client = deployer.cloud.client("personalize")
    (solution,) = client.list_solutions(datasetGroupArn=outputs["Group"])["solutions"]
    assert solution["solutionArn"] == outputs["Solution"]
    assert client.list_campaigns(solutionArn=outputs["Solution"])["campaigns"] == []
