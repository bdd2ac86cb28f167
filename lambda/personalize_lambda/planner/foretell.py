"""What a run would do, told without doing it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from .world import ACTIVE, ImportJob, JsonObject, World

#: What is said of the entries of each part of a plan that are a name and no more
_SENTENCES = {
    "imports": "import {name}",
    "deletions": "delete users: {name}",
    "trainings": "stop the training of {name}",
    "recommenders": "{action} recommender {name}",
    "campaigns": "delete campaign {name}",
    "prunedRecommenders": "delete recommender {name}",
    "prunedSolutions": "delete solution {name}",
    "jobs": "run {kind} {name}",
}


def foretell(
    document: Mapping[str, Any], world: World, phase: Callable[[str, Mapping[str, Any], World], JsonObject]
) -> JsonObject:
    """The report of a run that is not made: every phase, as if the imports before it had succeeded.

    :param document: The desired state.
    :param world: What exists.
    :param phase: Plans one phase of a document in a world.
    """
    imports = phase("imports", document, world)
    plans = [
        imports,
        phase("solutions", document, _imported(document, world, imports)),
        phase("prune", document, world),
    ]
    everything: JsonObject = {name: entries for plan in plans for name, entries in plan.items()}
    return {
        "status": "PLANNED",
        "steps": steps(everything),
        "waitingFor": [sentence for plan in plans for sentence in plan["waitingFor"]],
        "imported": _names(everything["imports"]),
        "solutions": [
            {
                "name": step["name"],
                "solutionVersionArn": step["solutionVersionArn"],
                "metrics": {},
                "campaigns": _names(step["campaigns"]),
            }
            for step in everything["solutions"]
        ],
        "recommenders": _names(everything["recommenders"]),
        "jobs": [
            {"name": step["name"], "output": step["output"]}
            for part in ("deletions", "jobs")
            for step in everything[part]
        ],
        "stopped": _names(everything["trainings"]),
        "pruned": [
            name for part in ("campaigns", "prunedRecommenders", "prunedSolutions") for name in _names(everything[part])
        ],
    }


def steps(plan: Mapping[str, Any]) -> list[str]:
    """The steps of a plan in their order, each as a sentence.

    :param plan: The parts of all phases.
    """
    sentences: list[str] = []
    for part, entries in plan.items():
        for entry in entries:
            if part == "solutions":
                sentences += _solution(entry)
            elif part in _SENTENCES:
                sentences.append(_SENTENCES[part].format(**entry))
    return sentences


def _solution(step: Mapping[str, Any]) -> list[str]:
    name = step["name"]
    return [
        *([f"create solution {name}"] if step["create"] else []),
        *([f"update solution {name}"] if step["update"] else []),
        *([f"train solution {name} ({step['train']['TrainingMode']})"] if step["train"] else []),
        *(f"{campaign['action']} campaign {campaign['name']}" for campaign in step["campaigns"]),
    ]


def _imported(document: Mapping[str, Any], world: World, imports: Mapping[str, Any]) -> World:
    names = _names(imports["imports"])
    done = ImportJob(arn="", name="", status=ACTIVE, created=world.now, mode="FULL")
    imported = {
        dataset["datasetArn"]: replace(
            world.datasets[dataset["datasetArn"]], imports=[*world.datasets[dataset["datasetArn"]].imports, done]
        )
        for dataset in document["datasets"]
        if dataset["name"] in names
    }
    return replace(world, datasets={**world.datasets, **imported})


def _names(entries: list[JsonObject]) -> list[str]:
    return [entry["name"] for entry in entries]
