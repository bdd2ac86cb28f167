"""How long the workflow waits between two looks at a resource, and what that costs in history events."""

from __future__ import annotations

FIRST_WAIT_SECONDS = 5
LONGEST_WAIT_SECONDS = 300
GROWTH = 1.5
# Describe (entered, scheduled, started, succeeded, exited), Choice (entered, exited), Wait (entered, exited)
EVENTS_PER_POLL = 9
# The service ends an execution at 25,000 events; what is left over is for everything that is not a poll
MAXIMUM_POLL_EVENTS = 10_000


def wait_seconds(polls: str) -> str:
    """The JSONata expression for the seconds to wait after ``polls`` (an expression) looks."""
    return f"$min([{LONGEST_WAIT_SECONDS}, $floor({FIRST_WAIT_SECONDS} * $power({GROWTH}, {polls}))])"


def polls_until(deadline_seconds: float) -> int:
    """How often a resource is looked at before ``deadline_seconds`` have been waited."""
    polls, waited = 1, 0.0
    while waited < deadline_seconds:
        waited += min(LONGEST_WAIT_SECONDS, int(FIRST_WAIT_SECONDS * GROWTH ** min(polls - 1, 50)))
        polls += 1
    return polls


def poll_events(deadline_seconds: float) -> int:
    """How many history events polling until ``deadline_seconds`` makes at most."""
    return polls_until(deadline_seconds) * EVENTS_PER_POLL
