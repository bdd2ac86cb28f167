"""The planning function of the workflow: reads the desired state and what exists, and answers one phase of the plan."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from personalize_lambda.aws import client, patiently
from personalize_lambda.planner.imports import plan_imports
from personalize_lambda.planner.jobs import plan_deletions, plan_jobs
from personalize_lambda.planner.prune import plan_prune
from personalize_lambda.planner.recommenders import plan_recommenders
from personalize_lambda.planner.rollback import rollback_target
from personalize_lambda.planner.solutions import plan_solutions

from . import lock
from .observe import observe


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Plan one phase of a run.

    :param event: ``phase`` (``imports``, ``solutions`` or ``prune``), ``document`` (``bucket`` and ``key`` of the
        desired state), ``execution`` (the run's ARN), ``input`` (the run's), ``failedImports`` (names of the datasets
        whose import failed in this run).
    """
    return patiently(lambda: _plan(event))


def _plan(event: Mapping[str, Any]) -> dict[str, Any]:
    holder = lock.holder(os.environ["LOCK_TABLE"])
    if holder != event["execution"]:
        raise RuntimeError(
            f"the run {event['execution']} does not hold the lock, {holder or 'nothing'} does; "
            "a run that has ended cannot go on: start a new one"
        )
    location = event["document"]
    document = json.loads(client("s3").get_object(Bucket=location["bucket"], Key=location["key"])["Body"].read())
    world = observe(document, personalize=client("personalize"), s3=client("s3"))
    # found out in the first phase, before anything is done
    rollback = rollback_target(document, world, event.get("input", {}))
    match event["phase"]:
        case "imports":
            plan = plan_imports(document, world, event["execution"])
            for job in (job for step in plan["imports"] for job in step["jobs"]):
                job["create"] = _request("CreateDatasetImportJob", job["create"])
            plan["deletions"] = _job_requests(plan_deletions(document, world, event["execution"]))
        case "solutions":
            plan = plan_solutions(
                document, world, event["failedImports"], rollback=rollback, execution=event["execution"]
            )
            for step in plan["solutions"]:
                step["create"] = step["create"] and _request("CreateSolution", step["create"])
                step["update"] = step["update"] and _request("UpdateSolution", step["update"])
                step["train"] = step["train"] and _request("CreateSolutionVersion", step["train"])
                step["verdicts"] = [_request("TagResource", verdict) for verdict in step["verdicts"]]
                for campaign in (*step["campaigns"], *step["otherwise"]["campaigns"]):
                    operation = "CreateCampaign" if campaign["action"] == "create" else "UpdateCampaign"
                    campaign["arguments"] = _request(operation, campaign["arguments"])
            recommenders = plan_recommenders(document, world, event["failedImports"])
            for step in recommenders["recommenders"]:
                operation = f"{step['action'].capitalize()}Recommender"
                step["arguments"] = step["arguments"] and _request(operation, step["arguments"])
            plan |= recommenders | {"waitingFor": [*plan["waitingFor"], *recommenders["waitingFor"]]}
        case "prune":
            plan, jobs = plan_prune(document, world), plan_jobs(document, world, event["execution"])
            plan |= {"jobs": _job_requests(jobs["jobs"]), "waitingFor": [*plan["waitingFor"], *jobs["waitingFor"]]}
        case phase:
            raise ValueError(f"phase is {phase!r}; allowed are imports, solutions and prune")
    print(json.dumps({"phase": event["phase"], "plan": plan}))
    return plan


def _job_requests(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**step, "create": step["create"] and _request(f"Create{step['kind']}", step["create"])} for step in steps]


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
