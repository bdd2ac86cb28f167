"""What a run removes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .solutions import IDLE
from .world import ACTIVE, FAILED, JsonObject, World, solution_of


def plan_prune(document: Mapping[str, Any], world: World) -> JsonObject:
    """What carries our owner tag and is declared no more, in the order in which the service lets it go.

    A solution that still serves a campaign that stays is left for a later run. So is all that serves, for as long as
    something that is declared does not serve yet: it may be what takes the place.
    """
    waits_for = _not_serving(document, world)
    declared = {solution["solutionArn"] for solution in document["solutions"]} | set(document.get("keptSolutions", ()))
    declared_campaigns = {c["campaignArn"] for solution in document["solutions"] for c in solution["campaigns"]}
    declared_recommenders = {recommender["recommenderArn"] for recommender in document.get("recommenders", ())}
    former_campaigns = [c for c in world.campaigns.values() if c.owned and c.arn not in declared_campaigns]
    pruned_campaigns = [c for c in former_campaigns if not waits_for or c.status == FAILED]
    former_recommenders = [r for r in world.recommenders.values() if r.owned and r.arn not in declared_recommenders]
    gone = {campaign.arn for campaign in pruned_campaigns}
    serving = {
        solution_of(version)
        for campaign in world.campaigns.values()
        if campaign.arn not in gone
        for version in (campaign.solution_version_arn, campaign.former_version_arn)
        if version is not None
    }
    pruned = [
        solution
        for solution in world.solutions.values()
        # one that could not be created keeps its name from the next try
        if solution.owned and (solution.arn not in declared or solution.status == FAILED)
        if solution.arn not in serving
    ]
    return {
        "campaigns": [
            {"name": c.name, "campaignArn": c.arn, "solutionArn": solution_of(c.solution_version_arn)}
            for c in pruned_campaigns
        ],
        "prunedRecommenders": [
            {"name": r.name, "recommenderArn": r.arn, "datasetGroupArn": document["datasetGroupArn"]}
            for r in world.recommenders.values()
            if r.owned and (r.status == FAILED or (r in former_recommenders and not waits_for))
        ],
        "prunedSolutions": [
            {"name": s.name, "solutionArn": s.arn, "datasetGroupArn": document["datasetGroupArn"]} for s in pruned
        ],
        "waitingFor": [
            f"{name}, declared no more: {', '.join(waits_for)} to serve"
            for name, status in [
                *((campaign.name, campaign.status) for campaign in former_campaigns),
                *((recommender.name, recommender.status) for recommender in former_recommenders),
            ]
            if waits_for and status != FAILED
        ],
    }


def plan_kept_solutions(document: Mapping[str, Any], world: World) -> list[JsonObject]:
    """The updates of solutions that outlive their stack, which the service must train no more."""
    return [
        IDLE
        | {
            "name": solution.name,
            "solutionArn": solution.arn,
            "update": {"solutionArn": solution.arn, "performAutoTraining": False},
        }
        for arn in document.get("keptSolutions", ())
        if (solution := world.solutions.get(arn)) is not None
        if solution.owned and solution.status != FAILED and solution.configuration.get("performAutoTraining")
    ]


def _not_serving(document: Mapping[str, Any], world: World) -> list[str]:
    """The declared campaigns and running recommenders that do not serve yet."""
    declared = [
        *((c["name"], world.campaigns.get(c["campaignArn"])) for s in document["solutions"] for c in s["campaigns"]),
        *(
            (r["name"], world.recommenders.get(r["recommenderArn"]))
            for r in document.get("recommenders", ())
            if r["running"]
        ),
    ]
    return [name for name, state in declared if state is None or state.status != ACTIVE]
