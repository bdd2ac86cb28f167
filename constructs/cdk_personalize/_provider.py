"""The provider of all custom resources of a stack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import custom_resources as cr
from constructs import Construct, IConstruct

from cdk_personalize._function import lambda_function, logging_role
from cdk_personalize._nag import acknowledge, acknowledge_resource

TOTAL_TIMEOUT = Duration.hours(1)
QUERY_INTERVAL = Duration.seconds(5)

MOST_USERS = 10
"""The inline policies of a role have at most 10,240 characters in sum; those of a group and its workflow have 2,000.

See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

_ID = "CdkPersonalizeProvider"


class ProviderPolicies(NamedTuple):
    """The policies that let the provider work for one construct."""

    on_event: iam.Policy
    is_complete: iam.Policy


class Provider(Construct):
    """Runs the custom resources of one stack. There is one per stack, and nothing else is shared."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self._users: list[str] = []
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
        :raises ValueError: When the roles have no room for more.
        """
        self._users.append(scope.node.path)
        if len(self._users) > MOST_USERS:
            raise ValueError(
                f"the stack {Stack.of(self).node.path!r} has room for {MOST_USERS} dataset groups and workflows: IAM "
                f"limits what one role may be allowed, got {', '.join(self._users)}; put some into another stack"
            )
        return ProviderPolicies(
            iam.Policy(scope, "OnEventPolicy", roles=[self.on_event_role], statements=list(on_event)),
            iam.Policy(scope, "IsCompletePolicy", roles=[self.is_complete_role], statements=list(is_complete)),
        )

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
