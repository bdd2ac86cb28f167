"""Many processes at once: the benchmark's soak, for a few seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.soak import PROCESSES, Shared, prepare, soak, work
from personalize_local.cloud.client import LocalCloud
from personalize_local.cloud.process import free_port, start
from personalize_local.cloud.settings import CloudSettings


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    folder = tmp_path_factory.mktemp("soak")
    settings = CloudSettings(port=free_port(), only_personalize=True, data=str(folder / "data"), exit_with_parent=True)
    process = start(settings, folder / "log")
    yield LocalCloud(process.port, folder / "log")
    process.stop()


@pytest.fixture(scope="module")
def shared(cloud: LocalCloud) -> list[Shared]:
    return prepare(cloud.port)


def test_mixed_calls_of_eight_processes(cloud: LocalCloud, shared: list[Shared]) -> None:
    before = cloud.status()["calls"]
    outcome = soak(cloud.port, 5, shared)
    assert outcome.wrong == []
    assert outcome.slowest < 10
    assert len(outcome.calls) >= 18  # different operations
    assert cloud.status()["calls"] - before == outcome.calls.total()
    log = Path(str(cloud.log_path)).read_text()
    assert "Traceback" not in log, log


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ({"operation": "GetRecommendations", "code": "InternalFailure", "status": 500}, "InternalFailure"),
        ({"operation": "CreateSchema", "stale_seconds": 5}, "ResourceNotFoundException"),
        ({"operation": "CreateDatasetImportJob", "failure_reason": "No."}, "CREATE FAILED"),
    ],
)
def test_the_soak_notices_what_is_wrong(
    cloud: LocalCloud, shared: list[Shared], fault: dict[str, object], seen: str
) -> None:
    operation = str(fault["operation"])
    cloud.fail(operation, **{name: value for name, value in fault.items() if name != "operation"}, rate=1.0)
    number = PROCESSES + ["GetRecommendations", "CreateSchema", "CreateDatasetImportJob"].index(operation)
    outcome = work(number, cloud.port, 3, shared)
    cloud.forget_faults()
    assert seen in "".join(outcome.wrong)
