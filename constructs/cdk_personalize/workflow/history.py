"""How long the history of a run may become: Step Functions ends an execution at 25,000 events.

https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

LIMIT: Final = 25_000
#: Entered and exited; a Task besides scheduled, started, submitted and succeeded; a Map started and succeeded
EVENTS: Final = {"Pass": 2, "Choice": 2, "Wait": 2, "Task": 6, "Map": 4, "Succeed": 2, "Fail": 2}
EVENTS_PER_ITERATION: Final = 2
EVENTS_PER_RETRY: Final = 3
# started, succeeded; and a few more turns at the lock and rounds of imports, the loops that wait for nobody
_RESERVE: Final = 1_200


def most_events(definition: Mapping[str, Any], items: Mapping[str, int], looks: int) -> int:
    """The events of an execution that comes by all states, tries every call as often as it may, and waits to the last.

    :param definition: The definition.
    :param items: How many items each Map has, by its name.
    :param looks: How often a wait looks at what it waits for.
    """
    return _RESERVE + _events(definition["States"], items, looks)


def _events(states: Mapping[str, Any], items: Mapping[str, int], looks: int) -> int:
    again = set()  # Describe, Choice and Wait
    for name, state in states.items():
        if state["Type"] == "Wait":
            again |= {name, state["Next"], states[state["Next"]]["Next"]}
    count = 0
    for name, state in states.items():
        count += EVENTS[state["Type"]] * (looks if name in again else 1)
        count += EVENTS_PER_RETRY * sum(rule["MaxAttempts"] for rule in state.get("Retry", ()))
        if state["Type"] == "Map":
            inner = _events(state["ItemProcessor"]["States"], items, looks)
            count += items[name] * (EVENTS_PER_ITERATION + inner)
    return count
