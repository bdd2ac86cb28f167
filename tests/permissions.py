"""What the roles of a stack are allowed, part by part: what unit tests and end-to-end tests of permissions share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from cdk_personalize import dataset_group, metric_attribution, service_role
from cdk_personalize.workflow import permissions
from cdk_personalize.workflow.permissions import Permissions

JUDGED: Final = ("iam:", "personalize:", "s3:", "states:")
"""Actions of which each has to come to use in an end-to-end test."""


@dataclass(frozen=True)
class Part:
    """Something that works with a role.

    :param policy: Pattern of the logical ids of its policies, without the hash at their end.
    :param allowed: What these allow, in the order of their statements.
    """

    policy: str
    allowed: Permissions


class Permission(NamedTuple):
    """One action on one kind of resource."""

    part: str
    kind: str
    action: str

    def __str__(self) -> str:
        return ": ".join(self)


_WORKFLOW = r"\w+For[0-9a-f]{8}"
_RUN_MACHINE: Final[Permissions] = {"run state machine": ("states:StartExecution",)}

PARTS: Final[Mapping[str, Part]] = {
    "run": Part(rf"{_WORKFLOW}RunRoleDefaultPolicy", permissions.RUN),
    "solution": Part(rf"{_WORKFLOW}SolutionRoleDefaultPolicy", permissions.SOLUTION),
    "recommender": Part(rf"{_WORKFLOW}RecommenderRoleDefaultPolicy", permissions.RECOMMENDER),
    "plan": Part(rf"{_WORKFLOW}PlanRoleDefaultPolicy", permissions.PLAN),
    "check": Part(rf"{_WORKFLOW}CheckImportRoleDefaultPolicy", permissions.CHECK_IMPORT),
    "finish": Part(rf"{_WORKFLOW}FinishRoleDefaultPolicy", permissions.FINISH),
    "start": Part(rf"{_WORKFLOW}StartRoleDefaultPolicy", permissions.START),
    "schedule": Part(r"SchedulerRoleForTarget\w+DefaultPolicy", _RUN_MACHINE),
    "deploy": Part(rf"{_WORKFLOW}OnEventPolicy", permissions.DEPLOY),
    "teardown": Part(rf"{_WORKFLOW}IsCompletePolicy", permissions.TEARDOWN),
    "attribution": Part(
        r"\w+MetricAttributionOnEventPolicy",
        {
            "dataset group and attribution": metric_attribution.CREATE_ACTIONS,
            "attribution": metric_attribution.ON_EVENT_ACTIONS,
            "*": metric_attribution.LIST_ACTIONS,
            "service role": ("iam:PassRole",),
            "key": metric_attribution.KEY_ACTIONS,
        },
    ),
    "attribution made": Part(
        r"\w+MetricAttributionIsCompletePolicy",
        {"attribution": metric_attribution.IS_COMPLETE_ACTIONS, "*": metric_attribution.LIST_ACTIONS},
    ),
    "group": Part(
        r"\w+OnEventPolicy",
        {
            "dataset group and datasets": dataset_group.ON_EVENT_ACTIONS,
            "own schemas": dataset_group.SCHEMA_ON_EVENT_ACTIONS,
            "any schema": dataset_group.READ_SCHEMA_ACTIONS,
            "stack": dataset_group.STACK_ON_EVENT_ACTIONS,
            "service role": ("iam:PassRole",),
        },
    ),
    "group made": Part(r"\w+IsCompletePolicy", {"dataset group and datasets": dataset_group.IS_COMPLETE_ACTIONS}),
    # the provider framework of the CDK
    "framework": Part(r"CdkPersonalizeProvider\w+RoleDefaultPolicy", {"waiting": ("states:StartExecution",)}),
    # roles that Personalize takes on, whatever their names
    "service role": Part(
        r"\w+DefaultPolicy",
        {
            "files to read": service_role.READ_OBJECTS,
            "files to write": service_role.WRITE_OBJECTS,
            "bucket": service_role.READ_BUCKET,
        },
    ),
}
"""The first part whose pattern matches has a policy."""


def part_of(policy: str) -> str:
    """The part that has a policy.

    :param policy: Its logical id.
    """
    return next(name for name, part in PARTS.items() if re.fullmatch(rf"{part.policy}[0-9A-F]{{8}}", policy))


def each_permission(prefixes: tuple[str, ...] = JUDGED) -> Iterator[Permission]:
    """Every permission of every part.

    :param prefixes: Of the actions. Default: - those that are judged by whether they come to use
    """
    for name, part in PARTS.items():
        for kind, allowed in part.allowed.items():
            yield from (Permission(name, kind, action) for action in allowed if action.startswith(prefixes))


def actions(statement: Mapping[str, Any]) -> list[str]:
    """The actions of a statement."""
    found = statement["Action"]
    return [found] if isinstance(found, str) else list(found)


def with_kinds(part: str, statements: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The judged statements of a part's policy, each with its kind of resource.

    Statements stand in the order of the kinds, of which some may be missing.

    :raises AssertionError: When a statement is of no kind.
    """
    kinds = [(kind, sorted(listed)) for kind, listed in PARTS[part].allowed.items()]
    at = 0
    for statement in statements:
        if not any(action.startswith(JUDGED) for action in actions(statement)):
            continue
        for kind, listed in (*kinds[at:], *kinds[:at]):
            if listed == sorted(actions(statement)):
                at = next(n for n, (name, _) in enumerate(kinds) if name == kind) + 1
                yield kind, statement
                break
        else:
            raise AssertionError(f"{statement} is nothing that {part} may do by tests/permissions.py")
