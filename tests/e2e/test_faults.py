"""Twenty fault runs: every promise is kept while things go wrong; `python -m tools.fault_runs` does more."""

from __future__ import annotations

import json
import re

from personalize_local.personalize.faults import Fault
from tools.fault_plan import ACCIDENTS, APPS, OF_DEPLOYMENTS, OF_RUNS, OTHER_SERVICES, TRANSIENT, plan
from tools.fault_runs import run_seeds
from tools.state_machines import definitions

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


def test_what_goes_wrong_with_other_services_meets_what_state_machines_call() -> None:
    called = re.findall(r":states:::(?:aws-sdk:)?(\w+):(\w+)", json.dumps(definitions()))
    names = {f"{service}:{operation[0].upper()}{operation[1:]}" for service, operation in called}
    for pattern in OTHER_SERVICES:
        fault = Fault(pattern, code="ThrottlingException")
        assert any(fault.concerns(name, "") for name in names), pattern
    # functions and Personalize have kinds of their own
    besides = {name for name in names if name.partition(":")[0] not in ("lambda", "personalize")}
    assert {name.partition(":")[0] + ":*" for name in besides} == set(OTHER_SERVICES)


def test_every_promise_is_kept() -> None:
    outcomes = list(run_seeds(SEEDS))
    assert {outcome.seed: outcome.broken for outcome in outcomes if outcome.broken} == {}
    for outcome in outcomes:
        assert outcome.told == (plan(outcome.seed).permanent is not None), outcome
        assert outcome.answers > 0
        assert outcome.trainings >= 1
    assert {plan(outcome.seed).app for outcome in outcomes} == set(APPS)
