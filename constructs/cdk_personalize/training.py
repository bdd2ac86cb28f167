"""Who trains a solution again, once it has been trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from aws_cdk import Duration

from cdk_personalize.facts.limits import TRAINING_DAYS as DAYS

SHORTEST: Final = Duration.hours(1)
"""How young the newest version may be at least when the workflow trains again: every training is billed."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """Who trains a solution again. It has one owner, and the service is always told whether it is the one.

    Take :meth:`automatic`, :meth:`scheduled` or :meth:`manual`. Whoever it is: the workflow makes the first version, as
    soon as there is data.

    :param service_every: How often the service trains. Default: - never
    :param every: Age of the newest version from which on the workflow trains again. Default: - never
    :param full_every: Age of the newest fully trained version from which on that training is a full one; others update
        it. Default: - all trainings are full ones
    :raises ValueError: When a value is not allowed, or two would train.
    """

    service_every: Duration | None = None
    every: Duration | None = None
    full_every: Duration | None = None

    def __post_init__(self) -> None:
        _check_service(self.service_every)
        _check_schedule(self.every, self.full_every)
        if self.service_every is not None and self.every is not None:
            raise ValueError(
                f"a solution is trained by the service, got service_every {_text(self.service_every)}, or by the "
                f"workflow, got every {_text(self.every)}; use Training.automatic or Training.scheduled"
            )

    @staticmethod
    def automatic(*, every: Duration) -> Training:
        """Let the service train, within an hour and then again and again if there are new interactions.

        Each training is billed. Campaigns serve what was trained once the workflow has run again, or at once with
        ``follow_latest``.

        :param every: How often, a whole number of days from 1 to 30.
        :raises ValueError: When it is something else.
        """
        return Training(service_every=every)

    @staticmethod
    def scheduled(*, every: Duration, full_every: Duration | None = None) -> Training:
        """Let the workflow train when the newest version is older than ``every``, whether there are new data or not.

        Each training is billed. Whatever starts a run, the age of the newest version decides, so a run in between
        trains nothing. Campaigns serve what was trained at the end of the same run. It may be a twelfth early, so that
        runs at the same time of each day train each day.

        With ``full_every``, trainings in between take up only what is new (``trainingMode`` UPDATE), which is faster::

            Training.scheduled(every=Duration.days(1), full_every=Duration.days(7))

        See https://docs.aws.amazon.com/personalize/latest/dg/API_CreateSolutionVersion.html

        :param every: Age of the newest version, at least 1 hour.
        :param full_every: Age of the newest fully trained version from which on the training is a full one; longer than
            ``every``. For the recipes that take it, ``Recipe.update_training``. Default: - all trainings are full ones
        :raises ValueError: When a value is not allowed.
        """
        return Training(every=every, full_every=full_every)

    @staticmethod
    def manual() -> Training:
        """Leave it to whoever creates a solution version; ``Solution.grants`` allows to."""
        return Training()

    @property
    def is_automatic(self) -> bool:
        """Whether the service trains."""
        return self.service_every is not None

    def render(self) -> dict[str, Any]:
        """Return the members of the API that can be changed later."""
        if self.service_every is None:
            return {"performAutoTraining": False}
        days = int(self.service_every.to_days())
        schedule = f"rate({days} day{'s' if days > 1 else ''})"
        return {
            "performAutoTraining": True,
            "solutionConfig": {"autoTrainingConfig": {"schedulingExpression": schedule}},
        }

    def render_schedule(self) -> dict[str, float] | None:
        """Return what the workflow goes by, in seconds; None where it does not train again."""
        if self.every is None:
            return None
        full = {"fullEvery": self.full_every.to_seconds()} if self.full_every is not None else {}
        return {"every": self.every.to_seconds(), **full}


def _check_service(every: Duration | None) -> None:
    if every is None or every.is_unresolved():
        return
    days = every.to_days(integral=False)
    if days != int(days) or days not in DAYS:
        raise ValueError(
            f"every must be a whole number of days from {DAYS.minimum} to {DAYS.maximum}, got {days:g} days"
        )


def _check_schedule(every: Duration | None, full_every: Duration | None) -> None:
    if every is None:
        if full_every is not None:
            raise ValueError(f"full_every needs every, got {_text(full_every)} alone")
        return
    if every.is_unresolved():
        return
    if every.to_seconds() < SHORTEST.to_seconds():
        raise ValueError(f"every must be at least {_text(SHORTEST)}, got {_text(every)}; each training is billed")
    if full_every is None or full_every.is_unresolved():
        return
    if full_every.to_seconds() <= every.to_seconds():
        raise ValueError(f"full_every must be longer than every, got {_text(full_every)} and {_text(every)}")


def _text(duration: Duration) -> str:
    return str(duration.to_human_string())
