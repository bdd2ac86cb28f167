"""What is handed to a trainer, and what is made of what it gives back."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from personalize_local.personalize import training
from personalize_local.personalize.errors import JobError
from personalize_local.personalize.quotas import Quotas
from personalize_local.personalize.recommenders import Interactions, Model, Search, TrainingData
from personalize_local.personalize.serving import TrainedVersion
from personalize_local.personalize.training import Training, train, train_best
from personalize_local.personalize.worker import Trained, Trainer

from .films import Planted

ALSO_VIEWED = "aws-ecomm-customers-who-viewed-x-also-viewed"


class Listening(Trainer):
    """Trains nothing, and keeps what it was to train on."""

    def __init__(self) -> None:
        super().__init__(logging.getLogger("test"))
        self.data: list[TrainingData] = []

    def run(
        self, recipe: str, data: TrainingData, *, search: Search | None = None, previous: Model | None = None
    ) -> Trained:
        self.data.append(data)
        return Trained(Planted.of(["i1"]), {})


def trained(metrics: Mapping[str, float], trainings: int = 1) -> TrainedVersion:
    return TrainedVersion(Planted.of(["i1"]), metrics, trainings=trainings)


@pytest.mark.parametrize(("metric", "best"), [("precision_at_5", "b"), ("coverage", "c")])
def test_of_several_recipes_the_one_with_the_best_metric_is_taken(
    monkeypatch: pytest.MonkeyPatch, metric: str, best: str
) -> None:
    found = {
        "a": trained({"precision_at_5": 0.1, "coverage": 0.1}, 5),
        "b": trained({"precision_at_5": 0.3, "coverage": 0.2}, 3),
        "c": trained({"precision_at_5": 0.2, "coverage": 0.9}, 2),
    }
    versions: Any = [{"recipe": name} for name in found]
    monkeypatch.setattr(training, "train", lambda version, *_: found[version])
    taken = train_best(versions, lambda version: version["recipe"], Listening(), Quotas({}), metric)
    assert taken.model is found[best].model
    assert taken.trainings == 10


def shop(views: int, purchases: int) -> Interactions:
    kinds = np.array(["View"] * views + ["Purchase"] * purchases + ["Click"] * 500, dtype=object)
    numbers = range(len(kinds))
    return Interactions(
        [f"u{number % 100}" for number in numbers], [f"i{number % 30}" for number in numbers], numbers, kinds
    )


def of_use_case(interactions: Interactions) -> Training:
    version = {"recipeArn": f"arn:aws:personalize:::recipe/{ALSO_VIEWED}", "eventType": "View"}
    return Training.of(version, interactions=interactions, tables={}, seed=0)


def test_a_use_case_learns_from_events_that_are_advised() -> None:
    trainer = Listening()
    train(of_use_case(shop(1200, 300)), trainer, Quotas({}))
    kinds = trainer.data[0].interactions.event_types
    assert kinds is not None
    assert {kind: int((kinds == kind).sum()) for kind in set(kinds)} == {"View": 1200, "Purchase": 300}


def test_events_that_are_advised_make_up_for_none_that_are_needed() -> None:
    with pytest.raises(JobError, match="fewer than 1000 interactions after filtering by event type: View"):
        train(of_use_case(shop(900, 3000)), Listening(), Quotas({}))
