"""Lambda functions of this library."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration, IgnoreMode, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk_personalize._assets import lambda_root

_RUNTIME = lambda_.Runtime.PYTHON_3_14


def lambda_function(
    scope: Construct,
    id: str,
    *,
    handler: str,
    description: str,
    timeout: Duration,
    environment: Mapping[str, str] | None = None,
    memory_size: int = 256,
) -> lambda_.Function:
    """Create a function that runs the shared code, with a log group and a role of its own.

    :param scope: Parent.
    :param id: Construct id.
    :param handler: Dotted path of the handler, such as ``"personalize_lambda.workflow.plan.handler"``.
    :param description: What it does.
    :param timeout: How long it may run.
    :param environment: Environment variables. Default: - none
    :param memory_size: Memory in MiB. Default: - 256
    """
    log_group = logs.LogGroup(
        scope, f"{id}Logs", retention=logs.RetentionDays.THREE_MONTHS, removal_policy=RemovalPolicy.DESTROY
    )
    return lambda_.Function(
        scope,
        id,
        runtime=_RUNTIME,
        architecture=lambda_.Architecture.ARM_64,
        code=lambda_.Code.from_asset(str(lambda_root()), exclude=["*", "!*/", "!*.py"], ignore_mode=IgnoreMode.GIT),
        handler=handler,
        description=description,
        timeout=timeout,
        memory_size=memory_size,
        environment=dict(environment or {}),
        log_group=log_group,
        logging_format=lambda_.LoggingFormat.JSON,
        role=logging_role(scope, f"{id}Role", log_group),
    )


def logging_role(scope: Construct, id: str, log_group: logs.ILogGroup) -> iam.Role:
    """Create a role for a function that may write to one log group and nothing else.

    :param scope: Parent.
    :param id: Construct id.
    :param log_group: The log group.
    """
    role = iam.Role(scope, id, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    role.add_to_policy(
        iam.PolicyStatement(actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn])
    )
    return role
