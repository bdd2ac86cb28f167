"""The pictures of the state machines show all states and transitions, and are up to date."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tools import state_machines

DEFINITIONS = state_machines.definitions()

POLL: dict[str, Any] = {
    "StartAt": "Watch",
    "States": {
        "Watch": {"Type": "Pass", "Next": "Look"},
        "Look": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:personalize:describeSolution",
            "Next": "Settled?",
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Bad"}],
        },
        "Settled?": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $status = 'ACTIVE' %}", "Next": "Each"}],
            "Default": "Wait",
        },
        "Wait": {"Type": "Wait", "Seconds": 5, "Next": "Look"},
        "Each": {
            "Type": "Map",
            "MaxConcurrency": 5,
            "ItemProcessor": {"StartAt": 'Say "hello"', "States": {'Say "hello"': {"Type": "Pass", "End": True}}},
            "End": True,
        },
        "Bad": {"Type": "Fail"},
    },
}
DRAWN = """\
flowchart TD
    s0{{"Look<br>personalize describeSolution"}}
    subgraph s1 ["Each: for each, at most 5 at once"]
        s3("Say #34;hello#34;")
        s4((" "))
    end
    s2(["Bad"])
    s5((" "))
    s4 --> s3
    s5 --> s0
    s0 -.-> s2
    s0 -->|"$status = 'ACTIVE'"| s1"""


def _scopes(definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield definition["States"]
    for state in definition["States"].values():
        if "ItemProcessor" in state:
            yield from _scopes(state["ItemProcessor"])


def test_a_wait_is_one_node_and_a_map_is_a_frame() -> None:
    assert state_machines.diagram(POLL) == DRAWN


def test_all_state_machines_of_a_workflow_are_drawn() -> None:
    assert {"Run", "Solution", "Recommender"} <= set(DEFINITIONS)
    assert [f"## {name}" in state_machines.page() for name in DEFINITIONS] == [True] * len(DEFINITIONS)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_every_state_is_drawn_or_part_of_a_wait(name: str) -> None:
    drawn = state_machines.diagram(DEFINITIONS[name])
    for states in _scopes(DEFINITIONS[name]):
        folded = state_machines.polls(states)
        assert all(states[look]["Type"] == "Task" for look in folded.values())
        assert [state for state in states if state not in folded and f'"{state}' not in drawn] == []


@pytest.mark.parametrize("name", DEFINITIONS)
def test_every_node_can_be_reached(name: str) -> None:
    drawn = state_machines.diagram(DEFINITIONS[name])
    nodes = set(re.findall(r"^ +(?:subgraph )?(s\d+)\W", drawn, re.MULTILINE))
    targets = set(re.findall(r"(?:-->|-\.->).* (s\d+)$", drawn, re.MULTILINE))
    starts = set(re.findall(r'(s\d+)\(\(" "\)\)', drawn))
    assert nodes - targets == starts


@pytest.mark.parametrize("name", DEFINITIONS)
def test_mermaid_draws_it_with_the_limits_it_has_by_default(name: str) -> None:
    """See maxTextSize and maxEdges in https://mermaid.js.org/config/schema-docs/config.html."""
    drawn = state_machines.diagram(DEFINITIONS[name])
    assert len(drawn) <= 50_000
    assert len(re.findall(r"-->|-\.->", drawn)) <= 500


def test_the_page_is_up_to_date() -> None:
    """`python -m tools.state_machines` writes it."""
    assert state_machines.PAGE.read_text(encoding="utf-8") == state_machines.page()
