"""Reads what exists of one dataset group into the plain values that the planner compares."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, cast

from personalize_lambda.planner.world import (
    ACTIVE,
    FAILED,
    INACTIVE,
    UNDER_WAY,
    UPDATABLE,
    UPDATABLE_CONFIG,
    VERDICT_TAG,
    CampaignState,
    DatasetState,
    ImportJob,
    RecommenderState,
    SolutionState,
    SolutionVersion,
    World,
)

from .files import csv_files
from .observe_jobs import observe_jobs

OWNER_TAG = "cdk-personalize:owner"


def observe(document: Mapping[str, Any], *, personalize: Any, s3: Any) -> World:
    """Read the datasets with their sources, the solutions with their versions, the campaigns, the recommenders and the
    jobs with their inputs.

    :param document: The desired state, which names the dataset group, its datasets and the owner.
    :param personalize: A boto3 client.
    :param s3: A boto3 client.
    """
    owner = document["owner"]
    now = _service_time(personalize, document["datasetGroupArn"])
    created = _creation(personalize)

    datasets = {
        dataset["datasetArn"]: _dataset(dataset, created, personalize=personalize, s3=s3)
        for dataset in document["datasets"]
    }
    missing = personalize.exceptions.ResourceNotFoundException
    solutions: dict[str, SolutionState] = {}
    campaigns: dict[str, CampaignState] = {}
    for summary in _pages(personalize, "list_solutions", "solutions", datasetGroupArn=document["datasetGroupArn"]):
        with suppress(missing):  # gone since it was listed
            solutions[summary["solutionArn"]] = _solution(personalize, summary["solutionArn"], owner)
            for entry in _pages(personalize, "list_campaigns", "campaigns", solutionArn=summary["solutionArn"]):
                with suppress(missing):
                    campaigns[entry["campaignArn"]] = _campaign(personalize, entry["campaignArn"], owner)
    # What is declared may exist elsewhere: names are unique in an account and Region, whatever the dataset group.
    for solution in document["solutions"]:
        if solution["solutionArn"] not in solutions:
            with suppress(missing):
                solutions[solution["solutionArn"]] = _solution(personalize, solution["solutionArn"], owner)
        for campaign in solution["campaigns"]:
            if campaign["campaignArn"] not in campaigns:
                with suppress(missing):
                    campaigns[campaign["campaignArn"]] = _campaign(personalize, campaign["campaignArn"], owner)
    jobs, last_deletion = observe_jobs(document, created, personalize=personalize, s3=s3)
    return World(
        now=now,
        datasets=datasets,
        solutions=solutions,
        campaigns=campaigns,
        recommenders=_recommenders(document, personalize=personalize),
        jobs=jobs,
        last_deletion=last_deletion,
    )


def remaining(document: Mapping[str, Any], *, personalize: Any) -> list[str]:
    """What a teardown still has to remove: owned campaigns, recommenders and solutions with their status.

    :param document: The desired state of the teardown, which may keep solutions, and recommenders that are stopped.
    :param personalize: A boto3 client.
    """
    world = observe({**document, "datasets": [], "jobs": []}, personalize=personalize, s3=None)
    campaigns = [f"campaign {c.name} ({c.status})" for c in world.campaigns.values() if c.owned]
    kept = document.get("keptSolutions", ())
    solutions = [f"solution {s.name} ({s.status})" for s in world.solutions.values() if s.owned and s.arn not in kept]
    stopped = {r["recommenderArn"] for r in document.get("recommenders", ()) if not r["running"]}
    recommenders = [
        f"recommender {r.name} ({r.status})"
        for r in world.recommenders.values()
        if r.owned and not (r.arn in stopped and r.status == INACTIVE)
    ]
    return campaigns + recommenders + solutions


def _creation(personalize: Any) -> Callable[[str], datetime]:
    """When a dataset was created; asked once, be it imported into, exported or both."""

    @cache
    def created(dataset: str) -> datetime:
        return cast(datetime, personalize.describe_dataset(datasetArn=dataset)["dataset"]["creationDateTime"])

    return created


def _service_time(personalize: Any, dataset_group_arn: str) -> float:
    """The time by the clock that dates what the service makes, so that ages do not depend on another clock."""
    answer = personalize.list_solutions(datasetGroupArn=dataset_group_arn, maxResults=1)
    return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()


def _pages(client: Any, operation: str, key: str, **arguments: Any) -> Iterator[Mapping[str, Any]]:
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page.get(key, [])


def _dataset(
    dataset: Mapping[str, Any], created: Callable[[str], datetime], *, personalize: Any, s3: Any
) -> DatasetState:
    arn = dataset["datasetArn"]
    additions = dataset.get("incremental")
    jobs = [
        ImportJob(
            arn=job["datasetImportJobArn"],
            name=job["jobName"],
            status=job["status"],
            created=job["creationDateTime"].timestamp(),
            mode=job.get("importMode", "FULL"),
        )
        for job in _pages(personalize, "list_dataset_import_jobs", "datasetImportJobs", datasetArn=arn)
        # jobs outlive their dataset, and one made anew under the same name has the same ARN
        if job["creationDateTime"] >= created(arn)
    ]
    return DatasetState(
        files=csv_files(s3, dataset["bucket"], dataset["prefix"]),
        imports=jobs,
        additions=csv_files(s3, additions["bucket"], additions["prefix"]) if additions else (),
    )


def _solution(personalize: Any, arn: str, owner: str) -> SolutionState:
    solution = personalize.describe_solution(solutionArn=arn)["solution"]
    return SolutionState(
        arn=arn,
        name=solution["name"],
        status=solution["status"],
        owned=_owned(personalize, arn, owner),
        configuration=_updatable(solution),
        versions=_versions(personalize, arn),
    )


def _versions(personalize: Any, solution_arn: str) -> list[SolutionVersion]:
    """The versions of a solution, newest first, with what was said of them as far as it matters: up to the newest that
    may serve."""
    listed = [
        SolutionVersion(
            arn=version["solutionVersionArn"],
            status=version["status"],
            created=version["creationDateTime"].timestamp(),
            mode=version.get("trainingMode", "FULL"),
        )
        for version in _pages(personalize, "list_solution_versions", "solutionVersions", solutionArn=solution_arn)
    ]
    newest_first = sorted(listed, key=lambda version: version.created, reverse=True)
    for index, version in enumerate(newest_first):
        if version.is_trained:
            tags = personalize.list_tags_for_resource(resourceArn=version.arn)["tags"]
            verdict = next((tag["tagValue"] for tag in tags if tag["tagKey"] == VERDICT_TAG), None)
            newest_first[index] = version = replace(version, verdict=verdict)
            if version.status == ACTIVE and not version.is_refused:
                break
    return newest_first


def _updatable(solution: Mapping[str, Any]) -> dict[str, Any]:
    """What UpdateSolution can change, named as it names it: as it is, or as an update that did not fail makes it.

    The service does not say whether what was updated is then shown in the solution itself, so both are read.
    """
    latest = solution.get("latestSolutionUpdate", {})
    shown = [solution, *([latest] if latest.get("status") != FAILED else [])]
    configuration = {name: each[name] for each in shown for name in UPDATABLE if name in each}
    parts = [solution.get("solutionConfig", {}), *(each.get("solutionUpdateConfig", {}) for each in shown)]
    config = {name: part[name] for part in parts for name in UPDATABLE_CONFIG if name in part}
    return configuration | {"solutionUpdateConfig": config}


def _campaign(personalize: Any, arn: str, owner: str) -> CampaignState:
    campaign = personalize.describe_campaign(campaignArn=arn)["campaign"]
    shown = _shown(campaign, "latestCampaignUpdate")
    return CampaignState(
        arn=arn,
        name=campaign["name"],
        status=campaign["status"],
        update_status=campaign.get("latestCampaignUpdate", {}).get("status"),
        owned=_owned(personalize, arn, owner),
        solution_version_arn=shown["solutionVersionArn"],
        configuration={key: shown[key] for key in ("minProvisionedTPS", "campaignConfig") if key in shown},
        former_version_arn=campaign["solutionVersionArn"] if shown is not campaign else None,
    )


def _shown(described: Mapping[str, Any], latest_update: str) -> Mapping[str, Any]:
    """What was described, as it is once an update that is under way has come through."""
    update = described.get(latest_update, {})
    return {**described, **update} if update.get("status") in UNDER_WAY else described


def _recommenders(document: Mapping[str, Any], *, personalize: Any) -> dict[str, RecommenderState]:
    """The recommenders; the document of a custom dataset group, which cannot have any, does not speak of them."""
    recommenders: dict[str, RecommenderState] = {}
    if "recommenders" not in document:
        return recommenders
    listed = _pages(personalize, "list_recommenders", "recommenders", datasetGroupArn=document["datasetGroupArn"])
    declared = [recommender["recommenderArn"] for recommender in document["recommenders"]]
    for arn in dict.fromkeys([*(summary["recommenderArn"] for summary in listed), *declared]):
        with suppress(personalize.exceptions.ResourceNotFoundException):
            described = personalize.describe_recommender(recommenderArn=arn)["recommender"]
            shown = _shown(described, "latestRecommenderUpdate")
            recommenders[arn] = RecommenderState(
                arn=arn,
                name=described["name"],
                status=described["status"],
                update_status=described.get("latestRecommenderUpdate", {}).get("status"),
                owned=_owned(personalize, arn, document["owner"]),
                configuration=shown.get("recommenderConfig", {}),
            )
    return recommenders


def _owned(personalize: Any, arn: str, owner: str) -> bool:
    tags = personalize.list_tags_for_resource(resourceArn=arn)["tags"]
    return {"tagKey": OWNER_TAG, "tagValue": owner} in tags
