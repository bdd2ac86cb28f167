"""What tests of the planner declare and find."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from personalize_lambda.planner.names import fingerprint
from personalize_lambda.planner.world import (
    CampaignState,
    DatasetState,
    ImportJob,
    RecommenderState,
    SolutionState,
    SolutionVersion,
    World,
)

P = "arn:aws:personalize:us-east-1:000000000000"
DATASET = f"{P}:dataset/films/INTERACTIONS"
SOLUTION = f"{P}:solution/top-picks-1"
OLD = f"{P}:solution/top-picks-0"
CAMPAIGN = f"{P}:campaign/live"
FILES = (("films/interactions/a.csv", '"e1"', 10),)
TAGS = [{"tagKey": "cdk-personalize:owner", "tagValue": "films"}]


def document(*, tps: int = 1, campaigns: bool = True, solutions: bool = True) -> dict[str, Any]:
    campaign = {"name": "live", "campaignArn": CAMPAIGN, "configuration": {"minProvisionedTPS": tps}, "tags": TAGS}
    return {
        "owner": "films",
        "datasetGroupArn": f"{P}:dataset-group/films",
        "datasets": [
            {
                "name": "interactions",
                "datasetArn": DATASET,
                "bucket": "data",
                "prefix": "films/interactions/",
                "roleArn": "arn:aws:iam::000000000000:role/service",
                "jobPrefix": "films-interactions",
                "tags": TAGS,
            }
        ],
        "solutions": [
            {
                "name": "top-picks-1",
                "solutionArn": SOLUTION,
                "configuration": {"recipeArn": "r"},
                "tags": TAGS,
                "campaigns": [campaign] if campaigns else [],
            }
        ]
        if solutions
        else [],
    }


def job(status: str = "ACTIVE", files: tuple[tuple[str, str, int], ...] = FILES, created: float = 1) -> ImportJob:
    return ImportJob(arn=f"job-{created}", name=f"films-{fingerprint(files)}-0a", status=status, created=created)


def world(
    *,
    files: tuple[tuple[str, str, int], ...] = FILES,
    jobs: tuple[ImportJob, ...] = (),
    versions: tuple[str, ...] | None = None,
    campaign: CampaignState | None = None,
    owned: bool = True,
) -> World:
    solutions = {}
    if versions is not None:
        made = [SolutionVersion(arn=f"{SOLUTION}/v{n}", status=status, created=n) for n, status in enumerate(versions)]
        solutions[SOLUTION] = SolutionState(
            arn=SOLUTION, name="top-picks-1", status="ACTIVE", owned=owned, versions=made
        )
    return World(
        datasets={DATASET: DatasetState(files=files, imports=jobs)},
        solutions=solutions,
        campaigns={CAMPAIGN: campaign} if campaign else {},
    )


def live(version: str = f"{SOLUTION}/v0", **changes: Any) -> CampaignState:
    state = CampaignState(
        arn=CAMPAIGN,
        name="live",
        status="ACTIVE",
        update_status=None,
        owned=True,
        solution_version_arn=version,
        configuration={"minProvisionedTPS": 1},
    )
    return replace(state, **changes)


OTHER = (("films/interactions/b.csv", '"e2"', 12),)


READY = (job(),)


RECOMMENDER = f"{P}:recommender/for-you"
CONFIGURATION = {"minRecommendationRequestsPerSecond": 1}


def of_domain(*, running: bool = True, requests: int = 1) -> dict[str, Any]:
    recommender = {
        "name": "for-you",
        "recommenderArn": RECOMMENDER,
        "recipeArn": "r",
        "configuration": {"minRecommendationRequestsPerSecond": requests},
        "running": running,
        "tags": TAGS,
    }
    return {**document(solutions=False), "recommenders": [recommender]}


def with_recommender(status: str, update_status: str | None = None, *, owned: bool = True) -> World:
    state = RecommenderState(
        arn=RECOMMENDER,
        name="for-you",
        status=status,
        update_status=update_status,
        owned=owned,
        configuration={**CONFIGURATION, "itemExplorationConfig": {"explorationWeight": "0.3"}},
    )
    return replace(world(jobs=(job(),)), recommenders={RECOMMENDER: state})
