"""Statuses that change by themselves: one timer thread, threads for the work, and the order of the statuses."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from .errors import JobError
from .state import Progress

#: the share of the time that is spent in the PENDING status
_PENDING_SHARE = 0.2
_WORKERS = 32
_INTERNAL_ERROR = "An internal error occurred. See the log of personalize-local."

Work = Callable[[], Any]


@dataclass(frozen=True)
class Path:
    """The statuses that something goes through.

    :param steps: before it is done.
    :param done: at the end.
    :param failed: at the end, if it fails.
    """

    steps: tuple[str, ...]
    done: str
    failed: str = "CREATE FAILED"


CREATE = Path(("CREATE PENDING", "CREATE IN_PROGRESS"), "ACTIVE")
UPDATE = Path(("UPDATE PENDING", "UPDATE IN_PROGRESS"), "ACTIVE")
DELETE = Path(("DELETE PENDING", "DELETE IN_PROGRESS"), "DELETED", "DELETE FAILED")
STOP = Path(("CREATE STOPPING",), "CREATE STOPPED")


class Timer:
    """Calls functions later, one after the other, on a thread that starts with the first of them."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Call a function when some seconds have passed; never, once closed."""
        with self._wake:
            if self._closed:
                return
            heapq.heappush(self._queue, (time.monotonic() + seconds, next(self._numbers), action))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="personalize-timer", daemon=True)
                self._thread.start()
            self._wake.notify()

    def close(self) -> None:
        """Forget what is still to come."""
        with self._wake:
            self._closed = True
            self._queue.clear()
            self._wake.notify()

    def _run(self) -> None:
        while (action := self._next()) is not None:
            try:
                action()
            except Exception:
                self._log.exception("a change of status went wrong")

    def _next(self) -> Callable[[], None] | None:
        with self._wake:
            while not self._closed:
                if not self._queue:
                    self._wake.wait()
                elif (remaining := self._queue[0][0] - time.monotonic()) > 0:
                    self._wake.wait(remaining)
                else:
                    return heapq.heappop(self._queue)[2]
        return None


class Lifecycle:
    """Takes resources through their statuses.

    :param lock: held whenever a status changes, so that a status and what comes with it appear together.
    :param time_scale: seconds that pass here for one that passes on AWS.
    """

    def __init__(self, lock: threading.RLock, time_scale: float, log: logging.Logger) -> None:
        self._lock = lock
        self._time_scale = time_scale
        self._log = log
        self._timer = Timer(log)
        self._closed = False
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="personalize-work")

    def run(
        self,
        progress: Progress,
        path: Path,
        seconds: float,
        *,
        work: Work | None = None,
        failure: str | None = None,
        done: Callable[[Any], None] = lambda result: None,
    ) -> None:
        """Start on a path. The lock must be held.

        :param progress: what to take along it.
        :param seconds: how long it takes on AWS; here, at least as long as the work takes.
        :param work: called on a thread of its own, without the lock, in the last step. JobError makes it fail.
        :param failure: fail for this reason, without any work.
        :param done: called with the lock held and the work's result, just before the last status appears.
        """
        progress.run += 1
        _Journey(self, progress, path, seconds * self._time_scale, work, failure, done).start()

    def stop(self, progress: Progress, status: str) -> None:
        """Leave the path, and stay in a status. The lock must be held."""
        progress.run += 1
        progress.status = status
        progress.failure_reason = None
        progress.updated = time.time()

    def submit(self, function: Callable[..., None], *arguments: Any) -> None:
        """Call a function on a thread of its own; not at all, once closed."""
        with self._lock:
            if not self._closed:
                self._workers.submit(function, *arguments)

    def close(self) -> None:
        """End all threads; nothing changes its status any more."""
        with self._lock:
            self._closed = True
        self._timer.close()
        self._workers.shutdown(wait=False, cancel_futures=True)


@dataclass
class _Journey:
    """One resource on one path."""

    lifecycle: Lifecycle
    progress: Progress
    path: Path
    seconds: float
    work: Work | None
    failure: str | None
    done: Callable[[Any], None]

    def start(self) -> None:
        self.run = self.progress.run
        shares = [_PENDING_SHARE] * (len(self.path.steps) - 1)
        self.shares = [*shares, 1 - sum(shares)]
        self._step(0)

    def _step(self, index: int) -> None:
        if not self._enter(self.path.steps[index]):
            return
        share = self.shares[index] * self.seconds
        last = index == len(self.path.steps) - 1
        if not last:
            self.lifecycle._timer.after(share, lambda: self._step(index + 1))
        elif self.work is None or self.failure:
            self.lifecycle._timer.after(share, lambda: self._end(None, self.failure))
        else:
            self.lifecycle.submit(self._work, self.work, time.monotonic() + share)

    def _work(self, work: Work, not_before: float) -> None:
        result, failure = None, None
        try:
            result = work()
        except JobError as error:
            failure = str(error)
        except Exception:
            self.lifecycle._log.exception("asynchronous work went wrong")
            failure = _INTERNAL_ERROR
        self.lifecycle._timer.after(not_before - time.monotonic(), lambda: self._end(result, failure))

    def _end(self, result: Any, failure: str | None) -> None:
        with self.lifecycle._lock:
            if self.progress.run != self.run:
                return
            if failure is None:
                failure = self._finish(result)
            self.progress.failure_reason = failure
            self._enter(self.path.failed if failure else self.path.done)

    def _finish(self, result: Any) -> str | None:
        try:
            self.done(result)
        except Exception:
            self.lifecycle._log.exception("the end of asynchronous work went wrong")
            return _INTERNAL_ERROR
        return None

    def _enter(self, status: str) -> bool:
        with self.lifecycle._lock:
            if self.progress.run != self.run:
                return False
            self.progress.status = status
            self.progress.updated = time.time()
            return True
