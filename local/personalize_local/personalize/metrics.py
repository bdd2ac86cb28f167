"""What the service needs of Amazon CloudWatch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Metrics(Protocol):
    """Takes metrics for one account in one Region. Called from several threads."""

    def put(
        self,
        namespace: str,
        name: str,
        value: float,
        *,
        dimensions: Mapping[str, str],
        timestamp: float,
        account: str,
        region: str,
    ) -> None:
        """Take one value.

        :param timestamp: Unix time in seconds.
        """
        ...
