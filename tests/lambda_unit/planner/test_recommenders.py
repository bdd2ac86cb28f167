"""Recommenders: desired state against what exists."""

from __future__ import annotations

from typing import Any

import pytest

from personalize_lambda.planner.prune import plan_prune
from personalize_lambda.planner.recommenders import plan_recommenders
from personalize_lambda.planner.world import (
    World,
)
from tests.lambda_unit.planner import tables
from tests.lambda_unit.planner.simulator import Service
from tests.lambda_unit.planner.support import (
    CONFIGURATION,
    RECOMMENDER,
    TAGS,
    document,
    job,
    of_domain,
    with_recommender,
    world,
)


@pytest.mark.parametrize(
    ("wanted", "existing", "actions"),
    [
        pytest.param(of_domain(), world(jobs=(job(),)), ["create"], id="missing"),
        pytest.param(of_domain(running=False), world(jobs=(job(),)), None, id="missing and not to run"),
        pytest.param(of_domain(), with_recommender("ACTIVE"), None, id="as declared"),
        pytest.param(of_domain(), with_recommender("ACTIVE", "ACTIVE"), None, id="as declared after an update"),
        pytest.param(of_domain(requests=2), with_recommender("ACTIVE"), ["update"], id="other throughput"),
        pytest.param(of_domain(), with_recommender("ACTIVE", "CREATE FAILED"), ["update"], id="failed update"),
        pytest.param(of_domain(), with_recommender("ACTIVE", "CREATE PENDING"), [], id="being updated"),
        pytest.param(
            of_domain(requests=2), with_recommender("ACTIVE", "CREATE PENDING"), ["update"], id="being updated to other"
        ),
        pytest.param(of_domain(), with_recommender("CREATE IN_PROGRESS"), [], id="being made"),
        pytest.param(of_domain(running=False), with_recommender("CREATE PENDING"), ["stop"], id="made, to be stopped"),
        pytest.param(
            of_domain(running=False), with_recommender("START PENDING"), ["stop"], id="started, to be stopped"
        ),
        pytest.param(of_domain(), with_recommender("STOP IN_PROGRESS"), ["start"], id="being stopped, to run"),
        pytest.param(of_domain(), with_recommender("CREATE FAILED"), [], id="could not be made"),
        pytest.param(of_domain(), with_recommender("INACTIVE"), ["start"], id="stopped"),
        pytest.param(of_domain(requests=2), with_recommender("INACTIVE"), ["start", "update"], id="stopped and other"),
        pytest.param(
            of_domain(running=False, requests=2),
            with_recommender("ACTIVE"),
            ["update", "stop"],
            id="other, to be stopped",
        ),
        pytest.param(of_domain(running=False), with_recommender("ACTIVE"), ["stop"], id="to be stopped"),
        pytest.param(
            of_domain(running=False, requests=2), with_recommender("INACTIVE"), None, id="stopped as declared"
        ),
        pytest.param(of_domain(running=False), with_recommender("STOP IN_PROGRESS"), [], id="being stopped"),
        pytest.param(document(solutions=False), with_recommender("ACTIVE"), None, id="not declared"),
    ],
)
def test_recommenders(wanted: dict[str, Any], existing: World, actions: list[str] | None) -> None:
    plan = plan_recommenders(wanted, existing, ())
    assert plan["waitingFor"] == []
    if actions is None:
        assert plan["recommenders"] == []
        return
    (step,) = plan["recommenders"]
    assert (step["name"], step["recommenderArn"]) == ("for-you", RECOMMENDER)
    found = existing.recommenders.get(RECOMMENDER)
    is_settled = found is None or (
        found.status in ("ACTIVE", "INACTIVE") and found.update_status in (None, "ACTIVE", "CREATE FAILED")
    )
    assert step["isBusy"] is not is_settled
    assert [each["action"] for each in step["actions"]] == actions
    for each in step["actions"]:
        if each["action"] == "create":
            assert each["arguments"] == {
                "name": "for-you",
                "datasetGroupArn": wanted["datasetGroupArn"],
                "recipeArn": "r",
                "recommenderConfig": CONFIGURATION,
                "tags": TAGS,
            }
        elif each["action"] == "update":
            configuration = wanted["recommenders"][0]["configuration"]
            assert each["arguments"] == {"recommenderArn": RECOMMENDER, "recommenderConfig": configuration}
        else:
            assert each["arguments"] == {"recommenderArn": RECOMMENDER}


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("requests", [1, 2])
@pytest.mark.parametrize(
    ("status", "update"),
    [
        *((status, None) for status in tables.RECOMMENDER if not status.startswith(("CREATE FAILED", "DELETE"))),
        ("ACTIVE", "CREATE IN_PROGRESS"),
        ("INACTIVE", "CREATE IN_PROGRESS"),
        ("START PENDING", "CREATE FAILED"),
    ],
)
def test_one_run_makes_it_as_declared_whatever_is_under_way(
    status: str, update: str | None, requests: int, running: bool
) -> None:
    service = Service(of_domain(running=running, requests=requests) | {"jobs": []}, with_recommender(status, update))
    service.run()
    found = service.world.recommenders[RECOMMENDER]
    assert found.status == ("ACTIVE" if running else "INACTIVE")
    assert not running or found.configuration["minRecommendationRequestsPerSecond"] == requests
    assert service.run() == []


def test_a_recommender_waits_for_data() -> None:
    assert plan_recommenders(of_domain(), world(), ()) == {
        "recommenders": [],
        "waitingFor": ["for-you: data for interactions"],
    }
    failed = plan_recommenders(of_domain(), world(jobs=(job(),)), ("interactions",))
    assert failed == {"recommenders": [], "waitingFor": []}


def test_a_recommender_of_something_else_is_left_alone() -> None:
    existing = with_recommender("ACTIVE", owned=False)
    with pytest.raises(ValueError, match="a recommender named for-you exists already and does not carry"):
        plan_recommenders(of_domain(), existing, ())
    assert plan_prune(document(), existing)["prunedRecommenders"] == []
