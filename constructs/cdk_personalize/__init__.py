"""AWS CDK constructs for Amazon Personalize.

Names are loaded when they are first used, so that the modules that know nothing of the CDK, such as
``cdk_personalize.recipe``, can be imported without it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cdk_personalize.batch_inference_job import BatchInferenceJob as BatchInferenceJob
    from cdk_personalize.batch_inference_job import ThemeGeneration as ThemeGeneration
    from cdk_personalize.batch_segment_job import BatchSegmentJob as BatchSegmentJob
    from cdk_personalize.campaign import Campaign as Campaign
    from cdk_personalize.campaign import CampaignGrants as CampaignGrants
    from cdk_personalize.campaign import ICampaign as ICampaign
    from cdk_personalize.campaign import ItemExploration as ItemExploration
    from cdk_personalize.data_bucket import DataBucket as DataBucket
    from cdk_personalize.data_deletion_job import DataDeletionJob as DataDeletionJob
    from cdk_personalize.dataset import Dataset as Dataset
    from cdk_personalize.dataset import DatasetGrants as DatasetGrants
    from cdk_personalize.dataset import DataSource as DataSource
    from cdk_personalize.dataset import IDataset as IDataset
    from cdk_personalize.dataset_export_job import DatasetExportJob as DatasetExportJob
    from cdk_personalize.dataset_export_job import IngestionMode as IngestionMode
    from cdk_personalize.dataset_group import DatasetGroup as DatasetGroup
    from cdk_personalize.dataset_group import IDatasetGroup as IDatasetGroup
    from cdk_personalize.dataset_type import DatasetType as DatasetType
    from cdk_personalize.domain import Domain as Domain
    from cdk_personalize.event_tracker import EventTracker as EventTracker
    from cdk_personalize.event_tracker import EventTrackerGrants as EventTrackerGrants
    from cdk_personalize.event_tracker import IEventTracker as IEventTracker
    from cdk_personalize.facts.hyperparameters import Hyperparameter as Hyperparameter
    from cdk_personalize.filter import Filter as Filter
    from cdk_personalize.filter import IFilter as IFilter
    from cdk_personalize.filter_expression import FilterExpression as FilterExpression
    from cdk_personalize.filter_expression import FilterExpressionError as FilterExpressionError
    from cdk_personalize.metric_attribution import AttributedMetric as AttributedMetric
    from cdk_personalize.metric_attribution import IMetricAttribution as IMetricAttribution
    from cdk_personalize.metric_attribution import MetricAttribution as MetricAttribution
    from cdk_personalize.metric_expression import MetricExpression as MetricExpression
    from cdk_personalize.metrics import ImportMetrics as ImportMetrics
    from cdk_personalize.metrics import JobMetrics as JobMetrics
    from cdk_personalize.metrics import Metrics as Metrics
    from cdk_personalize.metrics import ModelMetrics as ModelMetrics
    from cdk_personalize.metrics import RequestMetrics as RequestMetrics
    from cdk_personalize.published import Published as Published
    from cdk_personalize.published import PublishedGrants as PublishedGrants
    from cdk_personalize.quality_gate import FirstVersion as FirstVersion
    from cdk_personalize.quality_gate import MetricThreshold as MetricThreshold
    from cdk_personalize.quality_gate import QualityGate as QualityGate
    from cdk_personalize.recipe import Recipe as Recipe
    from cdk_personalize.recipe import RecipeType as RecipeType
    from cdk_personalize.recommender import IRecommender as IRecommender
    from cdk_personalize.recommender import Recommender as Recommender
    from cdk_personalize.recommender import RecommenderGrants as RecommenderGrants
    from cdk_personalize.s3_location import S3Location as S3Location
    from cdk_personalize.schema import Field as Field
    from cdk_personalize.schema import Schema as Schema
    from cdk_personalize.service_role import ServiceRole as ServiceRole
    from cdk_personalize.solution import EventWeight as EventWeight
    from cdk_personalize.solution import HyperparameterOptimization as HyperparameterOptimization
    from cdk_personalize.solution import HyperparameterRange as HyperparameterRange
    from cdk_personalize.solution import ISolution as ISolution
    from cdk_personalize.solution import ObjectiveSensitivity as ObjectiveSensitivity
    from cdk_personalize.solution import OptimizationObjective as OptimizationObjective
    from cdk_personalize.solution import Solution as Solution
    from cdk_personalize.solution import SolutionGrants as SolutionGrants
    from cdk_personalize.training import Training as Training
    from cdk_personalize.use_case import UseCase as UseCase
    from cdk_personalize.workflow.deadlines import Deadlines as Deadlines
    from cdk_personalize.workflow.deployment import Deployment as Deployment
    from cdk_personalize.workflow.removal import WorkflowRemovalPolicy as WorkflowRemovalPolicy
    from cdk_personalize.workflow.workflow import Workflow as Workflow

_EXPORTS: dict[str, tuple[str, ...]] = {
    "batch_inference_job": ("BatchInferenceJob", "ThemeGeneration"),
    "batch_segment_job": ("BatchSegmentJob",),
    "campaign": ("Campaign", "CampaignGrants", "ICampaign", "ItemExploration"),
    "data_bucket": ("DataBucket",),
    "data_deletion_job": ("DataDeletionJob",),
    "dataset": ("DataSource", "Dataset", "DatasetGrants", "IDataset"),
    "dataset_export_job": ("DatasetExportJob", "IngestionMode"),
    "dataset_group": ("DatasetGroup", "IDatasetGroup"),
    "dataset_type": ("DatasetType",),
    "domain": ("Domain",),
    "event_tracker": ("EventTracker", "EventTrackerGrants", "IEventTracker"),
    "facts.hyperparameters": ("Hyperparameter",),
    "filter": ("Filter", "IFilter"),
    "filter_expression": ("FilterExpression", "FilterExpressionError"),
    "metric_attribution": ("AttributedMetric", "IMetricAttribution", "MetricAttribution"),
    "metric_expression": ("MetricExpression",),
    "metrics": ("ImportMetrics", "JobMetrics", "Metrics", "ModelMetrics", "RequestMetrics"),
    "published": ("Published", "PublishedGrants"),
    "quality_gate": ("FirstVersion", "MetricThreshold", "QualityGate"),
    "recipe": ("Recipe", "RecipeType"),
    "recommender": ("IRecommender", "Recommender", "RecommenderGrants"),
    "s3_location": ("S3Location",),
    "schema": ("Field", "Schema"),
    "service_role": ("ServiceRole",),
    "solution": (
        "EventWeight",
        "HyperparameterOptimization",
        "HyperparameterRange",
        "ISolution",
        "ObjectiveSensitivity",
        "OptimizationObjective",
        "Solution",
        "SolutionGrants",
    ),
    "training": ("Training",),
    "use_case": ("UseCase",),
    "workflow.deadlines": ("Deadlines",),
    "workflow.deployment": ("Deployment",),
    "workflow.removal": ("WorkflowRemovalPolicy",),
    "workflow.workflow": ("Workflow",),
}
"""Public names by the module that defines them."""

_MODULE_OF = {name: module for module, names in _EXPORTS.items() for name in names}

__all__ = sorted(_MODULE_OF)


if not TYPE_CHECKING:  # a type checker that saw it would take every misspelt name for one that there is

    def __getattr__(name: str) -> Any:
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_OF})
