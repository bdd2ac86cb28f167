"""A local cloud for each file of end-to-end tests, bootstrapped: what one leaves behind is no other's matter."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from personalize_local.cloud.client import LocalCloud
from personalize_local.cloud.process import free_port, start
from personalize_local.cloud.settings import CloudSettings

from .deployer import Deployer


@pytest.fixture(scope="module")
def deployer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployer]:
    """The CDK CLI against a bootstrapped local cloud in which roles must allow what is done."""
    folder = tmp_path_factory.mktemp("deployer")
    process = start(CloudSettings(port=free_port(), enforce_iam=True, exit_with_parent=True), folder / "cloud.log")
    try:
        deployer = Deployer(LocalCloud(process.port, process.log_path), folder)
        deployer.cdk("bootstrap", "aws://000000000000/us-east-1")
        yield deployer
    finally:
        process.stop()
