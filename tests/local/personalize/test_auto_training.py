"""Automatic training, in a cloud whose time passes only when it is told to."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from personalize_local.personalize import Settings
from personalize_local.personalize.auto_training import DAY, contents, start_for_recommender
from personalize_local.personalize.crud import Behaviour
from personalize_local.personalize.engine import Context
from personalize_local.personalize.own_tuning import OWN_SEARCH
from personalize_local.personalize.recommenders import Model, Search, TrainingData
from personalize_local.personalize.resources import KINDS
from personalize_local.personalize.state import Progress, Record
from personalize_local.personalize.worker import Trained, Trainer

from .films import Planted, scope_of
from .support import (
    ACCOUNT,
    ACTION_INTERACTIONS_SCHEMA,
    ACTIONS_SCHEMA,
    ITEMS_SCHEMA,
    REGION,
    V2,
    Builder,
    Cloud,
    interactions_csv,
)

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


def test_only_what_a_recipe_learns_from_leads_to_training(clock: Clock, group: str) -> None:
    scope = scope_of(clock.build.cloud)
    datasets = {
        kind: clock.build.dataset(group, kind, text)
        for kind, text in (
            ("Items", ITEMS_SCHEMA),
            ("Actions", ACTIONS_SCHEMA),
            ("Action_Interactions", ACTION_INTERACTIONS_SCHEMA),
        )
    }

    def seen(recipe: str) -> dict[str, int]:
        now = time.time()
        arn = f"arn:aws:personalize:::recipe/{recipe}"
        solution = Record(
            KINDS["Solution"], "arn", {"recipeArn": arn, "datasetGroupArn": group}, Progress("ACTIVE", now, now)
        )
        engine = clock.build.cloud.service._engine
        with engine.state.lock:
            return contents(Context(engine, scope, "CreateSolutionVersion"), solution)

    recipes = ("aws-user-personalization-v2", "aws-next-best-action", "aws-semantic-similarity")

    def changed(action: Callable[[], object]) -> set[str]:
        before = {recipe: seen(recipe) for recipe in recipes}
        action()
        return {recipe for recipe in recipes if seen(recipe) != before[recipe]}

    events = clock.build.cloud.events
    describe = clock.build.personalize.describe_dataset
    tracking = describe(datasetArn=datasets["Action_Interactions"])["dataset"]["trackingId"]
    action = {"actionId": "a", "userId": "u", "sessionId": "u", "timestamp": 1e9, "eventType": "Taken"}
    assert changed(clock.new_event) == {"aws-user-personalization-v2", "aws-next-best-action"}
    assert changed(
        lambda: events.put_items(
            datasetArn=datasets["Items"], items=[{"itemId": "new", "properties": '{"genres": "Drama"}'}]
        )
    ) == {"aws-semantic-similarity"}
    assert changed(lambda: events.put_action_interactions(trackingId=tracking, actionInteractions=[action])) == {
        "aws-next-best-action"
    }
    assert not changed(
        lambda: events.put_actions(datasetArn=datasets["Actions"], actions=[{"actionId": "a", "properties": "{}"}])
    )


def test_version_two_tunes_itself_every_ninety_days(clock: Clock, group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found stays until the next time, and the service does not tell."""
    trainings: list[tuple[bool, Mapping[str, str]]] = []
    found = iter([{"bptt": "7"}, {"bptt": "9"}])

    def run(
        self: Trainer, recipe: str, data: TrainingData, *, search: Search | None = None, previous: Model | None = None
    ) -> Trained:
        trainings.append((search is OWN_SEARCH, data.hyper_parameters))
        return Trained(Planted.of(["i1"]), {}, next(found) if search else {})

    monkeypatch.setattr(Trainer, "run", run)
    solution = clock.solution(group, solutionConfig={"autoTrainingConfig": {"schedulingExpression": "rate(30 days)"}})
    hours = []
    for days in (1, 30, 30, 30):
        clock.new_event()
        clock.pass_time(days * DAY)
        newest = clock.versions(solution)[-1]
        assert "tunedHPOParams" not in newest
        hours.append(newest["trainingHours"])
    assert [tuned for tuned, _ in trainings] == [True, False, False, True]
    assert [parameters.get("bptt") for _, parameters in trainings] == [None, "7", "7", None]
    assert hours[0] == hours[3] == pytest.approx(5 * hours[1], abs=0.003)
    # whoever trains by hand gets what was found, and no tuning
    clock.build.version(solution)
    assert trainings[-1] == (False, {"apply_recency_bias": "true", "bptt": "9"})


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
