"""The catalogue of domain use cases."""

from __future__ import annotations

from collections import Counter

import pytest

from cdk_personalize.recipe import RecipeType
from cdk_personalize.use_case import USE_CASES, UseCase


def test_each_domain_has_its_five_use_cases() -> None:
    assert Counter(use_case.domain for use_case in USE_CASES.values()) == {"ECOMMERCE": 5, "VIDEO_ON_DEMAND": 5}


@pytest.mark.parametrize("use_case", USE_CASES.values(), ids=lambda use_case: use_case.name)
def test_each_use_case_makes_sense(use_case: UseCase) -> None:
    prefix = {"ECOMMERCE": "aws-ecomm-", "VIDEO_ON_DEMAND": "aws-vod-"}[use_case.domain]
    assert use_case.name.startswith(prefix)
    assert getattr(UseCase, use_case.title.upper().replace(" ", "_")) is use_case
    assert use_case.resource == f"recipe/{use_case.name}"
    assert "INTERACTIONS" in use_case.required_datasets
    assert ("itemId" in use_case.request) == (use_case.recipe_type is RecipeType.RELATED_ITEMS)
    assert use_case.exploration == (use_case.recipe_type is RecipeType.USER_PERSONALIZATION)
