"""CloudWatch metrics of Amazon Personalize, and those that the workflow publishes.

Source: https://docs.aws.amazon.com/personalize/latest/dg/personalize-monitoring.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from cdk_personalize.dataset_type import DatasetType
from cdk_personalize.recipe import RecipeType

NAMESPACE: Final = "AWS/Personalize"
MODEL_NAMESPACE: Final = "cdk-personalize"
"""Where the workflow publishes the offline metrics of models."""

SOLUTION_DIMENSION: Final = "SolutionName"
VERSION_DIMENSION: Final = "SolutionVersion"

GET_RECOMMENDATIONS: Final = "GetRecommendations"
GET_PERSONALIZED_RANKING: Final = "GetPersonalizedRanking"
PUT_EVENTS: Final = "PutEvents"
PUT_ITEMS: Final = "PutItems"
PUT_USERS: Final = "PutUsers"

DATASET_IMPORT_JOB: Final = "DatasetImportJob"
SOLUTION_TRAINING_JOB: Final = "SolutionTrainingJob"

# The service documents no metrics of the requests about actions.
_OF_DATASET: Final = {
    DatasetType.INTERACTIONS: PUT_EVENTS,
    DatasetType.ITEMS: PUT_ITEMS,
    DatasetType.USERS: PUT_USERS,
}
_OF_RECIPE: Final = {
    RecipeType.USER_PERSONALIZATION: GET_RECOMMENDATIONS,
    RecipeType.PERSONALIZED_RANKING: GET_PERSONALIZED_RANKING,
    RecipeType.RELATED_ITEMS: GET_RECOMMENDATIONS,
    RecipeType.POPULAR_ITEMS: GET_RECOMMENDATIONS,
}

_NAMES: Final = {
    # The service counts these two under the operation's own name, and says "PutEvent" where it means PutEvents.
    "requests": {
        GET_RECOMMENDATIONS: GET_RECOMMENDATIONS,
        GET_PERSONALIZED_RANKING: GET_PERSONALIZED_RANKING,
    },
    "latency": {PUT_EVENTS: "PutEventLatency"},
}


class Metrics:
    """Metrics of one resource."""

    def __init__(self, operation: str, dimensions: Mapping[str, str]) -> None:
        """Give the metrics of an operation.

        :param operation: What metrics are named after, such as ``"GetRecommendations"`` or ``"DatasetImportJob"``.
        :param dimensions: What they are measured on, by dimension.
        """
        self._operation = operation
        self._dimensions = dict(dimensions)

    def metric(
        self, metric_name: str, *, statistic: str = "Average", period: Duration | None = None, label: str | None = None
    ) -> cloudwatch.Metric:
        """Return a metric by its name.

        :param metric_name: Its name, as the service spells it, such as ``"GetRecommendationsLatency"``.
        :param statistic: How the values of a period are put together. Default: - the average
        :param period: Over which time. Default: - 5 minutes
        :param label: How it is called in graphs. Default: - its name
        """
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=metric_name,
            dimensions_map=self._dimensions,
            statistic=statistic,
            period=period,
            label=label,
        )


class RequestMetrics(Metrics):
    """Metrics of the requests to one campaign, recommender, event tracker or dataset."""

    def requests(self, *, statistic: str = "Sum", period: Duration | None = None) -> cloudwatch.Metric:
        """Return the number of requests.

        :param statistic: How the values of a period are put together. Default: - the sum
        :param period: Over which time. Default: - 5 minutes
        """
        name = _NAMES["requests"].get(self._operation, f"{self._operation}Requests")
        return self.metric(name, statistic=statistic, period=period)

    def client_errors(self, *, statistic: str = "Sum", period: Duration | None = None) -> cloudwatch.Metric:
        """Return the number of requests that were at fault (4xx).

        :param statistic: How the values of a period are put together. Default: - the sum
        :param period: Over which time. Default: - 5 minutes
        """
        return self.metric(f"{self._operation}4xxErrors", statistic=statistic, period=period)

    def server_errors(self, *, statistic: str = "Sum", period: Duration | None = None) -> cloudwatch.Metric:
        """Return the number of requests that the service failed on (5xx).

        :param statistic: How the values of a period are put together. Default: - the sum
        :param period: Over which time. Default: - 5 minutes
        """
        return self.metric(f"{self._operation}5xxErrors", statistic=statistic, period=period)

    def latency(self, *, statistic: str = "Average", period: Duration | None = None) -> cloudwatch.Metric:
        """Return how many milliseconds the service took to answer.

        :param statistic: How the values of a period are put together. Default: - the average
        :param period: Over which time. Default: - 5 minutes
        """
        name = _NAMES["latency"].get(self._operation, f"{self._operation}Latency")
        return self.metric(name, statistic=statistic, period=period)


class ModelMetrics:
    """Offline metrics of the versions of one solution, which the workflow publishes after each training."""

    def __init__(self, solution_name: str) -> None:
        """Give the metrics of a solution.

        :param solution_name: Name of the solution.
        """
        self._solution_name = solution_name

    def metric(
        self,
        metric_name: str,
        *,
        solution_version: str | None = None,
        statistic: str = "Average",
        period: Duration | None = None,
        label: str | None = None,
    ) -> cloudwatch.Metric:
        """Return a metric by its name.

        See https://docs.aws.amazon.com/personalize/latest/dg/working-with-training-metrics.html

        :param metric_name: Its name, as the service spells it, such as ``"precision_at_5"``.
        :param solution_version: The id of a version, the last part of its ARN. Default: - all versions, each at the
            time of its training
        :param statistic: How the values of a period are put together. Default: - the average
        :param period: Over which time. Default: - 5 minutes
        :param label: How it is called in graphs. Default: - its name
        """
        of_version = {} if solution_version is None else {VERSION_DIMENSION: solution_version}
        return cloudwatch.Metric(
            namespace=MODEL_NAMESPACE,
            metric_name=metric_name,
            dimensions_map={SOLUTION_DIMENSION: self._solution_name, **of_version},
            statistic=statistic,
            period=period,
            label=label,
        )


class JobMetrics(Metrics):
    """Metrics of the jobs that import one dataset, or train one solution."""

    def jobs(self, *, statistic: str = "Sum", period: Duration | None = None) -> cloudwatch.Metric:
        """Return the number of jobs.

        :param statistic: How the values of a period are put together. Default: - the sum
        :param period: Over which time. Default: - 5 minutes
        """
        return self.metric(f"{self._operation}Requests", statistic=statistic, period=period)

    def errors(self, *, statistic: str = "Sum", period: Duration | None = None) -> cloudwatch.Metric:
        """Return the number of jobs that failed.

        :param statistic: How the values of a period are put together. Default: - the sum
        :param period: Over which time. Default: - 5 minutes
        """
        return self.metric(f"{self._operation}Error", statistic=statistic, period=period)

    def execution_time(self, *, statistic: str = "Average", period: Duration | None = None) -> cloudwatch.Metric:
        """Return how many seconds a job took.

        :param statistic: How the values of a period are put together. Default: - the average
        :param period: Over which time. Default: - 5 minutes
        """
        return self.metric(f"{self._operation}ExecutionTime", statistic=statistic, period=period)


class ImportMetrics(JobMetrics):
    """Metrics of the jobs that import one dataset."""

    def __init__(self, dimensions: Mapping[str, str]) -> None:
        """Give the metrics of imports.

        :param dimensions: What they are measured on, by dimension.
        """
        super().__init__(DATASET_IMPORT_JOB, dimensions)

    def dataset_size(self, *, statistic: str = "Maximum", period: Duration | None = None) -> cloudwatch.Metric:
        """Return how many bytes were imported.

        :param statistic: How the values of a period are put together. Default: - the highest
        :param period: Over which time. Default: - 5 minutes
        """
        return self.metric("DatasetSize", statistic=statistic, period=period)


def metrics_of_campaign(campaign_arn: str, recipe_type: RecipeType | None) -> RequestMetrics:
    """Return the metrics of the requests that a campaign answers.

    :param campaign_arn: Its ARN.
    :param recipe_type: What its solution produces. ``None``: unknown, taken for recommendations of items.
    :raises ValueError: When the service has none of them.
    """
    dimensions = {"CampaignArn": campaign_arn}
    if recipe_type is None:
        return RequestMetrics(GET_RECOMMENDATIONS, dimensions)
    if recipe_type not in _OF_RECIPE:
        allowed = [each.value for each in _OF_RECIPE]
        raise ValueError(
            f"the service has metrics of the campaigns of recipes of the types {allowed}, not of "
            f"{recipe_type.value}; measure in the application that asks for them"
        )
    return RequestMetrics(_OF_RECIPE[recipe_type], dimensions)


def metrics_of_dataset(dataset_arn: str, dataset_type: DatasetType | None) -> RequestMetrics:
    """Return the metrics of the requests that add to a dataset one by one.

    :param dataset_arn: Its ARN.
    :param dataset_type: What it holds. ``None``: known only when it is deployed.
    :raises ValueError: When the service has none of them, or it is not known what it holds.
    """
    operation = _OF_DATASET.get(dataset_type) if dataset_type is not None else None
    if operation is None:
        allowed = [each.value for each in _OF_DATASET]
        raise ValueError(
            f"the service has metrics of the requests to datasets of {allowed}, not of "
            f"{dataset_type.value if dataset_type else 'one whose type is not known yet'}; "
            "measure in the application that sends them"
        )
    return RequestMetrics(operation, {"DatasetArn": dataset_arn})
