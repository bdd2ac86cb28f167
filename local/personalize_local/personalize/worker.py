"""A process that trains, so that training never holds up a request.

The process ends with its parent, however that ends: it holds one end of a pipe whose other end closes with the parent.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import tempfile
import threading
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path

from .errors import JobError
from .recommenders import Model, TrainingData, evaluate, load, train

#: requests are answered first
_NICENESS = 5


@dataclass(frozen=True)
class Trained:
    """What comes out of a training."""

    model: Model
    metrics: Mapping[str, float]


class Trainer:
    """Runs trainings, one after the other, on a process that starts with the first of them."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._life_line: Connection | None = None
        self._closed = False

    def run(self, recipe: str, data: TrainingData) -> Trained:
        """Train, evaluate, and wait for both.

        :raises JobError: if the recipe cannot be trained on this data, or the process died.
        """
        with tempfile.TemporaryDirectory(prefix="personalize-") as folder:
            path = Path(folder) / "model.npz"
            try:
                metrics = self._running_pool().submit(_train, recipe, data, str(path)).result()
            except BrokenProcessPool as error:
                self._forget_pool()
                if not self._closed:
                    self._log.error("the training process died; it may have run out of memory")
                raise JobError("Create failed. The training process died.") from error
            except (ValueError, NotImplementedError) as error:
                raise JobError(f"Create failed. {error}") from error
            return Trained(load(path), metrics)

    def close(self) -> None:
        """End the process, in the middle of a training if need be."""
        self._closed = True
        self._forget_pool()

    def _running_pool(self) -> ProcessPoolExecutor:
        with self._lock:
            if self._closed:
                raise JobError("Create failed. The service was closed.")
            if self._pool is None:
                context = multiprocessing.get_context("spawn")
                theirs, self._life_line = context.Pipe(duplex=False)
                self._pool = ProcessPoolExecutor(1, context, initializer=_live_with_parent, initargs=(theirs,))
            return self._pool

    def _forget_pool(self) -> None:
        with self._lock:
            pool, life_line = self._pool, self._life_line
            self._pool = self._life_line = None
        if life_line is not None:
            life_line.close()
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)


def _live_with_parent(life_line: Connection) -> None:
    os.nice(_NICENESS)

    def watch() -> None:
        wait([life_line])
        os._exit(1)

    threading.Thread(target=watch, name="watch-parent", daemon=True).start()


def _train(recipe: str, data: TrainingData, path: str) -> dict[str, float]:
    train(recipe, data).save(Path(path))
    return evaluate(recipe, data)
