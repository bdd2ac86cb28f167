"""What is declared against what is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .world import ACTIVE, CampaignState, RecommenderState, SolutionState, World


def holds(actual: Any, wanted: Any) -> bool:
    """Whether all that is wanted is there; the service adds its defaults to what was asked for."""
    if isinstance(wanted, Mapping):
        present = {} if actual is None else actual  # the service may leave out what is not set
        return isinstance(present, Mapping) and all(holds(present.get(key), value) for key, value in wanted.items())
    if actual is None:
        return wanted is False
    return bool(actual == wanted) or _number(actual) == _number(wanted) is not None


def _number(value: Any) -> float | None:
    """The number that a string stands for: the service may write ``30`` as ``30.0``."""
    try:
        return float(value) if isinstance(value, str) else None
    except ValueError:
        return None


def empty_datasets(document: Mapping[str, Any], world: World) -> list[str]:
    """The declared datasets that hold no data yet."""
    return [
        dataset["name"]
        for dataset in document["datasets"]
        if not any(job.status == ACTIVE for job in world.datasets[dataset["datasetArn"]].imports)
    ]


def refuse_foreign(kind: str, name: str, state: SolutionState | CampaignState | RecommenderState | None) -> None:
    if state is not None and not state.owned:
        raise ValueError(
            f"a {kind} named {name} exists already and does not carry this workflow's owner tag, so it is left alone; "
            f"delete it, or give the {kind} another name"
        )
