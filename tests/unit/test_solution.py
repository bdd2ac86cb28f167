"""Solution."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

import cdk_personalize as personalize
from tests.unit.conftest import USERS, Synthesis

Recipe = personalize.Recipe
V1, V2, SIMS = Recipe.USER_PERSONALIZATION, Recipe.USER_PERSONALIZATION_V2, Recipe.SIMS


def solution(recipe: personalize.Recipe = V2, **arguments: Any) -> personalize.Solution:
    return Synthesis().group().add_solution("TopPicks", recipe=recipe, **arguments)


def configuration(recipe: personalize.Recipe = V2, **arguments: Any) -> Mapping[str, Any]:
    made = solution(recipe, **arguments)
    return dict(made.stack.resolve(made.configuration))


def arn(name: str) -> dict[str, Any]:
    return {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, f":personalize:::recipe/{name}"]]}


def test_the_least() -> None:
    assert configuration() == {"recipeArn": arn("aws-user-personalization-v2"), "performAutoTraining": False}


WEEKLY = personalize.Training.automatic(every=cdk.Duration.days(7))


@pytest.mark.parametrize(("days", "schedule"), [(1, "rate(1 day)"), (7, "rate(7 days)"), (30, "rate(30 days)")])
def test_the_service_trains(days: int, schedule: str) -> None:
    found = configuration(training=personalize.Training.automatic(every=cdk.Duration.days(days)), event_type="watch")

    assert found["performAutoTraining"] is True
    assert found["solutionConfig"] == {"autoTrainingConfig": {"schedulingExpression": schedule}}


def test_nobody_trains_unless_asked_and_the_service_is_told() -> None:
    assert configuration(training=personalize.Training.manual()) == configuration()
    assert solution().training == personalize.Training.manual()
    assert configuration(Recipe.SEMANTIC_SIMILARITY)["performIncrementalUpdate"] is False


@pytest.mark.parametrize(
    ("every", "got"),
    [
        (cdk.Duration.days(31), "31 days"),
        (cdk.Duration.hours(36), "1.5 days"),
        (cdk.Duration.days(0), "0 days"),
    ],
)
def test_schedules_that_the_service_does_not_know(every: cdk.Duration, got: str) -> None:
    with pytest.raises(ValueError, match=f"^every must be a whole number of days from 1 to 30, got {got}$"):
        personalize.Training.automatic(every=every)


@pytest.mark.parametrize(("training", "warns"), [(None, False), (WEEKLY, True)])
def test_retraining_has_one_owner(training: personalize.Training | None, warns: bool) -> None:
    synthesis = Synthesis()
    made = synthesis.group().add_solution("TopPicks", recipe=V2, training=training)
    role = iam.Role(synthesis.stack, "Trainer", assumed_by=iam.AccountRootPrincipal())

    made.grants.train(role)

    found = [str(each.data) for each in made.node.metadata if each.type == "aws:cdk:warning"]
    assert len(found) == warns
    assert all("[ack: cdk-personalize:twoOwnersOfRetraining]" in each for each in found)


def test_event_type_and_threshold() -> None:
    found = configuration(event_type="watch", event_value_threshold=3.5)

    assert found["eventType"] == "watch"
    assert found["solutionConfig"] == {"eventValueThreshold": "3.5"}


def test_a_threshold_of_zero_is_kept() -> None:
    assert configuration(event_type="watch", event_value_threshold=0)["solutionConfig"] == {"eventValueThreshold": "0"}


def test_events() -> None:
    weights = [
        personalize.EventWeight(event_type="watch"),
        personalize.EventWeight(event_type="click", weight=0, event_value_threshold=0.0),
    ]

    assert configuration(events=weights)["solutionConfig"] == {
        "eventsConfig": {
            "eventParametersList": [
                {"eventType": "watch", "weight": 1.0},
                {"eventType": "click", "weight": 0, "eventValueThreshold": 0.0},
            ]
        }
    }


def test_hyperparameters_go_into_the_map_that_they_belong_to() -> None:
    found = configuration(
        V1, hyperparameters={"bptt": 20, "recency_mask": False, "max_user_history_length_percentile": 0.9}
    )

    assert found["solutionConfig"] == {
        "algorithmHyperParameters": {"bptt": "20", "recency_mask": "false"},
        "featureTransformationParameters": {"max_user_history_length_percentile": "0.9"},
    }


def test_optimization_over_everything() -> None:
    found = configuration(V1, hyperparameter_optimization=personalize.HyperparameterOptimization())

    assert found["performHPO"] is True
    assert found["solutionConfig"]["hpoConfig"] == {
        "algorithmHyperParameterRanges": {
            "integerHyperParameterRanges": [
                {"name": "hidden_dimension", "minValue": 32, "maxValue": 256},
                {"name": "bptt", "minValue": 2, "maxValue": 32},
            ],
            "continuousHyperParameterRanges": [],
            "categoricalHyperParameterRanges": [{"name": "recency_mask", "values": ["True", "False", "true", "false"]}],
        }
    }


def test_optimization_of_what_is_chosen() -> None:
    optimization = personalize.HyperparameterOptimization(
        ranges=[
            personalize.HyperparameterRange(name="popularity_discount_factor", maximum=0.5),
            personalize.HyperparameterRange(name="min_cointeraction_count", minimum=0, maximum=0),
        ],
        max_training_jobs=8,
        max_parallel_training_jobs=2,
    )

    assert configuration(SIMS, hyperparameter_optimization=optimization)["solutionConfig"]["hpoConfig"] == {
        "algorithmHyperParameterRanges": {
            "integerHyperParameterRanges": [{"name": "min_cointeraction_count", "minValue": 0, "maxValue": 0}],
            "continuousHyperParameterRanges": [
                {"name": "popularity_discount_factor", "minValue": 0.0, "maxValue": 0.5}
            ],
            "categoricalHyperParameterRanges": [],
        },
        "hpoResourceConfig": {"maxNumberOfTrainingJobs": "8", "maxParallelTrainingJobs": "2"},
    }


def test_objective_columns_and_incremental_update() -> None:
    objective = personalize.OptimizationObjective(
        item_attribute="YEAR", sensitivity=personalize.ObjectiveSensitivity.HIGH
    )
    excluded = {personalize.DatasetType.ITEMS: ["GENRES"]}

    assert configuration(V1, optimization_objective=objective, excluded_columns=excluded)["solutionConfig"] == {
        "optimizationObjective": {"itemAttribute": "YEAR", "objectiveSensitivity": "HIGH"},
        "trainingDataConfig": {"excludedDatasetColumns": {"Items": ["GENRES"]}},
    }
    assert configuration(Recipe.SEMANTIC_SIMILARITY, incremental_update=False)["performIncrementalUpdate"] is False


def test_a_recipe_of_the_future_takes_anything() -> None:
    found = configuration(
        Recipe.of("aws-mind-reading"),
        hyperparameters={"depth": 3},
        hyperparameter_optimization=personalize.HyperparameterOptimization(
            ranges=[
                personalize.HyperparameterRange(name="depth", minimum=1, maximum=9),
                personalize.HyperparameterRange(name="mode", values=["a"]),
            ]
        ),
    )

    assert found["solutionConfig"]["algorithmHyperParameters"] == {"depth": "3"}
    ranges = found["solutionConfig"]["hpoConfig"]["algorithmHyperParameterRanges"]
    assert ranges["integerHyperParameterRanges"] == [{"name": "depth", "minValue": 1, "maxValue": 9}]
    assert ranges["categoricalHyperParameterRanges"] == [{"name": "mode", "values": ["a"]}]


RANGE = personalize.HyperparameterRange
HPO = personalize.HyperparameterOptimization
WEIGHT = personalize.EventWeight
INTERACTIONS = personalize.DatasetType.INTERACTIONS


@pytest.mark.parametrize(
    ("recipe", "arguments", "message"),
    [
        (V2, {"solution_name": "top picks"}, "solution_name must have 1 to 63 letters"),
        (V2, {"event_type": ""}, "event_type must have 1 to 256 characters, got ''"),
        (V2, {"event_value_threshold": 0}, "event_value_threshold needs event_type, got 0 alone; use events for"),
        (V1, {"events": [WEIGHT(event_type="x")]}, "events is not available with the recipe aws-user-personalization"),
        (V2, {"events": []}, "events must have 1 to 10 elements, got 0"),
        (
            V2,
            {"events": [WEIGHT(event_type="x", weight=1.1)]},
            "weight of the event type 'x' must be from 0 to 1, got 1.1",
        ),
        (
            V2,
            {"hyperparameters": {"bptt": 3}},
            "hyperparameter 'bptt' is unknown to the recipe aws-user-personalization-v2, allowed: ['apply_recency_bias",
        ),
        (
            V2,
            {"hyperparameters": {"apply_recency_bias": "no"}},
            "hyperparameter 'apply_recency_bias' must be one of ['true', 'false'], got 'no'",
        ),
        (V1, {"hyperparameters": {"bptt": 33}}, "hyperparameter 'bptt' must be from 2 to 32, got 33.0"),
        (V1, {"hyperparameters": {"bptt": 2.5}}, "hyperparameter 'bptt' must be a whole number, got 2.5"),
        (V1, {"hyperparameters": {"bptt": "many"}}, "hyperparameter 'bptt' must be a number, got 'many'"),
        (
            Recipe.SIMILAR_ITEMS,
            {"hyperparameters": {"item_id_hidden_dim": 50}},
            "hyperparameter 'item_id_hidden_dim' of the recipe aws-similar-items can only be set by the ranges of",
        ),
        (V2, {"hyperparameter_optimization": HPO()}, "hyperparameter_optimization is not available with the recipe"),
        (
            V1,
            {"hyperparameter_optimization": HPO(ranges=[RANGE(name="max_user_history_length_percentile")])},
            "hyperparameter 'max_user_history_length_percentile' cannot be tuned with the recipe",
        ),
        (
            V1,
            {"hyperparameter_optimization": HPO(ranges=[RANGE(name="bptt", minimum=9, maximum=8)])},
            "range of 'bptt' must have a minimum up to its maximum, got 9 to 8",
        ),
        (
            V1,
            {"hyperparameter_optimization": HPO(ranges=[RANGE(name="bptt", minimum=1)])},
            "range of 'bptt' must be from 2 to 32, got 1",
        ),
        (
            V1,
            {"hyperparameter_optimization": HPO(ranges=[RANGE(name="recency_mask", values=["maybe"])])},
            "range of 'recency_mask' must be values of ['True', 'False', 'true', 'false'], got ['maybe']",
        ),
        (
            V1,
            {"hyperparameter_optimization": HPO(max_training_jobs=41)},
            "max_training_jobs must be from 1 to 40, got 41",
        ),
        (
            V1,
            {"hyperparameter_optimization": HPO(max_parallel_training_jobs=0)},
            "max_parallel_training_jobs must be from 1 to 10, got 0",
        ),
        (V2, {"incremental_update": True}, "incremental_update is not available with the recipe"),
        (
            V2,
            {"excluded_columns": {INTERACTIONS: []}},
            "excluded_columns of INTERACTIONS must have 1 to 50 columns, got 0",
        ),
        (
            V2,
            {"excluded_columns": {INTERACTIONS: ["EVENT_TYPE"]}},
            "excluded_columns must not hold ['EVENT_TYPE'], which training always uses",
        ),
    ],
)
def test_what_the_service_refuses_is_refused(
    recipe: personalize.Recipe, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        solution(recipe, **arguments)


@pytest.mark.parametrize(
    ("recipe", "arguments", "message"),
    [
        (
            Recipe.NEXT_BEST_ACTION,
            {},
            "the recipe aws-next-best-action needs a dataset of ACTIONS, declared: ['INTERACTIONS', 'ITEMS']",
        ),
        (
            V2,
            {"excluded_columns": {personalize.DatasetType.ITEMS: ["PRICE"]}},
            "excluded_columns names ['PRICE'], which ITEMS does not have; allowed: ['ITEM_ID', 'GENRES', 'YEAR']",
        ),
        (
            V2,
            {"excluded_columns": {personalize.DatasetType.USERS: ["AGE"]}},
            "excluded_columns names USERS, of which the dataset group has no dataset",
        ),
        (
            V1,
            {
                "optimization_objective": personalize.OptimizationObjective(
                    item_attribute="GENRES", sensitivity=personalize.ObjectiveSensitivity.LOW
                )
            },
            "item_attribute must be a numeric column of ITEMS that is not nullable, got 'GENRES', allowed: ['YEAR']",
        ),
    ],
)
def test_what_does_not_fit_the_datasets_is_an_error_of_the_synthesis(
    recipe: personalize.Recipe, arguments: dict[str, Any], message: str
) -> None:
    made = solution(recipe, **arguments)

    assert made.dataset_group.node.validate()[0] == f"solution 'Films/Movies/TopPicks': {message}"


def test_event_types_need_their_column() -> None:
    group = personalize.DatasetGroup(Synthesis().stack, "Movies")
    group.add_interactions(schema=personalize.Schema.interactions())
    group.add_solution("TopPicks", recipe=V2, event_type="watch")

    assert group.node.validate()[0] == (
        "solution 'Films/Movies/TopPicks': event_type and events need the column EVENT_TYPE in INTERACTIONS"
    )


def test_datasets_may_be_declared_later() -> None:
    made = solution(excluded_columns={personalize.DatasetType.USERS: ["AGE"]})
    made.dataset_group.add_users(schema=USERS)

    assert len(made.dataset_group.node.validate()) == 1  # there is no workflow


def test_tokens_pass() -> None:
    synthesis = Synthesis()
    number = cdk.CfnParameter(synthesis.stack, "Number", type="Number").value_as_number
    text = cdk.CfnParameter(synthesis.stack, "Text").value_as_string

    made = synthesis.group().add_solution(
        "TopPicks", recipe=V1, event_type=text, event_value_threshold=number, hyperparameters={"bptt": number}
    )

    found = synthesis.stack.resolve(made.configuration)
    assert found["eventType"] == {"Ref": "Text"}
    assert found["solutionConfig"]["eventValueThreshold"] == {"Ref": "Number"}
    assert found["solutionConfig"]["algorithmHyperParameters"] == {"bptt": {"Ref": "Number"}}
    assert re.fullmatch(r"Films-Movies-TopPicks-[0-9a-f]{8}", made.solution_name)


def test_the_name_stands_for_what_makes_another_model_and_for_the_dataset_group() -> None:
    base = solution(Recipe.SEMANTIC_SIMILARITY)
    renamed = solution(Recipe.SEMANTIC_SIMILARITY, solution_name="similar")

    assert solution(Recipe.SEMANTIC_SIMILARITY).solution_name == base.solution_name
    # what is changed in place makes no other solution
    assert solution(Recipe.SEMANTIC_SIMILARITY, incremental_update=True).solution_name == base.solution_name
    assert solution(Recipe.SEMANTIC_SIMILARITY, training=WEEKLY).solution_name == base.solution_name
    assert solution(V2).solution_name != base.solution_name
    assert solution(V2, events=[WEIGHT(event_type="watch")]).solution_name != solution(V2).solution_name
    assert solution(V2, event_type="watch").solution_name != solution(V2).solution_name
    assert renamed.solution_name.startswith("similar-")
    synthesis = Synthesis()
    beside = [
        personalize.Solution(cdk.Stack(synthesis.app, name), "Picks", dataset_group=synthesis.group(name), recipe=V2)
        for name in ("One", "Two")
    ]
    assert beside[0].solution_name != beside[1].solution_name


def test_attributes() -> None:
    made = solution()
    campaign = made.add_campaign("Live")

    assert f":solution/{made.solution_name}" in str(made.stack.resolve(made.solution_arn))
    assert (made.recipe, made.campaigns) == (V2, [campaign])
    assert made.dataset_group.solutions == [made]
    made.configuration["performAutoTraining"] = True
    assert made.configuration["performAutoTraining"] is False
