"""The quality gate: which versions are compared, and with what. The comparison is the state machine's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .world import ACTIVE, JsonObject, SolutionVersion, World

_SERVE_FIRST = "SERVE"


def plan_gate(solution: Mapping[str, Any], world: World, version: SolutionVersion | None) -> JsonObject | None:
    """The thresholds for a version, with the version that it is compared with; None where it need not be judged.

    :param version: The version that campaigns are to serve. None: one that is yet to be trained.
    """
    gate = solution.get("gate")
    if not gate or not solution["campaigns"]:
        return None
    states = [world.campaigns.get(campaign["campaignArn"]) for campaign in solution["campaigns"]]
    # one that a campaign was given already was found good
    if version is not None and (version.is_chosen or any(s and s.solution_version_arn == version.arn for s in states)):
        return None
    serving = next(iter(served_versions(solution, world)), None)
    if serving is None and gate["firstVersion"] == _SERVE_FIRST:
        return None
    return {"solutionVersionArn": serving, "thresholds": gate["thresholds"]}


def served_versions(solution: Mapping[str, Any], world: World) -> list[str]:
    """The versions that the campaigns of a solution serve, be they of a solution that it takes the place of."""
    states = (world.campaigns.get(campaign["campaignArn"]) for campaign in solution["campaigns"])
    return list(dict.fromkeys(state.solution_version_arn for state in states if state and state.status == ACTIVE))
