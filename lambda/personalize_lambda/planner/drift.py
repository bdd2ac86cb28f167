"""What was changed by hand since the last run.

Only runs change solutions, campaigns and recommenders: what is found different from what the last one left was changed
by somebody else, whatever has been declared in the meantime.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .world import ACTIVE, FAILED, INACTIVE, CampaignState, JsonObject, RecommenderState, SolutionState, World

_SETTLED = (None, ACTIVE, FAILED)
_GONE = "is gone"


def snapshot(document: Mapping[str, Any], world: World) -> JsonObject:
    """What is there of the declared solutions, campaigns and recommenders, by ARN; what is still changing is left out.

    :param document: The desired state.
    :param world: What exists.
    """
    return {arn: _remembered(kind, state) for kind, arn, state in _declared(document, world) if _is_settled(state)}


def find_drift(left: Mapping[str, Any], document: Mapping[str, Any], world: World) -> list[str]:
    """A sentence for everything declared that is not as the last run left it.

    :param left: The snapshot of the last run.
    :param document: The desired state.
    :param world: What exists.
    """
    sentences: list[str] = []
    for kind, arn, state in _declared(document, world):
        if arn not in left:
            continue
        former, now = left[arn], _remembered(kind, state) if state and state.owned else {}
        differences = [
            f"{member} is {_text(now.get(member))}, was {_text(former.get(member))}"
            for member in dict.fromkeys([*former, *now])
            if now.get(member) != former.get(member)
        ]
        sentences += [f"{kind} {former['name']} {difference}" for difference in (differences if now else [_GONE])]
    return sentences


def _declared(
    document: Mapping[str, Any], world: World
) -> Iterator[tuple[str, str, SolutionState | CampaignState | RecommenderState | None]]:
    for solution in document["solutions"]:
        yield "solution", solution["solutionArn"], world.solutions.get(solution["solutionArn"])
        for campaign in solution["campaigns"]:
            yield "campaign", campaign["campaignArn"], world.campaigns.get(campaign["campaignArn"])
    for recommender in document.get("recommenders", ()):
        yield "recommender", recommender["recommenderArn"], world.recommenders.get(recommender["recommenderArn"])


def _is_settled(state: SolutionState | CampaignState | RecommenderState | None) -> bool:
    if state is None or not state.owned or state.status not in (ACTIVE, INACTIVE):
        return False
    return isinstance(state, SolutionState) or state.update_status in _SETTLED


def _remembered(kind: str, state: Any) -> JsonObject:
    follows = state.configuration.get("campaignConfig", {}).get("syncWithLatestSolutionVersion", False)
    return {
        "name": state.name,
        **state.configuration,
        # which version is served is the service's business where a campaign follows the latest
        **({"solutionVersionArn": state.solution_version_arn} if kind == "campaign" and not follows else {}),
        **({"status": state.status} if kind == "recommender" and state.status in (ACTIVE, INACTIVE) else {}),
    }


def _text(value: Any) -> str:
    return "not set" if value is None else str(value)
