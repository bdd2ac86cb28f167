"""A process that trains, so that training never holds up a request.

The process ends with its parent, however that ends: it holds one end of a pipe whose other end closes with the parent.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
import tempfile
import threading
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path

from .errors import JobError
from .recommenders import (
    UPDATERS,
    Model,
    Search,
    TrainingData,
    evaluate,
    load,
    measure_updated,
    train,
    tune,
)

#: requests are answered first
_NICENESS = 5

DATA, PREVIOUS, MODEL = "data.pickle", "previous.npz", "model.npz"


@dataclass(frozen=True)
class Trained:
    """What comes out of a training.

    :param tuned: the hyperparameters that a search has found. Default: - there was no search.
    """

    model: Model
    metrics: Mapping[str, float]
    tuned: Mapping[str, str] = field(default_factory=dict)


class Trainer:
    """Runs trainings, one after the other, on a process that starts with the first of them."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._life_line: Connection | None = None
        self._closed = False

    def run(
        self, recipe: str, data: TrainingData, *, search: Search | None = None, previous: Model | None = None
    ) -> Trained:
        """Train, evaluate, and wait for both.

        :param search: hyperparameters to find first. Default: - none.
        :param previous: an earlier version that is to take up what is new. Default: - everything is learned anew.
        :raises JobError: if the recipe cannot be trained on this data, or the process died.
        """
        with tempfile.TemporaryDirectory(prefix="personalize-") as name:
            folder = Path(name)
            with (folder / DATA).open("wb") as file:
                # our own data, for our own process; models are never pickled
                pickle.dump((recipe, data, search), file, protocol=5)
            if previous is not None:
                previous.save(folder / PREVIOUS)
            try:
                metrics, tuned = self._running_pool().submit(_train, name).result()
            except BrokenProcessPool as error:
                self._forget_pool()
                if not self._closed:
                    self._log.error("the training process died; it may have run out of memory")
                raise JobError("Create failed. The training process died.") from error
            except (ValueError, NotImplementedError) as error:
                raise JobError(f"Create failed. {error}") from error
            return Trained(load(folder / MODEL), metrics, tuned)

    def close(self) -> None:
        """End the process, in the middle of a training if need be."""
        self._closed = True
        self._forget_pool()

    def _running_pool(self) -> ProcessPoolExecutor:
        with self._lock:
            if self._closed:
                raise JobError("Create failed. The service was closed.")
            if self._pool is None:
                # processes come from one that has everything imported, which starts with the first of them
                context = multiprocessing.get_context("forkserver")
                context.set_forkserver_preload([__name__])
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


def _train(folder: str) -> tuple[dict[str, float], dict[str, str]]:
    with (Path(folder) / DATA).open("rb") as file:
        recipe, data, search = pickle.load(file)  # noqa: S301  # what our own process has written
    tuned = tune(recipe, data, search) if search else {}
    data = replace(data, hyper_parameters={**data.hyper_parameters, **tuned})
    previous = Path(folder) / PREVIOUS
    if previous.exists():
        updated = UPDATERS[recipe](load(previous), data)
        updated.save(Path(folder) / MODEL)
        return measure_updated(updated, data), tuned
    train(recipe, data).save(Path(folder) / MODEL)
    return evaluate(recipe, data), tuned
