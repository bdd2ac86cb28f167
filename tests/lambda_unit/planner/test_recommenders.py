"""Recommenders: desired state against what exists."""

from __future__ import annotations

from typing import Any

import pytest

from personalize_lambda.planner.prune import plan_prune
from personalize_lambda.planner.recommenders import plan_recommenders
from personalize_lambda.planner.world import (
    World,
)
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
        pytest.param(of_domain(requests=2), with_recommender("ACTIVE", "CREATE PENDING"), [], id="being updated"),
        pytest.param(of_domain(), with_recommender("CREATE IN_PROGRESS"), [], id="being made"),
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
