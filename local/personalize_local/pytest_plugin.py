"""pytest plugin: the session fixture `personalize_local`, a local cloud that lives as long as the test session.

It is loaded by every pytest run in an environment where this package is installed, so it imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from personalize_local.cloud.client import LocalCloud


@pytest.fixture(scope="session")
def personalize_local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud on a free port, started for the session and ended with it, whatever happens.

    Its object has `endpoint_url`, `environment`, `client(service)`, `calls(...)`, `fail(...)`, `reset()`, `log_path`.
    """
    from personalize_local.cloud.client import LocalCloud
    from personalize_local.cloud.process import free_port, start
    from personalize_local.cloud.settings import CloudSettings

    log_path = tmp_path_factory.mktemp("personalize-local", numbered=True) / "cloud.log"
    process = start(CloudSettings(port=free_port(), exit_with_parent=True), log_path)
    try:
        yield LocalCloud(process.port, process.log_path)
    finally:
        process.stop()
