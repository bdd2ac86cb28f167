"""The provider of all custom resources of a stack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import jsii
from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import custom_resources as cr
from constructs import Construct, IConstruct, IValidation

from cdk_personalize._function import lambda_function, logging_role
from cdk_personalize._nag import acknowledge, acknowledge_resource

TOTAL_TIMEOUT = Duration.hours(1)
QUERY_INTERVAL = Duration.seconds(5)

MOST_CHARACTERS = 10_240
"""Of all inline policies of a role, in sum.

See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""
# What AWS fills in is longer than it stands in the template, or shorter; this is what it has at most, more or less.
_CHARACTERS = {"AWS::AccountId": 12, "AWS::Partition": 6, "AWS::Region": 14, "AWS::StackId": 150}
_CHARACTERS_OF_OTHERS = 110

_ID = "CdkPersonalizeProvider"


class ProviderPolicies(NamedTuple):
    """The policies that let the provider work for one construct."""

    on_event: iam.Policy
    is_complete: iam.Policy


class Provider(Construct):
    """Runs the custom resources of one stack. There is one per stack, and nothing else is shared."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self.policies: list[ProviderPolicies] = []
        self.node.add_validation(_Room(self))
        self._on_event = lambda_function(
            self,
            "OnEvent",
            handler="personalize_lambda.provider.on_event.handler",
            description="Starts what the custom resources of Amazon Personalize ask for",
            timeout=Duration.minutes(15),
        )
        self._is_complete = lambda_function(
            self,
            "IsComplete",
            handler="personalize_lambda.provider.is_complete.handler",
            description="Tells whether what the custom resources of Amazon Personalize asked for is done",
            timeout=Duration.minutes(1),
        )
        log_group = logs.LogGroup(
            self, "FrameworkLogs", retention=logs.RetentionDays.THREE_MONTHS, removal_policy=RemovalPolicy.DESTROY
        )
        on_event_role = logging_role(self, "FrameworkOnEventRole", log_group)
        complete_role = logging_role(self, "FrameworkCompleteRole", log_group)
        framework = cr.Provider(
            self,
            "Framework",
            on_event_handler=self._on_event,
            is_complete_handler=self._is_complete,
            framework_on_event_role=on_event_role,
            framework_complete_and_timeout_role=complete_role,
            log_group=log_group,
            total_timeout=TOTAL_TIMEOUT,
            query_interval=QUERY_INTERVAL,
        )
        self._service_token = framework.service_token
        self._acknowledge(framework, on_event_role, complete_role)

    @staticmethod
    def get_or_create(scope: IConstruct) -> Provider:
        """Return the provider of the stack that a construct is in.

        :param scope: The construct, or the stack itself.
        """
        stack = Stack.of(scope)
        existing = stack.node.try_find_child(_ID)
        return cast(Provider, existing) if existing is not None else Provider(stack, _ID)

    @property
    def service_token(self) -> str:
        """What custom resources are sent to."""
        return self._service_token

    @property
    def on_event_role(self) -> iam.IRole:
        """Role of the function that creates, updates and deletes."""
        return cast(iam.IRole, self._on_event.role)

    @property
    def is_complete_role(self) -> iam.IRole:
        """Role of the function that waits."""
        return cast(iam.IRole, self._is_complete.role)

    def allow(
        self, scope: Construct, *, on_event: Sequence[iam.PolicyStatement], is_complete: Sequence[iam.PolicyStatement]
    ) -> ProviderPolicies:
        """Allow something for the sake of one construct, in policies of its own.

        The construct's custom resources must depend on these policies. In an update that removes the construct,
        CloudFormation then takes the permissions away after it has deleted the custom resources; statements of a
        shared policy would be gone before.

        :param scope: The construct that has the custom resources.
        :param on_event: What the function that creates, updates and deletes may do.
        :param is_complete: What the function that waits may do.
        """
        policies = ProviderPolicies(
            iam.Policy(scope, "OnEventPolicy", roles=[self.on_event_role], statements=list(on_event)),
            iam.Policy(scope, "IsCompletePolicy", roles=[self.is_complete_role], statements=list(is_complete)),
        )
        self.policies.append(policies)
        return policies

    def _acknowledge(self, framework: cr.Provider, on_event_role: iam.Role, complete_role: iam.Role) -> None:
        versions = "the provider framework of the CDK allows all versions of the one function that it calls"
        for role in (on_event_role, complete_role):
            for function in (self._on_event, self._is_complete):
                acknowledge_resource(role, f"{function.function_arn}:*", versions)
        waiter = framework.node.find_child("waiter-state-machine")
        for name in ("framework-isComplete", "framework-onTimeout"):
            function_arn = cast("Construct", framework.node.find_child(name)).function_arn  # type: ignore[attr-defined]
            acknowledge_resource(waiter, f"{function_arn}:*", versions)
        acknowledge(
            waiter,
            {
                "AwsSolutions-SF1": "it only polls one function, which writes a log of its own; "
                "a second log would repeat every request",
                "AwsSolutions-SF2": "it only polls one function; the provider framework of the CDK offers no tracing",
            },
        )


@jsii.implements(IValidation)
class _Room:
    """Whether IAM takes what the roles are allowed, in sum."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def validate(self) -> list[str]:
        stack = Stack.of(self._provider)
        for role in ProviderPolicies._fields:
            documents = [getattr(policies, role).document for policies in self._provider.policies]
            size = sum(_characters(stack.resolve(document.to_json())) for document in documents)
            if size > MOST_CHARACTERS:
                owners = [policies.on_event.node.path.rpartition("/")[0] for policies in self._provider.policies]
                return [
                    f"the stack {stack.node.path!r} has too many dataset groups and workflows: their custom resources "
                    f"need policies of about {size} characters, and IAM allows a role {MOST_CHARACTERS}; "
                    f"put some into another stack: {', '.join(owners)}"
                ]
        return []


def _characters(value: Any) -> int:
    """Estimate how many characters a resolved value has as compact JSON."""
    match value:
        case {"Ref": name} | {"Fn::GetAtt": [name, *_]}:
            return _CHARACTERS.get(name, _CHARACTERS_OF_OTHERS)
        case {"Fn::Join": [_, parts]}:
            return sum(len(part) if isinstance(part, str) else _characters(part) for part in parts) + 2
        case {"Fn::ImportValue": _}:
            return _CHARACTERS_OF_OTHERS
        case dict():
            return sum(len(name) + 4 + _characters(member) for name, member in value.items()) + 1
        case list():
            return sum(_characters(member) + 1 for member in value) + 1
    return len(str(value)) + 2
