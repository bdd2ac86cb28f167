"""CloudWatch metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest

import cdk_personalize as personalize
from cdk_personalize.metrics import GET_RECOMMENDATIONS, PUT_EVENTS, PUT_ITEMS, PUT_USERS, RequestMetrics
from tests.unit.conftest import USERS, Synthesis

Recipe = personalize.Recipe
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


PREFIX = "arn:aws:personalize:us-west-2:111122223333"


def movies(synthesis: Synthesis) -> personalize.DatasetGroup:
    group = synthesis.group()
    group.add_users(schema=USERS)
    return group


def solution(synthesis: Synthesis, recipe: personalize.Recipe = Recipe.USER_PERSONALIZATION_V2) -> personalize.Solution:
    return synthesis.group().add_solution("Picks", recipe=recipe)


def recommender(synthesis: Synthesis) -> personalize.Recommender:
    group = personalize.DatasetGroup(synthesis.stack, "Shop", domain=personalize.Domain.ECOMMERCE)
    return group.add_recommender("ForYou", use_case=personalize.UseCase.RECOMMENDED_FOR_YOU)


def imported(from_: Callable[..., Any], tail: str) -> Callable[[Synthesis], Any]:
    return lambda synthesis: from_(synthesis.stack, "Imported", f"{PREFIX}:{tail}")


def imported_tracker(synthesis: Synthesis) -> personalize.IEventTracker:
    return personalize.EventTracker.from_event_tracker_attributes(
        synthesis.stack, "Imported", event_tracker_arn=f"{PREFIX}:event-tracker/0a1b2c3d", tracking_id="id"
    )


@pytest.mark.parametrize(
    ("make", "attribute", "first", "dimension"),
    [
        (lambda s: solution(s).add_campaign("Live"), "campaign_arn", "GetRecommendations", "CampaignArn"),
        (
            lambda s: solution(s, Recipe.SIMILAR_ITEMS).add_campaign("Live"),
            "campaign_arn",
            "GetRecommendations",
            "CampaignArn",
        ),
        (
            lambda s: solution(s, Recipe.PERSONALIZED_RANKING_V2).add_campaign("Live"),
            "campaign_arn",
            "GetPersonalizedRanking",
            "CampaignArn",
        ),
        (
            imported(personalize.Campaign.from_campaign_arn, "campaign/live"),
            "campaign_arn",
            "GetRecommendations",
            "CampaignArn",
        ),
        (recommender, "recommender_arn", "GetRecommendations", "RecommenderArn"),
        (
            imported(personalize.Recommender.from_recommender_arn, "recommender/for-you"),
            "recommender_arn",
            "GetRecommendations",
            "RecommenderArn",
        ),
        (lambda s: s.group().add_event_tracker(), "event_tracker_arn", "PutEventsRequests", "EventTrackerArn"),
        (imported_tracker, "event_tracker_arn", "PutEventsRequests", "EventTrackerArn"),
        (lambda s: movies(s).datasets[0], "dataset_arn", "PutEventsRequests", "DatasetArn"),
        (lambda s: movies(s).datasets[1], "dataset_arn", "PutItemsRequests", "DatasetArn"),
        (lambda s: movies(s).datasets[2], "dataset_arn", "PutUsersRequests", "DatasetArn"),
        (
            imported(personalize.Dataset.from_dataset_arn, "dataset/films/USERS"),
            "dataset_arn",
            "PutUsersRequests",
            "DatasetArn",
        ),
    ],
)
def test_what_is_measured(make: Callable[[Synthesis], Any], attribute: str, first: str, dimension: str) -> None:
    resource = make(Synthesis())

    requests = resource.metrics.requests()

    assert requests.metric_name == first
    assert requests.dimensions == {dimension: getattr(resource, attribute)}


@pytest.mark.parametrize(
    ("make", "attribute", "metrics", "operation", "dimension"),
    [
        (lambda s: movies(s).datasets[0], "dataset_arn", "import_metrics", "DatasetImportJob", "DatasetArn"),
        (
            imported(personalize.Dataset.from_dataset_arn, "dataset/films/ACTIONS"),
            "dataset_arn",
            "import_metrics",
            "DatasetImportJob",
            "DatasetArn",
        ),
        (solution, "solution_arn", "training_metrics", "SolutionTrainingJob", "SolutionArn"),
        (
            imported(personalize.Solution.from_solution_arn, "solution/picks"),
            "solution_arn",
            "training_metrics",
            "SolutionTrainingJob",
            "SolutionArn",
        ),
    ],
)
def test_jobs(make: Callable[[Synthesis], Any], attribute: str, metrics: str, operation: str, dimension: str) -> None:
    resource = make(Synthesis())
    measured = getattr(resource, metrics)

    found = [measured.jobs(), measured.errors(), measured.execution_time()]

    assert [(each.metric_name, each.statistic) for each in found] == [
        (f"{operation}Requests", "Sum"),
        (f"{operation}Error", "Sum"),
        (f"{operation}ExecutionTime", "Average"),
    ]
    assert all(each.dimensions == {dimension: getattr(resource, attribute)} for each in found)


def test_the_size_of_an_import(synthesis: Synthesis) -> None:
    dataset = synthesis.group().datasets[0]

    size = dataset.import_metrics.dataset_size()

    assert (size.metric_name, size.statistic, size.dimensions) == (
        "DatasetSize",
        "Maximum",
        {"DatasetArn": dataset.dataset_arn},
    )


def test_statistic_period_and_label(synthesis: Synthesis) -> None:
    metrics = synthesis.group().add_event_tracker().metrics
    requests = metrics.requests(period=cdk.Duration.minutes(1), statistic="SampleCount")

    assert (requests.statistic, requests.period.to_minutes()) == ("SampleCount", 1)
    assert metrics.metric("PutEventLatency", label="slow").label == "slow"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda s: solution(s, Recipe.NEXT_BEST_ACTION).add_campaign("Live"),
            r"the service has metrics of the campaigns of recipes of the types \['USER_PERSONALIZATION', "
            r"'PERSONALIZED_RANKING', 'RELATED_ITEMS', 'POPULAR_ITEMS'\], not of PERSONALIZED_ACTIONS; measure in",
        ),
        (
            imported(personalize.Dataset.from_dataset_arn, "dataset/films/ACTIONS"),
            r"the service has metrics of the requests to datasets of \['INTERACTIONS', 'ITEMS', 'USERS'\], not of "
            "ACTIONS; measure in",
        ),
        (
            lambda s: personalize.Dataset.from_dataset_arn(s.stack, "Imported", s.stack.stack_id),
            "the service has metrics of the requests .+, not of one whose type is not known yet; measure in",
        ),
    ],
)
def test_what_the_service_does_not_measure(make: Callable[[Synthesis], Any], message: str) -> None:
    resource = make(Synthesis())

    with pytest.raises(ValueError, match=f"^{message}"):
        _ = resource.metrics
