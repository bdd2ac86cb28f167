"""Deploys a synthesized app by CloudFormation itself.

The CDK CLI does the same, and asks only every five seconds whether CloudFormation is done: on a local cloud that is
most of the time that a deployment takes.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

from botocore.exceptions import ClientError

CAPABILITIES: Final = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
PATIENCE_SECONDS: Final = 240
_PAUSE_SECONDS: Final = 0.05
#: such a stack can only be deleted, which the CDK CLI does before it deploys
_NEVER_CREATED: Final = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED")
#: such a stack is updated only after its rollback has been continued, which `cdk rollback` does
_NOT_ROLLED_BACK: Final = "UPDATE_ROLLBACK_FAILED"
_PLACES: Final = {"${AWS::Partition}": "aws", "${AWS::AccountId}": "000000000000", "${AWS::Region}": "us-east-1"}


class Cloud(Protocol):
    """What has clients of AWS services."""

    def client(self, service: str) -> Any:
        """A boto3 client."""


class DeploymentError(AssertionError):
    """CloudFormation failed; the text is what it says of each resource that did."""


@dataclass(frozen=True)
class Stack:
    """A stack of a synthesized app.

    :param name: its name.
    :param template: the `s3://` URL of its template.
    :param tags: its tags.
    """

    name: str
    template: str
    tags: Mapping[str, str] = field(default_factory=dict)


def stacks(assembly: Path) -> list[Stack]:
    """The stacks of a synthesized app, each after those that it needs."""
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    found: dict[str, Stack] = {}

    def visit(name: str) -> None:
        for needed in artifacts[name].get("dependencies", []):
            visit(needed)
        if artifacts[name]["type"] == "aws:cloudformation:stack":
            properties = artifacts[name]["properties"]
            template = _placed(properties["stackTemplateAssetObjectUrl"])
            found[name] = Stack(properties.get("stackName", name), template, properties.get("tags", {}))

    for name in artifacts:
        visit(name)
    return list(found.values())


def publish(cloud: Cloud, assembly: Path) -> None:
    """Upload templates and code that are not there yet, to where `cdk bootstrap` would have them."""
    s3 = cloud.client("s3")
    for manifest in sorted(assembly.glob("*.assets.json")):
        for asset in json.loads(manifest.read_text())["files"].values():
            source = assembly / asset["source"]["path"]
            for place in asset["destinations"].values():
                bucket, key = _placed(place["bucketName"]), place["objectKey"]
                if _is_there(s3, bucket, key):
                    continue
                s3.put_object(Bucket=bucket, Key=key, Body=_zipped(source) if source.is_dir() else source.read_bytes())


def prepare(cloud: Cloud) -> None:
    """Make what the templates expect of `cdk bootstrap`: a bucket and a version."""
    cloud.client("s3").create_bucket(Bucket=_placed("cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"))
    cloud.client("ssm").put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String")


def deploy(cloud: Cloud, stack: Stack) -> dict[str, str]:
    """Create or update a stack whose assembly is published, and wait.

    :return: its outputs.
    :raises DeploymentError: when it ends in another status than it should.
    """
    cloudformation = cloud.client("cloudformation")
    if status(cloud, stack.name) in _NEVER_CREATED:
        destroy(cloud, stack.name)
    if status(cloud, stack.name) == _NOT_ROLLED_BACK:
        continue_rollback(cloud, stack.name)
    arguments = {
        "StackName": stack.name,
        "TemplateURL": stack.template.replace("s3://", "https://s3.us-east-1.amazonaws.com/", 1),
        "Tags": [{"Key": key, "Value": value} for key, value in stack.tags.items()],
        "Capabilities": CAPABILITIES,
    }
    exists = status(cloud, stack.name) is not None
    since = _newest_event(cloudformation, stack.name) if exists else None
    try:
        (cloudformation.update_stack if exists else cloudformation.create_stack)(**arguments)
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise
    else:
        _expect(cloudformation, stack.name, "UPDATE_COMPLETE" if exists else "CREATE_COMPLETE", since)
    return outputs(cloud, stack.name)


def continue_rollback(cloud: Cloud, name: str) -> None:
    """Continue the rollback of an update that has failed itself, and wait.

    :raises DeploymentError: when it fails again.
    """
    cloudformation = cloud.client("cloudformation")
    since = _newest_event(cloudformation, name)
    cloudformation.continue_update_rollback(StackName=name)
    _expect(cloudformation, name, "UPDATE_ROLLBACK_COMPLETE", since)


def destroy(cloud: Cloud, name: str) -> None:
    """Delete a stack and wait.

    :raises DeploymentError: when it cannot be deleted.
    """
    cloudformation = cloud.client("cloudformation")
    identifier = describe(cloud, name)["StackId"]
    since = _newest_event(cloudformation, identifier)
    cloudformation.delete_stack(StackName=name)
    _expect(cloudformation, identifier, "DELETE_COMPLETE", since)


def describe(cloud: Cloud, name: str) -> dict[str, Any]:
    """DescribeStacks of one stack."""
    stack: dict[str, Any] = cloud.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    return stack


def status(cloud: Cloud, name: str) -> str | None:
    """The status of a stack, None without one."""
    with suppress(ClientError):
        return str(describe(cloud, name)["StackStatus"])
    return None


def outputs(cloud: Cloud, name: str) -> dict[str, str]:
    """The outputs of a stack."""
    return {output["OutputKey"]: output["OutputValue"] for output in describe(cloud, name).get("Outputs", [])}


def wait_until(condition: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait.

    :raises AssertionError: when it takes longer.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not after {seconds:.0f} s")
        time.sleep(_PAUSE_SECONDS)


def _expect(cloudformation: Any, stack: str, wanted: str, since: datetime | None) -> None:
    now = ""

    def ended() -> bool:
        nonlocal now
        now = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
        return not now.endswith("_IN_PROGRESS")

    wait_until(ended, f"{stack} is {wanted}")
    if now != wanted:
        raise DeploymentError(
            "\n".join([f"{stack} is {now}, expected {wanted}", *_failures(cloudformation, stack, since)])
        )


def _failures(cloudformation: Any, stack: str, since: datetime | None) -> Iterator[str]:
    for event in _events(cloudformation, stack):
        if since is not None and event["Timestamp"] <= since:
            continue
        if event["ResourceStatus"].endswith("FAILED"):
            reason = event.get("ResourceStatusReason", "")
            yield f"{event['LogicalResourceId']} {event['ResourceStatus']}: {reason}"


def _newest_event(cloudformation: Any, stack: str) -> datetime:
    newest: datetime = max(event["Timestamp"] for event in _events(cloudformation, stack))
    return newest


def _events(cloudformation: Any, stack: str) -> Iterator[dict[str, Any]]:
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack):
        yield from page["StackEvents"]


def _is_there(s3: Any, bucket: str, key: str) -> bool:
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError:
        return False
    return True


def _zipped(folder: Path) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder))
    return target.getvalue()


def _placed(text: str) -> str:
    for placeholder, value in _PLACES.items():
        text = text.replace(placeholder, value)
    return text
