"""When what is to be done again after a while is due."""

from __future__ import annotations

EARLY = 1 / 12
"""The part of an age by which a training or a job may be early: what the last run made was made some time after that
run was started, and a run that is started at the same time of each day has to make it each day."""


def is_due(made: float, every: float, now: float) -> bool:
    """Whether something is so old that it is to be made again.

    :param made: When it was made, in seconds.
    :param every: How old it may become, in seconds.
    :param now: The time, in seconds.
    """
    return now - made >= every * (1 - EARLY)
