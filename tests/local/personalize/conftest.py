"""A service for each test."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from personalize_local.personalize import Settings

from .films import Films
from .support import Builder, Cloud


@pytest.fixture
def make_cloud() -> Iterator[Callable[..., Cloud]]:
    """Make services; they are closed after the test."""
    made: list[Cloud] = []

    def make(settings: Settings | None = None, **arguments: Any) -> Cloud:
        made.append(Cloud(settings or Settings(), **arguments))
        return made[-1]

    yield make
    for cloud in made:
        cloud.service.close()


@pytest.fixture
def cloud(make_cloud: Callable[..., Cloud]) -> Cloud:
    """A service with default settings."""
    return make_cloud()


@pytest.fixture
def build(cloud: Cloud) -> Builder:
    """Makes what tests need in ``cloud``."""
    return Builder(cloud)


@pytest.fixture(scope="module")
def films() -> Iterator[Films]:
    """Made once for a module: every test has users of its own, or changes nothing."""
    cloud = Cloud(Settings(quotas={"campaigns_per_dataset_group": 50}))
    yield Films(cloud)
    cloud.service.close()


@pytest.fixture
def someone() -> str:
    """A user that no other test knows."""
    return uuid.uuid4().hex
