"""What can be set about the service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .faults import Fault
from .uncertain import Uncertain


@dataclass(frozen=True)
class Settings:
    """Settings of one service.

    :param time_scale: seconds that pass here for one second that passes on AWS: 1 gives an import its ten
        minutes, 0 ends everything as soon as the work is done. Default: - 0.0002, an hour in 0.7 seconds.
    :param quotas: numbers by the names of ``resources.QUOTAS``, ``NUMBERS`` and ``RATES``. Default: - those of
        https://docs.aws.amazon.com/personalize/latest/dg/limits.html
    :param limit_rates: whether there is a limit to the requests in a second on this machine; a rate that ``quotas``
        names is limited anyway. Default: - as many as it can answer.
    :param seed: what training and ids derive from, so that two runs with the same calls give the same models.
        Default: - 0.
    :param fail: faults that are there from the start. Default: - none.
    :param uncertain: choices where AWS does not say what the service does. Default: - see ``uncertain.py``.
    :param remembered_calls: how many calls the log keeps, newest. Default: - 100,000.
    :param data: the directory that everything is kept in, so that it survives a restart. Default: - nothing is kept.
    """

    time_scale: float = 0.0002
    quotas: Mapping[str, int] = field(default_factory=dict)
    limit_rates: bool = False
    seed: int = 0
    fail: tuple[Fault, ...] = ()
    uncertain: Uncertain = field(default_factory=Uncertain)
    remembered_calls: int = 100_000
    data: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.time_scale < 0:
            raise ValueError(f"time_scale must be 0 or more, got {self.time_scale}")
