from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from personalize_local.personalize import Settings, Uncertain
from personalize_local.personalize.kinds import solution_versions
from personalize_local.personalize.quotas import Quotas
from personalize_local.personalize.recommenders import Table
from personalize_local.personalize.recommenders.search import METRIC
from personalize_local.personalize.serving import TrainedVersion
from personalize_local.personalize.training import Training
from personalize_local.personalize.worker import Trainer

from ..films import Planted
from ..support import ACCOUNT, ITEMS_SCHEMA, REGION, SLOW, USERS_SCHEMA, Builder, Cloud, interactions_csv, items_csv


@pytest.fixture
def group(build: Builder) -> str:
    group = build.group()
    build.import_csv(build.dataset(group), interactions_csv())
    return group


def fails(build: Builder, solution: str) -> str:
    arn = build.personalize.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    reason: str = build.wait("solution_version", arn, until=("CREATE FAILED",))["failureReason"]
    return reason


def test_a_trained_version(build: Builder, group: str) -> None:
    solution = build.solution(group, eventType="watch")
    arn = build.version(solution)
    version = build.wait("solution_version", arn)
    assert version["name"] == f"picks/{arn[-8:]}"
    assert version["datasetGroupArn"] == group
    assert (version["trainingMode"], version["trainingType"], version["eventType"]) == ("FULL", "MANUAL", "watch")
    assert version["trainingHours"] > 0
    latest = build.wait("solution", solution)["latestSolutionVersion"]
    assert (latest["solutionVersionArn"], latest["status"]) == (arn, "ACTIVE")
    metrics = build.personalize.get_solution_metrics(solutionVersionArn=arn)["metrics"]
    assert set(metrics) == {
        "coverage",
        "mean_reciprocal_rank_at_25",
        *(f"normalized_discounted_cumulative_gain_at_{depth}" for depth in (5, 10, 25)),
        *(f"precision_at_{depth}" for depth in (5, 10, 25)),
    }
    assert metrics["normalized_discounted_cumulative_gain_at_25"] > 0.2
    again = build.version(solution, name="second")
    assert build.wait("solution_version", again)["name"] == "second"
    # another version has other test users
    second = build.personalize.get_solution_metrics(solutionVersionArn=again)["metrics"]
    assert set(second) == set(metrics)
    assert second != metrics


def test_the_same_calls_and_seed_give_the_same_models(make_cloud: Callable[..., Cloud]) -> None:
    def metrics(seed: int) -> list[dict[str, float]]:
        build = Builder(make_cloud(Settings(seed=seed)))
        group = build.group()
        build.import_csv(build.dataset(group), interactions_csv())
        solution = build.solution(group)
        versions = [build.version(solution) for _ in range(2)]
        return [build.personalize.get_solution_metrics(solutionVersionArn=arn)["metrics"] for arn in versions]

    first = metrics(7)
    assert metrics(7) == first
    assert metrics(9) != first


def test_too_little_data(make_cloud: Callable[..., Cloud]) -> None:
    build = Builder(make_cloud(Settings(quotas={"min_records_per_interactions_import": 1})))
    group = build.group()
    solution = build.solution(group)
    assert fails(build, solution) == (
        "Create failed. The dataset group has no data in its INTERACTIONS dataset, "
        "which aws-user-personalization-v2 needs."
    )
    dataset = build.dataset(group)
    build.import_csv(dataset, interactions_csv(users=30, per_user=30), name="few")
    assert fails(build, solution) == "Create failed. Dataset has fewer than 1000 interactions."
    build.import_csv(dataset, interactions_csv(users=24, per_user=50), name="few-users")
    users = "Create failed. Dataset has fewer than 25 users with at least 2 interactions each."
    assert fails(build, solution) == users
    once = [f"v{user},i1,1,watch,1" for user in range(3000)]
    build.import_csv(dataset, interactions_csv(users=29, per_user=40) + "\n".join(once) + "\n", name="one-percent")
    assert fails(build, solution) == users
    with pytest.raises(build.personalize.exceptions.ResourceInUseException, match="CREATE FAILED"):
        build.campaign(build.personalize.list_solution_versions()["solutionVersions"][0]["solutionVersionArn"])


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"eventType": "buy"}, "fewer than 1000 interactions after filtering by event type: buy."),
        ({"solutionConfig": {"eventValueThreshold": "5"}}, "fewer than 1000 interactions."),
        (
            {
                "solutionConfig": {
                    "eventsConfig": {"eventParametersList": [{"eventType": "watch", "eventValueThreshold": 5}]}
                }
            },
            "fewer than 1000 interactions.",
        ),
    ],
)
def test_only_what_is_left_after_filtering_counts(
    build: Builder, group: str, arguments: dict[str, object], reason: str
) -> None:
    assert reason in fails(build, build.solution(group, **arguments))


def test_stopping(make_cloud: Callable[..., Cloud]) -> None:
    build = Builder(make_cloud(SLOW))
    group = build.group()
    build.import_csv(build.dataset(group), interactions_csv())
    solution = build.solution(group)
    client = build.personalize
    pending = client.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    client.stop_solution_version_creation(solutionVersionArn=pending)
    assert client.describe_solution_version(solutionVersionArn=pending)["solutionVersion"]["status"] == "CREATE STOPPED"
    running = client.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    with pytest.raises(client.exceptions.ResourceInUseException, match="there are no metrics"):
        client.get_solution_metrics(solutionVersionArn=running)
    with pytest.raises(client.exceptions.ResourceInUseException, match=running):
        client.delete_solution(solutionArn=solution)
    build.wait("solution_version", running, until=("CREATE IN_PROGRESS",))
    client.stop_solution_version_creation(solutionVersionArn=running)
    build.wait("solution_version", running, until=("CREATE STOPPING",))
    build.wait("solution_version", running, until=("CREATE STOPPED",))
    with pytest.raises(client.exceptions.ResourceInUseException, match="CREATE STOPPED"):
        client.stop_solution_version_creation(solutionVersionArn=running)
    client.delete_solution(solutionArn=solution)


def test_training_modes(build: Builder, group: str) -> None:
    client = build.personalize
    v2 = build.solution(group)
    v1 = build.solution(group, "v1", recipeArn="arn:aws:personalize:::recipe/aws-user-personalization")
    for solution, mode, message in (
        (v2, "UPDATE", "is for the recipes aws-user-personalization, aws-hrnn-coldstart"),
        (v1, "UPDATE", "needs an ACTIVE version"),
        (v1, "AUTOTRAIN", "is for automatic training only"),
    ):
        with pytest.raises(client.exceptions.InvalidInputException, match=message):
            client.create_solution_version(solutionArn=solution, trainingMode=mode)
    build.version(v1)
    assert build.wait("solution_version", build.version(v1, trainingMode="UPDATE"))["trainingMode"] == "UPDATE"


V1 = "arn:aws:personalize:::recipe/aws-user-personalization"


def test_hyperparameter_optimization(build: Builder, group: str) -> None:
    ranges = {
        "integerHyperParameterRanges": [{"name": "bptt", "minValue": 2, "maxValue": 4}],
        "continuousHyperParameterRanges": [],
        "categoricalHyperParameterRanges": [{"name": "recency_mask", "values": ["true", "false"]}],
    }
    configuration = {
        "hpoConfig": {
            "hpoResourceConfig": {"maxNumberOfTrainingJobs": "3", "maxParallelTrainingJobs": "1"},
            "algorithmHyperParameterRanges": ranges,
        }
    }
    solution = build.solution(group, recipeArn=V1, performHPO=True, solutionConfig=configuration)
    version = build.wait("solution_version", build.version(solution))
    tuned = version["tunedHPOParams"]["algorithmHyperParameters"]
    assert set(tuned) == {"bptt", "recency_mask"}
    assert tuned["bptt"] in {"2", "3", "4"}
    assert tuned["recency_mask"] in {"true", "false"}
    plain = build.wait("solution_version", build.version(build.solution(group, "plain", recipeArn=V1)))
    assert "tunedHPOParams" not in plain
    # each training is billed
    assert version["trainingHours"] == pytest.approx(3 * plain["trainingHours"], abs=0.002)
    # an update trains nothing anew, so there is nothing to tune
    update = build.wait("solution_version", build.version(solution, trainingMode="UPDATE"))
    assert "tunedHPOParams" not in update
    assert update["trainingHours"] == plain["trainingHours"]


@pytest.mark.parametrize(("chosen", "expected"), [("coverage", "coverage"), (None, METRIC), ("accuracy", METRIC)])
def test_the_chosen_metric_is_what_tuning_and_choice_optimize(
    make_cloud: Callable[..., Cloud], monkeypatch: pytest.MonkeyPatch, chosen: str | None, expected: str
) -> None:
    build = Builder(make_cloud(Settings(uncertain=Uncertain(unknown_auto_ml_metric_refused=False))))
    group = build.group()
    build.import_csv(build.dataset(group), interactions_csv())
    seen: list[str] = []

    def choose(
        candidates: Sequence[Mapping[str, Any]],
        training: Callable[[Mapping[str, Any]], Training],
        trainer: Trainer,
        quotas: Quotas,
        metric: str,
    ) -> TrainedVersion:
        searches = [training(version).search for version in candidates]
        seen.extend([metric, *(search.metric for search in searches if search)])
        return TrainedVersion(Planted.of(["i1"]), {}, recipe="aws-hrnn")

    monkeypatch.setattr(solution_versions, "train_best", choose)
    choice = {} if chosen is None else {"autoMLConfig": {"metricName": chosen}}
    # the other way to name a metric is documented to have no effect
    objective = {"type": "Maximize", "metricName": "precision_at_10"}
    build.version(
        build.solution(
            group,
            recipeArn=None,
            performAutoML=True,
            solutionConfig={**choice, "hpoConfig": {"hpoObjective": objective}},
        )
    )
    assert len(seen) > 3
    assert set(seen) == {expected}


def test_what_can_be_tuned_is_tuned_when_there_are_no_ranges(build: Builder, group: str) -> None:
    jobs = {"hpoConfig": {"hpoResourceConfig": {"maxNumberOfTrainingJobs": "2"}}}
    solution = build.solution(group, recipeArn=V1, performHPO=True, solutionConfig=jobs)
    version = build.wait("solution_version", build.version(solution))
    assert set(version["tunedHPOParams"]["algorithmHyperParameters"]) == {"hidden_dimension", "bptt", "recency_mask"}


def test_the_service_chooses_the_recipe(build: Builder, group: str) -> None:
    arn = build.personalize.create_solution(
        name="auto", datasetGroupArn=group, performAutoML=True, performAutoTraining=False
    )["solutionArn"]
    assert "autoMLResult" not in build.wait("solution", arn)
    version = build.version(arn)
    best = build.wait("solution", arn)["autoMLResult"]["bestRecipeArn"]
    assert build.personalize.describe_recipe(recipeArn=best)["recipe"]["recipeType"] == "USER_PERSONALIZATION"
    found = build.wait("solution_version", version)
    assert (found["recipeArn"], found["performAutoML"]) == (best, True)
    campaign = build.campaign(version)
    assert len(build.cloud.runtime.get_recommendations(campaignArn=campaign, userId="u1")["itemList"]) == 25


def test_the_service_chooses_from_the_list(build: Builder, group: str) -> None:
    arns = [f"arn:aws:personalize:::recipe/{name}" for name in ("aws-hrnn-coldstart", "aws-hrnn")]
    arn = build.personalize.create_solution(
        name="auto",
        datasetGroupArn=group,
        performAutoML=True,
        performAutoTraining=False,
        solutionConfig={"autoMLConfig": {"metricName": "precision_at_25", "recipeList": arns}},
    )["solutionArn"]
    build.wait("solution", arn)
    build.version(arn)
    # there are no items, which cold start needs
    assert build.wait("solution", arn)["autoMLResult"]["bestRecipeArn"] == arns[1]


def test_weights_of_events_are_measured(build: Builder, group: str) -> None:
    events = [{"eventType": "watch", "weight": 0.5, "eventValueThreshold": 2}, {"eventType": "buy"}]
    solution = build.solution(group, solutionConfig={"eventsConfig": {"eventParametersList": events}})
    metrics = build.personalize.get_solution_metrics(solutionVersionArn=build.version(solution))["metrics"]
    assert metrics["normalized_discounted_cumulative_gain_with_event_weights_at_25"] == pytest.approx(
        metrics["normalized_discounted_cumulative_gain_at_25"]
    )


def test_an_objective_is_measured_and_reached(build: Builder, group: str) -> None:
    unreachable = build.solution(
        group, "early", recipeArn=V1, solutionConfig={"optimizationObjective": {"itemAttribute": "YEAR"}}
    )
    assert fails(build, unreachable) == (
        "Create failed. The Items dataset has no numeric column YEAR, which optimizationObjective names."
    )
    items = ITEMS_SCHEMA.replace('{"name": "YEAR", "type": ["null", "int"]}', '{"name": "YEAR", "type": "int"}')
    build.import_csv(build.dataset(group, "Items", items), items_csv(), name="items")

    def years(sensitivity: str) -> float:
        objective = {"itemAttribute": "YEAR", "objectiveSensitivity": sensitivity}
        solution = build.solution(group, sensitivity, recipeArn=V1, solutionConfig={"optimizationObjective": objective})
        version = build.version(solution)
        metrics = build.personalize.get_solution_metrics(solutionVersionArn=version)["metrics"]
        assert 0 < metrics["average_rewards_at_k"] <= 1
        campaign = build.campaign(version, sensitivity)
        found = build.cloud.runtime.get_recommendations(campaignArn=campaign, userId="u1", numResults=10)["itemList"]
        return sum(1980 + int(one["itemId"][1:]) for one in found) / len(found)

    assert years("OFF") < years("HIGH")


def test_an_update_learns_what_came_since(build: Builder, group: str) -> None:
    dataset = f"{group.replace('dataset-group', 'dataset')}/INTERACTIONS"
    solution = build.solution(group, recipeArn=V1)
    build.version(solution)
    rows = [f"n{user},new{user % 5},{1_700_900_000 + user},watch,5" for user in range(1000)]
    text = "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE\n" + "\n".join(rows) + "\n"
    build.import_csv(dataset, text, name="more", mode="INCREMENTAL")
    campaign = build.campaign(build.version(solution, trainingMode="UPDATE"))
    found = build.cloud.runtime.get_recommendations(campaignArn=campaign, userId="nobody", numResults=5)["itemList"]
    assert {one["itemId"] for one in found} == {f"new{number}" for number in range(5)}


def test_only_the_newest_full_version_takes_up_new_items(build: Builder, group: str) -> None:
    engine, table = build.cloud.service._engine, Table(["late"])
    solution = build.solution(group, recipeArn=V1)

    def taking_up(versions: list[str]) -> list[bool]:
        trained = engine.state.scope(ACCOUNT, REGION).versions
        later = engine.lifecycle.now + 7300
        return [trained[arn].auto_update.items(table, later) is table for arn in versions]

    first = build.version(solution)
    trained = engine.state.scope(ACCOUNT, REGION).versions[first]
    assert trained.auto_update.items(table, engine.lifecycle.now + 3600) is None
    second = build.version(solution)
    assert taking_up([first, second]) == [False, True]
    third = build.version(solution, trainingMode="UPDATE")
    assert taking_up([first, third]) == [False, False]
    assert taking_up([first, third, build.version(solution)]) == [False, False, True]


def test_a_recipe_without_users_does_not_learn_from_them(build: Builder, group: str) -> None:
    build.import_csv(build.dataset(group, "Users", USERS_SCHEMA), "USER_ID,AGE\nu1,20\nu2,50\n", name="users")
    trained = build.cloud.service._engine.state.scope(ACCOUNT, REGION).versions
    found = {}
    for recipe in ("aws-hrnn", "aws-hrnn-metadata"):
        solution = build.solution(group, recipe, recipeArn=f"arn:aws:personalize:::recipe/{recipe}")
        found[recipe] = trained[build.version(solution)].model.arrays()["segment_names"]
    assert len(found["aws-hrnn"]) == 0
    assert {tuple(name[:2]) for name in found["aws-hrnn-metadata"]} == {("user", "AGE")}


def test_columns_that_are_excluded_are_not_trained_on(build: Builder, group: str) -> None:
    users = USERS_SCHEMA.replace('"int"', '"string", "categorical": true')
    ages = "".join(f"u{user},{'even' if user % 2 == 0 else 'odd'}\n" for user in range(60))
    build.import_csv(build.dataset(group, "Users", users), f"USER_ID,AGE\n{ages}", name="users")
    build.cloud.events.put_users(
        datasetArn=f"{group.replace('dataset-group', 'dataset')}/USERS",
        users=[{"userId": "fresh", "properties": '{"age": "odd"}'}],
    )

    def half(name: str, **columns: object) -> int:
        solution = build.solution(group, name, solutionConfig={"trainingDataConfig": columns})
        campaign = build.campaign(build.version(solution), name)
        found = build.cloud.runtime.get_recommendations(campaignArn=campaign, userId="fresh", numResults=10)
        return sum(int(one["itemId"][1:]) >= 20 for one in found["itemList"])

    assert half("all") == 10
    excluded = half("without", excludedDatasetColumns={"USERS": ["AGE"]})
    assert excluded < 10
    assert half("none", includedDatasetColumns={"USERS": []}) == excluded


@pytest.mark.parametrize("in_arn", [False, True])
def test_whether_a_name_is_in_the_arn(make_cloud: Callable[..., Cloud], in_arn: bool) -> None:
    cloud = make_cloud(Settings(time_scale=1, uncertain=Uncertain(version_name_in_arn=in_arn)))
    build = Builder(cloud)
    create = build.personalize.create_solution_version
    solution = build.solution(build.group())
    arn = create(solutionArn=solution, name="first")["solutionVersionArn"]
    assert (arn == f"{solution}/first") is in_arn
    assert build.personalize.describe_solution_version(solutionVersionArn=arn)["solutionVersion"]["name"] == "first"
    if in_arn:
        with pytest.raises(build.personalize.exceptions.ResourceAlreadyExistsException, match=f"{arn} already exists"):
            create(solutionArn=solution, name="first")
    else:
        assert create(solutionArn=solution, name="first")["solutionVersionArn"] != arn
