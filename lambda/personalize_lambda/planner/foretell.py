"""What a run would do, told without doing it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .outcome import after_imports, after_solutions
from .phases import Run, plan_phase
from .world import JsonObject, World


def foretell(document: Mapping[str, Any], world: World, run: Run) -> JsonObject:
    """The report of a run that is not made: every phase, as if those before it had succeeded.

    :param document: The desired state.
    :param world: What exists.
    :param run: The run.
    """
    imports = plan_phase("imports", document, world, run)
    imported = after_imports(document, world, imports)
    solutions = plan_phase("solutions", document, imported, run)
    prune = plan_phase("prune", document, after_solutions(imported, solutions), run)
    plan = imports | solutions | prune
    waiting = [sentence for each in (imports, solutions, prune) for sentence in each["waitingFor"]]
    return {
        "status": "PLANNED",
        "steps": steps(plan, imported),
        "waitingFor": list(dict.fromkeys(waiting)),
        "imported": _names(plan["imports"]),
        "solutions": [
            {
                "name": step["name"],
                "solutionVersionArn": step["solutionVersionArn"],
                "metrics": {},
                "campaigns": _names(step["campaigns"]),
            }
            for step in plan["solutions"]
        ],
        "recommenders": _names(plan["recommenders"]),
        "jobs": [
            {"name": step["name"], "output": step.get("output")}
            for part in ("deletions", "jobs")
            for step in plan[part]
        ],
        "stopped": _names(plan["trainings"]),
        "pruned": [
            name for part in ("campaigns", "prunedRecommenders", "prunedSolutions") for name in _names(plan[part])
        ],
    }


def steps(plan: Mapping[str, Any], world: World) -> list[str]:
    """The steps of a plan in the order of a run, each as a sentence.

    :param plan: The parts of all phases.
    :param world: What exists when solutions are worked on.
    """
    under_way = {v.arn for solution in world.solutions.values() for v in solution.versions if not v.is_settled}
    tell: dict[str, Callable[[JsonObject], Iterator[str]]] = {
        "imports": _import,
        "deletions": lambda step: _job(step, "delete users", "deletion of users"),
        "trainings": lambda step: _one(f"stop the training of {step['name']}: {step['solutionVersionArn']}"),
        "solutions": lambda step: _solution(step, is_training=step["solutionVersionArn"] in under_way),
        "recommenders": _recommender,
        "campaigns": lambda step: _one(f"delete campaign {step['name']}"),
        "prunedRecommenders": lambda step: _one(f"delete recommender {step['name']}"),
        "prunedSolutions": lambda step: _one(f"delete solution {step['name']}"),
        "jobs": lambda step: _job(step, f"run {_words(step['kind'])}", _words(step["kind"])),
    }
    return [sentence for part, sentences in tell.items() for step in plan[part] for sentence in sentences(step)]


def _one(sentence: str) -> Iterator[str]:
    yield sentence


def _import(step: JsonObject) -> Iterator[str]:
    name, modes = step["name"], [job["create"]["importMode"] for job in step["jobs"]]
    if step["running"]:
        yield f"wait for the import of {name} that is under way"
    if "FULL" in modes:
        yield f"import {name}"
    additions = modes.count("INCREMENTAL") + step["left"]
    if additions:
        yield f"import {additions} addition{'s' if additions > 1 else ''} to {name}"


def _job(step: JsonObject, does: str, noun: str) -> Iterator[str]:
    if step["running"]:
        yield f"wait for the {noun} that is under way: {step['name']}"
    if step["create"]:
        yield f"{does}: {step['name']}"


def _solution(step: JsonObject, *, is_training: bool) -> Iterator[str]:
    name, version = step["name"], step["solutionVersionArn"]
    for said in step["verdicts"]:
        yield f"tag {said['resourceArn']} as {said['tags'][0]['tagValue'].partition(':')[0]}"
    if step["create"]:
        yield f"create solution {name}"
    if step["update"]:
        yield f"update solution {name}"
    if step["train"]:
        yield f"train solution {name} ({step['train']['trainingMode']})"
    if is_training:
        yield f"wait for the training of {version}"
    if step["gate"] and (step["train"] or version):
        yield _judge(step["gate"], version or f"the new version of {name}")
    for campaign in step["campaigns"]:
        action = campaign["action"]
        yield f"{'wait for' if action == 'wait' else action} campaign {campaign['name']}"


def _judge(gate: Mapping[str, Any], version: str) -> str:
    """What a version has to be like."""
    serving = gate["solutionVersionArn"]
    demands = []
    for threshold in gate["thresholds"]:
        least, drop = threshold["minimum"], threshold["maxDrop"]
        is_compared = serving is not None and drop < 1
        demand = [f"at least {least:g}"] if least or not is_compared else []
        demand += [f"at most {drop * 100:g} % lower"] if is_compared else []
        demands.append(f"{threshold['metric']} {' and '.join(demand)}")
    against = f", compared with {serving}, which serves" if serving else ""
    return f"judge {version}{against}: {', '.join(demands)}"


def _recommender(step: JsonObject) -> Iterator[str]:
    if step["isBusy"]:
        yield f"wait for recommender {step['name']}"
    for action in step["actions"]:
        yield f"{action['action']} recommender {step['name']}"


def _words(kind: str) -> str:
    return re.sub(r"\B(?=[A-Z])", " ", kind).lower()


def _names(entries: list[JsonObject]) -> list[str]:
    return [entry["name"] for entry in entries]
