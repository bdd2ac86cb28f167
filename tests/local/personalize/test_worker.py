from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from personalize_local.personalize.errors import JobError
from personalize_local.personalize.recommenders.data import Interactions, Request, TrainingData
from personalize_local.personalize.worker import Trainer

ROOT = Path(__file__).parents[3]


RECIPE = "aws-user-personalization-v2"


def data(users: int = 20, items: int = 10) -> TrainingData:
    chance = np.random.default_rng(1)
    rows = users * 20
    return TrainingData(
        Interactions(
            np.array([f"u{row % users}" for row in range(rows)], dtype=object),
            np.array([f"i{item}" for item in chance.integers(items, size=rows)], dtype=object),
            np.arange(rows),
        ),
        seed=1,
    )


@pytest.fixture
def trainer() -> Trainer:
    return Trainer(logging.getLogger("test"))


def descendants(ancestor: int) -> list[int]:
    """The processes that a process has started, and those have, as far as they have not ended."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(entry.parent.name)] = int(fields[1])
    found = [ancestor]
    for one in found:
        found += [process for process, parent in parents.items() if parent == one]
    return found[1:]


def ended(processes: list[int], seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while any(Path(f"/proc/{process}").exists() for process in processes):
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def test_training(trainer: Trainer) -> None:
    try:
        trained = trainer.run(RECIPE, data())
        assert len(trained.model.recommend(Request(), count=5)) == 5
        assert "coverage" in trained.metrics
        with pytest.raises(JobError, match=r"Create failed\. recipe must be one of .* got 'aws-none'"):
            trainer.run("aws-none", data())
    finally:
        trainer.close()


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at processes in /proc")
def test_a_process_that_dies_is_replaced(trainer: Trainer) -> None:
    try:
        before = set(descendants(os.getpid()))
        trainer.run(RECIPE, data())
        for process in set(descendants(os.getpid())) - before:
            os.kill(process, signal.SIGKILL)
        with pytest.raises(JobError, match="The training process died"):
            trainer.run(RECIPE, data())
        trainer.run(RECIPE, data())
    finally:
        trainer.close()


def test_closing_ends_a_training(trainer: Trainer) -> None:
    failures: list[Exception] = []

    def run() -> None:
        try:
            trainer.run(RECIPE, data(users=20_000, items=4_000))
        except JobError as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(1.5)
    start = time.monotonic()
    trainer.close()
    thread.join(10)
    assert not thread.is_alive()
    assert time.monotonic() - start < 5
    assert len(failures) == 1
    with pytest.raises(JobError, match="closed"):
        trainer.run(RECIPE, data())


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at processes in /proc")
def test_the_process_does_not_outlive_its_parent(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent(
            """
            import logging, time
            import numpy as np
            from personalize_local.personalize.recommenders import Interactions, TrainingData
            from personalize_local.personalize.worker import Trainer

            if __name__ == "__main__":
                users, items = (np.array(["a", "a", "b", "b"]), np.array(["i", "j", "j", "k"]))
                interactions = Interactions(users, items, np.arange(4))
                Trainer(logging.getLogger()).run("aws-popularity-count", TrainingData(interactions))
                print("ready", flush=True)
                time.sleep(60)
            """
        )
    )
    path = os.pathsep.join(str(ROOT / folder) for folder in ("local", "constructs"))
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        processes = descendants(parent.pid)
        assert len(processes) >= 2
        parent.kill()
    assert ended(processes)
