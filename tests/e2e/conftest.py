"""One local cloud for all end-to-end tests, bootstrapped once."""

from __future__ import annotations

from typing import Any

import pytest

from .deployer import Deployer


@pytest.fixture(scope="session")
def deployer(personalize_local: Any, tmp_path_factory: pytest.TempPathFactory) -> Deployer:
    """The CDK CLI against a bootstrapped local cloud."""
    deployer = Deployer(personalize_local, tmp_path_factory.mktemp("deployer"))
    deployer.cdk("bootstrap", "aws://000000000000/us-east-1")
    return deployer
