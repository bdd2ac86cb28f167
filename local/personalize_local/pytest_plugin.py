"""pytest plugin: the session fixture `personalize_local`, a local cloud that lives as long as the test session.

It is loaded by every pytest run in an environment where this package is installed, so it imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from personalize_local.cloud.client import LocalCloud


@pytest.fixture(scope="session")
def personalize_local_settings() -> Mapping[str, Any]:
    """Settings of the local cloud of the session; override it in a `conftest.py`.

    :returns: parameters of `personalize_local.cloud.settings.CloudSettings`, such as `time_scale`, `data`,
        `only_personalize`, `quotas`, `limit_rates`, `seed` and `fail`.
    """
    return {}


@pytest.fixture(scope="session")
def personalize_local(
    tmp_path_factory: pytest.TempPathFactory, personalize_local_settings: Mapping[str, Any]
) -> Iterator[LocalCloud]:
    """A local cloud on a free port, started for the session and ended with it, whatever happens.

    Its object has `endpoint_url`, `environment`, `client(service)`, `calls(...)`, `fail(...)`, `advance(...)`,
    `reset()`, `log_path`.
    """
    from personalize_local.cloud.client import LocalCloud
    from personalize_local.cloud.process import free_port, start
    from personalize_local.cloud.settings import CloudSettings

    log_path = tmp_path_factory.mktemp("personalize-local", numbered=True) / "cloud.log"
    settings = CloudSettings(**{"port": free_port(), "exit_with_parent": True, **personalize_local_settings})
    process = start(settings, log_path)
    try:
        yield LocalCloud(process.port, process.log_path)
    finally:
        process.stop()
