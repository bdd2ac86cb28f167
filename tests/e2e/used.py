"""Whether what roles are allowed is needed: each action of each statement, so that without it something is refused."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from personalize_local.cloud.client import LocalCloud
from tests.permissions import Permission, actions, each_permission, part_of, with_kinds

from .unused import ALSO_USED, SOMETIMES, UNUSED

if TYPE_CHECKING:
    from .deployer import Deployer


class Grant(NamedTuple):
    """A permission that a role of a stack was given.

    :param role: The role's name.
    :param logical: What the role is called in its stack, which it keeps when the stack is made again.
    :param number: Which of the role's statements gives it.
    """

    permission: Permission
    role: str
    logical: str
    number: int
    resources: tuple[str, ...]

    def covers(self, resource: str) -> bool:
        """Whether the statement allows something on a resource."""
        return any(fnmatch.fnmatchcase(resource, pattern) for pattern in self.resources)


def grants(cloud: LocalCloud, stack: str) -> list[Grant]:
    """What the roles of a stack are allowed now."""
    return list(_grants(cloud, stack))


def _grants(cloud: LocalCloud, stack: str) -> Iterator[Grant]:
    cloudformation, iam = cloud.client("cloudformation"), cloud.client("iam")
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    resources = [resource for page in pages for resource in page["StackResourceSummaries"]]
    for resource in resources:
        if resource["ResourceType"] != "AWS::IAM::Role":
            continue
        role, number = resource["PhysicalResourceId"], 0
        for policy in sorted(iam.list_role_policies(RoleName=role)["PolicyNames"]):
            document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            part = part_of(policy)
            for kind, statement in with_kinds(part, _list(document["Statement"])):
                number += 1
                for action in actions(statement):
                    allowed = tuple(_list(statement["Resource"]))
                    yield Grant(Permission(part, kind, action), role, resource["LogicalResourceId"], number, allowed)


def assert_all_used(deployer: Deployer, stack: str) -> None:
    """Fail unless the roles of a stack needed all that there are permissions for, but for what ``unused`` says.

    A role needed a permission when it asked for something that this one statement allows and no other of its own.
    What a stack that was destroyed and deployed again did not need in one of its lives, it may have needed in another.

    Each pattern of ``unused`` must match something, and nothing that is needed.

    :param stack: The stack's name; the deployer has destroyed it, so that what that needs counts, too.
    """
    unused, sometimes = UNUSED[stack], SOMETIMES[stack]
    needed = _needed(deployer, stack)
    given = {permission for _, _, permission in needed}
    missing = [(f"{each} of no role", False) for each in each_permission() if each not in given]
    all_of_it = [*((f"{each} of {role}", used) for (role, _, each), used in needed.items()), *missing]
    known = [*unused, *sometimes]
    problems = [f"never needed: {each}" for each, used in all_of_it if not used and not matched(each, known)]
    problems += [
        f"said to be unused by {pattern!r}, and needed: {each}"
        for pattern in unused
        for each, used in all_of_it
        if used and matched(each, [pattern])
    ]
    problems += [
        f"matches nothing: {pattern!r}"
        for pattern in known
        if not any(matched(each, [pattern]) for each, _ in all_of_it)
    ]
    if problems:
        raise AssertionError("\n".join(sorted(problems)))


def assert_some_used(deployer: Deployer, stack: str) -> None:
    """Fail unless the roles of a stack, which is still there, needed what ``unused`` says that it needs.

    :param stack: The stack's name.
    """
    deployer.note_granted(stack)
    needed = {str(permission) for (_, _, permission), used in _needed(deployer, stack).items() if used}
    idle = sorted({*ALSO_USED[stack]} - needed)
    if idle:
        raise AssertionError(f"never needed: {idle}")


def matched(permission: str, patterns: Iterable[str]) -> bool:
    """Whether a pattern matches a permission, with or without its role."""
    names = (permission, permission.partition(" of ")[0])
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns for name in names)


def _needed(deployer: Deployer, stack: str) -> dict[tuple[str, int, Permission], bool]:
    """Whether each permission was needed, by the role, the number of its statement, and the permission."""
    used, needed = deployer.cloud.used_permissions(), dict[tuple[str, int, Permission], bool]()
    for life in deployer.granted[stack]:
        for grant in life:
            key = (grant.logical, grant.number, grant.permission)
            needed[key] = needed.get(key, False) or _is_needed(grant, life, used.get(grant.role, {}))
    return needed


def _is_needed(grant: Grant, life: Iterable[Grant], used: Mapping[str, list[str]]) -> bool:
    action = grant.permission.action
    others = [
        other
        for other in life
        if other.role == grant.role and other.permission.action == action and other.number != grant.number
    ]
    return any(
        grant.covers(resource) and not any(other.covers(resource) for other in others)
        for resource in used.get(action, ())
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
