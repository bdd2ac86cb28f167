"""Rates: how many requests a second there may be. The numbers are in ``resources``.

See https://docs.aws.amazon.com/personalize/latest/dg/limits.html
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from .api import models_error
from .errors import ServiceError, limit_exceeded
from .resources import RATES, Rate
from .state import Scope
from .uncertain import RATE_ERROR, RATE_TEXT

# the API reference's words for LimitExceededException
_LIMIT_TEXT = "The limit on the number of requests per second has been exceeded."
_LIMIT = "LimitExceededException"


class Rates:
    """The rates of one service, in seconds on this machine, whatever its time scale.

    After a second without requests, as many as a second allows are taken at once.

    :param overrides: numbers by name; those rates are limited.
    :param every: whether the others that AWS publishes are limited too.
    :param clock: gives the time in seconds.
    """

    def __init__(
        self, overrides: Mapping[str, int], *, every: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        published = {rate.name: rate.default for rate in RATES if every and rate.default is not None}
        numbers = {**published, **overrides}
        self._limited = [(rate, numbers[rate.name]) for rate in RATES if rate.name in numbers]
        self._clock = clock
        self._lock = threading.Lock()
        self._left: dict[tuple[str, ...], tuple[float, float]] = {}

    def __bool__(self) -> bool:
        """Whether anything is limited."""
        return bool(self._limited)

    def take(self, service: str, operation: str, parameters: Mapping[str, Any], scope: Scope) -> None:
        """Count one request. ``State.lock`` must be held.

        :raises ServiceError: if it is one too many: LimitExceededException, where the API's model has it.
        """
        for rate, number in self._limited:
            if operation not in rate.operations and (rate.operations or service != "personalize"):
                continue
            holder = _holder(rate, operation, parameters, scope)
            if holder is not None and not self._has_room((rate.name, scope.account, scope.region, holder), number):
                if models_error(service, operation, _LIMIT):
                    raise limit_exceeded(_LIMIT_TEXT)
                raise ServiceError(RATE_ERROR, RATE_TEXT)

    def _has_room(self, key: tuple[str, ...], number: int) -> bool:
        now = self._clock()
        with self._lock:
            left, before = self._left.get(key, (float(number), now))
            left = min(float(number), left + (now - before) * number)
            room = left >= 1
            self._left[key] = (left - 1 if room else left), now
        return room


def _holder(rate: Rate, operation: str, parameters: Mapping[str, Any], scope: Scope) -> str | None:
    """What the requests are counted of; ``None`` if there is no such thing, and the request is wrong."""
    if rate.per is None:
        return "" if rate.operations else operation
    if rate.per == "target":
        named = scope.find("Campaign", parameters.get("campaignArn", ""))
        named = named or scope.find("Recommender", parameters.get("recommenderArn", ""))
        return named.arn if named else None
    if "datasetArn" in parameters:
        named = scope.find("Dataset", parameters["datasetArn"])
    else:
        kind = "EventTracker" if operation == "PutEvents" else "Dataset"
        named = next(iter(scope.children(kind, "trackingId", parameters["trackingId"])), None)
    return named.attributes["datasetGroupArn"] if named else None
