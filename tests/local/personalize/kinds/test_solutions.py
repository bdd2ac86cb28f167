from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ..support import ITEMS_SCHEMA, SLOW, V2, Builder, Cloud

V1 = "arn:aws:personalize:::recipe/aws-user-personalization"


def test_defaults(build: Builder) -> None:
    group = build.group()
    arn = build.personalize.create_solution(name="s", datasetGroupArn=group, recipeArn=V2)["solutionArn"]
    found = build.wait("solution", arn)
    assert found["performAutoTraining"] is True
    assert found["performHPO"] is False
    assert "latestSolutionUpdate" not in found
    assert "latestSolutionVersion" not in found


def test_what_is_set_reads_back(build: Builder) -> None:
    configuration = {
        "algorithmHyperParameters": {"apply_recency_bias": "false"},
        "eventsConfig": {"eventParametersList": [{"eventType": "watch", "weight": 1.0}]},
        "autoTrainingConfig": {"schedulingExpression": "rate(30 days)"},
    }
    arn = build.solution(build.group(), solutionConfig=configuration, eventType="watch")
    found = build.wait("solution", arn)
    assert found["performAutoTraining"] is False
    assert found["solutionConfig"] == configuration
    assert found["eventType"] == "watch"


def searching(kind: str, wanted: dict[str, Any]) -> dict[str, Any]:
    ranges = {
        f"{one}HyperParameterRanges": [wanted] * (one == kind) for one in ("integer", "continuous", "categorical")
    }
    return {
        "recipeArn": V1,
        "performHPO": True,
        "solutionConfig": {"hpoConfig": {"algorithmHyperParameterRanges": ranges}},
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"recipeArn": None}, "recipeArn is required"),
        ({"performHPO": True}, "aws-user-personalization-v2 does not support performHPO"),
        ({"performIncrementalUpdate": True}, "does not support performIncrementalUpdate"),
        ({"recipeArn": V1, "solutionConfig": {"eventsConfig": {}}}, "does not support eventsConfig"),
        ({"solutionConfig": {"optimizationObjective": {"itemAttribute": "A"}}}, "support optimizationObjective"),
        (
            {"solutionConfig": {"algorithmHyperParameters": {"bptt": "3"}}},
            r"has no algorithmHyperParameters bptt; it has \['apply_recency_bias'\]",
        ),
        (
            {"solutionConfig": {"autoTrainingConfig": {"schedulingExpression": "rate(31 days)"}}},
            r"must be from 1 to 30 days, got rate\(31 days\)",
        ),
        (
            {"solutionConfig": {"trainingDataConfig": {"excludedDatasetColumns": {"INTERACTIONS": ["EVENT_TYPE"]}}}},
            "must not name EVENT_TYPE",
        ),
        (
            {"recipeArn": V1, "solutionConfig": {"optimizationObjective": {"itemAttribute": "YEAR"}}},
            r"itemAttribute must be a numeric Items column that is never null, of \['PRICE'\], got YEAR",
        ),
        (
            {
                "recipeArn": V1,
                "solutionConfig": {"hpoConfig": {"algorithmHyperParameterRanges": {"integerHyperParameterRanges": []}}},
            },
            "lacks continuousHyperParameterRanges, categoricalHyperParameterRanges, which may be empty lists",
        ),
        (
            {
                "recipeArn": V1,
                "solutionConfig": {"hpoConfig": {"hpoResourceConfig": {"maxNumberOfTrainingJobs": "41"}}},
            },
            "maxNumberOfTrainingJobs must be a number from 1 to 40, got 41",
        ),
        (searching("integer", {"name": "depth", "minValue": 1, "maxValue": 2}), "names depth; .* can tune"),
        (searching("continuous", {"name": "bptt", "minValue": 2, "maxValue": 3}), "names bptt, which is integer"),
        (searching("integer", {"name": "bptt", "minValue": 2, "maxValue": 33}), "must be from 2 to 32, got 33"),
        (searching("integer", {"name": "bptt", "minValue": 9, "maxValue": 3}), "at most its maxValue, got 9 and 3"),
        (searching("categorical", {"name": "recency_mask", "values": ["so"]}), r"must be of .*, got \['so'\]"),
        (
            {"recipeArn": V1, "solutionConfig": {"algorithmHyperParameters": {"bptt": "33"}}},
            r"algorithmHyperParameters\.bptt must be integer from 2 to 32, got 33",
        ),
        (
            {"recipeArn": V1, "solutionConfig": {"algorithmHyperParameters": {"hidden_dimension": "wide"}}},
            "hidden_dimension must be integer from 32 to 256, got wide",
        ),
        (
            {"solutionConfig": {"algorithmHyperParameters": {"apply_recency_bias": "so"}}},
            r"apply_recency_bias must be \('true', 'false'\), got so",
        ),
        (
            {
                "recipeArn": V1,
                "solutionConfig": {
                    "featureTransformationParameters": {"max_user_history_length_percentile": "1.5"},
                },
            },
            r"max_user_history_length_percentile must be continuous from 0\.0 to 1\.0, got 1\.5",
        ),
        (
            {
                "recipeArn": "arn:aws:personalize:::recipe/aws-similar-items",
                "solutionConfig": {"algorithmHyperParameters": {"item_id_hidden_dim": "50"}},
            },
            "item_id_hidden_dim can be set by the ranges of hpoConfig only",
        ),
        ({"performAutoML": True}, "recipeArn must not be given when performAutoML is true"),
        (
            {
                "recipeArn": None,
                "performAutoML": True,
                "solutionConfig": {"autoMLConfig": {"recipeList": ["arn:aws:personalize:::recipe/aws-sims"]}},
            },
            "recipes of the type USER_PERSONALIZATION, got .*aws-sims",
        ),
        (
            {
                "recipeArn": None,
                "performAutoML": True,
                "solutionConfig": {"autoMLConfig": {"metricName": "accuracy"}},
            },
            r"metricName must be one of \['coverage', .*'precision_at_5'\], got accuracy",
        ),
    ],
)
def test_what_the_recipe_does_not_take(build: Builder, arguments: dict[str, Any], message: str) -> None:
    request = {"recipeArn": V2, **arguments}
    group = build.group()
    build.dataset(group, "Items", ITEMS_SCHEMA.replace("]}]", ']}, {"name": "PRICE", "type": "float"}]'))
    with pytest.raises(build.personalize.exceptions.InvalidInputException, match=message):
        build.personalize.create_solution(
            name="s", datasetGroupArn=group, **{key: value for key, value in request.items() if value is not None}
        )


def test_updates(make_cloud: Callable[..., Cloud]) -> None:
    build = Builder(make_cloud(SLOW))
    arn = build.solution(build.group())
    change = {"autoTrainingConfig": {"schedulingExpression": "rate(3 days)"}}
    build.personalize.update_solution(solutionArn=arn, performAutoTraining=True, solutionUpdateConfig=change)
    updating = build.personalize.describe_solution(solutionArn=arn)["solution"]
    assert updating["status"] == "ACTIVE"
    assert updating["performAutoTraining"] is False
    assert updating["latestSolutionUpdate"]["status"] == "CREATE PENDING"
    assert updating["latestSolutionUpdate"]["solutionUpdateConfig"] == change
    for operation in (build.personalize.update_solution, build.personalize.delete_solution):
        with pytest.raises(build.personalize.exceptions.ResourceInUseException):
            operation(solutionArn=arn)
    while updating["latestSolutionUpdate"]["status"] != "ACTIVE":
        build.cloud.advance(60)
        updating = build.wait("solution", arn)
    assert updating["performAutoTraining"] is True
    assert updating["solutionConfig"] == change


def test_recipes(build: Builder) -> None:
    recipe = build.personalize.describe_recipe(recipeArn=V2)["recipe"]
    assert recipe["name"] == "aws-user-personalization-v2"
    assert recipe["recipeType"] == "USER_PERSONALIZATION"
    assert recipe["status"] == "ACTIVE"
