"""A local cloud for each file of end-to-end tests: what one leaves behind is no other's matter."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from personalize_local.cloud.client import LocalCloud
from personalize_local.cloud.process import free_port, start
from personalize_local.cloud.settings import CloudSettings

from .deployer import Deployer


@pytest.fixture(scope="module")
def deployer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployer]:
    """A local cloud in which roles must allow what is done."""
    folder = tmp_path_factory.mktemp("deployer")
    process = start(CloudSettings(port=free_port(), enforce_iam=True, exit_with_parent=True), folder / "cloud.log")
    try:
        yield Deployer(LocalCloud(process.port, process.log_path), folder)
    finally:
        process.stop()
