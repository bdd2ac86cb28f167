"""Automatic training, in a cloud whose time passes only when it is told to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from personalize_local.personalize import Settings
from personalize_local.personalize.auto_training import DAY, start_for_recommender
from personalize_local.personalize.crud import Behaviour
from personalize_local.personalize.engine import Context

from .support import ACCOUNT, REGION, V2, Builder, Cloud, interactions_csv

MINUTE = 60.0
#: one that no resource gets to: with it, waiting takes little time
NEVER = "NEVER"


class Clock:
    """Lets time pass, and looks at what has happened then."""

    def __init__(self, cloud: Cloud) -> None:
        self.build = Builder(cloud)
        self._groups = 0

    def pass_time(self, seconds: float) -> None:
        """Let time pass until all that was due has begun: what comes last is a dataset group."""
        self._groups += 1
        self.build.cloud.advance(seconds)
        group = self.build.personalize.create_dataset_group(name=f"clock-{self._groups}")["datasetGroupArn"]
        self.build.wait("dataset_group", group, until=("ACTIVE", NEVER))

    def solution(self, group: str, **arguments: Any) -> str:
        arn: str = self.build.personalize.create_solution(
            name="picks", datasetGroupArn=group, recipeArn=V2, **arguments
        )["solutionArn"]
        self.build.wait("solution", arn, until=("ACTIVE", NEVER))
        return arn

    def versions(self, solution: str) -> list[dict[str, Any]]:
        """The versions there are; all have been trained."""
        found = self.build.personalize.list_solution_versions(solutionArn=solution)["solutionVersions"]
        return [
            self.build.wait("solution_version", one["solutionVersionArn"], until=("ACTIVE", NEVER)) for one in found
        ]

    def new_event(self) -> None:
        event = {"itemId": "i1", "eventType": "watch", "sentAt": 1_800_000_000 + self._groups}
        tracker = self.build.personalize.list_event_trackers()["eventTrackers"][0]["eventTrackerArn"]
        tracking = self.build.personalize.describe_event_tracker(eventTrackerArn=tracker)["eventTracker"]["trackingId"]
        self.build.cloud.events.put_events(trackingId=tracking, userId="u1", sessionId="s", eventList=[event])


@pytest.fixture
def clock(make_cloud: Callable[..., Cloud]) -> Clock:
    return Clock(make_cloud(Settings(time_scale=1, quotas={"dataset_groups": 1000})))


@pytest.fixture
def group(clock: Clock) -> str:
    group = clock.build.group()
    clock.build.import_csv(clock.build.dataset(group), interactions_csv())
    tracker = clock.build.personalize.create_event_tracker(name="events", datasetGroupArn=group)["eventTrackerArn"]
    clock.build.wait("event_tracker", tracker)
    return group


def test_the_first_version_comes_within_an_hour_and_further_ones_when_there_is_something_new(
    clock: Clock, group: str
) -> None:
    solution = clock.solution(group)
    assert clock.versions(solution) == []
    clock.pass_time(60 * MINUTE)
    (version,) = clock.versions(solution)
    assert (version["trainingType"], version["trainingMode"]) == ("AUTOMATIC", "AUTOTRAIN")
    clock.pass_time(7 * DAY)
    assert len(clock.versions(solution)) == 1
    clock.new_event()
    clock.pass_time(6 * DAY)
    assert len(clock.versions(solution)) == 1
    clock.pass_time(DAY)
    assert len(clock.versions(solution)) == 2
    clock.pass_time(7 * DAY)
    assert len(clock.versions(solution)) == 2


def test_what_was_trained_by_hand_is_not_trained_again(clock: Clock, group: str) -> None:
    solution = clock.solution(group)
    clock.build.personalize.create_solution_version(solutionArn=solution)
    clock.pass_time(60 * MINUTE)
    (version,) = clock.versions(solution)
    assert version["trainingType"] == "MANUAL"


def test_nothing_is_trained_without_data_or_when_it_is_switched_off(clock: Clock, group: str) -> None:
    off = clock.solution(group, performAutoTraining=False)
    empty = clock.build.personalize.create_solution(
        name="empty", datasetGroupArn=clock.build.group("empty"), recipeArn=V2
    )["solutionArn"]
    clock.build.wait("solution", empty, until=("ACTIVE", NEVER))
    clock.pass_time(20 * DAY)
    assert clock.versions(off) == clock.versions(empty) == []


def test_an_update_restarts_the_clock(clock: Clock, group: str) -> None:
    solution = clock.solution(group, performAutoTraining=False)
    change = {"autoTrainingConfig": {"schedulingExpression": "rate(2 days)"}}
    clock.build.personalize.update_solution(solutionArn=solution, performAutoTraining=True, solutionUpdateConfig=change)
    clock.pass_time(5 * MINUTE)
    clock.pass_time(60 * MINUTE)
    assert len(clock.versions(solution)) == 1
    clock.new_event()
    clock.pass_time(2 * DAY)
    assert len(clock.versions(solution)) == 2
    clock.new_event()
    clock.build.personalize.update_solution(solutionArn=solution, performAutoTraining=False)
    clock.pass_time(20 * DAY)
    assert len(clock.versions(solution)) == 2


def test_a_campaign_that_follows_gets_the_new_version(clock: Clock, group: str) -> None:
    solution = clock.solution(group)
    clock.pass_time(60 * MINUTE)
    (first,) = clock.versions(solution)
    campaigns = {
        name: clock.build.personalize.create_campaign(
            name=name,
            solutionVersionArn=f"{solution}/$LATEST",
            campaignConfig={"syncWithLatestSolutionVersion": follows},
        )["campaignArn"]
        for name, follows in (("follows", True), ("stays", False))
    }
    for campaign in campaigns.values():
        clock.build.wait("campaign", campaign, until=("ACTIVE", NEVER))
    clock.new_event()
    clock.pass_time(7 * DAY)
    second = clock.versions(solution)[-1]["solutionVersionArn"]
    clock.pass_time(30 * MINUTE)
    served = {
        name: clock.build.personalize.describe_campaign(campaignArn=arn)["campaign"]["solutionVersionArn"]
        for name, arn in campaigns.items()
    }
    assert served == {"follows": second, "stays": first["solutionVersionArn"]}


def test_a_solution_that_is_gone_is_not_trained(clock: Clock, group: str) -> None:
    solution = clock.solution(group)
    clock.build.personalize.delete_solution(solutionArn=solution)
    clock.pass_time(10 * MINUTE)
    again = clock.solution(group, performAutoTraining=False)
    assert again == solution
    clock.pass_time(20 * DAY)
    assert clock.versions(again) == []


def test_where_no_time_passes_nothing_is_trained_by_itself(make_cloud: Callable[..., Cloud]) -> None:
    clock = Clock(make_cloud(Settings(time_scale=0)))
    group = clock.build.group()
    clock.build.import_csv(clock.build.dataset(group), interactions_csv())
    solution = clock.solution(group)
    clock.pass_time(20 * DAY)
    assert clock.versions(solution) == []


def test_a_quota_only_puts_training_off(make_cloud: Callable[..., Cloud]) -> None:
    quotas = {"dataset_groups": 1000, "busy_solution_versions": 0}
    clock = Clock(make_cloud(Settings(time_scale=1, quotas=quotas)))
    group = clock.build.group()
    clock.build.import_csv(clock.build.dataset(group), interactions_csv())
    solution = clock.solution(group)
    clock.pass_time(60 * MINUTE)
    assert clock.versions(solution) == []
    clock.pass_time(7 * DAY)
    assert clock.versions(solution) == []


def test_recommenders_are_trained_every_week(clock: Clock, group: str) -> None:
    engine = clock.build.cloud.service._engine
    trained: list[object] = []
    numbers = iter(range(10))
    behaviour = Behaviour(
        work=lambda context, record: lambda: next(numbers),
        activated=lambda context, record, result: trained.append(result),
    )
    with engine.state.lock:
        scope = engine.state.scope(ACCOUNT, REGION)
        start_for_recommender(Context(engine, scope, "CreateRecommender"), scope.get("DatasetGroup", group), behaviour)
    clock.pass_time(6 * DAY)
    assert trained == []
    for week in (1, 2):
        clock.pass_time(DAY if week == 1 else 7 * DAY)
        clock.pass_time(60 * MINUTE)
        assert trained == list(range(week))
