from __future__ import annotations

from collections.abc import Callable

import pytest

from personalize_local.personalize import Settings

from ..support import SLOW, Builder, Cloud, interactions_csv


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
    # the same data and seed give the same model
    assert build.personalize.get_solution_metrics(solutionVersionArn=again)["metrics"] == metrics


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


def test_a_recipe_that_cannot_be_trained_here(build: Builder, group: str) -> None:
    solution = build.solution(group, recipeArn="arn:aws:personalize:::recipe/aws-item-affinity")
    assert "aws-item-affinity" in fails(build, solution)
