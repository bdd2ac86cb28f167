"""Writes docs/state-machines.md, pictures of the workflow's state machines: `python -m tools.state_machines`.

They are drawn from the definitions as they are deployed, in the language of https://mermaid.js.org, which GitHub
renders.
"""

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn

import cdk_personalize as personalize
from tools.synthesized import ROOT

PAGE = ROOT / "docs" / "state-machines.md"
LONGEST_LABEL = 60

_HEAD = """# The state machines

<!-- Written by `python -m tools.state_machines` from the definitions; change those, not this page. -->

What [the workflow](workflow.md) runs, drawn from the definitions as they are deployed for a dataset group of a domain;
that of a custom dataset group has no recommenders. A box is a call, a rhombus a decision, a hexagon a wait. A hexagon
with a call in it looks again and again until what it waits for is settled or late. A flag is an event that is sent, and
goes on whether it can be sent or not. Dotted lines are taken when a call
fails for good, after its retries. A frame is done for each thing in a list.
"""

_SHAPES = {
    "Choice": '{{"{}"}}',
    "Wait": '{{{{"{}"}}}}',
    "Succeed": '(["{}"])',
    "Fail": '(["{}"])',
    "Pass": '("{}")',
    "Task": '["{}"]',
    "Event": '>"{}"]',
}
_INTEGRATION = re.compile(r":states:::(?:aws-sdk:)?(\w+):(\w+)")

States = Mapping[str, Mapping[str, Any]]


def definitions() -> dict[str, dict[str, Any]]:
    """The definitions of an app with one of everything, by the names of their constructs."""
    stack = cdk.Stack(cdk.App(), "Example")
    group = personalize.DatasetGroup(stack, "Films", domain=personalize.Domain.VIDEO_ON_DEMAND)
    group.add_interactions(schema=personalize.Schema.interactions(event_type=True))
    group.add_solution("TopPicks", recipe=personalize.Recipe.USER_PERSONALIZATION_V2).add_campaign("Live")
    group.add_recommender("Popular", use_case=personalize.UseCase.MOST_POPULAR)
    workflow = personalize.Workflow(stack, "Workflow", dataset_group=group)
    machines = (each for each in workflow.node.find_all() if isinstance(each, sfn.CfnStateMachine))
    return {machine.node.scope.node.id: _definition(stack, machine) for machine in machines if machine.node.scope}


def page() -> str:
    """The text of the page."""
    machines = definitions()
    order = sorted(machines, key=lambda name: (name != "Run", name))
    sections = (
        f"\n## {name}\n\n{machines[name]['Comment']}.\n\n```mermaid\n{diagram(machines[name])}\n```\n" for name in order
    )
    return _HEAD + "".join(sections)


def diagram(definition: Mapping[str, Any]) -> str:
    """A definition as a flowchart."""
    drawing = _Drawing()
    return "\n".join(["flowchart TD", *drawing.scope(definition), *drawing.edges])


def polls(states: States) -> dict[str, str]:
    """The states that belong to a wait for something, by name, with the call that looks at it.

    Where a wait goes back to a call whose result is judged by a decision that may go on to the wait, they are one;
    and so is what begins it.
    """
    found = {}
    for name, state in states.items():
        look = state.get("Next", "") if state["Type"] == "Wait" else ""
        judge = states[look].get("Next", "") if look else ""
        if judge and states[judge].get("Default") == name:
            found.update(dict.fromkeys((name, judge), look))
            others = [other for other, it in states.items() if look in _targets(it) and other not in (name, judge)]
            if len(others) == 1 and states[others[0]]["Type"] == "Pass":
                found[others[0]] = look
    return found


@dataclass
class _Drawing:
    """A flowchart in the making; a state is known by a number, as names may hold anything."""

    edges: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def scope(self, scope: Mapping[str, Any], indent: str = "    ") -> Iterator[str]:
        """Draw the states of a state machine, or of a frame; put off the edges, which may lead to frames."""
        states: States = scope["States"]
        folded = polls(states)
        waits = set(folded.values())
        ids = {name: f"s{next(self._numbers)}" for name in states if name not in folded}
        ids |= {name: ids[look] for name, look in folded.items()}
        for name, state in states.items():
            if name in folded:
                pass
            elif state["Type"] == "Map":
                yield f'{indent}subgraph {ids[name]} ["{_text(_frame(name, state))}"]'
                yield from self.scope(state["ItemProcessor"], indent + "    ")
                yield f"{indent}end"
            else:
                shape = _SHAPES["Wait" if name in waits else "Event" if _is_event(state) else state["Type"]]
                yield indent + ids[name] + shape.format("<br>".join(map(_text, _lines(name, state))))
        start = f"s{next(self._numbers)}"
        yield f'{indent}{start}((" "))'
        self.edges.append(f"    {start} --> {ids[scope['StartAt']]}")
        for name, state in states.items():
            for target, label, failed in _transitions(state):
                if ids[name] != ids[target]:
                    arrow = "-.->" if failed else "-->"
                    said = f'|"{_text(label)}"|' if label else ""
                    self.edges.append(f"    {ids[name]} {arrow}{said} {ids[target]}")


def _definition(stack: cdk.Stack, machine: sfn.CfnStateMachine) -> dict[str, Any]:
    """Read what is deployed; what is known at deployment only is of no interest."""
    _, parts = stack.resolve(machine.definition_string)["Fn::Join"]
    read: dict[str, Any] = json.loads("".join(part if isinstance(part, str) else "token" for part in parts))
    return read


def _transitions(state: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """Where a state may go: the target, what is said of it, and whether it is for errors."""
    for rule in state.get("Choices", []):
        yield rule["Next"], _short(rule["Condition"].strip("{% }")), False
    if "Default" in state:
        yield state["Default"], "else", False
    if "Next" in state:
        yield state["Next"], "", False
    for catcher in [] if _is_event(state) else state.get("Catch", []):
        names = (name.rpartition(".")[2] for name in catcher["ErrorEquals"] if name != "States.ALL")
        yield catcher["Next"], ", ".join(dict.fromkeys(names)), True


def _targets(state: Mapping[str, Any]) -> list[str]:
    return [target for target, _, _ in _transitions(state)]


def _is_event(state: Mapping[str, Any]) -> bool:
    return str(state.get("Resource", "")).endswith(":::events:putEvents")


def _lines(name: str, state: Mapping[str, Any]) -> Iterator[str]:
    yield name
    integration = _INTEGRATION.search(state.get("Resource", ""))
    if integration and not _is_event(state):
        yield " ".join(integration.groups())


def _frame(name: str, state: Mapping[str, Any]) -> str:
    most = state.get("MaxConcurrency")
    return f"{name}: for each, at most {most} at once" if most else f"{name}: for each"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 3]}..."


def _text(text: str) -> str:
    """Quotes would end a text, and some signs would be taken for markup."""
    return re.sub(r'["<>&#]', lambda sign: f"#{ord(sign[0])};", text)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
