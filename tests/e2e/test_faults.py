"""Twenty fault runs: every promise is kept while things go wrong; `python -m tools.fault_runs` does more."""

from __future__ import annotations

from tools.fault_plan import ACCIDENTS, APPS, OF_DEPLOYMENTS, OF_RUNS, TRANSIENT, plan
from tools.fault_runs import run_seeds

SEEDS = range(20)


def test_a_seed_always_means_the_same_and_all_kinds_come() -> None:
    assert [plan(seed) for seed in SEEDS] == [plan(seed) for seed in SEEDS]
    plans = [plan(seed) for seed in range(200)]
    assert {(plan.kind, plan.app) for plan in plans} >= {
        (kind, app) for kind in (*TRANSIENT, *ACCIDENTS) for app in APPS
    }
    kinds = {plan.kind for plan in plans}
    assert kinds >= {*TRANSIENT, *ACCIDENTS}
    assert {plan(seed).permanent for seed in range(200)} == {None, *OF_RUNS, *OF_DEPLOYMENTS}


def test_every_promise_is_kept() -> None:
    outcomes = list(run_seeds(SEEDS))
    assert {outcome.seed: outcome.broken for outcome in outcomes if outcome.broken} == {}
    for outcome in outcomes:
        assert outcome.told == (plan(outcome.seed).permanent is not None), outcome
        assert outcome.answers > 0
        assert outcome.trainings >= 1
    assert {plan(outcome.seed).app for outcome in outcomes} == set(APPS)
