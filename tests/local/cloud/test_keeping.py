"""A whole local cloud with a data directory: what the AWS emulator keeps."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

from personalize_local.cloud.client import LocalCloud
from personalize_local.cloud.process import CloudProcess, free_port, start
from personalize_local.cloud.settings import CloudSettings

from .conftest import ROLE_ARN, StateMachines, machine, wait_for, zipped

POLICY = {
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "personalize.amazonaws.com"},
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::kept/*",
        }
    ]
}
TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Group": {"Type": "AWS::Personalize::DatasetGroup", "Properties": {"Name": "kept"}},
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "kept"}},
        "Parameter": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "kept", "Type": "String", "Value": "v"}},
    }
}


def started(folder: Path) -> tuple[CloudProcess, LocalCloud]:
    settings = CloudSettings(port=free_port(), exit_with_parent=True, data=str(folder / "data"))
    process = start(settings, folder / "log")
    return process, LocalCloud(process.port)


def test_a_whole_cloud_survives_a_stop(tmp_path: Path) -> None:
    """Stacks and what they made, functions with their code, state machines with their executions."""
    process, cloud = started(tmp_path)
    try:
        stacks = cloud.client("cloudformation")
        stacks.create_stack(StackName="kept", TemplateBody=json.dumps(TEMPLATE))
        wait_for(
            lambda: stacks.describe_stacks(StackName="kept")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE", "stack"
        )
        cloud.client("lambda").create_function(
            FunctionName="kept",
            Runtime="python3.13",
            Handler="index.handler",
            Role=ROLE_ARN,
            Code={"ZipFile": zipped(index__py="def handler(event, context): return 5")},
        )
        machines = StateMachines(cloud)
        arn = machines.create(machine({"Type": "Pass"}), "kept")
        machines.end(machines.start(arn))
        process.stop()
        process, cloud = started(tmp_path)
        stack = cloud.client("cloudformation").describe_stacks(StackName="kept")["Stacks"][0]
        assert stack["StackStatus"] == "CREATE_COMPLETE"
        assert cloud.client("ssm").get_parameter(Name="kept")["Parameter"]["Value"] == "v"
        assert cloud.client("lambda").invoke(FunctionName="kept")["Payload"].read() == b"5"
        executions = cloud.client("stepfunctions").list_executions(stateMachineArn=arn)["executions"]
        assert [execution["status"] for execution in executions] == ["SUCCEEDED"]
        groups = cloud.client("personalize").list_dataset_groups()["datasetGroups"]
        assert [group["name"] for group in groups] == ["kept"]
        cloud.client("cloudformation").delete_stack(StackName="kept")
        wait_for(lambda: not cloud.client("personalize").list_dataset_groups()["datasetGroups"], "the deletion")
    finally:
        process.stop()


def test_buckets_survive_kill_9(tmp_path: Path) -> None:
    """Without its policy a bucket would be of no use to an import."""
    process, cloud = started(tmp_path)
    try:
        cloud.client("s3").create_bucket(Bucket="kept")
        cloud.client("s3").put_bucket_policy(Bucket="kept", Policy=json.dumps(POLICY))
        cloud.client("s3").put_object(Bucket="kept", Key="folder/in.csv", Body=b"rows")
        os.killpg(process.pid, signal.SIGKILL)
        assert process.child is not None
        process.child.wait(10)
        process, cloud = started(tmp_path)
        assert json.loads(cloud.client("s3").get_bucket_policy(Bucket="kept")["Policy"]) == POLICY
        assert cloud.client("s3").get_object(Bucket="kept", Key="folder/in.csv")["Body"].read() == b"rows"
    finally:
        process.stop()
