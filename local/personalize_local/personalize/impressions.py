"""What was shown to whom: recommendations that events refer to later.

See https://docs.aws.amazon.com/personalize/latest/dg/recording-events-impressions-data.html
"""

from __future__ import annotations

import io
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

#: how many recommendations are remembered, newest
REMEMBERED = 100_000


class Shown(NamedTuple):
    """One answer of the runtime.

    :param source: the name of the campaign or recommender that gave it.
    """

    item_ids: tuple[str, ...]
    source: str


class Impressions:
    """The newest answers of the runtime. Every method may be called from any thread, without any lock.

    :ivar journal: called with what :meth:`remember` takes down, so that it can be taken down again after a restart.
    """

    def __init__(self) -> None:
        self.journal: Callable[[str, Shown], None] = lambda recommendation_id, shown: None
        self._shown: OrderedDict[str, Shown] = OrderedDict()
        self._lock = threading.Lock()

    def remember(self, recommendation_id: str, item_ids: Sequence[str], source: str) -> None:
        """Take down an answer."""
        shown = Shown(tuple(item_ids), source)
        self.remember_again(recommendation_id, shown)
        self.journal(recommendation_id, shown)

    def remember_again(self, recommendation_id: str, shown: Shown) -> None:
        """Take down what the journal has already."""
        with self._lock:
            self._shown[recommendation_id] = shown
            if len(self._shown) > REMEMBERED:
                self._shown.popitem(last=False)

    def find(self, recommendation_id: str | None) -> Shown | None:
        """Look an answer up; ``None`` if there is none, or it was long ago."""
        return self._shown.get(recommendation_id) if recommendation_id is not None else None


class ImpressionsFile:
    """Keeps answers in a directory, line by line: clients may refer to them whenever they have got them.

    There are two files, each for as many answers as are remembered, so that the newest are always there while older
    ones go. Every method may be called from any thread.

    :param directory: has to exist.
    """

    def __init__(self, directory: Path) -> None:
        self._newer = directory / "impressions.jsonl"
        self._older = directory / "impressions.older.jsonl"
        self._lock = threading.Lock()
        self._lines = 0
        self._file = self._opened()

    def read(self) -> Iterator[tuple[str, str, str, Shown]]:
        """Give account, Region, recommendationId and answer, oldest first; to be called before :meth:`append`."""
        for path in (self._older, self._newer):
            self._lines = 0
            for line in path.read_bytes().splitlines() if path.exists() else ():
                self._lines += 1
                try:
                    account, region, recommendation_id, source, item_ids = json.loads(line)
                except ValueError:
                    continue  # the machine went down in the middle of it
                yield account, region, recommendation_id, Shown(tuple(item_ids), source)

    def append(self, account: str, region: str, recommendation_id: str, shown: Shown) -> None:
        """Add an answer."""
        line = json.dumps([account, region, recommendation_id, shown.source, shown.item_ids]).encode()
        with self._lock:
            if self._file.closed:
                return
            if self._lines >= REMEMBERED:
                self._file.close()
                self._newer.replace(self._older)
                self._file, self._lines = self._opened(), 0
            self._file.write(line + b"\n")
            self._lines += 1

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._file.truncate(0)
            self._older.unlink(missing_ok=True)
            self._lines = 0

    def close(self) -> None:
        """Let go of the files; what is added from now on is lost."""
        with self._lock:
            self._file.close()

    def _opened(self) -> io.FileIO:
        # unbuffered: what was written is there after kill -9
        file = self._newer.open("ab", buffering=0)
        if file.tell() and not self._newer.read_bytes().endswith(b"\n"):
            file.write(b"\n")
        return file
