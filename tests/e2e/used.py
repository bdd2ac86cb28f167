"""Whether what roles are allowed is used: a permission that nothing needs is one too many."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from typing import Any

from .deployer import Deployer

JUDGED = ("iam:", "personalize:", "s3:", "states:")


def granted(deployer: Deployer, stack: str) -> dict[str, set[str]]:
    """The judged actions that each role of a stack is allowed, by the name of the role."""
    found: dict[str, set[str]] = {}
    cloudformation, iam = deployer.cloud.client("cloudformation"), deployer.cloud.client("iam")
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    resources = [resource for page in pages for resource in page["StackResourceSummaries"]]
    for resource in resources:
        if resource["ResourceType"] != "AWS::IAM::Role":
            continue
        name = resource["PhysicalResourceId"]
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            for statement in _list(document["Statement"]):
                actions = _list(statement["Action"])
                found.setdefault(name, set()).update(each for each in actions if each.startswith(JUDGED))
    return found


def assert_all_used(deployer: Deployer, stack: str, exceptions: Mapping[str, str]) -> None:
    """Fail unless the roles of a stack used all that they are allowed.

    :param stack: The stack's name; it has to be there still.
    :param exceptions: Why something is not used, by a pattern of ``role action``. Each must hold for something.
    """
    used = deployer.cloud.used_permissions()
    allowed = granted(deployer, stack)
    if sum(map(len, allowed.values())) < 20:
        raise AssertionError(f"the roles of {stack} should be allowed more than {allowed}")
    unused = sorted(
        f"{role} {action}" for role, actions in allowed.items() for action in actions - set(used.get(role, ()))
    )
    excused = {each for each in unused for pattern in exceptions if fnmatch.fnmatchcase(each, pattern)}
    without_use = [each for each in unused if each not in excused]
    idle = [pattern for pattern in exceptions if not any(fnmatch.fnmatchcase(each, pattern) for each in unused)]
    if without_use or idle:
        raise AssertionError(f"allowed and never used: {without_use}; exceptions that hold for nothing: {idle}")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
