"""Rollback: campaigns serve an earlier version, by what is said of it and of those that are newer.

The ordinary rule, that campaigns serve the newest version that is not refused, does the rest; and a version that is
trained later goes live by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .world import ACTIVE, CHOSEN, REFUSED, SolutionVersion, World, solution_of

_MAX_TAG_LENGTH = 256
# what tag values must not hold
_NO_TAG = re.compile(r"[^\w .:/=+@-]")


def rollback_target(document: Mapping[str, Any], world: World, run_input: Any) -> str | None:
    """The version that the input of a run asks for with ``rollback``; None where it does not.

    :raises ValueError: When there is no such version that campaigns could serve.
    """
    if not isinstance(run_input, Mapping):
        raise ValueError(f"the input of a run must be a JSON object, got {run_input!r}")
    if "rollback" not in run_input:
        return None
    target = run_input["rollback"]
    possible = [
        version.arn
        for solution in document["solutions"]
        for version in _versions(solution, world)
        if version.status == ACTIVE
    ]
    if target not in possible:
        raise ValueError(
            f"rollback must be the ARN of an ACTIVE version of a declared solution, got {target!r}; "
            f"possible: {', '.join(possible) or 'none, nothing is trained yet'}"
        )
    following = [
        campaign["name"]
        for solution in document["solutions"]
        if solution["solutionArn"] == solution_of(target)
        for campaign in solution["campaigns"]
        if campaign["configuration"].get("campaignConfig", {}).get("syncWithLatestSolutionVersion")
    ]
    if following:
        raise ValueError(
            f"rollback to {target} is not possible: the service lets {', '.join(following)} serve the latest version; "
            "declare the campaign without follow_latest first"
        )
    return str(target)


def _versions(solution: Mapping[str, Any], world: World) -> Sequence[SolutionVersion]:
    state = world.solutions.get(solution["solutionArn"])
    return state.versions if state is not None and state.owned else ()


def rolled_back(versions: Sequence[SolutionVersion], target: str, execution: str) -> list[SolutionVersion]:
    """The versions with what is to be said of them, so that ``target`` serves.

    :param execution: The run that was asked for it, which is noted.
    """
    chosen = next(version for version in versions if version.arn == target)
    # an execution is named by its last part; the whole ARN may be longer than a tag's value
    said = _NO_TAG.sub("-", f"by run {execution.rsplit(':', 1)[-1]}")

    def verdict(version: SolutionVersion) -> str | None:
        if version.arn == target:
            return version.verdict if version.is_chosen else f"{CHOSEN}: {said}"[:_MAX_TAG_LENGTH]
        is_newer = version.is_trained and version.created > chosen.created
        return f"{REFUSED}: rolled back {said}"[:_MAX_TAG_LENGTH] if is_newer and not version.is_refused else None

    return [replace(version, verdict=verdict(version) or version.verdict) for version in versions]
