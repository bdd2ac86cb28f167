"""The phases of a run: what is planned together, before any of it is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .imports import plan_imports
from .jobs import plan_deletions, plan_jobs
from .prune import plan_kept_solutions, plan_prune
from .recommenders import plan_recommenders
from .solutions import plan_solutions
from .world import JsonObject, World

#: The phases in their order, each with the parts of its plan that change what a later phase finds
PHASES = {"imports": ("imports", "deletions"), "solutions": ("solutions", "recommenders"), "prune": ()}


@dataclass(frozen=True, kw_only=True)
class Run:
    """What plans of a run depend on beside what is declared and what exists.

    :param execution: The run.
    :param failed_imports: Names of the datasets whose import, and of the deletions of users that, failed in this run.
    :param rollback: The version that is to serve whatever is newer. Default: - none
    """

    execution: str
    failed_imports: Sequence[str] = ()
    rollback: str | None = None


def plan_phase(phase: str, document: Mapping[str, Any], world: World, run: Run) -> JsonObject:
    """The parts of the plan of one phase, with what it waits for.

    :param phase: One of :data:`PHASES`.
    :param document: The desired state.
    :param world: What exists.
    :param run: The run.
    """
    match phase:
        case "imports":
            plan = plan_imports(document, world, run.execution, run.failed_imports)
            return plan | {"deletions": plan_deletions(document, world, run.execution)}
        case "solutions":
            plan = plan_solutions(document, world, run.failed_imports, rollback=run.rollback, execution=run.execution)
            plan["solutions"] += plan_kept_solutions(document, world)
            return _together(plan, plan_recommenders(document, world, run.failed_imports))
        case _:
            return _together(plan_prune(document, world), plan_jobs(document, world, run.execution))


def _together(first: JsonObject, second: JsonObject) -> JsonObject:
    return first | second | {"waitingFor": [*first["waitingFor"], *second["waitingFor"]]}
