"""How long the workflow waits for each slow thing."""

from __future__ import annotations

from dataclasses import dataclass, fields

from aws_cdk import Duration

from . import polling


@dataclass(frozen=True, kw_only=True)
class Deadlines:
    """The longest that a run waits for each kind of work before it reports it as late.

    What is late goes on in the service; the next run picks it up where it is.

    :param imports: For a dataset import job; and for all of a dataset in one run, after which no other is begun.
        Default: - 6 hours
    :param creation: For a solution to become active, which does not train. Default: - 1 hour
    :param training: For a solution version. Default: - 24 hours
    :param serving: For a campaign to be created or updated. Default: - 3 hours
    :param data_deletion: For a data deletion job, which takes up to a day. Default: - 24 hours
    :param jobs: For a batch inference, batch segment or dataset export job. Default: - 12 hours
    :param deletion: For a campaign, a solution, or a training that is stopped, to be gone. Default: - 50 minutes
    :raises ValueError: for a deadline under a minute, or one so long that polling could use up the history of an
        execution.

    See https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
    """

    imports: Duration = Duration.hours(6)  # noqa: RUF009 - a Duration is immutable
    creation: Duration = Duration.hours(1)  # noqa: RUF009
    training: Duration = Duration.hours(24)  # noqa: RUF009
    serving: Duration = Duration.hours(3)  # noqa: RUF009
    data_deletion: Duration = Duration.hours(24)  # noqa: RUF009
    jobs: Duration = Duration.hours(12)  # noqa: RUF009
    deletion: Duration = Duration.minutes(50)  # noqa: RUF009

    def __post_init__(self) -> None:
        for field in fields(self):
            seconds = getattr(self, field.name).to_seconds()
            events = polling.poll_events(seconds)
            if seconds < 60:
                raise ValueError(f"Deadlines.{field.name} is {seconds:g} s; a deadline is at least 1 minute")
            if events > polling.MAXIMUM_POLL_EVENTS:
                raise ValueError(
                    f"Deadlines.{field.name} is {seconds / 3600:g} h, which could take {events} history events of an "
                    f"execution; at most {polling.MAXIMUM_POLL_EVENTS} are allowed, which is "
                    f"{_longest_hours()} h"
                )

    @property
    def total_seconds(self) -> float:
        """How long a run may take when every wait takes all its time."""
        trainings = [self.training] * 2  # of solutions, then of recommenders
        deletions = [self.deletion] * 4  # of trainings, campaigns, recommenders and solutions
        imports = [self.imports] * 2  # no other is begun after the deadline
        one_after_another = (
            *imports,
            self.creation,
            *trainings,
            self.serving,
            self.data_deletion,
            self.jobs,
            *deletions,
        )
        return float(sum(deadline.to_seconds() for deadline in one_after_another))


def _longest_hours() -> int:
    hours = 1
    while polling.poll_events((hours + 1) * 3600) <= polling.MAXIMUM_POLL_EVENTS:
        hours += 1
    return hours
