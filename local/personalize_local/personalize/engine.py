"""The parts that every operation works with."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .calls import CallLog
from .faults import Faults
from .lifecycle import Lifecycle
from .metrics import Metrics
from .objects import Authorize, ObjectStore
from .quotas import Quotas
from .rates import Rates
from .settings import Settings
from .state import Scope, State
from .store import Store
from .worker import Trainer

Parameters = Mapping[str, Any]
Attributes = dict[str, Any]


@dataclass(frozen=True)
class Engine:
    """The parts of one service.

    :param metrics: where metrics go. Default: - nowhere.
    :param store: where everything is kept. Default: - nothing is kept
    """

    settings: Settings
    quotas: Quotas
    rates: Rates
    state: State
    lifecycle: Lifecycle
    faults: Faults
    calls: CallLog
    trainer: Trainer
    objects: ObjectStore
    authorize: Authorize | None
    log: logging.Logger
    metrics: Metrics | None = None
    store: Store | None = None

    def save(self) -> None:
        """Write down whatever has changed. The lock must be held."""
        if self.store:
            self.store.save(self.state, self.lifecycle.skipped)


@dataclass(frozen=True)
class Context:
    """One call: what it works with, and for whom.

    :param failure: the failureReason for what the call makes, if a fault was injected.
    """

    engine: Engine
    scope: Scope
    operation: str
    failure: str | None = None
