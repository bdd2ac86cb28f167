"""CloudWatch metrics of Amazon Personalize, and those that the workflow publishes.

Source: https://docs.aws.amazon.com/personalize/latest/dg/personalize-monitoring.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

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

_NAMES: Final = {
    # The service counts these two under the operation's own name, and says "PutEvent" where it means PutEvents.
    "requests": {
        GET_RECOMMENDATIONS: GET_RECOMMENDATIONS,
        GET_PERSONALIZED_RANKING: GET_PERSONALIZED_RANKING,
    },
    "latency": {PUT_EVENTS: "PutEventLatency"},
}


class RequestMetrics:
    """Metrics of the requests to one campaign, recommender, event tracker or dataset."""

    def __init__(self, operation: str, dimensions: Mapping[str, str]) -> None:
        """Give the metrics of an operation.

        :param operation: The operation that metrics are named after, such as ``"GetRecommendations"``.
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
