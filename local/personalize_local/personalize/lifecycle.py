"""Statuses that change by themselves: one timer thread, threads for the work, and the order of the statuses."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from .errors import JobError
from .resources import CREATE as CREATE
from .resources import DELETE as DELETE
from .resources import UPDATE as UPDATE
from .resources import Path as Path
from .state import Progress, Way

#: the share of the time that is spent in the PENDING status
_PENDING_SHARE = 0.2
_WORKERS = 32
_INTERNAL_ERROR = "An internal error occurred. See the log of personalize-local."

Work = Callable[[], Any]

#: the call that is being answered: service, operation, parameters
CALL: ContextVar[tuple[str, str, Mapping[str, Any]] | None] = ContextVar("CALL", default=None)


class Timer:
    """Calls functions later, one after the other, on a thread that starts with the first of them."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self.skipped = 0.0

    @property
    def now(self) -> float:
        """Unix time in seconds, and what was skipped. It goes on while nothing runs."""
        return time.time() + self.skipped

    def at(self, moment: float, action: Callable[[], None]) -> None:
        """Call a function at a time, at once if that has passed; never, once closed."""
        with self._wake:
            if self._closed:
                return
            heapq.heappush(self._queue, (moment, next(self._numbers), action))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="personalize-timer", daemon=True)
                self._thread.start()
            self._wake.notify()

    def skip(self, seconds: float) -> None:
        """Let it be later."""
        with self._wake:
            self.skipped += seconds
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
                elif (remaining := self._queue[0][0] - self.now) > 0:
                    self._wake.wait(remaining)
                else:
                    return heapq.heappop(self._queue)[2]
        return None


@dataclass(frozen=True)
class _Journey:
    """One resource on one path.

    :param number: the progress's ``run`` when it began; when that has changed, it is over.
    :param begun: when, by the timer.
    """

    progress: Progress
    path: Path
    number: int
    begun: float
    seconds: float
    work: Work | None
    failure: str | None
    done: Callable[[Any], None]

    def end_of(self, step: int) -> float:
        """When a step is over, by the timer."""
        last = step == len(self.path.steps) - 1
        return self.begun + self.seconds * (1 if last else _PENDING_SHARE * (step + 1))


class Lifecycle:
    """Takes resources through their statuses.

    :param lock: held whenever a status changes, so that a status and what comes with it appear together.
    :param time_scale: seconds that pass here for one that passes on AWS.
    """

    def __init__(self, lock: threading.RLock, time_scale: float, log: logging.Logger) -> None:
        self._lock = lock
        self._time_scale = time_scale
        self._log = log
        self._worked: Callable[[Any], None] = lambda result: None
        self._changed: Callable[[], None] = lambda: None
        self._begun: float | None = None
        self._timer = Timer(log)
        self._closed = False
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="personalize-work")

    def on_work(self, worked: Callable[[Any], None]) -> None:
        """Have a function called with the result of work, without the lock, before anybody sees it."""
        self._worked = worked

    def on_change(self, changed: Callable[[], None]) -> None:
        """Have a function called, with the lock held, when a status has changed by itself."""
        self._changed = changed

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
        begun = self._timer.now if self._begun is None else self._begun
        progress.way = Way(progress.status, begun, failure, CALL.get())
        scaled = seconds * self._time_scale
        self._step(_Journey(progress, path, progress.run, begun, scaled, work, failure, done), 0)

    def stop(self, progress: Progress, status: str) -> None:
        """Leave the path, and stay in a status. The lock must be held."""
        progress.run += 1
        progress.status = status
        progress.failure_reason = None
        progress.updated = self.today
        progress.way = None

    def advance(self, seconds: float) -> None:
        """Let time pass at once, as far as statuses are concerned.

        :param seconds: on AWS.
        """
        self._timer.skip(seconds * self._time_scale)

    @property
    def skipped(self) -> float:
        """The seconds that were skipped here; to be set before anything is under way."""
        return self._timer.skipped

    @skipped.setter
    def skipped(self, seconds: float) -> None:
        self._timer.skipped = seconds

    @contextmanager
    def since(self, begun: float) -> Iterator[None]:
        """Let what is started in this context have begun earlier, and be as old as it was. The lock must be held."""
        self._begun = begun
        try:
            yield
        finally:
            self._begun = None

    @property
    def today(self) -> float:
        """Unix time as it is shown: the time of day, and all that was let pass by ``advance``."""
        return time.time() + (self._timer.skipped / self._time_scale if self._time_scale else 0.0)

    @property
    def now(self) -> float:
        """AWS time in seconds, from an arbitrary beginning; endless where no time passes at all."""
        return self._timer.now / self._time_scale if self._time_scale else float("inf")

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Call a function, with the lock held, after a while; never where no time passes at all.

        :param seconds: on AWS.
        """

        def run() -> None:
            with self._lock:
                if not self._closed:
                    action()
                    self._changed()

        if self._time_scale:
            self._timer.at(self._timer.now + seconds * self._time_scale, run)

    def close(self) -> None:
        """End all threads; nothing changes its status any more."""
        with self._lock:
            self._closed = True
        self._timer.close()
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _step(self, journey: _Journey, step: int) -> None:
        with self._lock:
            if self._closed or not self._enter(journey, journey.path.steps[step]):
                return
            if step:
                self._changed()
            if step < len(journey.path.steps) - 1:
                self._timer.at(journey.end_of(step), lambda: self._step(journey, step + 1))
            elif journey.work is None or journey.failure:
                self._timer.at(journey.end_of(step), lambda: self._end(journey, None, journey.failure))
            else:
                self._workers.submit(self._work, journey, journey.work)

    def _work(self, journey: _Journey, work: Work) -> None:
        result, failure = None, None
        try:
            result = work()
            self._worked(result)
        except JobError as error:
            failure = str(error)
        except Exception:
            self._log.exception("asynchronous work went wrong")
            failure = _INTERNAL_ERROR
        last = len(journey.path.steps) - 1
        self._timer.at(journey.end_of(last), lambda: self._end(journey, result, failure))

    def _end(self, journey: _Journey, result: Any, failure: str | None) -> None:
        with self._lock:
            if self._closed or journey.progress.run != journey.number:
                return
            if failure is None:
                failure = self._finish(journey, result)
            journey.progress.failure_reason = failure
            if self._enter(journey, journey.path.failed if failure else journey.path.done):
                journey.progress.way = None
            self._changed()

    def _finish(self, journey: _Journey, result: Any) -> str | None:
        try:
            journey.done(result)
        except Exception:
            self._log.exception("the end of asynchronous work went wrong")
            return _INTERNAL_ERROR
        return None

    def _enter(self, journey: _Journey, status: str) -> bool:
        if journey.progress.run != journey.number:
            return False
        journey.progress.status = status
        if self._begun is None:
            journey.progress.updated = self.today
        return True
