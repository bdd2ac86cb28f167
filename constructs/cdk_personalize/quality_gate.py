"""What a new solution version has to be like before campaigns serve it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeGuard

from aws_cdk import Token

from cdk_personalize.recipe import Recipe, RecipeType

_OF_ITEMS: Final = (
    "coverage",
    "mean_reciprocal_rank_at_25",
    *(f"normalized_discounted_cumulative_gain_at_{depth}" for depth in (5, 10, 25)),
    *(f"precision_at_{depth}" for depth in (5, 10, 25)),
)
OF_OBJECTIVE: Final = ("average_rewards_at_k",)
"""What there is only with ``optimization_objective``."""
OF_EVENTS: Final = tuple(
    f"normalized_discounted_cumulative_gain_with_event_weights_at_{depth}" for depth in (5, 10, 25)
)
"""What there is only with ``events``."""

METRICS: Final[Mapping[RecipeType, Sequence[str]]] = {
    RecipeType.USER_PERSONALIZATION: _OF_ITEMS,
    RecipeType.PERSONALIZED_RANKING: _OF_ITEMS,
    RecipeType.RELATED_ITEMS: _OF_ITEMS,
    # AWS describes these metrics and does not show their keys
    RecipeType.POPULAR_ITEMS: (*_OF_ITEMS, "trend_prediction_accuracy"),
    RecipeType.PERSONALIZED_ACTIONS: (
        "area_under_the_curve",
        "coverage",
        *(f"normalized_discounted_cumulative_gain_at_{depth}" for depth in (5, 10, 25)),
        "precision",
        "recall",
    ),
    RecipeType.USER_SEGMENTATION: ("coverage", "hits_at_1_percent", "recall_at_1_percent"),
}
"""Names of the offline metrics by what a recipe produces; all are better when they are higher. See
https://docs.aws.amazon.com/personalize/latest/dg/working-with-training-metrics.html"""


class FirstVersion(Enum):
    """What becomes of a version while no campaign of the solution serves anything it could be compared with."""

    CHECK_MINIMUMS = "CHECK_MINIMUMS"
    """It has to reach the minimums. If it does not, the campaigns are not made, and wait for a better one."""
    SERVE = "SERVE"
    """It is served whatever it is like, so that there are recommendations at all."""


@dataclass(frozen=True, kw_only=True)
class MetricThreshold:
    """What one offline metric of a new version must be at least.

    A version lacks what it is to be judged by if the service gives no such metric of it, and is then refused.

    :param metric: Its name in the answer of GetSolutionMetrics, such as
        ``"normalized_discounted_cumulative_gain_at_25"``.
    :param minimum: The lowest value, whatever is served now. Default: - any
    :param max_drop: How far it may be below that of the version that is served now, as a part of that: with 0.05, a
        version with 0.19 may follow one with 0.20, and one with 0.18 may not. Default: - any drop
    :raises ValueError: When a value is not allowed, or neither is given.
    """

    metric: str
    minimum: float | None = None
    max_drop: float | None = None

    def __post_init__(self) -> None:
        if self.minimum is None and self.max_drop is None:
            raise ValueError(f"the threshold of {self.metric!r} needs minimum, max_drop or both, got neither")
        if _is_number(self.minimum) and self.minimum < 0:
            raise ValueError(f"minimum of {self.metric!r} must be at least 0, got {self.minimum}")
        if _is_number(self.max_drop) and not 0 <= self.max_drop < 1:
            raise ValueError(
                f"max_drop of {self.metric!r} must be from 0 to below 1, a part of the served version's value such as "
                f"0.05 for 5 %, got {self.max_drop}"
            )

    def render(self) -> dict[str, Any]:
        """Return what the workflow goes by."""
        return {
            "metric": self.metric,
            "minimum": self.minimum if self.minimum is not None else 0,
            "maxDrop": self.max_drop if self.max_drop is not None else 1,
        }


@dataclass(frozen=True, kw_only=True)
class QualityGate:
    """What a new solution version has to be like before the workflow lets campaigns serve it.

    Whoever trained it: the workflow compares its offline metrics with those of the version that the campaigns serve,
    even if that is one of the solution that this one takes the place of. A version that falls short is kept and not
    served; the run says so and does not fail. It is not judged again; to serve it all the same, start a run with the
    input ``{"rollback": "<its ARN>"}``.

    :param thresholds: What is compared; all must hold.
    :param first_version: What happens while nothing is served. Default: - FirstVersion.CHECK_MINIMUMS
    :raises ValueError: When there is no threshold, or two are of the same metric.
    """

    thresholds: Sequence[MetricThreshold]
    first_version: FirstVersion = FirstVersion.CHECK_MINIMUMS

    def __post_init__(self) -> None:
        if not self.thresholds:
            raise ValueError("thresholds of a QualityGate must have at least 1 element, got 0")
        names = [threshold.metric for threshold in self.thresholds]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"thresholds of a QualityGate must be of different metrics, got several of {twice}")

    def render(self) -> dict[str, Any]:
        """Return what the workflow goes by."""
        return {
            "thresholds": [threshold.render() for threshold in self.thresholds],
            "firstVersion": self.first_version.value,
        }


def check_gate(gate: QualityGate | None, recipe: Recipe, *, objective: bool, events: bool) -> None:
    """Check that versions of a solution have the metrics of a gate.

    :param gate: The gate.
    :param recipe: The solution's recipe; one that the catalogue does not know has any metrics.
    :param objective: Whether the solution has an ``optimization_objective``.
    :param events: Whether it has ``events``.
    :raises ValueError: When they have not.
    """
    if gate is None or recipe.recipe_type is None:
        return
    allowed = (*METRICS[recipe.recipe_type], *(OF_OBJECTIVE if objective else ()), *(OF_EVENTS if events else ()))
    for threshold in gate.thresholds:
        if not Token.is_unresolved(threshold.metric) and threshold.metric not in allowed:
            raise ValueError(
                f"metric of a threshold of quality_gate must be an offline metric of the solution, with the recipe "
                f"{recipe.name}, "
                f"got {threshold.metric!r}, allowed: {sorted(allowed)}"
            )


def _is_number(value: float | None) -> TypeGuard[float]:
    return value is not None and not Token.is_unresolved(value)
