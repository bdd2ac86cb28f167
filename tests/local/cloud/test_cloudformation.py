"""CloudFormation: custom resources, policies and the resource types that the project uses."""

import http.client
import json
import threading
from typing import Any
from urllib.parse import urlsplit

import pytest

from personalize_local.cloud.client import LocalCloud
from tools import assembly

from .conftest import ROLE_ARN, Stacks, unique, wait_for

# Answers like a custom resource's function and writes every request to the bucket REQUESTS. Property `Fail` makes a
# request type fail, `FailWhile` every request but Create while an object of that name is in the bucket; the physical id
# is the property `Name`.
PROVIDER = """
import boto3, json, os, time, urllib.request
s3 = boto3.client("s3")
def handler(event, context):
    s3.put_object(Bucket=os.environ["REQUESTS"], Key=f"{time.time():.6f}", Body=json.dumps(event))
    properties = event["ResourceProperties"]
    failed = properties.get("Fail") == event["RequestType"]
    both = {**event.get("OldResourceProperties", {}), **properties}
    if event["RequestType"] != "Create" and both.get("FailWhile"):
        objects = s3.list_objects_v2(Bucket=os.environ["REQUESTS"], Prefix=both["FailWhile"])
        failed = failed or objects["KeyCount"] > 0
    answer = {
        "Status": "FAILED" if failed else "SUCCESS",
        "Reason": "it was asked to fail",
        "PhysicalResourceId": properties["Name"],
        "Data": {"Upper": properties["Name"].upper()},
        **{key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")},
    }
    request = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT")
    urllib.request.urlopen(request).read()
"""


class Provider:
    """A custom resource's function that is deployed in a stack of its own."""

    def __init__(self, cloud: LocalCloud, stacks: Stacks) -> None:
        self.bucket = unique("requests")
        self.s3 = cloud.client("s3")
        self.s3.create_bucket(Bucket=self.bucket)
        function = {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Role": ROLE_ARN,
                "Timeout": 20,
                "Code": {"ZipFile": PROVIDER},
                "Environment": {"Variables": {"REQUESTS": self.bucket}},
            },
        }
        outputs = {"Arn": {"Value": {"Fn::GetAtt": ["Function", "Arn"]}}}
        stack = stacks.deploy({"Resources": {"Function": function}, "Outputs": outputs})
        assert stack["StackStatus"] == "CREATE_COMPLETE"
        self.arn = stack["Outputs"][0]["OutputValue"]

    def resource(self, name: str, deletion_policy: str | None = None, **properties: Any) -> dict[str, Any]:
        given = {key: value for key, value in properties.items() if value is not None}
        values = {"ServiceToken": self.arn, "ServiceTimeout": 20, "Name": name, **given}
        resource = {"Type": "Custom::Thing", "Properties": values}
        return {**resource, "DeletionPolicy": deletion_policy} if deletion_policy else resource

    def requests(self) -> list[dict[str, Any]]:
        listed = self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        keys = [item["Key"] for item in listed if item["Size"]]
        return [json.loads(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()) for key in keys]

    def summary(self) -> list[tuple[str, str | None]]:
        return [(request["RequestType"], request.get("PhysicalResourceId")) for request in self.requests()]


@pytest.fixture
def provider(personalize_local: LocalCloud, stacks: Stacks) -> Provider:
    return Provider(personalize_local, stacks)


class TestCustomResources:
    def test_life(self, stacks: Stacks, provider: Provider) -> None:
        outputs = {"Upper": {"Value": {"Fn::GetAtt": ["Thing", "Upper"]}}, "Id": {"Value": {"Ref": "Thing"}}}
        first = {"Thing": provider.resource("one", Number=1, Flag=True, List=[1, {"a": False}])}
        name = unique("stack")
        stack = stacks.deploy({"Resources": first, "Outputs": outputs}, name)
        values = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        assert values == {"Upper": "ONE", "Id": "one"}
        stacks.deploy({"Resources": {"Thing": provider.resource("one", Number=2)}, "Outputs": outputs}, name)
        stacks.deploy({"Resources": {"Thing": provider.resource("two", Number=2)}, "Outputs": outputs}, name)
        stacks.delete(name)
        assert provider.summary() == [
            ("Create", None),
            ("Update", "one"),
            ("Update", "one"),
            ("Delete", "one"),
            ("Delete", "two"),
        ]
        create, update = provider.requests()[:2]
        assert create["ResourceProperties"]["List"] == ["1", {"a": "false"}]
        assert (update["OldResourceProperties"]["Number"], update["ResourceProperties"]["Number"]) == ("1", "2")

    def test_a_failed_create_is_deleted_and_says_why(self, stacks: Stacks, provider: Provider) -> None:
        name = unique("stack")
        stack = stacks.deploy({"Resources": {"Thing": provider.resource("x", Fail="Create")}}, name)
        assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
        assert ("Thing", "CREATE_FAILED", "it was asked to fail") in stacks.events(name)
        assert provider.summary() == [("Create", None), ("Delete", "x")]

    def test_what_cannot_be_deleted_keeps_what_it_depends_on(self, stacks: Stacks, provider: Provider) -> None:
        name = unique("stack")
        resources = {
            "Needed": provider.resource("needed"),
            "Thing": {**provider.resource("x", Fail="Delete"), "DependsOn": "Needed"},
            "Other": {**provider.resource("other"), "DependsOn": "Needed"},
        }
        stacks.deploy({"Resources": resources}, name)
        stacks.client.delete_stack(StackName=name)
        assert stacks.settled(name)["StackStatus"] == "DELETE_FAILED"
        deleted = {physical_id for request, physical_id in provider.summary() if request == "Delete"}
        assert deleted == {"x", "other"}

    @pytest.mark.parametrize("created", [True, False])
    def test_what_a_rollback_cannot_delete_stays_until_the_stack_is_deleted(
        self, personalize_local: LocalCloud, stacks: Stacks, provider: Provider, created: bool
    ) -> None:
        """Whether it was created, or failed to be and left something behind."""
        name, broken = unique("stack"), unique("broken")
        thing = {**provider.resource("x", FailWhile=broken, Fail=None if created else "Create"), "DependsOn": "Needed"}
        zoo = {**provider.resource("z", Fail="Create"), "DependsOn": "Thing"}
        other = provider.resource("other")
        resources = {"Needed": provider.resource("needed"), "Other": other, "Thing": thing, "Zoo": zoo}
        provider.s3.put_object(Bucket=provider.bucket, Key=broken)
        assert stacks.deploy({"Resources": resources}, name)["StackStatus"] == "ROLLBACK_FAILED"
        left = {
            resource["LogicalResourceId"]: resource["ResourceStatus"]
            for resource in stacks.client.describe_stack_resources(StackName=name)["StackResources"]
        }
        assert left == {"Needed": "CREATE_COMPLETE", "Thing": "DELETE_FAILED"}
        assert ("Thing", "DELETE_FAILED", "it was asked to fail") in stacks.events(name)
        provider.s3.delete_object(Bucket=provider.bucket, Key=broken)
        stacks.delete(name)
        assert provider.summary()[-2:] == [("Delete", "x"), ("Delete", "needed")]
        assert provider.summary().count(("Delete", "other")) == 1

    def test_the_rollback_of_an_update_can_be_continued(
        self, personalize_local: LocalCloud, stacks: Stacks, provider: Provider
    ) -> None:
        name, broken = unique("stack"), unique("broken")
        stacks.deploy({"Resources": {"Thing": provider.resource("x", Size=1)}}, name)
        provider.s3.put_object(Bucket=provider.bucket, Key=broken)
        changed = {"Thing": provider.resource("x", Size=2, FailWhile=broken)}
        # what it is updated back to fails, too
        assert stacks.deploy({"Resources": changed}, name)["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
        provider.s3.delete_object(Bucket=provider.bucket, Key=broken)
        before = len(provider.requests())
        assembly.continue_rollback(personalize_local, name)
        assert stacks.settled(name)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
        (request,) = provider.requests()[before:]
        assert (request["RequestType"], request["ResourceProperties"]["Size"]) == ("Update", "1")
        assert stacks.deploy({"Resources": changed}, name)["StackStatus"] == "UPDATE_COMPLETE"

    def test_a_failed_update_is_taken_back(self, stacks: Stacks, provider: Provider) -> None:
        name = unique("stack")
        stacks.deploy({"Resources": {"Thing": provider.resource("x", Size=1)}}, name)
        broken = {"Thing": provider.resource("x", Size=2), "Zoo": {**provider.resource("z", Fail="Create")}}
        broken["Zoo"]["DependsOn"] = "Thing"
        stack = stacks.deploy({"Resources": broken}, name)
        assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
        sizes = [
            request["ResourceProperties"].get("Size")
            for request in provider.requests()
            if request["RequestType"] == "Update"
        ]
        assert sizes == ["2", "1"]

    @pytest.mark.parametrize(
        ("policy", "deleted_on_rollback", "deleted_with_stack"),
        [("RetainExceptOnCreate", True, False), ("Retain", False, False), ("Delete", True, True)],
    )
    def test_deletion_policies(
        self, stacks: Stacks, provider: Provider, policy: str, deleted_on_rollback: bool, deleted_with_stack: bool
    ) -> None:
        kept = provider.resource("kept", policy)
        zoo = {**provider.resource("z", Fail="Create"), "DependsOn": "Thing"}
        stack = stacks.deploy({"Resources": {"Thing": kept, "Zoo": zoo}})
        assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
        assert (("Delete", "kept") in provider.summary()) is deleted_on_rollback
        name, before = unique("stack"), len(provider.requests())
        stacks.deploy({"Resources": {"Thing": kept}}, name)
        stacks.delete(name)
        assert (("Delete", "kept") in provider.summary()[before:]) is deleted_with_stack


class TestBuckets:
    def test_a_bucket_with_objects_is_not_deleted(self, personalize_local: LocalCloud, stacks: Stacks) -> None:
        s3, bucket, name = personalize_local.client("s3"), unique("bucket"), unique("stack")
        properties = {"BucketName": bucket, "VersioningConfiguration": {"Status": "Enabled"}}
        stacks.deploy({"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": properties}}}, name)
        for body in (b"1", b"2"):
            s3.put_object(Bucket=bucket, Key="a", Body=body)
        s3.delete_object(Bucket=bucket, Key="a")
        stacks.client.delete_stack(StackName=name)
        assert stacks.settled(name)["StackStatus"] == "DELETE_FAILED"
        listed = s3.list_object_versions(Bucket=bucket)
        versions = listed["Versions"] + listed["DeleteMarkers"]
        assert len(versions) == 3
        keys = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in versions]
        assert len(s3.delete_objects(Bucket=bucket, Delete={"Objects": keys})["Deleted"]) == 3
        stacks.delete(name)

    def test_a_retained_bucket_stays(self, personalize_local: LocalCloud, stacks: Stacks) -> None:
        bucket, name = unique("bucket"), unique("stack")
        properties = {"BucketName": bucket}
        resource = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "Properties": properties}
        stacks.deploy({"Resources": {"Bucket": resource}}, name)
        stacks.delete(name)
        personalize_local.client("s3").head_bucket(Bucket=bucket)


def test_the_workflows_resource_types(personalize_local: LocalCloud, stacks: Stacks) -> None:
    """Table, key, topic, queue, encrypted log group, state machine with logs, rule, handle: created and deleted."""
    definition = {"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
    key_policy = {"Version": "2012-10-17", "Statement": [statement]}
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }

    def arn(name: str) -> dict[str, Any]:
        return {"Fn::GetAtt": [name, "Arn"]}

    resources: dict[str, Any] = {
        "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": key_policy, "EnableKeyRotation": True}},
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                "BillingMode": "PAY_PER_REQUEST",
                "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
                "SSESpecification": {"SSEEnabled": True},
                "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": True},
            },
        },
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"KmsMasterKeyId": arn("Key")}},
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "KmsMasterKeyId": arn("Key"),
                "RedrivePolicy": {"deadLetterTargetArn": arn("Dead"), "maxReceiveCount": 3},
            },
        },
        "Dead": {"Type": "AWS::SQS::Queue"},
        "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"KmsKeyId": arn("Key"), "RetentionInDays": 30}},
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}},
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "DefinitionString": json.dumps(definition),
                "RoleArn": arn("Role"),
                "TracingConfiguration": {"Enabled": True},
                "LoggingConfiguration": {
                    "Level": "ALL",
                    "IncludeExecutionData": False,
                    "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": arn("Log")}}],
                },
            },
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventPattern": {"source": ["aws.states"], "detail": {"stateMachineArn": [{"Ref": "Machine"}]}},
                "Targets": [{"Id": "1", "Arn": arn("Queue")}],
            },
        },
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
                "VersioningConfiguration": {"Status": "Enabled"},
                "PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "BlockPublicPolicy": True},
                "BucketEncryption": {
                    "ServerSideEncryptionConfiguration": [
                        {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn("Key")}}
                    ]
                },
            },
        },
    }
    name = unique("stack")
    stack = stacks.deploy({"Resources": resources}, name)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.events(name)
    stacks.delete(name)


def test_a_wait_condition_holds_the_stack_until_it_is_signalled(personalize_local: LocalCloud, stacks: Stacks) -> None:
    resources = {
        "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        "Wait": {
            "Type": "AWS::CloudFormation::WaitCondition",
            "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "43200"},
        },
    }
    name = unique("stack")

    def signal() -> None:
        def handle() -> str | None:
            found = stacks.client.describe_stack_resources(StackName=name)["StackResources"]
            return next((r.get("PhysicalResourceId") for r in found if r["LogicalResourceId"] == "Handle"), None)

        url = wait_for(handle, "the handle")
        body = json.dumps({"Status": "SUCCESS", "Reason": "", "UniqueId": "1", "Data": "done"})
        address = urlsplit(url)
        # A Content-Type, which urllib.request would add, is refused, as by the presigned URL on AWS.
        connection = http.client.HTTPConnection(address.netloc)
        connection.request("PUT", address.path, body)
        assert connection.getresponse().status == 200

    thread = threading.Timer(0.5, signal)
    thread.start()
    assert stacks.deploy({"Resources": resources}, name)["StackStatus"] == "CREATE_COMPLETE"
    thread.join()
