"""Where IAM is enforced, the roles of state machines and of callers are judged."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from personalize_local.cloud.adapter.resources import requested_resource
from personalize_local.cloud.client import LocalCloud
from personalize_local.cloud.process import free_port, start
from personalize_local.cloud.settings import CloudSettings

P = "arn:aws:personalize:us-east-1:000000000000"
DENIED = "is not authorized to perform"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud that enforces IAM."""
    log = tmp_path_factory.mktemp("strict") / "cloud.log"
    process = start(CloudSettings(port=free_port(), enforce_iam=True, exit_with_parent=True), log)
    yield LocalCloud(process.port, process.log_path)
    process.stop()


def run(cloud: LocalCloud, name: str, integration: str, arguments: dict[str, Any], *allowed: Any) -> dict[str, Any]:
    """Run one task with a role that may do what is allowed."""
    iam, states = cloud.client("iam"), cloud.client("stepfunctions")
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [trust]}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))["Role"]["Arn"]
    if allowed:
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement} for statement in allowed]}
        iam.put_role_policy(RoleName=name, PolicyName="allowed", PolicyDocument=json.dumps(policy))
    task = {"Type": "Task", "Resource": f"arn:aws:states:::{integration}", "Arguments": arguments, "End": True}
    definition = {"QueryLanguage": "JSONata", "StartAt": "Task", "States": {"Task": task}}
    machine = states.create_state_machine(name=name, definition=json.dumps(definition), roleArn=role)
    execution = states.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
    while (found := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
        time.sleep(0.02)
    return dict(found)


def statement(action: str, resource: str, **condition: dict[str, str]) -> dict[str, Any]:
    return {"Action": action, "Resource": resource, **({"Condition": condition} if condition else {})}


def test_a_call_of_personalize(strict: LocalCloud) -> None:
    arguments = {"Name": "films"}
    denied = run(strict, "none", "aws-sdk:personalize:createDatasetGroup", arguments)
    assert (denied["status"], denied["error"]) == ("FAILED", "Personalize.PersonalizeException")
    assert f"{DENIED}: personalize:CreateDatasetGroup on resource: {P}:dataset-group/films" in denied["cause"]

    other = statement("personalize:CreateDatasetGroup", f"{P}:dataset-group/series")
    assert run(strict, "other", "aws-sdk:personalize:createDatasetGroup", arguments, other)["status"] == "FAILED"

    right = statement("personalize:CreateDatasetGroup", f"{P}:dataset-group/films")
    assert run(strict, "right", "aws-sdk:personalize:createDatasetGroup", arguments, right)["status"] == "SUCCEEDED"


def test_tags_and_roles_need_permissions_of_their_own(strict: LocalCloud) -> None:
    role = "arn:aws:iam::000000000000:role/service"
    arguments = {
        "Name": "tagged",
        "KmsKeyArn": "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555",
        "RoleArn": role,
        "Tags": [{"TagKey": "team", "TagValue": "films"}],
    }
    create = statement("personalize:CreateDatasetGroup", f"{P}:dataset-group/*")
    tag = statement("personalize:TagResource", f"{P}:dataset-group/*")
    to_another = statement("iam:PassRole", role, StringEquals={"iam:PassedToService": "lambda.amazonaws.com"})
    to_personalize = statement("iam:PassRole", role, StringEquals={"iam:PassedToService": "personalize.amazonaws.com"})
    call = "aws-sdk:personalize:createDatasetGroup"

    assert "personalize:TagResource" in run(strict, "untagged", call, arguments, create)["cause"]
    assert "iam:PassRole" in run(strict, "unpassed", call, arguments, create, tag, to_another)["cause"]
    assert run(strict, "passed", call, arguments, create, tag, to_personalize)["status"] == "SUCCEEDED"


def test_conditions_see_the_tags_of_a_resource(strict: LocalCloud) -> None:
    client = strict.client("personalize")
    arn = client.create_dataset_group(name="owned", tags=[{"tagKey": "owner", "tagValue": "films"}])["datasetGroupArn"]
    while client.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]["status"] != "ACTIVE":
        time.sleep(0.02)
    call, arguments = "aws-sdk:personalize:deleteDatasetGroup", {"DatasetGroupArn": arn}

    def of(owner: str) -> dict[str, Any]:
        condition = {"StringEquals": {"aws:ResourceTag/owner": owner}}
        return statement("personalize:DeleteDatasetGroup", f"{P}:dataset-group/*", **condition)

    assert DENIED in run(strict, "another", call, arguments, of("series"))["cause"]
    assert run(strict, "owner", call, arguments, of("films"))["status"] == "SUCCEEDED"


def test_calls_of_other_services(strict: LocalCloud) -> None:
    key = {"TableName": "lock", "Key": {"id": {"S": "lock"}}}
    denied = run(strict, "nolock", "aws-sdk:dynamodb:getItem", key)
    assert denied["error"] == "DynamoDb.DynamoDbException"
    assert ":table/lock" in denied["cause"]
    function = "arn:aws:lambda:us-east-1:000000000000:function:plan"
    denied = run(strict, "nolambda", "lambda:invoke", {"FunctionName": function, "Payload": {}})
    assert denied["error"] == "Lambda.AWSLambdaException"
    child = "arn:aws:states:us-east-1:000000000000:stateMachine:child"
    starts = statement("states:StartExecution", child)
    denied = run(strict, "nosync", "states:startExecution.sync:2", {"StateMachineArn": child}, starts)
    assert "states:DescribeExecution" in denied["cause"]


def test_events_are_sent_to_a_bus(strict: LocalCloud) -> None:
    arguments = {"Entries": [{"Source": "films", "DetailType": "Shown", "Detail": {"film": "a"}}]}
    bus = "arn:aws:events:us-east-1:000000000000:event-bus"
    denied = run(strict, "noevents", "events:putEvents", arguments, statement("events:PutEvents", f"{bus}/other"))
    assert (denied["status"], denied["error"]) == ("FAILED", "EventBridge.EventBridgeException")
    assert f"{DENIED}: events:PutEvents on resource: {bus}/default" in denied["cause"]

    def of(source: str) -> dict[str, Any]:
        return statement("events:PutEvents", f"{bus}/default", StringEquals={"events:source": source})

    assert DENIED in run(strict, "othersource", "events:putEvents", arguments, of("series"))["cause"]
    assert run(strict, "source", "events:putEvents", arguments, of("films"))["status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("operation", "members", "expected"),
    [
        ("ListSolutions", {"datasetGroupArn": f"{P}:dataset-group/films"}, "*"),
        ("PutEvents", {"trackingId": "t"}, "*"),
        ("CreateDatasetGroup", {"name": "films"}, f"{P}:dataset-group/films"),
        (
            "CreateDataset",
            {"datasetGroupArn": f"{P}:dataset-group/films", "datasetType": "Items", "schemaArn": f"{P}:schema/s"},
            f"{P}:dataset/films/ITEMS",
        ),
        ("CreateCampaign", {"name": "live", "solutionVersionArn": f"{P}:solution/s/1"}, f"{P}:campaign/live"),
        ("CreateSolutionVersion", {"solutionArn": f"{P}:solution/s"}, f"{P}:solution/s"),
        (
            "UpdateCampaign",
            {"solutionVersionArn": f"{P}:solution/s/1", "campaignArn": f"{P}:campaign/live"},
            f"{P}:campaign/live",
        ),
        ("DeleteCampaign", {"campaignArn": f"{P}:campaign/live"}, f"{P}:campaign/live"),
        ("ListTagsForResource", {"resourceArn": f"{P}:campaign/live"}, f"{P}:campaign/live"),
        ("", {"campaignArn": f"{P}:campaign/live", "userId": "u"}, f"{P}:campaign/live"),
    ],
)
def test_the_resource_that_a_request_is_judged_on(operation: str, members: dict[str, Any], expected: str) -> None:
    assert requested_resource(operation, members, "us-east-1", "000000000000") == expected


@pytest.fixture(scope="module")
def group(strict: LocalCloud) -> str:
    """A dataset group."""
    client = strict.client("personalize")
    arn: str = client.create_dataset_group(name="judged")["datasetGroupArn"]
    while client.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]["status"] != "ACTIVE":
        time.sleep(0.02)
    return arn


def caller(cloud: LocalCloud, *allowed: Any) -> Any:
    """A client of Personalize that has taken on a role that may do what is allowed."""
    iam, name = cloud.client("iam"), f"caller-{uuid.uuid4().hex}"
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [trust]}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))["Role"]["Arn"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in allowed]}
    iam.put_role_policy(RoleName=name, PolicyName="allowed", PolicyDocument=json.dumps(policy))
    given = cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="caller")["Credentials"]
    return boto3.client(
        "personalize",
        endpoint_url=cloud.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


CREATE_DATASET = {
    "made": statement("personalize:CreateDataset", f"{P}:dataset/judged/*"),
    "group": statement("personalize:CreateDataset", f"{P}:dataset-group/judged"),
    "tagged": statement("personalize:TagResource", f"{P}:dataset/judged/*"),
}
CREATE_GROUP = {
    "made": statement("personalize:CreateDatasetGroup", f"{P}:dataset-group/keyed"),
    "role": statement(
        "iam:PassRole",
        "arn:aws:iam::000000000000:role/service",
        StringEquals={"iam:PassedToService": "personalize.amazonaws.com"},
    ),
}


@pytest.mark.parametrize(
    ("lacking", "reason"),
    [
        ("made", "personalize:CreateDataset because"),
        ("group", f"personalize:CreateDataset on resource: {P}:dataset-group/judged"),
        ("tagged", f"personalize:TagResource on resource: {P}:dataset/judged/ITEMS"),
    ],
)
def test_a_caller_needs_what_it_makes_what_that_is_made_from_and_its_tags(
    strict: LocalCloud, group: str, lacking: str, reason: str
) -> None:
    allowed = [each for name, each in CREATE_DATASET.items() if name != lacking]
    tags = [{"tagKey": "team", "tagValue": "films"}]
    with pytest.raises(ClientError, match=f"{DENIED}: {reason}"):
        caller(strict, *allowed).create_dataset(
            name="items", datasetGroupArn=group, datasetType="Items", schemaArn=f"{P}:schema/none", tags=tags
        )


def test_a_caller_with_all_of_it_is_let_through_to_the_service(strict: LocalCloud, group: str) -> None:
    with pytest.raises(ClientError, match="ResourceNotFound"):  # the schema
        caller(strict, *CREATE_DATASET.values()).create_dataset(
            name="items", datasetGroupArn=group, datasetType="Items", schemaArn=f"{P}:schema/none"
        )


def test_a_caller_needs_to_pass_roles(strict: LocalCloud) -> None:
    arguments = {
        "name": "keyed",
        "kmsKeyArn": "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555",
        "roleArn": "arn:aws:iam::000000000000:role/service",
    }
    with pytest.raises(ClientError, match=f"{DENIED}: iam:PassRole on resource: {arguments['roleArn']}"):
        caller(strict, CREATE_GROUP["made"]).create_dataset_group(**arguments)
    assert caller(strict, *CREATE_GROUP.values()).create_dataset_group(**arguments)["datasetGroupArn"]


def test_a_task_needs_what_is_made_and_what_that_is_made_from(strict: LocalCloud, group: str) -> None:
    arguments = {"Name": "picks", "DatasetGroupArn": group, "RecipeArn": "arn:aws:personalize:::recipe/aws-sims"}
    made = statement("personalize:CreateSolution", f"{P}:solution/picks")
    denied = run(strict, "nogroup", "aws-sdk:personalize:createSolution", arguments, made)
    assert f"{DENIED}: personalize:CreateSolution on resource: {group}" in denied["cause"]


def test_which_permissions_are_used_is_told(strict: LocalCloud) -> None:
    allowed = statement("personalize:*", "*")
    assert run(strict, "user", "aws-sdk:personalize:listSchemas", {}, allowed)["status"] == "SUCCEEDED"
    assert run(strict, "denied", "aws-sdk:personalize:listSchemas", {})["status"] == "FAILED"
    used = strict.used_permissions()
    assert used["user"] == {"personalize:ListSchemas": ["*"]}
    assert "denied" not in used


def test_a_schedule_starts_what_its_role_may_start(strict: LocalCloud) -> None:
    states, iam = strict.client("stepfunctions"), strict.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    scheduling = iam.create_role(RoleName="scheduling", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    definition = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}})
    machines = {
        name: states.create_state_machine(name=name, definition=definition, roleArn=scheduling)["stateMachineArn"]
        for name in ("forbidden", "allowed")
    }
    start = {"Effect": "Allow", **statement("states:StartExecution", machines["allowed"])}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [start]})
    iam.put_role_policy(RoleName="scheduling", PolicyName="allowed", PolicyDocument=policy)
    for name, arn in machines.items():
        strict.client("scheduler").create_schedule(
            Name=name,
            ScheduleExpression="rate(1 hour)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": arn, "RoleArn": scheduling},
        )

    strict.advance(3601, schedules=True)
    deadline = time.monotonic() + 20
    while not states.list_executions(stateMachineArn=machines["allowed"])["executions"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    # it was the first to be due
    assert states.list_executions(stateMachineArn=machines["forbidden"])["executions"] == []
    assert strict.used_permissions()["scheduling"] == {"states:StartExecution": [machines["allowed"]]}
