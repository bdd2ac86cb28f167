"""Hyperparameter optimization: trains with several values, and keeps those that rank best.

See https://docs.aws.amazon.com/personalize/latest/dg/customizing-solution-config-hpo.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from personalize_local.personalize.recommenders.data import TrainingData
from personalize_local.personalize.recommenders.evaluation import DEEPEST, NDCG, evaluate

METRIC = f"{NDCG}_at_{DEEPEST}"
_MOST_DRAWS_PER_JOB = 20


@dataclass(frozen=True)
class Search:
    """What to search.

    :param jobs: how many trainings there may be.
    :param integer: lowest and highest value by name.
    :param continuous: lowest and highest value by name.
    :param categorical: values by name.
    :param metric: what shall be highest. Default: - NDCG at 25
    :param defaults_first: whether the first training takes the defaults, so that what is found is no worse.
        Default: - all values are drawn
    """

    jobs: int
    integer: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    continuous: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    categorical: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    metric: str = METRIC
    defaults_first: bool = False

    def trainings(self, seed: int) -> int:
        """Tell how many trainings it makes."""
        return sum(1 for _ in self.candidates(seed))

    def candidates(self, seed: int) -> Iterator[Mapping[str, str]]:
        """Draw different values, at random, until there are enough or no others are found."""
        random = np.random.default_rng(seed)
        seen: set[tuple[tuple[str, str], ...]] = set()
        if self.defaults_first:
            seen.add(())
            yield {}
        for _ in range(self.jobs * _MOST_DRAWS_PER_JOB):
            if len(seen) == self.jobs:
                return
            drawn = self._draw(random)
            key = tuple(drawn.items())
            if key not in seen:
                seen.add(key)
                yield drawn

    def _draw(self, random: np.random.Generator) -> dict[str, str]:
        return {
            **{name: str(random.integers(low, high, endpoint=True)) for name, (low, high) in self.integer.items()},
            **{name: repr(float(random.uniform(low, high))) for name, (low, high) in self.continuous.items()},
            **{name: str(random.choice(values)) for name, values in self.categorical.items()},
        }


def tune(recipe: str, data: TrainingData, search: Search) -> dict[str, str]:
    """Find the hyperparameters that rank best.

    They are chosen on other test users than the metrics are measured on, so that these stay honest.

    :param recipe: the name of a recipe.
    :return: values by name.
    :raises ValueError: as :func:`train`.
    """
    best: dict[str, str] = {}
    highest = -1.0
    for values in search.candidates(data.seed):
        attempt = replace(data, hyper_parameters={**data.hyper_parameters, **values}, seed=data.seed + 1)
        reached = evaluate(recipe, attempt).get(search.metric, 0.0)
        if reached > highest:
            best, highest = dict(values), reached
    return best
