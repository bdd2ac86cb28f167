"""What a new version has to be like before campaigns serve it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Token

import cdk_personalize as personalize
from cdk_personalize.quality_gate import METRICS
from cdk_personalize.workflow.desired_state import desired_state
from tests.unit.conftest import Synthesis

Gate, Threshold, Recipe = personalize.QualityGate, personalize.MetricThreshold, personalize.Recipe
NDCG = "normalized_discounted_cumulative_gain_at_25"


def gate(metric: str = NDCG, **arguments: Any) -> personalize.QualityGate:
    return Gate(thresholds=[Threshold(metric=metric, **{"minimum": 0.1, **arguments})])


def test_what_the_workflow_goes_by(synthesis: Synthesis) -> None:
    group = synthesis.group()
    wanted = Gate(
        thresholds=[Threshold(metric=NDCG, max_drop=0.05), Threshold(metric="coverage", minimum=0.2, max_drop=0)],
        first_version=personalize.FirstVersion.SERVE,
    )
    made = group.add_solution("Picks", recipe=Recipe.USER_PERSONALIZATION_V2, quality_gate=wanted)
    made.add_campaign("Live")
    group.add_solution("Others", recipe=Recipe.SIMS)
    picks, others = synthesis.stack.resolve(desired_state(group))["solutions"]
    assert picks["gate"] == {
        "thresholds": [
            {"metric": NDCG, "minimum": 0, "maxDrop": 0.05},
            {"metric": "coverage", "minimum": 0.2, "maxDrop": 0},
        ],
        "firstVersion": "SERVE",
    }
    assert "gate" not in others
    assert made.quality_gate is wanted
    assert gate().render()["firstVersion"] == "CHECK_MINIMUMS"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Threshold(metric=NDCG), f"the threshold of '{NDCG}' needs minimum, max_drop or both, got neither"),
        (lambda: Threshold(metric=NDCG, minimum=-0.1), f"minimum of '{NDCG}' must be at least 0, got -0.1"),
        (lambda: Threshold(metric=NDCG, max_drop=1), f"max_drop of '{NDCG}' must be from 0 to below 1, a part of"),
        (lambda: Threshold(metric=NDCG, max_drop=5), "such as 0.05 for 5 %, got 5"),
        (lambda: Threshold(metric=NDCG, max_drop=-0.05), "such as 0.05 for 5 %, got -0.05"),
        (lambda: Gate(thresholds=[]), "thresholds of a QualityGate must have at least 1 element, got 0"),
        (
            lambda: Gate(thresholds=[Threshold(metric=NDCG, minimum=0), Threshold(metric=NDCG, max_drop=0)]),
            f"thresholds of a QualityGate must be of different metrics, got several of ['{NDCG}']",
        ),
    ],
)
def test_gates_that_make_no_sense(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


def test_tokens_pass() -> None:
    assert Token.is_unresolved(gate(minimum=Token.as_number({"Ref": "Minimum"})).render()["thresholds"][0]["minimum"])
    assert gate(max_drop=Token.as_number({"Ref": "Drop"})).thresholds


OBJECTIVE = personalize.OptimizationObjective(item_attribute="YEAR", sensitivity=personalize.ObjectiveSensitivity.LOW)
EVENTS = [personalize.EventWeight(event_type="watch")]
WEIGHTED = "normalized_discounted_cumulative_gain_with_event_weights_at_5"


@pytest.mark.parametrize(
    ("recipe", "metric", "arguments", "is_known"),
    [
        (Recipe.USER_PERSONALIZATION_V2, NDCG, {}, True),
        (Recipe.USER_PERSONALIZATION_V2, "ndcg", {}, False),
        (Recipe.USER_PERSONALIZATION_V2, WEIGHTED, {}, False),
        (Recipe.USER_PERSONALIZATION_V2, WEIGHTED, {"events": EVENTS}, True),
        (Recipe.USER_PERSONALIZATION, "average_rewards_at_k", {}, False),
        (Recipe.USER_PERSONALIZATION, "average_rewards_at_k", {"optimization_objective": OBJECTIVE}, True),
        (Recipe.TRENDING_NOW, "trend_prediction_accuracy", {}, True),
        (Recipe.SIMS, "trend_prediction_accuracy", {}, False),
        (Recipe.NEXT_BEST_ACTION, "area_under_the_curve", {}, True),
        (Recipe.NEXT_BEST_ACTION, "precision_at_5", {}, False),
        (Recipe.of("aws-mind-reading"), "thoughts_read", {}, True),
    ],
)
def test_metrics_are_those_of_the_solution(
    synthesis: Synthesis, recipe: personalize.Recipe, metric: str, arguments: dict[str, Any], is_known: bool
) -> None:
    group = synthesis.group()
    if is_known:
        group.add_solution("Picks", recipe=recipe, quality_gate=gate(metric), **arguments)
        return
    message = f"an offline metric of the solution, with the recipe {recipe.name}, got '{metric}', allowed: ['"
    with pytest.raises(ValueError, match=re.escape(message)):
        group.add_solution("Picks", recipe=recipe, quality_gate=gate(metric), **arguments)


def test_every_recipe_has_metrics() -> None:
    assert set(METRICS) == set(personalize.RecipeType)


def test_a_campaign_that_follows_would_pass_the_gate_by(synthesis: Synthesis) -> None:
    made = synthesis.group().add_solution("Picks", recipe=Recipe.SIMS, quality_gate=gate())
    with pytest.raises(ValueError, match="follow_latest lets the service serve every version, past the quality_gate"):
        made.add_campaign("Live", follow_latest=True)


def test_a_gate_needs_something_to_hold_back(synthesis: Synthesis) -> None:
    group = synthesis.group()
    personalize.Workflow(synthesis.stack, "Workflow", dataset_group=group)
    made = group.add_solution("Picks", recipe=Recipe.SIMS, quality_gate=gate())
    assert group.node.validate() == [
        "solution 'Films/Movies/Picks': quality_gate keeps versions from campaigns, and there is none; "
        "add a campaign, or leave it out"
    ]
    made.add_campaign("Live")
    assert group.node.validate() == []


def test_the_published_metrics(synthesis: Synthesis) -> None:
    made = synthesis.group().add_solution("Picks", recipe=Recipe.SIMS)
    found = made.metrics.metric(NDCG, label="NDCG")
    assert (found.namespace, found.metric_name, found.label) == ("cdk-personalize", NDCG, "NDCG")
    assert found.dimensions == {"SolutionName": made.solution_name}
    of_version = made.metrics.metric(NDCG, solution_version="1a2b3c4d", statistic="Maximum")
    assert of_version.dimensions == {"SolutionName": made.solution_name, "SolutionVersion": "1a2b3c4d"}
    assert of_version.statistic == "Maximum"
