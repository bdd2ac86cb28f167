from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from personalize_local.personalize import Settings

from ..support import SLOW, V2, Builder, Cloud

RECIPE = "arn:aws:personalize:::recipe/"
MOST_POPULAR = f"{RECIPE}aws-vod-most-popular"


def avro(name: str, *fields: dict[str, Any]) -> str:
    return json.dumps(
        {"type": "record", "name": name, "namespace": "com.amazonaws.personalize.schema", "fields": fields}
    )


EVENTS = avro(
    "Interactions",
    *({"name": name, "type": "string"} for name in ("USER_ID", "ITEM_ID", "EVENT_TYPE", "DEVICE")),
    {"name": "TIMESTAMP", "type": "long"},
)


def events_csv(*, rows: int = 1200, event: str = "Watch", users: int = 50) -> str:
    """The lower an item's number, the more often it is watched."""
    lines = ["USER_ID,ITEM_ID,EVENT_TYPE,DEVICE,TIMESTAMP"]
    for row in range(rows):
        lines.append(f"u{row % users},i{min(row % 7, row % 11)},{event},tv,{1_700_000_000 + row}")
    return "\n".join(lines) + "\n"


class Videos(Builder):
    """A domain group with events."""

    def __init__(self, cloud: Cloud, text: str | None = None) -> None:
        super().__init__(cloud)
        self.group_arn = self.group("videos", domain="VIDEO_ON_DEMAND")
        schema = self.personalize.create_schema(name="videos", schema=EVENTS, domain="VIDEO_ON_DEMAND")["schemaArn"]
        self.events_arn = self.personalize.create_dataset(
            name="videos", schemaArn=schema, datasetGroupArn=self.group_arn, datasetType="Interactions"
        )["datasetArn"]
        self.wait("dataset", self.events_arn)
        self.import_csv(self.events_arn, events_csv() if text is None else text, name="videos")

    def create(self, name: str = "popular", recipe: str = MOST_POPULAR, **configuration: Any) -> str:
        arn: str = self.personalize.create_recommender(
            name=name,
            datasetGroupArn=self.group_arn,
            recipeArn=recipe,
            **({"recommenderConfig": configuration} if configuration else {}),
        )["recommenderArn"]
        return arn

    def recommender(self, **arguments: Any) -> str:
        arn = self.create(**arguments)
        self.wait("recommender", arn)
        return arn

    def wait_for_update(self, arn: str) -> dict[str, Any]:
        """Wait until an update is over, and give the description."""
        end = time.monotonic() + 30
        while "IN_PROGRESS" in (found := self.describe(arn))["latestRecommenderUpdate"]["status"] or (
            "PENDING" in found["latestRecommenderUpdate"]["status"]
        ):
            assert time.monotonic() < end
            self.cloud.advance(3600)
            time.sleep(0.002)
        return found

    def describe(self, arn: str) -> dict[str, Any]:
        found: dict[str, Any] = self.personalize.describe_recommender(recommenderArn=arn)["recommender"]
        return found


@pytest.fixture
def videos(make_cloud: Callable[..., Cloud]) -> Videos:
    return Videos(make_cloud(SLOW))


def test_a_recommender(videos: Videos) -> None:
    arn = videos.create()
    assert arn.endswith(":recommender/popular")
    found = videos.wait("recommender", arn)
    assert found["recommenderConfig"] == {"minRecommendationRequestsPerSecond": 1}
    assert (found["datasetGroupArn"], found["recipeArn"]) == (videos.group_arn, MOST_POPULAR)
    assert "latestRecommenderUpdate" not in found
    assert 0 < found["modelMetrics"]["coverage"] <= 1
    summary = videos.personalize.list_recommenders(datasetGroupArn=videos.group_arn)["recommenders"]
    assert [(each["name"], each["status"], each["recipeArn"]) for each in summary] == [
        ("popular", "ACTIVE", MOST_POPULAR)
    ]
    assert summary[0]["recommenderConfig"] == found["recommenderConfig"]
    other = videos.group("other", domain="ECOMMERCE")
    assert videos.personalize.list_recommenders(datasetGroupArn=other)["recommenders"] == []


def test_there_are_no_metrics_before_and_after(videos: Videos) -> None:
    arn = videos.create()
    assert "modelMetrics" not in videos.describe(arn)
    assert videos.wait("recommender", arn)["modelMetrics"]
    videos.personalize.delete_recommender(recommenderArn=arn)
    found = videos.describe(arn)
    assert found["status"] == "DELETE PENDING"
    assert "modelMetrics" not in found


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (events_csv(event="Click"), "Dataset has fewer than 1000 interactions after filtering by event type: Watch"),
        (events_csv(users=24), "Create failed. Dataset has fewer than 25 users with at least 2 interactions each."),
    ],
)
def test_too_little_data(make_cloud: Callable[..., Cloud], text: str, reason: str) -> None:
    videos = Videos(make_cloud(SLOW), text)
    arn = videos.create()
    assert videos.wait("recommender", arn, until=("CREATE FAILED",))["failureReason"] == reason
    videos.personalize.delete_recommender(recommenderArn=arn)


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (f"{RECIPE}aws-ecomm-recommended-for-you", "is for dataset groups of the domain ECOMMERCE"),
        (V2, "is for solutions; a recommender takes one of aws-ecomm-"),
    ],
)
def test_recipes_that_do_not_fit(videos: Videos, recipe: str, message: str) -> None:
    with pytest.raises(videos.personalize.exceptions.InvalidInputException, match=message):
        videos.create(recipe=recipe)


def test_custom_groups_have_no_recommenders(cloud: Cloud, build: Builder) -> None:
    with pytest.raises(cloud.personalize.exceptions.InvalidInputException, match="films is a custom dataset group"):
        cloud.personalize.create_recommender(name="x", datasetGroupArn=build.group(), recipeArn=MOST_POPULAR)


def test_domain_groups_have_solutions_of_other_recipes(videos: Videos) -> None:
    assert videos.solution(videos.group_arn)
    with pytest.raises(videos.personalize.exceptions.InvalidInputException, match="is a use case of the domain VIDEO"):
        videos.solution(videos.group_arn, "other", recipeArn=MOST_POPULAR)


@pytest.mark.parametrize("kind", ["Actions", "Action_Interactions"])
def test_domain_groups_have_no_actions(videos: Videos, kind: str) -> None:
    schema = videos.personalize.list_schemas()["schemas"][0]["schemaArn"]
    with pytest.raises(videos.personalize.exceptions.InvalidInputException, match="must be one of INTERACTIONS"):
        videos.personalize.create_dataset(
            name="a", schemaArn=schema, datasetGroupArn=videos.group_arn, datasetType=kind
        )


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"minRecommendationRequestsPerSecond": 0}, "greater than or equal to 1"),
        ({"itemExplorationConfig": {"explorationWeight": "0.1"}}, "does not support itemExplorationConfig"),
        (
            {"trainingDataConfig": {"excludedDatasetColumns": {"INTERACTIONS": ["EVENT_TYPE"]}}},
            "must not name EVENT_TYPE",
        ),
        (
            {"trainingDataConfig": {"excludedDatasetColumns": {"Interactions": ["EVENT_TYPE"]}}},
            "must not name EVENT_TYPE",
        ),
        (
            {"trainingDataConfig": {"excludedDatasetColumns": {"Interactions": ["COLOUR"]}}},
            r"excludedDatasetColumns.Interactions names COLOUR; the dataset has .*DEVICE",
        ),
        (
            {"trainingDataConfig": {"excludedDatasetColumns": {"INTERACTIONS": ["COLOUR"]}}},
            "excludedDatasetColumns.INTERACTIONS names COLOUR; the dataset has USER_ID, .*, DEVICE",
        ),
        (
            {"trainingDataConfig": {"includedDatasetColumns": {"ITEMS": ["PRICE"]}}},
            "includedDatasetColumns.ITEMS is about a dataset that the dataset group does not have",
        ),
    ],
)
def test_wrong_configurations(videos: Videos, configuration: dict[str, Any], message: str) -> None:
    with pytest.raises(videos.personalize.exceptions.InvalidInputException, match=message):
        videos.create(**configuration)


@pytest.mark.parametrize(
    ("exploration", "message"),
    [
        ({"explorationWeight": "1.1"}, "explorationWeight must be a number from 0.0 to 1.0, got 1.1"),
        ({"explorationWeight": "much"}, "explorationWeight must be a number .* got much"),
        ({"explorationItemAgeCutOff": "nan"}, "explorationItemAgeCutOff must be a number from 1.0"),
        ({"weight": "1"}, "has explorationWeight, explorationItemAgeCutOff, got weight"),
    ],
)
def test_exploration(videos: Videos, exploration: dict[str, str], message: str) -> None:
    picks = f"{RECIPE}aws-vod-top-picks"
    with pytest.raises(videos.personalize.exceptions.InvalidInputException, match=message):
        videos.create(recipe=picks, itemExplorationConfig=exploration)
    right = {"explorationWeight": "0.5", "explorationItemAgeCutOff": "7"}
    arn = videos.create(recipe=picks, itemExplorationConfig=right)
    assert videos.describe(arn)["recommenderConfig"]["itemExplorationConfig"] == right


def test_updates_stand_beside_the_recommender(videos: Videos) -> None:
    client = videos.personalize
    arn = videos.recommender()
    wanted = {"minRecommendationRequestsPerSecond": 3, "enableMetadataWithRecommendations": True}
    client.update_recommender(recommenderArn=arn, recommenderConfig=wanted)
    found = videos.describe(arn)
    assert (found["status"], found["recommenderConfig"]) == ("ACTIVE", {"minRecommendationRequestsPerSecond": 1})
    assert found["latestRecommenderUpdate"]["status"] == "CREATE PENDING"
    assert found["latestRecommenderUpdate"]["recommenderConfig"] == wanted
    for refused in (
        lambda: client.update_recommender(recommenderArn=arn, recommenderConfig={}),
        lambda: client.stop_recommender(recommenderArn=arn),
        lambda: client.delete_recommender(recommenderArn=arn),
    ):
        with pytest.raises(client.exceptions.ResourceInUseException, match="in status CREATE PENDING"):
            refused()
    assert videos.wait_for_update(arn)["recommenderConfig"] == wanted


def trainings(videos: Builder, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count what is trained from here on."""
    done: list[str] = []
    trainer = videos.cloud.service._engine.trainer
    run = trainer.run

    def counted(recipe: str, *arguments: Any, **options: Any) -> Any:
        done.append(recipe)
        return run(recipe, *arguments, **options)

    monkeypatch.setattr(trainer, "run", counted)
    return done


def test_other_training_columns_train_anew(videos: Videos, monkeypatch: pytest.MonkeyPatch) -> None:
    client = videos.personalize
    arn = videos.recommender()
    trained = trainings(videos, monkeypatch)

    def update(**configuration: Any) -> dict[str, Any]:
        client.update_recommender(recommenderArn=arn, recommenderConfig=configuration)
        return videos.wait_for_update(arn)

    columns = {"excludedDatasetColumns": {"INTERACTIONS": ["DEVICE"]}}
    assert update(minRecommendationRequestsPerSecond=2)["latestRecommenderUpdate"]["status"] == "ACTIVE"
    assert trained == []
    assert update(trainingDataConfig=columns)["recommenderConfig"]["trainingDataConfig"] == columns
    assert trained == ["aws-vod-most-popular"]
    update(trainingDataConfig=columns, minRecommendationRequestsPerSecond=3)
    assert len(trained) == 1


def test_a_failed_update_changes_nothing(videos: Videos) -> None:
    arn = videos.recommender()
    videos.cloud.service.admin("fail", {"operation": "UpdateRecommender", "failure_reason": "No luck."})
    videos.personalize.update_recommender(
        recommenderArn=arn, recommenderConfig={"minRecommendationRequestsPerSecond": 2}
    )
    found = videos.wait_for_update(arn)
    assert found["latestRecommenderUpdate"]["status"] == "CREATE FAILED"
    assert found["latestRecommenderUpdate"]["failureReason"] == "No luck."
    assert (found["status"], found["recommenderConfig"]) == ("ACTIVE", {"minRecommendationRequestsPerSecond": 1})


def test_a_stopped_recommender_starts_as_it_was(videos: Videos, monkeypatch: pytest.MonkeyPatch) -> None:
    client = videos.personalize
    arn = videos.recommender()
    metrics = videos.describe(arn)["modelMetrics"]
    trained = trainings(videos, monkeypatch)
    assert client.stop_recommender(recommenderArn=arn)["recommenderArn"] == arn
    videos.wait("recommender", arn, until=("INACTIVE",))
    with pytest.raises(client.exceptions.ResourceInUseException, match="INACTIVE, StopRecommender needs ACTIVE"):
        client.stop_recommender(recommenderArn=arn)
    client.update_recommender(recommenderArn=arn, recommenderConfig={"minRecommendationRequestsPerSecond": 2})
    videos.wait_for_update(arn)
    client.start_recommender(recommenderArn=arn)
    found = videos.wait("recommender", arn)
    assert found["modelMetrics"] == metrics
    assert found["recommenderConfig"] == {"minRecommendationRequestsPerSecond": 2}
    assert trained == []
    client.stop_recommender(recommenderArn=arn)
    videos.wait("recommender", arn, until=("INACTIVE",))
    client.delete_recommender(recommenderArn=arn)


def test_what_is_under_way_goes_on_after_a_restart(make_cloud: Callable[..., Cloud], tmp_path: Path) -> None:
    """Stopping, and an update that trains anew; what a recommender serves is there again."""
    first = make_cloud(replace(SLOW, data=tmp_path))
    videos = Videos(first)
    stopped, updated = videos.recommender(name="stopped"), videos.recommender(name="updated")
    columns = {"excludedDatasetColumns": {"INTERACTIONS": ["DEVICE"]}}
    videos.personalize.stop_recommender(recommenderArn=stopped)
    videos.personalize.update_recommender(recommenderArn=updated, recommenderConfig={"trainingDataConfig": columns})
    metrics = videos.describe(stopped)["modelMetrics"]
    first.service.close()

    videos.cloud = make_cloud(replace(SLOW, data=tmp_path))
    videos.personalize = videos.cloud.personalize
    assert videos.describe(stopped)["status"] == "STOP PENDING"
    assert videos.wait("recommender", stopped, until=("INACTIVE",))["modelMetrics"] == metrics
    assert videos.wait_for_update(updated)["recommenderConfig"]["trainingDataConfig"] == columns


def test_the_quota_can_be_raised(make_cloud: Callable[..., Cloud]) -> None:
    videos = Videos(make_cloud(Settings(quotas={"recommenders_per_dataset_group": 1})))
    videos.create()
    with pytest.raises(videos.personalize.exceptions.LimitExceededException, match="Cannot create a recommender"):
        videos.create(name="more")


def test_a_recommender_is_trained_anew_every_week(videos: Videos, monkeypatch: pytest.MonkeyPatch) -> None:
    videos.recommender()
    trained = trainings(videos, monkeypatch)
    for week in (1, 2):
        videos.cloud.advance(7 * 86_400)
        for _ in range(300):
            if len(trained) == week:
                break
            time.sleep(0.005)
            videos.cloud.advance(60)
        assert trained == [MOST_POPULAR.rpartition("/")[2]] * week


def test_the_week_goes_on_after_a_restart(
    make_cloud: Callable[..., Cloud], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(time_scale=1, data=tmp_path)
    before = Videos(make_cloud(settings))
    before.recommender()
    before.cloud.advance(6 * 86_400)
    before.cloud.service.close()
    after = Builder(make_cloud(settings))
    trained = trainings(after, monkeypatch)
    after.cloud.advance(2 * 86_400)
    for _ in range(300):
        if trained:
            break
        time.sleep(0.005)
        after.cloud.advance(60)
    assert trained == [MOST_POPULAR.rpartition("/")[2]]
