"""How long the history of a run may become: Step Functions ends an execution at 25,000 events.

https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import jsii
from constructs import IValidation

from ..dataset_group import DatasetGroup
from .deadlines import Deadlines
from .import_definition import MOST_ROUNDS
from .job_definition import DELETION
from .polling import polls_until

LIMIT: Final = 25_000
#: Entered and exited; a Task besides scheduled, started, submitted and succeeded; a Map started and succeeded
EVENTS: Final = {"Pass": 2, "Choice": 2, "Wait": 2, "Task": 6, "Map": 4, "Succeed": 2, "Fail": 2}
EVENTS_PER_ITERATION: Final = 2
EVENTS_PER_RETRY: Final = 3
# started, succeeded; and a few more turns at the lock and rounds of imports, the loops that wait for nobody
_RESERVE: Final = 1_200
#: The service's quotas, as long as nobody has them raised
CAMPAIGNS_PER_GROUP, RECOMMENDERS_PER_GROUP, SOLUTIONS_PER_GROUP = 5, 5, 10


@jsii.implements(IValidation)
class Room:
    """The history of a run has room for all that a run may have to do.

    :param group: The dataset group.
    :param deadlines: How long a run waits.
    :param definition: The state machine of runs.
    """

    def __init__(self, group: DatasetGroup, deadlines: Deadlines, definition: Mapping[str, Any]) -> None:
        self._group, self._deadlines, self._definition = group, deadlines, definition

    def validate(self) -> list[str]:
        """Say what is too much, and what to do."""
        items = most_items(self._group)
        looks = polls_until(self._deadlines.deletion.to_seconds())
        count = most_events(self._definition, items, looks)
        if count <= LIMIT:
            return []
        return [
            f"a run of the workflow of {self._group.node.path} could have {count} history events, of which Step "
            f"Functions allows {LIMIT}: it works on {sum(items.values())} things, and waits up to "
            f"{self._deadlines.deletion.to_seconds() / 3600:g} h for each that it deletes. Shorten Deadlines.deletion, "
            "or declare fewer solutions, recommenders and jobs in one dataset group"
        ]


def most_items(group: DatasetGroup) -> dict[str, int]:
    """How many things each list of a run may have, by the name of the state that works on them.

    What is declared no more is not known; it can be as much as the service allows, or as is declared now.

    :param group: The dataset group.
    """
    jobs = [job.kind == DELETION for job in group.jobs]
    solutions, recommenders = len(group.solutions), len(group.recommenders)
    return {
        "Import": sum(MOST_ROUNDS if dataset.incremental_source else 1 for dataset in group.datasets),
        "Delete users": jobs.count(True),
        "Stop trainings": max(SOLUTIONS_PER_GROUP, solutions),
        "Solutions": solutions,
        "Recommenders": recommenders,
        "Delete campaigns": max(CAMPAIGNS_PER_GROUP, sum(len(solution.campaigns) for solution in group.solutions)),
        "Delete recommenders": max(RECOMMENDERS_PER_GROUP, recommenders) if group.domain else 0,
        "Delete solutions": max(SOLUTIONS_PER_GROUP, solutions),
        "Jobs": jobs.count(False),
    }


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
