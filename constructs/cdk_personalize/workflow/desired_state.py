"""The one document that says what a dataset group should look like; every run makes it true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .._job import Job
    from ..campaign import Campaign
    from ..dataset import Dataset
    from ..dataset_group import DatasetGroup
    from ..recommender import Recommender
    from ..solution import Solution

FORMAT_VERSION = 1


def desired_state(dataset_group: DatasetGroup) -> dict[str, Any]:
    """The document for ``dataset_group``, members named as in the Personalize API; values may be tokens."""
    of_domain = (
        {"recommenders": [_recommender(recommender) for recommender in dataset_group.recommenders]}
        if dataset_group.domain is not None
        else {}
    )
    return {
        "formatVersion": FORMAT_VERSION,
        "owner": dataset_group.owner,
        "datasetGroupArn": dataset_group.dataset_group_arn,
        "datasets": [_dataset(dataset) for dataset in dataset_group.datasets],
        "solutions": [_solution(solution) for solution in dataset_group.solutions],
        **of_domain,
        "jobs": [_job(job) for job in dataset_group.jobs],
    }


def _dataset(dataset: Dataset) -> dict[str, Any]:
    additions = dataset.incremental_source
    incremental = {"bucket": additions.bucket.bucket_name, "prefix": additions.prefix} if additions else None
    return {
        "name": dataset.dataset_type.value.lower(),
        "datasetArn": dataset.dataset_arn,
        "bucket": dataset.source.bucket.bucket_name,
        "prefix": dataset.source.prefix,
        "incremental": incremental,
        "publishAttributionMetrics": dataset.publish_attribution_metrics,
        "type": dataset.dataset_type.value,
        "fields": list(dataset.schema.fields),
        "roleArn": dataset.dataset_group.service_role.role_arn,
        "jobPrefix": dataset.dataset_name,
        "tags": dataset.document_tags,
    }


def _solution(solution: Solution) -> dict[str, Any]:
    return {
        "name": solution.solution_name,
        "solutionArn": solution.solution_arn,
        "configuration": solution.configuration,
        "tags": solution.document_tags,
        "training": solution.training.render_schedule(),
        "gate": solution.quality_gate.render() if solution.quality_gate is not None else None,
        "campaigns": [_campaign(campaign) for campaign in solution.campaigns],
    }


def _campaign(campaign: Campaign) -> dict[str, Any]:
    return {
        "name": campaign.campaign_name,
        "campaignArn": campaign.campaign_arn,
        "configuration": campaign.configuration,
        "tags": campaign.document_tags,
    }


def _recommender(recommender: Recommender) -> dict[str, Any]:
    return {
        "name": recommender.recommender_name,
        "recommenderArn": recommender.recommender_arn,
        "recipeArn": recommender.recipe_arn,
        "configuration": recommender.configuration,
        "running": recommender.running,
        "tags": recommender.document_tags,
    }


def _job(job: Job) -> dict[str, Any]:
    source, every = job.job_input, job.every
    place = source and {"bucket": source.bucket.bucket_name, "prefix": source.prefix, "suffix": job.input_suffix}
    return {
        "kind": job.kind,
        "name": job.node.id,
        "jobPrefix": job.job_prefix,
        **job.target,
        # what is not declared is left out here, as it would be when the document is written
        **({"input": place} if place else {}),
        **({"every": every.to_seconds()} if every else {}),
        "configuration": job.configuration,
        "roleArn": job.role.role_arn,
        "tags": job.document_tags,
    }
