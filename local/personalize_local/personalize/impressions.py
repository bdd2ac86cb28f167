"""What was shown to whom: recommendations that events refer to later.

See https://docs.aws.amazon.com/personalize/latest/dg/recording-events-impressions-data.html
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
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
    """The newest answers of the runtime. Every method may be called from any thread, without any lock."""

    def __init__(self) -> None:
        self._shown: OrderedDict[str, Shown] = OrderedDict()
        self._lock = threading.Lock()

    def remember(self, recommendation_id: str, item_ids: Sequence[str], source: str) -> None:
        """Take down an answer."""
        with self._lock:
            self._shown[recommendation_id] = Shown(tuple(item_ids), source)
            if len(self._shown) > REMEMBERED:
                self._shown.popitem(last=False)

    def find(self, recommendation_id: str | None) -> Shown | None:
        """Look an answer up; ``None`` if there is none, or it was long ago."""
        return self._shown.get(recommendation_id) if recommendation_id is not None else None
