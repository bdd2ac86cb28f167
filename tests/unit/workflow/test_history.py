"""How many history events the state machines make, by the rules of Step Functions.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html names the events. The emulator
leaves out some of them (TaskStarted, those of Map), so they are counted along the definition.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from jsonata import Jsonata

from cdk_personalize.workflow.deadlines import Deadlines
from cdk_personalize.workflow.import_states import COST_OF_IMPORT, MOST_COST, import_states
from cdk_personalize.workflow.polling import EVENTS_PER_POLL, poll_events, polls_until
from cdk_personalize.workflow.solution_definition import solution_definition

DEFINITION = solution_definition(partition="aws", deadlines=Deadlines())
IMPORT = {
    "StartAt": "Begin import",
    "States": import_states("aws", Deadlines(), check_function_arn="check", document={"bucket": "b", "key": "k"}),
}
LIMIT = 5_000
#: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
HISTORY = 25_000
EVENTS = {
    "Pass": 2,  # entered, exited
    "Choice": 2,
    "Wait": 2,
    "Task": 5,  # entered, scheduled, started, succeeded, exited
    "Map": 4,  # entered, started, succeeded, exited
}
EVENTS_PER_LOOK = 5 + 2 + 2
EVENTS_PER_ITERATION = 2  # started, succeeded
EVENTS_PER_RETRY = 3  # scheduled, started, failed
EVENTS_OF_EXECUTION = 2  # started, succeeded
HOUR = 3600

Route = Mapping[str, list[str]]


def events(definition: Mapping[str, Any], route: Route, items: Mapping[str, int], *, retried: bool = False) -> int:
    """The events of a walk through a definition.

    :param route: where each Choice leads, each time that it is come by.
    :param items: how many items each Map has.
    :param retried: whether tasks, but for those of polls, succeed at the last attempt and not at the first.
    """
    states, count, name = definition["States"], 0, definition["StartAt"]
    ways = {choice: iter(route[choice]) for choice in states.keys() & route.keys()}
    while True:
        state = states[name]
        count += EVENTS[state["Type"]]
        if retried and state["Type"] == "Task" and not name.startswith("Describe"):
            count += EVENTS_PER_RETRY * sum(rule["MaxAttempts"] for rule in state["Retry"])
        if state["Type"] == "Map":
            inner = events(state["ItemProcessor"], route, items, retried=retried) if items[name] else 0
            count += items[name] * (EVENTS_PER_ITERATION + inner)
        if state.get("End"):
            break
        if state["Type"] == "Choice":
            following = next(ways[name])
            assert following in {*(rule["Next"] for rule in state["Choices"]), state["Default"]}, name
            name = following
        else:
            name = state["Next"]
    assert {choice: list(rest) for choice, rest in ways.items() if list(rest)} == {}
    return count


def waits(subject: str) -> Iterator[float]:
    """The seconds of one wait after the other, by the definition's own expressions."""
    state = (_states(DEFINITION) | _states(IMPORT))[f"Wait for {subject}"]
    [polls] = [name for name in state["Assign"] if name.endswith("Polls")]
    seconds, following = (Jsonata(text[2:-2]) for text in (state["Seconds"], state["Assign"][polls]))
    looked: float = 0
    while True:
        for expression in (seconds, following):
            expression.assign(polls, looked)
        yield float(seconds.evaluate(None))
        looked = float(following.evaluate(None))


def looks(subject: str, seconds: float) -> int:
    """How often something is looked at that takes so long."""
    count = 1
    for wait in waits(subject):
        if seconds <= 0:
            return count
        seconds -= wait
        count += 1
    raise AssertionError("waiting has an end")


def polled(subject: str, seconds: float, following: str) -> dict[str, list[str]]:
    """What the Choice of a poll says of something that takes so long."""
    return {f"{subject} settled?": [f"Wait for {subject}"] * (looks(subject, seconds) - 1) + [following]}


def _states(definition: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(definition["States"])
    for state in definition["States"].values():
        found |= _states(state["ItemProcessor"]) if "ItemProcessor" in state else {}
    return found


def lifetime(hours: float, *, verdict: str = "Accept version") -> dict[str, list[str]]:
    """A solution that is created, trained for so long, measured, judged and served; all else takes all its time."""
    deadlines = Deadlines()
    return {
        "Marked?": ["Create?"],
        "Create?": ["Create solution"],
        **polled("Solution", deadlines.creation.to_seconds(), "Train?"),
        "Train?": ["Create solution version"],
        **polled("Training", hours * HOUR, "Get metrics"),
        "Publish?": ["Publish metrics"],
        "Gate?": ["Get serving metrics"],
        "Refused?": [verdict],
        "Campaign action?": ["Create campaign"],
        **polled("Campaign", deadlines.serving.to_seconds(), "Campaign done"),
    }


@pytest.mark.parametrize("campaigns", [1, 5])
@pytest.mark.parametrize("verdict", ["Accept version", "Refuse version"])
def test_the_history_of_a_training_of_ten_hours_stays_small(campaigns: int, verdict: str) -> None:
    items = {"Mark versions": 1 if verdict == "Accept version" else 0, "Campaigns": campaigns}
    route = lifetime(10, verdict=verdict)
    count = EVENTS_OF_EXECUTION + events(DEFINITION, route, items)
    assert EVENTS_PER_LOOK * looks("Training", 10 * HOUR) < count < LIMIT


def test_there_is_room_for_all_that_is_tried_again() -> None:
    """Every call but those of the polls fails as often as it may, the training waits a day for others to end."""
    count = EVENTS_OF_EXECUTION + events(DEFINITION, lifetime(10), {"Mark versions": 1, "Campaigns": 1}, retried=True)
    assert count < LIMIT


def test_a_walk_counts_what_the_rules_say() -> None:
    small = {
        "StartAt": "Each",
        "States": {
            "Each": {
                "Type": "Map",
                "Next": "Done?",
                "ItemProcessor": {"StartAt": "Do", "States": {"Do": {"Type": "Task", "End": True}}},
            },
            "Done?": {"Type": "Choice", "Choices": [{"Next": "End"}], "Default": "Wait"},
            "Wait": {"Type": "Wait", "Next": "Done?"},
            "End": {"Type": "Pass", "End": True},
        },
    }
    assert events(small, {"Done?": ["Wait", "End"]}, {"Each": 3}) == 4 + 3 * (2 + 5) + 2 + 2 + 2 + 2
    with pytest.raises(StopIteration):
        events(small, {"Done?": ["Wait"]}, {"Each": 0})
    with pytest.raises(AssertionError):
        events(small, {"Done?": ["End", "End"]}, {"Each": 0})


@pytest.mark.parametrize("hours", [0.01, 1, 10, 24])
def test_deadlines_are_judged_by_as_many_looks_as_the_definition_takes(hours: float) -> None:
    for subject in ("Solution", "Training", "Campaign"):
        assert looks(subject, hours * HOUR) == polls_until(hours * HOUR)


def test_a_training_of_ten_hours_is_noticed_within_minutes() -> None:
    taken: float = 0
    for wait in waits("Training"):
        assert wait <= 300
        taken += wait
        if taken >= 10 * HOUR:
            break
    assert taken - 10 * HOUR < 300


def a_round(imports: int, seconds: float) -> dict[str, list[str]]:
    """A round of one dataset, each import of which takes so long."""
    polled_each = polled("Import", seconds, "Import settled")["Import settled?"]
    return {
        "Imports to check?": ["Check imports"],
        "Imports refused?": ["Import running already?"],
        "Import running already?": ["Next import?"],
        "Next import?": ["Create import"] * imports + ["Import done"],
        "Import settled?": polled_each * imports,
    }


@pytest.mark.parametrize("seconds", [0, 60, 300, 6 * HOUR])
def test_an_import_makes_as_many_events_as_its_cost_says(seconds: float) -> None:
    one, two = (events(IMPORT, a_round(imports, seconds), {}) for imports in (1, 2))
    assert two - one == EVENTS_PER_POLL * (looks("Import", seconds) - 1 + COST_OF_IMPORT)


def test_the_history_of_a_run_has_room_for_many_jobs_or_many_additions_that_take_all_their_time() -> None:
    deadlines, datasets = Deadlines(), 5
    imports = poll_events(deadlines.imports.to_seconds()) * datasets
    deletion, job = (poll_events(each.to_seconds()) for each in (deadlines.data_deletion, deadlines.jobs))
    assert imports + deletion + 10 * job < HISTORY - 4_000
    # with additions: what each import costs, then one more of each dataset, and the rounds, each of at least 25 imports
    rounds = MOST_COST // (25 * COST_OF_IMPORT)
    of_round = EVENTS["Task"] + EVENTS["Map"] + EVENTS["Choice"]
    of_dataset = EVENTS_PER_ITERATION + events(IMPORT, a_round(0, 0), {})
    additions = EVENTS_PER_POLL * MOST_COST + rounds * (of_round + datasets * of_dataset)
    assert imports + additions + deletion + 5 * job < HISTORY - 1_000
