"""Physical names and predicted ARNs."""

from __future__ import annotations

import hashlib
import re

from aws_cdk import Stack, Token
from constructs import IConstruct

from cdk_personalize.facts.limits import NAME_LENGTH
from cdk_personalize.facts.names import NAME

_HASH_LENGTH = 8


def physical_name(
    construct: IConstruct, *, content: str = "", prefix: str | None = None, max_length: int = NAME_LENGTH
) -> str:
    """Return a name that is the same in every synthesis and unique in an account and Region.

    It is readable, and ends in a hash of the construct path, the stack name and ``content``.

    :param construct: What to name.
    :param content: What else the name stands for; another content gives another name.
    :param prefix: What the name starts with. Default: - the construct path
    :param max_length: Highest number of characters. Default: - 63, as the service allows
    """
    stack = Stack.of(construct)
    stack_name = stack.node.id if Token.is_unresolved(stack.stack_name) else stack.stack_name
    digest = hashlib.sha256("\n".join((stack_name, construct.node.path, content)).encode()).hexdigest()
    readable = prefix or "-".join((stack_name, *_ids_below(stack, construct)))
    start = re.sub(r"[^a-zA-Z0-9_-]", "", readable).lstrip("-_")[: max_length - _HASH_LENGTH - 1]
    return f"{start}-{digest[:_HASH_LENGTH]}"


def _ids_below(stack: Stack, construct: IConstruct) -> list[str]:
    ids: list[str] = []
    scope: IConstruct | None = construct
    while scope is not None and scope is not stack:
        ids.insert(0, scope.node.id)
        scope = scope.node.scope
    return ids


def check_name(parameter: str, name: str | None) -> None:
    """Check a name that the user gave.

    :param parameter: Name of the parameter.
    :param name: Its value; tokens pass.
    :raises ValueError: When the service would not take it.
    """
    if name is None or Token.is_unresolved(name):
        return
    if not NAME.fullmatch(name):
        raise ValueError(
            f"{parameter} must have 1 to {NAME_LENGTH} letters, digits, hyphens and underscores "
            f"and start with a letter or digit, got {name!r}"
        )


def personalize_arn(scope: IConstruct, resource: str, name: str) -> str:
    """Return the ARN that a resource of Amazon Personalize has or will have.

    :param scope: Where account and Region are taken from.
    :param resource: Resource type, such as ``"campaign"``.
    :param name: Name of the resource.
    """
    return Stack.of(scope).format_arn(service="personalize", resource=resource, resource_name=name)
