"""Names and predicted ARNs."""

from __future__ import annotations

import re

import aws_cdk as cdk
import pytest
from constructs import Construct

from cdk_personalize._names import personalize_arn, physical_name


def deep(stack: cdk.Stack, *ids: str) -> Construct:
    scope: Construct = stack
    for key in ids:
        scope = Construct(scope, key)
    return scope


def test_a_name_is_readable_and_deterministic() -> None:
    names = {physical_name(deep(cdk.Stack(cdk.App(), "Films"), "Movies", "TopPicks")) for _ in range(2)}

    [name] = names
    assert re.fullmatch(r"Films-Movies-TopPicks-[0-9a-f]{8}", name)


def test_a_name_carries_the_stage() -> None:
    stage = cdk.Stage(cdk.App(), "Prod")

    assert physical_name(deep(cdk.Stack(stage, "Films"), "Movies")).startswith("Prod-Films-Movies-")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("A-B",), ("A", "B")),
        (("Films!",), ("Films",)),
        (("X" * 70 + "1",), ("X" * 70 + "2",)),
    ],
)
def test_different_paths_have_different_names(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    stack = cdk.Stack(cdk.App(), "Films")

    assert physical_name(deep(stack, *one)) != physical_name(deep(stack, *other))


def test_different_stacks_and_contents_have_different_names() -> None:
    names = [
        physical_name(deep(cdk.Stack(cdk.App(), "Films", stack_name=stack), "Movies"), content=content)
        for stack, content in [("a", ""), ("b", ""), ("a", "x")]
    ]

    assert len(set(names)) == 3


@pytest.mark.parametrize("limit", [63, 46])
@pytest.mark.parametrize("key", ["Movies", "_movies", "ü", "x" * 200, "-" * 10])
def test_every_name_is_one_that_the_service_takes(key: str, limit: int) -> None:
    name = physical_name(deep(cdk.Stack(cdk.App(), "Films"), key), max_length=limit)

    assert re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_-]*", name)
    assert len(name) <= limit


def test_a_nested_stack_has_no_name_yet() -> None:
    stack = cdk.NestedStack(cdk.Stack(cdk.App(), "Films"), "Nested")

    assert re.fullmatch(r"Nested-Movies-[0-9a-f]{8}", physical_name(deep(stack, "Movies")))


def test_arns_are_predicted() -> None:
    stack = cdk.Stack(cdk.App(), "Films", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    arn = "arn:aws:personalize:eu-west-1:111122223333:solution/films"

    assert stack.resolve(personalize_arn(stack, "solution", "films"))["Fn::Join"][1][1:] == [
        {"Ref": "AWS::Partition"},
        arn.removeprefix("arn:aws"),
    ]
