"""The workflow's state machine for a job: make it, follow it, tell where it wrote or why it failed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cdk_personalize.workflow.deadlines import Deadlines
from cdk_personalize.workflow.job_definition import KINDS, job_definition
from personalize_local.cloud.client import LocalCloud

from .conftest import StateMachines, unique, wait_for

SERVICE = {"Service": "personalize.amazonaws.com"}
DEFINITION = job_definition(partition="aws", deadlines=Deadlines())


@pytest.fixture(scope="module")
def bucket(personalize_local: LocalCloud) -> str:
    name = unique("users")
    s3 = personalize_local.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_bucket_policy(Bucket=name, Policy=policy(name, Principal=SERVICE))
    for key in ("users.csv", "more.csv"):
        s3.put_object(Bucket=name, Key=key, Body=b"USER_ID\nu1\n")
    return name


def policy(bucket: str, **members: Any) -> str:
    """Allows what data deletion jobs need."""
    arns = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    reading = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": arns, **members}
    return json.dumps({"Version": "2012-10-17", "Statement": [reading]})


@pytest.fixture(scope="module")
def role(personalize_local: LocalCloud, bucket: str) -> str:
    iam, name = personalize_local.client("iam"), unique("role")
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": SERVICE}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=policy(bucket))
    return arn


@pytest.fixture(scope="module")
def group(personalize_local: LocalCloud) -> str:
    client = personalize_local.client("personalize")
    arn: str = client.create_dataset_group(name=unique("group"))["datasetGroupArn"]
    wait_for(lambda: client.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]["status"] == "ACTIVE", arn)
    return arn


def plan(group: str, role: str, location: str | None, running: str | None = None) -> dict[str, Any]:
    name = unique("job")
    create = {
        "JobName": name,
        "DatasetGroupArn": group,
        "DataSource": {"DataLocation": location},
        "RoleArn": role,
        "Tags": [{"TagKey": "team", "TagValue": "red"}],
    }
    return {
        "name": "Forget",
        "kind": "DataDeletionJob",
        "running": running,
        "create": create if location else None,
        "createArn": f"{group.rsplit(':', 1)[0]}:data-deletion-job/{name}",
        "output": None,
    }


def status(cloud: LocalCloud, arn: str) -> str:
    answer = cloud.client("personalize").describe_data_deletion_job(dataDeletionJobArn=arn)
    return str(answer["dataDeletionJob"]["status"])


def test_a_job_is_made(
    personalize_local: LocalCloud, machines: StateMachines, group: str, role: str, bucket: str
) -> None:
    planned = plan(group, role, f"s3://{bucket}/users.csv")

    output, events = machines.told(DEFINITION, planned)
    assert output == {"name": "Forget", "output": None, "failures": []}
    for event, change in zip(events, ("BEGUN", "DONE"), strict=True):
        assert (event["resource"], event["name"], event["change"]) == ("job", "Forget", change)
        assert (event["arn"], event["kind"], event["output"]) == (planned["createArn"], "DataDeletionJob", None)
    assert status(personalize_local, planned["createArn"]) == "COMPLETED"
    tags = personalize_local.client("personalize").list_tags_for_resource(resourceArn=planned["createArn"])["tags"]
    assert tags == [{"tagKey": "team", "tagValue": "red"}]
    # the answer to the call was lost, and it is made again
    assert machines.output(DEFINITION, planned)["failures"] == []


def test_a_job_under_way_is_followed_and_then_another_is_made(
    personalize_local: LocalCloud, machines: StateMachines, group: str, role: str, bucket: str
) -> None:
    running = personalize_local.client("personalize").create_data_deletion_job(
        jobName=unique("job"),
        datasetGroupArn=group,
        dataSource={"dataLocation": f"s3://{bucket}/users.csv"},
        roleArn=role,
    )["dataDeletionJobArn"]
    planned = plan(group, role, f"s3://{bucket}/more.csv", running)

    assert machines.output(DEFINITION, planned)["failures"] == []
    assert status(personalize_local, running) == "COMPLETED"
    assert status(personalize_local, planned["createArn"]) == "COMPLETED"
    assert machines.output(DEFINITION, plan(group, role, None, running))["failures"] == []


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("nothing/", "Invalid Data location."),
        (None, "Personalize.ResourceNotFoundException: "),
    ],
)
def test_why_a_job_failed_is_told(
    machines: StateMachines, group: str, role: str, bucket: str, location: str | None, reason: str
) -> None:
    missing = f"{group.rsplit(':', 1)[0]}:data-deletion-job/{unique('missing')}"
    planned = plan(group, role, location and f"s3://{bucket}/{location}", None if location else missing)

    output, events = machines.told(DEFINITION, planned)

    assert (events[-1]["change"], events[-1]["reason"]) == ("FAILED", output["failures"][0]["reason"])
    [failure] = output["failures"]
    assert output["name"] == "Forget"
    assert failure["name"] == "deletion of users Forget"
    assert failure["reason"].startswith(reason)


@pytest.mark.parametrize("kind", KINDS)
def test_a_job_of_each_kind_is_made_by_its_operation(machines: StateMachines, kind: str) -> None:
    """What the service says of the request tells which operation it was sent to."""
    planned = {"name": "Any", "kind": kind, "running": None, "create": {}, "createArn": "", "output": "s3://out/"}
    execution = machines.start(machines.create(DEFINITION), planned)
    ended = machines.end(execution)
    names = [
        event["stateEnteredEventDetails"]["name"]
        for event in machines.history(execution)
        if "stateEnteredEventDetails" in event
    ]
    words = {
        "BatchInferenceJob": "batch inference job",
        "BatchSegmentJob": "batch segment job",
        "DatasetExportJob": "dataset export job",
        "DataDeletionJob": "data deletion job",
    }
    assert ended["status"] == "SUCCEEDED"
    assert names == ["Begin", "Kind of job?", f"Create {words[kind]}", "Job failed", "Failed"]
