"""Jobs of all kinds are run by a workflow with the permissions that it was given, and run again when they are due."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk

import cdk_personalize as personalize
from tests.told import Events

from .deployer import Deployer
from .shop import DESTROY, interactions, items
from .used import assert_all_used

DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class Jobs:
    """An app that declares jobs of all kinds."""

    stack: str = "Jobs"

    def synth(self, folder: Path) -> Path:
        """Synthesize the app into ``folder``."""
        app = cdk.App(outdir=str(folder))
        stack = cdk.Stack(app, self.stack)
        bucket = personalize.DataBucket(stack, "Data", removal_policy=DESTROY)
        shop = personalize.DatasetGroup(stack, "Group", data_bucket=bucket, removal_policy=DESTROY)
        views = shop.add_interactions(
            schema=personalize.Schema.interactions(event_type=True, event_value=True),
            source=personalize.DataSource(bucket, "interactions/"),
        )
        shop.add_items(
            schema=personalize.Schema.items(personalize.Field.categorical("CATEGORY")),
            source=personalize.DataSource(bucket, "items/"),
        )
        unseen = shop.add_filter("Unseen", expression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("view")')
        picks = shop.add_solution("Picks", recipe=personalize.Recipe.USER_PERSONALIZATION_V2)
        mail = picks.add_batch_inference_job(
            "Mail",
            job_input=personalize.S3Location(bucket, "users/"),
            job_output=personalize.S3Location(bucket, "mail/"),
            filter=unseen,
            num_results=5,
            every=cdk.Duration.days(7),
        )
        cdk.Tags.of(mail).add("team", "red")
        fans = shop.add_solution("Fans", recipe=personalize.Recipe.ITEM_AFFINITY)
        fans.add_batch_segment_job(
            "Clients",
            job_input=personalize.S3Location(bucket, "chosen/"),
            job_output=personalize.S3Location(bucket, "clients/"),
            num_results=10,
            role=personalize.ServiceRole(stack, "Segments"),
        )
        views.add_export_job("Backup", job_output=personalize.S3Location(bucket, "backup/"))
        shop.add_data_deletion_job("Forget", data_source=personalize.S3Location(bucket, "forget/"))
        workflow = personalize.Workflow(stack, "Workflow", dataset_group=shop)
        outputs = {"Bucket": bucket.bucket_name, "Workflow": workflow.state_machine_arn}
        for name, value in outputs.items():
            cdk.CfnOutput(stack, f"{name}Output", value=value).override_logical_id(name)
        app.synth()
        return folder


def started(deployer: Deployer, outputs: dict[str, str]) -> dict[str, Any]:
    """Start a run by hand, and wait for its end."""
    before = len(deployer.runs(outputs))
    deployer.cloud.client("stepfunctions").start_execution(stateMachineArn=outputs["Workflow"])
    run = deployer.settled(outputs, more_than=before)
    assert run["status"] == "SUCCEEDED", run.get("cause")
    return dict(run["output"])


def written(deployer: Deployer, location: str) -> list[dict[str, Any]]:
    """The lines of the files in a folder."""
    s3 = deployer.cloud.client("s3")
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]
    bodies = [s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode() for key in keys if key.endswith(".out")]
    return [json.loads(line) for body in bodies for line in body.splitlines()]


def test_jobs_of_all_kinds(deployer: Deployer) -> None:
    outputs = deployer.deploy(Jobs())
    deployer.settled(outputs)
    s3, client = deployer.cloud.client("s3"), deployer.cloud.client("personalize")
    for key, text in {
        "users/users.json": '{"userId": "user-1"}\n{"userId": "user-2"}\n',
        "chosen/items.json": '{"itemId": "item-1"}\n',
        "forget/users.csv": "USER_ID\nuser-3\n",
    }.items():
        s3.put_object(Bucket=outputs["Bucket"], Key=key, Body=text.encode())
    # whether that has begun a training is then looked up
    deployer.cloud.fail("CreateSolutionVersion", code="InternalServerError", status=500)
    deployer.upload(outputs, interactions=interactions(), items=items())
    deployer.settled(outputs)

    output = started(deployer, outputs)
    assert (output["status"], output["jobs"]) == ("COMPLETED", [])
    reports = [
        run["output"].get("jobs", []) for run in map(deployer.run, [r["executionArn"] for r in deployer.runs(outputs)])
    ]
    jobs = {job["name"]: job["output"] for report in reports for job in report}
    assert sorted(jobs) == ["Backup", "Clients", "Forget", "Mail"]
    mails = written(deployer, jobs["Mail"])
    assert [line["input"] for line in mails] == [{"userId": "user-1"}, {"userId": "user-2"}]
    assert [len(line["output"]["recommendedItems"]) for line in mails] == [5, 5]
    [segment] = written(deployer, jobs["Clients"])
    assert len(segment["output"]["usersList"]) == 10
    [mail] = client.list_batch_inference_jobs()["batchInferenceJobs"]
    tags = client.list_tags_for_resource(resourceArn=mail["batchInferenceJobArn"])["tags"]
    assert {"tagKey": "team", "tagValue": "red"} in tags

    deployer.cloud.advance(7 * DAY)
    events = Events(deployer.cloud)
    [again] = started(deployer, outputs)["jobs"]
    begun, done = events.of(deployer.runs(outputs)[0]["executionArn"])
    for event, change in ((begun, "BEGUN"), (done, "DONE")):
        assert (event["resource"], event["name"], event["change"]) == ("job", "Mail", change)
        assert (event["kind"], event["output"]) == ("BatchInferenceJob", again["output"])
    assert again["name"] == "Mail"
    assert again["output"] != jobs["Mail"]
    assert [line["input"] for line in written(deployer, jobs["Mail"])] == [line["input"] for line in mails]
    deployer.destroy(Jobs())
    assert_all_used(deployer, Jobs().stack)
