"""The planning function of the workflow: reads the desired state and what exists, and answers what is to be done."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from personalize_lambda.aws import client, patiently
from personalize_lambda.planner.drift import find_drift, snapshot
from personalize_lambda.planner.foretell import foretell
from personalize_lambda.planner.phases import PHASES, Run, plan_phase
from personalize_lambda.planner.rollback import rollback_target
from personalize_lambda.planner.world import World

from . import lock, memory
from .observe import observe


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Plan a phase of a run, and with it the phases after it for as long as they do not depend on its work.

    :param event: ``phase`` (``imports``, ``solutions`` or ``prune``), ``document`` (``bucket`` and ``key`` of the
        desired state), ``execution`` (the run's ARN), ``input`` (the run's), ``failedImports`` (names of the datasets
        whose import failed in this run).
    :returns: The steps of the phases; ``next`` is the phase that is still to be planned, ``None`` for none, and
        ``imports`` while more is to be imported than one plan has. With the input ``{"mode": "plan"}``: the report of
        what a run would do.
    """
    return patiently(lambda: _plan(event))


def _plan(event: Mapping[str, Any]) -> dict[str, Any]:
    table, phase = os.environ["LOCK_TABLE"], event["phase"]
    if phase not in PHASES:
        raise ValueError(f"phase is {phase!r}; allowed are {', '.join(PHASES)}")
    only_tells = event["input"].get("mode") == "plan"
    if not only_tells:
        _check_lock(table, event["execution"])
    location = event["document"]
    document = json.loads(client("s3").get_object(Bucket=location["bucket"], Key=location["key"])["Body"].read())
    world = observe(document, personalize=client("personalize"), s3=client("s3"))
    # found out in the first phase, before anything is done
    rollback = rollback_target(document, world, event["input"])
    run = Run(execution=event["execution"], failed_imports=event["failedImports"], rollback=rollback)
    known = memory.read(table)
    # each phase tells the drift of its whole run, and so does one that is asked again after it broke off
    drift = known.drift if known.execution == run.execution else find_drift(known.left, document, world)
    if only_tells:
        plan = foretell(document, world, run) | {"drift": drift}
    else:
        plan = _phases(phase, document, world, run) | {"drift": drift}
        # what is about to be changed is forgotten, so that a run that is stopped half-way leaves no false memory
        left = {} if plan["next"] else snapshot(document, world)
        memory.write(table, memory.Memory(left=left, execution=run.execution, drift=drift))
    print(json.dumps({"phase": phase, "plan": plan}))
    return plan


def _check_lock(table: str, execution: str) -> None:
    holder = lock.holder(table)
    if holder != execution:
        raise RuntimeError(
            f"the run {execution} does not hold the lock, {holder or 'nothing'} does; "
            "a run that has ended cannot go on: start a new one"
        )


def _phases(first: str, document: Mapping[str, Any], world: World, run: Run) -> dict[str, Any]:
    """The plan from a phase on, as far as it can be made now."""
    phases = list(PHASES)
    plan: dict[str, Any] = {"waitingFor": [], "next": None}
    for index in range(phases.index(first), len(phases)):
        phase = phases[index]
        part = _with_requests(plan_phase(phase, document, world, run))
        plan |= part | {"waitingFor": [*plan["waitingFor"], *part["waitingFor"]]}
        if any(step["left"] for step in part.get("imports", ())):
            return plan | {"next": phase}
        if any(part[name] for name in PHASES[phase]) and (phase != "imports" or _needs_data(document)):
            return plan | {"next": phases[index + 1]}
    return plan


def _needs_data(document: Mapping[str, Any]) -> bool:
    """Whether anything is declared that depends on what was imported."""
    return any(document.get(kind) for kind in ("solutions", "recommenders", "jobs"))


def _with_requests(plan: dict[str, Any]) -> dict[str, Any]:
    """The plan of a phase with what operations are called with as Step Functions wants it."""
    for job in (job for step in plan.get("imports", ()) for job in step["jobs"]):
        job["create"] = _request("CreateDatasetImportJob", job["create"])
    for step in plan.get("solutions", ()):
        step["create"] = step["create"] and _request("CreateSolution", step["create"])
        step["update"] = step["update"] and _request("UpdateSolution", step["update"])
        step["train"] = step["train"] and _request("CreateSolutionVersion", step["train"])
        step["verdicts"] = [_request("TagResource", verdict) for verdict in step["verdicts"]]
        for campaign in (*step["campaigns"], *step["otherwise"]["campaigns"]):
            operation = "CreateCampaign" if campaign["action"] == "create" else "UpdateCampaign"
            campaign["arguments"] = _request(operation, campaign["arguments"])
    for action in (action for step in plan.get("recommenders", ()) for action in step["actions"]):
        action["arguments"] = _request(f"{action['action'].capitalize()}Recommender", action["arguments"])
    for step in (*plan.get("deletions", ()), *plan.get("jobs", ())):
        step["create"] = step["create"] and _request(f"Create{step['kind']}", step["create"])
    return plan


def _request(operation: str, arguments: Mapping[str, Any]) -> Any:
    """``arguments`` as Step Functions wants them: members in PascalCase, the keys of maps untouched."""
    return _pascal(client("personalize").meta.service_model.operation_model(operation).input_shape, arguments)


def _pascal(shape: Any, value: Any) -> Any:
    # A member that is newer than the function's SDK has no shape; what it holds is taken for structures.
    match value:
        case dict() if shape is not None and shape.type_name == "map":
            return {key: _pascal(shape.value, member) for key, member in value.items()}
        case dict():
            return {
                _capital(name): _pascal(shape and shape.members.get(name), member) for name, member in value.items()
            }
        case list():
            return [_pascal(shape and shape.member, member) for member in value]
    return value


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]
