"""What the roles of a stack are allowed, part by part: what unit tests and end-to-end tests of permissions share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from cdk_personalize import dataset_group, metric_attribution, service_role
from cdk_personalize.workflow import permissions
from cdk_personalize.workflow.permissions import Permissions

MACHINES: Final = ("import", "job", "recommender", "run", "solution")
"""Parts that are state machines."""

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
    "import": Part(rf"{_WORKFLOW}ImportRoleDefaultPolicy", permissions.IMPORT),
    "job": Part(rf"{_WORKFLOW}JobRoleDefaultPolicy", permissions.JOB),
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


OF_DIFFERENT_KINDS: Final = ("framework", "service role")
"""Parts of which there are several, each with some of the statements."""


class Other(NamedTuple):
    """A statement whose actions are not judged by whether they come to use.

    :param part: Who has it.
    :param actions: All of them, separated by spaces.
    :param resources: Types of resources, or ARNs.
    """

    part: str
    actions: str
    resources: str


_KEY: Final = "AWS::KMS::Key"
_FUNCTION: Final = "AWS::Lambda::Function"
_EVENTS: Final = "arn:AWS::Partition:events:AWS::Region:AWS::AccountId"
_RESOURCES: Final = {
    "check function": _FUNCTION,
    "child execution rule": f"{_EVENTS}:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule",
    "event bus": f"{_EVENTS}:event-bus/default",
    "key": _KEY,
    "lock table": "AWS::DynamoDB::Table",
    "model metrics": "*",
    "plan function": _FUNCTION,
    "source keys": _KEY,
    "stack": "AWS::StackId",
    "topic": "AWS::SNS::Topic",
    "topic key": _KEY,
}
USE_KEY: Final = "kms:Decrypt kms:DescribeKey kms:GenerateDataKey kms:ListGrants"
_DELIVER_LOGS: Final = (
    "logs:CreateLogDelivery logs:DeleteLogDelivery logs:DescribeLogGroups logs:DescribeResourcePolicies "
    "logs:GetLogDelivery logs:ListLogDeliveries logs:PutResourcePolicy logs:UpdateLogDelivery"
)
_TRACE: Final = "xray:GetSamplingRules xray:GetSamplingTargets xray:PutTelemetryRecords xray:PutTraceSegments"
_RECEIVE: Final = (
    "sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:GetQueueUrl sqs:ReceiveMessage"
)

OTHERS: Final = {
    *(
        Other(name, " ".join(sorted(listed)), _RESOURCES[kind])
        for name, part in PARTS.items()
        for kind, listed in part.allowed.items()
        if not any(action.startswith(JUDGED) for action in listed)
    ),
    *(
        Other(name, "logs:CreateLogStream logs:PutLogEvents", "AWS::Logs::LogGroup")
        for name in ("check", "finish", "framework", "plan", "start")
    ),
    # Step Functions has these on nothing but *: delivery of logs, and traces
    *(Other(name, listed, "*") for name in MACHINES for listed in (_DELIVER_LOGS, _TRACE)),
    Other("framework", "lambda:GetFunction", _FUNCTION),
    Other("framework", "lambda:InvokeFunction", f"{_FUNCTION} {_FUNCTION}:*"),
    Other("service role", "cloudwatch:PutMetricData", "*"),
    Other("service role", "kms:Decrypt", _KEY),
    Other("service role", USE_KEY, _KEY),
    # an export from an encrypted dataset group
    Other(
        "service role",
        "kms:Decrypt kms:DescribeKey kms:GenerateDataKey kms:GenerateDataKeyWithoutPlaintext kms:ListGrants",
        _KEY,
    ),
    Other("start", _RECEIVE, "AWS::SQS::Queue"),
}
"""All other statements: of logs, traces, queues, keys, tables, functions, metrics, events and topics."""


def others(template: Mapping[str, Any]) -> dict[str, list[Other]]:
    """The other statements of a template, by the logical id of the policy."""
    resources = template["Resources"]
    policies = [name for name, resource in resources.items() if resource["Type"] == "AWS::IAM::Policy"]
    return {policy: sorted(_others(policy, resources)) for policy in policies}


def _others(policy: str, resources: Mapping[str, Any]) -> Iterator[Other]:
    for statement in resources[policy]["Properties"]["PolicyDocument"]["Statement"]:
        listed, on = sorted(actions(statement)), statement["Resource"]
        if not any(action.startswith(JUDGED) for action in listed):
            found = {_text(each, resources) for each in (on if isinstance(on, list) else [on])}
            yield Other(part_of(policy), " ".join(listed), " ".join(sorted(found)))


def _text(resource: Any, resources: Mapping[str, Any]) -> str:
    """A resource of a statement, in which references are the types of what they refer to."""
    match resource:
        case {"Ref": name} | {"Fn::GetAtt": [name, *_]}:
            return str(resources[name]["Type"]) if name in resources else str(name)
        case {"Fn::Join": [_, parts]}:
            return "".join(_text(part, resources) for part in parts)
    return str(resource)


def named(resource: Any) -> str:
    """A resource of a statement, in which references are the logical ids of what they refer to, without hashes.

    :param resource: The resource, as in a template.
    """
    match resource:
        case {"Ref": name} | {"Fn::GetAtt": [name, *_]}:
            return re.sub("[0-9A-F]{8}$", "", name)
        case {"Fn::Join": [_, parts]}:
            return "".join(named(part) for part in parts)
    return str(resource)


def key_grants(template: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What service roles may do with which key: the role, the actions and the key, each without the hash."""
    return sorted(
        (named(role), " ".join(sorted(actions(statement))), named(statement["Resource"]))
        for policy, resource in template["Resources"].items()
        if resource["Type"] == "AWS::IAM::Policy" and part_of(policy) == "service role"
        for role in resource["Properties"]["Roles"]
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]
        if any(action.startswith("kms:") for action in actions(statement))
    )


EXPORT_WITH_KEY: Final = (
    "kms:Decrypt kms:DescribeKey kms:GenerateDataKey kms:GenerateDataKeyWithoutPlaintext kms:ListGrants"
)
KEY_GRANTS: Final[Mapping[str, list[tuple[str, str, str]]]] = {
    "Custom": [
        ("Exporting", USE_KEY, "Key"),
        ("Exporting", EXPORT_WITH_KEY, "Key"),
        ("GroupMetricAttributionRole", USE_KEY, "Key"),
        ("GroupServiceRole", "kms:Decrypt", "Key"),
        ("GroupServiceRole", USE_KEY, "Key"),
        ("Mailing", USE_KEY, "Key"),
        ("Segmenting", USE_KEY, "Key"),
    ],
    "Domain": [("GroupServiceRole", "kms:Decrypt", "Key"), ("GroupServiceRole", USE_KEY, "Key")],
}
"""By the stack of the app that declares everything."""
