"""Who trains a solution again, once it has been trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aws_cdk import Duration

from cdk_personalize.facts.limits import TRAINING_DAYS as DAYS


@dataclass(frozen=True, kw_only=True)
class Training:
    """Who trains a solution again. It has one owner, and the service is always told whether it is the one.

    Whoever it is: the workflow makes the first version, as soon as there is data.

    :param every: How often the service trains. Default: - never
    :raises ValueError: When it is not a whole number of days from 1 to 30.
    """

    every: Duration | None = None

    def __post_init__(self) -> None:
        if self.every is None or self.every.is_unresolved():
            return
        days = self.every.to_days(integral=False)
        if days != int(days) or days not in DAYS:
            raise ValueError(
                f"every must be a whole number of days from {DAYS.minimum} to {DAYS.maximum}, got {days:g} days"
            )

    @staticmethod
    def automatic(*, every: Duration) -> Training:
        """Let the service train, within an hour and then again and again if there are new interactions.

        Each training is billed. Campaigns serve what was trained once the workflow has run again, or at once with
        ``follow_latest``.

        :param every: How often, a whole number of days from 1 to 30.
        :raises ValueError: When it is something else.
        """
        return Training(every=every)

    @staticmethod
    def manual() -> Training:
        """Leave it to whoever creates a solution version; ``Solution.grants`` allows to."""
        return Training()

    @property
    def is_automatic(self) -> bool:
        """Whether the service trains."""
        return self.every is not None

    def render(self) -> dict[str, Any]:
        """Return the members of the API that can be changed later."""
        if self.every is None:
            return {"performAutoTraining": False}
        days = int(self.every.to_days())
        schedule = f"rate({days} day{'s' if days > 1 else ''})"
        return {
            "performAutoTraining": True,
            "solutionConfig": {"autoTrainingConfig": {"schedulingExpression": schedule}},
        }
