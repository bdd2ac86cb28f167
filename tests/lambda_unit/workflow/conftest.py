"""The workflow's functions against the Personalize emulator; other services answer from plain values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from personalize_lambda import aws
from personalize_local.personalize import Settings
from tests.local.personalize.support import Cloud


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """A Personalize of its own."""
    cloud = Cloud(Settings())
    yield cloud
    cloud.service.close()


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Set what the functions get as clients, by the name of the service."""

    def use(**given: Any) -> None:
        monkeypatch.setattr(aws.boto3, "client", lambda name, **_: given[name])
        aws.client.cache_clear()

    yield use
    aws.client.cache_clear()
