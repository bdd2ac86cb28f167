"""Quotas that a declaration can exceed."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import assertions

import cdk_personalize as personalize
from tests.unit.conftest import Synthesis

V2 = personalize.Recipe.USER_PERSONALIZATION_V2


def warnings(synthesis: Synthesis, group: personalize.DatasetGroup) -> list[str]:
    group._workflow = object()  # type: ignore[assignment]
    found = assertions.Annotations.from_stack(synthesis.stack).find_warning("*", assertions.Match.any_value())
    return [str(each.entry.data) for each in found if "cdk-personalize:" in str(each.entry.data)]


@pytest.mark.parametrize(("noun", "limit"), [("solutions", 10), ("campaigns", 5), ("filters", 30)])
@pytest.mark.parametrize("more", [0, 2])
def test_what_aws_raises_on_request_is_a_warning(noun: str, limit: int, more: int) -> None:
    synthesis = Synthesis()
    group = synthesis.group()
    solution = None if noun == "solutions" else group.add_solution("Solution", recipe=V2)
    for index in range(limit + more):
        if noun == "solutions":
            group.add_solution(f"Solution{index}", recipe=V2)
        elif noun == "campaigns":
            assert solution is not None
            solution.add_campaign(f"Campaign{index}")
        else:
            group.add_filter(f"Filter{index}", expression=f"EXCLUDE ItemID WHERE Items.YEAR < {index}")

    expected = (
        f"a dataset group has at most {limit} {noun} by default; request a higher quota before deploying more "
        f"[ack: cdk-personalize:{noun}Quota]"
    )
    assert warnings(synthesis, group) == ([expected] if more else [])


def test_a_legacy_recipe_is_a_warning() -> None:
    synthesis = Synthesis()
    group = synthesis.group()
    group.add_solution("Old", recipe=personalize.Recipe.HRNN)

    assert warnings(synthesis, group) == [
        "AWS advises against the recipe aws-hrnn for new work; use Recipe.USER_PERSONALIZATION_V2 "
        "[ack: cdk-personalize:legacyRecipe]"
    ]


def test_too_many_fields_in_all_filters_are_an_error() -> None:
    group = personalize.DatasetGroup(cdk.Stack(cdk.App(), "Films"), "Movies")
    group.add_items(schema=personalize.Schema.items(*(personalize.Field.int(f"N{index}") for index in range(21))))
    for index in range(20):
        group.add_filter(f"Filter{index}", expression=f"EXCLUDE ItemID WHERE Items.N{index} < 1")
    assert list(group.node.validate()) == []

    group.add_filter("Last", expression="EXCLUDE ItemID WHERE Items.N20 < 1")

    [problem] = group.node.validate()
    assert problem.startswith(
        "the filters of dataset group 'Films/Movies' may use at most 20 different fields in total, got 21: ITEMS.N0, "
    )
