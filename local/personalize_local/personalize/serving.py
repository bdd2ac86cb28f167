"""What answers requests at runtime: trained versions, and filters that can be applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from .recommenders import Model, Table
from .uncertain import AUTO_UPDATE_SECONDS


class AutoUpdate:
    """Takes up new items every so often in AWS time, when somebody asks for recommendations.

    See https://docs.aws.amazon.com/personalize/latest/dg/use-case-recipe-features.html
    """

    def __init__(self) -> None:
        self._taken: Table | None = None
        self._due = float("-inf")
        self._every = AUTO_UPDATE_SECONDS
        self._stopped = False

    def begin(self, now: float, *, every: float = AUTO_UPDATE_SECONDS) -> None:
        """Count the time from now on.

        :param now: AWS time in seconds, from any beginning.
        :param every: how much of it passes between two updates. Default: - two hours.
        """
        self._every = every
        self._due = now + every

    def stop(self) -> None:
        """Stay with what was taken up: there is a newer version, or this one was trained with the mode UPDATE."""
        self._stopped = True

    def to_json(self) -> dict[str, Any]:
        """Give what :meth:`from_json` needs; what was taken up is taken up again at once."""
        taken = self._taken is not None and not self._stopped
        return {"due": float("-inf") if taken else self._due, "every": self._every, "stopped": self._stopped}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Build it again from what :meth:`to_json` gave."""
        made = cls()
        made._due, made._every, made._stopped = document["due"], document["every"], document["stopped"]
        return made

    def items(self, present: Table | None, now: float) -> Table | None:
        """Give the items as of the last update; ``None`` if there was none since training.

        :param present: the Items dataset as it is.
        """
        if now >= self._due and not self._stopped:
            self._taken = present
            self.begin(now, every=self._every)
        return self._taken


@dataclass(frozen=True)
class TrainedVersion:
    """A solution version that can serve.

    :param metrics: its offline metrics.
    :param event_type: the type of events that it was trained on. Default: - all.
    :param recipe: the name of its recipe, where training has chosen it. Default: - as was asked for.
    :param tuned: the hyperparameters that a search has found. Default: - there was no search.
    :param trainings: how many trainings it took to find it. Default: - one.
    :param auto_update: what it takes up after training.
    """

    model: Model
    metrics: Mapping[str, float]
    event_type: str | None = None
    recipe: str | None = None
    tuned: Mapping[str, str] = field(default_factory=dict)
    trainings: int = 1
    auto_update: AutoUpdate = field(default_factory=AutoUpdate, compare=False)

    def facts(self) -> dict[str, Any]:
        """Give everything but the model, as plain values for JSON."""
        plain = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in ("model", "auto_update")}
        return {**plain, "auto_update": self.auto_update.to_json()}

    @classmethod
    def of(cls, model: Model, facts: Mapping[str, Any]) -> Self:
        """Build it again from its model and what :meth:`facts` gave."""
        return cls(**{**facts, "model": model, "auto_update": AutoUpdate.from_json(facts["auto_update"])})
