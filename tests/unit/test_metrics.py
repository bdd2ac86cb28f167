"""CloudWatch metrics."""

from __future__ import annotations

import aws_cdk as cdk
import pytest

import cdk_personalize as personalize
from cdk_personalize.metrics import GET_RECOMMENDATIONS, PUT_EVENTS, PUT_ITEMS, PUT_USERS, RequestMetrics
from tests.unit.conftest import Synthesis

METRICS = ("requests", "client_errors", "server_errors", "latency")


@pytest.mark.parametrize(
    ("operation", "names"),
    [
        (
            GET_RECOMMENDATIONS,
            [
                "GetRecommendations",
                "GetRecommendations4xxErrors",
                "GetRecommendations5xxErrors",
                "GetRecommendationsLatency",
            ],
        ),
        (PUT_EVENTS, ["PutEventsRequests", "PutEvents4xxErrors", "PutEvents5xxErrors", "PutEventLatency"]),
        (PUT_ITEMS, ["PutItemsRequests", "PutItems4xxErrors", "PutItems5xxErrors", "PutItemsLatency"]),
        (PUT_USERS, ["PutUsersRequests", "PutUsers4xxErrors", "PutUsers5xxErrors", "PutUsersLatency"]),
    ],
)
def test_the_names_are_those_of_the_service(operation: str, names: list[str]) -> None:
    metrics = RequestMetrics(operation, {"CampaignArn": "arn"})
    found = [getattr(metrics, name)() for name in METRICS]
    assert [metric.metric_name for metric in found] == names
    assert [metric.statistic for metric in found] == ["Sum", "Sum", "Sum", "Average"]
    for metric in found:
        assert metric.namespace == "AWS/Personalize"
        assert metric.dimensions == {"CampaignArn": "arn"}
        assert metric.period.to_minutes() == 5


def test_what_is_measured(synthesis: Synthesis) -> None:
    group = synthesis.group()
    picks = group.add_solution("Picks", recipe=personalize.Recipe.USER_PERSONALIZATION_V2).add_campaign("Live")
    ranking = group.add_solution("Ranking", recipe=personalize.Recipe.PERSONALIZED_RANKING_V2).add_campaign("Live")
    tracker = group.add_event_tracker()

    requests = picks.metrics.requests(period=cdk.Duration.minutes(1), statistic="SampleCount")
    assert (requests.metric_name, requests.statistic, requests.period.to_minutes()) == (
        "GetRecommendations",
        "SampleCount",
        1,
    )
    assert requests.dimensions == {"CampaignArn": picks.campaign_arn}
    assert ranking.metrics.latency().metric_name == "GetPersonalizedRankingLatency"
    assert tracker.metrics.requests().dimensions == {"EventTrackerArn": tracker.event_tracker_arn}
    assert picks.metrics.metric("GetRecommendationsLatency", label="slow").label == "slow"


def test_a_recommender_is_measured(synthesis: Synthesis) -> None:
    group = personalize.DatasetGroup(synthesis.stack, "Shop", domain=personalize.Domain.ECOMMERCE)
    made = group.add_recommender("ForYou", use_case=personalize.UseCase.RECOMMENDED_FOR_YOU)
    assert made.metrics.requests().dimensions == {"RecommenderArn": made.recommender_arn}
