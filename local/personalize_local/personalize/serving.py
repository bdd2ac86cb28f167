"""What answers requests at runtime: trained versions, and filters that can be applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .recommenders import Model


@dataclass(frozen=True)
class TrainedVersion:
    """A solution version that can serve.

    :param metrics: its offline metrics.
    :param event_type: the type of events that it was trained on. Default: - all.
    """

    model: Model
    metrics: Mapping[str, float]
    event_type: str | None = None
