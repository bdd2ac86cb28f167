"""How long the workflow waits for each slow thing."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from aws_cdk import Duration

from . import polling

#: So many data deletion jobs may wait in a dataset group, and so many batch jobs of a kind run in an account and Region
CONCURRENT_JOBS = 5
#: So many iterations of a Map go on at once where it says nothing else:
#: https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html
CONCURRENT_ITERATIONS = 40
#: Seconds for all that is not waited for: planning, checks of files, calls that are tried again
_SHORT_WORK = 24 * 3600


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

    def longest_run(self, *, solutions: int = 1, recommenders: int = 1, jobs: int = 1, deletions: int = 1) -> float:
        """Return how many seconds a run may take when every wait takes all its time.

        It is there to end a run that something is wrong with, and no other; so it is rather too long. What goes on at
        once counts once, and what has to wait for it counts again. Most things wait for room first, and then for
        themselves; what is found under way is waited for, too. What is removed is taken to be no more than goes on at
        once, and no job to find the room in the service taken by others time and again.

        :param solutions: How many are declared.
        :param recommenders: How many are declared.
        :param jobs: How many batch and export jobs are declared.
        :param deletions: How many data deletion jobs are declared.
        """
        # that a deadline has passed is seen at the look after it
        late = polling.LONGEST_WAIT_SECONDS
        seconds = {field.name: getattr(self, field.name).to_seconds() + late for field in fields(self)}
        imports, creation, training, serving = (seconds[n] for n in ("imports", "creation", "training", "serving"))
        one_after_another = (
            # one that is found, all of a dataset, and the one that is begun just before the deadline; and for room
            4 * imports,
            _waves(deletions, CONCURRENT_JOBS) * 3 * seconds["data_deletion"],
            # verdicts, what is made or changed, the verdict of the gate; each may have to be tried again
            _waves(solutions, CONCURRENT_ITERATIONS) * (5 * creation + 2 * training + 2 * serving),
            # at most two actions, one after the other
            _waves(recommenders, CONCURRENT_ITERATIONS) * 2 * (serving + training),
            # of trainings, campaigns, recommenders and solutions
            4 * 2 * seconds["deletion"],
            _waves(jobs, CONCURRENT_JOBS) * 3 * seconds["jobs"],
            _SHORT_WORK,
        )
        return float(sum(one_after_another))


def _waves(count: int, at_once: int) -> int:
    """How often so many have to wait for each other."""
    return max(1, math.ceil(count / at_once))


def _longest_hours() -> int:
    hours = 1
    while polling.poll_events((hours + 1) * 3600) <= polling.MAXIMUM_POLL_EVENTS:
        hours += 1
    return hours
