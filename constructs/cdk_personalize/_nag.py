"""Acknowledgements of cdk-nag's findings, each with its reason, on the narrowest construct."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jsii
from aws_cdk import Acknowledgment, Stack, Validations
from constructs import IConstruct, IValidation


def acknowledge(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Acknowledge findings on a construct and everything below it.

    :param construct: The narrowest construct that has all of them.
    :param reasons: Reason by rule, such as ``{"AwsSolutions-IAM5[Resource::*]": "..."}``.
    """
    validations = Validations.of(construct)
    for rule, reason in reasons.items():
        validations.acknowledge(Acknowledgment(id=rule, reason=reason))


def acknowledge_resource(construct: IConstruct, arn: str, reason: str) -> None:
    """Acknowledge that a policy allows something on the resources of a wildcard.

    :param construct: The role or policy.
    :param arn: The resource, as given to the policy statement; it may hold tokens.
    :param reason: Why the wildcard is needed.
    """
    acknowledge_resources(construct, lambda: [arn], reason)


def acknowledge_resources(construct: IConstruct, arns: Callable[[], Sequence[str]], reason: str) -> None:
    """Acknowledge that a policy allows something on wildcards that are known only once all is declared.

    :param construct: The role or policy.
    :param arns: Gives the resources; those without a wildcard need no acknowledgement and are passed over.
    :param reason: Why the wildcards are needed.
    """

    # References to another stack become imports during synthesis, after which the rule sees another text.
    def reasons() -> dict[str, str]:
        texts = [_flatten(Stack.of(construct).resolve(arn)) for arn in arns()]
        return {f"AwsSolutions-IAM5[Resource::{text}]": reason for text in texts if "*" in text}

    acknowledge_late(construct, reasons)


def acknowledge_late(construct: IConstruct, reasons: Callable[[], Mapping[str, str]]) -> None:
    """Acknowledge findings whose texts are known only once the construct tree is complete."""
    construct.node.add_validation(_Late(construct, reasons))


@jsii.implements(IValidation)
class _Late:
    def __init__(self, construct: IConstruct, reasons: Callable[[], Mapping[str, str]]) -> None:
        self._construct = construct
        self._reasons = reasons
        self._is_done = False

    def validate(self) -> list[str]:
        if not self._is_done:
            self._is_done = True
            acknowledge(self._construct, self._reasons())
        return []


def _flatten(value: Any) -> str:
    """Write a resolved value the way cdk-nag does in the names of its findings."""
    match value:
        case str():
            return value.replace("${", "<").replace("}", ">")
        case {"Fn::Join": [delimiter, parts]}:
            return str(delimiter).join(_flatten(part) for part in parts)
        case {"Fn::GetAtt": [resource, attribute]}:
            return f"<{resource}.{attribute}>"
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::Sub": text} | {"Fn::ImportValue": text}:
            return _flatten(text)
    raise ValueError(f"a resource must be a string or an intrinsic function, got {value!r}")
