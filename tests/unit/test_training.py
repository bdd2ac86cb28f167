"""Who trains a solution again."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions

import cdk_personalize as personalize
from cdk_personalize.workflow.desired_state import desired_state
from tests.unit.conftest import Synthesis

Days, Hours = cdk.Duration.days, cdk.Duration.hours
Recipe, Training = personalize.Recipe, personalize.Training
UPDATING = [Recipe.USER_PERSONALIZATION, Recipe.HRNN_COLDSTART]


def document(synthesis: Synthesis, recipe: personalize.Recipe, **arguments: Any) -> dict[str, Any]:
    """What the workflow is told of a solution."""
    group = synthesis.group()
    group.add_solution("Picks", recipe=recipe, **arguments)
    [found] = synthesis.stack.resolve(desired_state(group))["solutions"]
    return dict(found)


@pytest.mark.parametrize(
    ("training", "told"),
    [
        (Training.manual(), None),
        (Training.automatic(every=Days(7)), None),
        (Training.scheduled(every=Hours(1)), {"every": 3600}),
        (Training.scheduled(every=Days(1), full_every=Days(7)), {"every": 86400, "fullEvery": 604800}),
    ],
)
def test_the_workflow_is_told_when_to_train_and_the_service_not_to(
    synthesis: Synthesis, training: personalize.Training, told: dict[str, float] | None
) -> None:
    found = document(synthesis, Recipe.USER_PERSONALIZATION, training=training)
    assert found.get("training") == told
    assert found["configuration"]["performAutoTraining"] is training.is_automatic
    assert (training.every is not None) is (told is not None)


def test_a_schedule_is_no_other_solution() -> None:
    names = [
        Synthesis().group().add_solution("Picks", recipe=Recipe.SIMS, training=training).solution_name
        for training in (Training.manual(), Training.scheduled(every=Days(1)), Training.automatic(every=Days(1)))
    ]
    assert len(set(names)) == 1


@pytest.mark.parametrize("recipe", [*UPDATING, Recipe.of("aws-mind-reading")])
def test_recipes_that_can_be_updated(synthesis: Synthesis, recipe: personalize.Recipe) -> None:
    training = Training.scheduled(every=Days(1), full_every=Days(2))
    assert document(synthesis, recipe, training=training)["training"]["fullEvery"] == 2 * 86400


def test_other_recipes_are_always_trained_in_full(synthesis: Synthesis) -> None:
    group = synthesis.group()
    training = Training.scheduled(every=Days(1), full_every=Days(2))
    for name, recipe in personalize.recipe.RECIPES.items():
        assert recipe.update_training is (recipe in UPDATING)
        if recipe not in UPDATING:
            with pytest.raises(ValueError, match=f"^full_every is not available with the recipe {name}$"):
                group.add_solution(f"Of {name}", recipe=recipe, training=training)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"every": cdk.Duration.minutes(59)}, "every must be at least 1 hour, got 59 minutes; each training is billed"),
        ({"every": Days(1), "full_every": Days(1)}, "full_every must be longer than every, got 1 day and 1 day"),
        ({"every": Days(2), "full_every": Hours(47)}, "full_every must be longer than every, got 1 day 23 hours and"),
    ],
)
def test_schedules_that_make_no_sense(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        Training.scheduled(**arguments)


def test_one_owner() -> None:
    with pytest.raises(ValueError, match="got service_every 1 day, or by the workflow, got every 2 days"):
        Training(service_every=Days(1), every=Days(2))
    with pytest.raises(ValueError, match="full_every needs every, got 7 days alone"):
        Training(full_every=Days(7))


def test_metrics_of_models_are_published_in_one_namespace_only(synthesis: Synthesis) -> None:
    personalize.Workflow(synthesis.stack, "Workflow", dataset_group=synthesis.group())
    statements = [
        statement
        for policy in assertions.Template.from_stack(synthesis.stack).find_resources("AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if "cloudwatch:PutMetricData" in json.dumps(statement)
    ]
    assert statements == [
        {
            "Action": "cloudwatch:PutMetricData",
            "Condition": {"StringEquals": {"cloudwatch:namespace": "cdk-personalize"}},
            "Effect": "Allow",
            "Resource": ["*"],
        }
    ]
