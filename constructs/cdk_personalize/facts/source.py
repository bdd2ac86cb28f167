"""Where a fact comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

GUIDE: Final = "https://docs.aws.amazon.com/personalize/latest/dg/"

LATE_2025: Final = "2025-11-30"
"""Last entry of the document history of the guide that was read."""

MAY_2023: Final = "2023-05-31"
"""The archived guide of commit 4c88990, where the one of 2025 says nothing else."""

API_MODEL: Final = "2026-11-24"
"""When the API model of botocore was read; a test compares with the model that is installed."""


@dataclass(frozen=True)
class Source:
    """A page of AWS, and how old what it says is.

    :param page: Name of a page of the developer guide, such as ``"limits.html"``.
    :param date: Date of what was read, such as ``"2025-11-30"``.
    """

    page: str
    date: str

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"{GUIDE}{self.page}"
