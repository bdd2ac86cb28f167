"""The workflow's state machine for a recommender in the local cloud: one action after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from cdk_personalize.workflow.deadlines import Deadlines
from cdk_personalize.workflow.recommender_definition import recommender_definition
from personalize_local.cloud.client import LocalCloud
from tests.data_bucket import DataBucket
from tests.local.personalize.kinds.test_recommenders import EVENTS, MOST_POPULAR, events_csv

from .conftest import StateMachines, unique, wait_for

DEFINITION = recommender_definition(partition="aws", deadlines=Deadlines())
REQUESTS = "minRecommendationRequestsPerSecond"


@dataclass
class Popular:
    """A dataset group of a domain with data, and the recommender that the tests make there."""

    client: Any
    group: str
    arn: str

    def state(self) -> tuple[str, int]:
        found = self.client.describe_recommender(recommenderArn=self.arn)["recommender"]
        return found["status"], found["recommenderConfig"].get(REQUESTS, 1)

    def plan(self, *actions: tuple[str, dict[str, Any]], is_busy: bool = False) -> dict[str, Any]:
        """The input of the state machine."""
        this = {"RecommenderArn": self.arn}
        done = [
            {"action": name, "arguments": arguments if name == "create" else this | arguments}
            for name, arguments in actions
        ]
        return {"name": "popular", "recommenderArn": self.arn, "isBusy": is_busy, "actions": done}


def update(requests: int) -> tuple[str, dict[str, Any]]:
    return "update", {"RecommenderConfig": {"MinRecommendationRequestsPerSecond": requests}}


START: tuple[str, dict[str, Any]] = ("start", {})
STOP: tuple[str, dict[str, Any]] = ("stop", {})


@pytest.fixture(scope="module")
def popular(personalize_local: LocalCloud, machines: StateMachines) -> Popular:
    client, bucket = personalize_local.client("personalize"), DataBucket(personalize_local.client, unique("data"))
    personalize_local.client("s3").put_object(Bucket=bucket.name, Key="a.csv", Body=events_csv().encode())

    def active(kind: str, member: str, arn: str) -> str:
        describe = getattr(client, f"describe_{kind}")
        wait_for(lambda: describe(**{f"{member}Arn": arn})[member]["status"] == "ACTIVE", arn)
        return arn

    domain = {"domain": "VIDEO_ON_DEMAND"}
    group = client.create_dataset_group(name=unique("group"), **domain)["datasetGroupArn"]
    active("dataset_group", "datasetGroup", group)
    schema = client.create_schema(name=unique("schema"), schema=EVENTS, **domain)["schemaArn"]
    dataset = client.create_dataset(
        name=unique("data"), schemaArn=schema, datasetGroupArn=group, datasetType="Interactions"
    )["datasetArn"]
    active("dataset", "dataset", dataset)
    job = client.create_dataset_import_job(
        jobName=unique("job"),
        datasetArn=dataset,
        dataSource={"dataLocation": f"s3://{bucket.name}/a.csv"},
        roleArn=bucket.role_arn,
    )["datasetImportJobArn"]
    active("dataset_import_job", "datasetImportJob", job)
    name = unique("popular")
    found = Popular(client, group, f"{group.rsplit(':', 1)[0]}:recommender/{name}")
    create = {"Name": name, "DatasetGroupArn": group, "RecipeArn": MOST_POPULAR}
    for _ in range(2):  # as if the answer to the first call had been lost
        output = machines.output(DEFINITION, found.plan(("create", create)))
        assert output == {"name": "popular", "failures": []}
    return found


@pytest.mark.parametrize(
    ("actions", "state"),
    [
        pytest.param([], ("ACTIVE", 1), id="wait only"),
        pytest.param([update(2), STOP], ("INACTIVE", 2), id="update and stop"),
        pytest.param([START, update(3)], ("ACTIVE", 3), id="start and update"),
        pytest.param([STOP], ("INACTIVE", 3), id="stop"),
        pytest.param([START], ("ACTIVE", 3), id="start"),
        pytest.param([update(1)], ("ACTIVE", 1), id="update"),
    ],
)
def test_actions_follow_each_other(
    machines: StateMachines, popular: Popular, actions: list[Any], state: tuple[str, int]
) -> None:
    assert machines.output(DEFINITION, popular.plan(*actions)) == {"name": "popular", "failures": []}
    assert popular.state() == state


def test_what_is_under_way_ends_before_anything_is_done(machines: StateMachines, popular: Popular) -> None:
    """Nothing that is asked of it meanwhile would be taken; and what was updated earlier says nothing about it."""
    this = {"recommenderArn": popular.arn}
    steps = [
        (lambda: popular.client.stop_recommender(**this), [START, update(2)], ("ACTIVE", 2)),
        (lambda: popular.client.update_recommender(**this, recommenderConfig={REQUESTS: 3}), [], ("ACTIVE", 3)),
        (
            lambda: popular.client.update_recommender(**this, recommenderConfig={REQUESTS: 2}),
            [update(1)],
            ("ACTIVE", 1),
        ),
        (lambda: popular.client.stop_recommender(**this), [], ("INACTIVE", 1)),
        (lambda: popular.client.start_recommender(**this), [STOP], ("INACTIVE", 1)),
        (lambda: popular.client.start_recommender(**this), [], ("ACTIVE", 1)),
    ]
    for begin, actions, state in steps:
        begin()
        output = machines.output(DEFINITION, popular.plan(*actions, is_busy=True))
        assert (output, popular.state()) == ({"name": "popular", "failures": []}, state)


def test_an_update_that_was_under_way_and_fails_is_told(
    personalize_local: LocalCloud, machines: StateMachines, popular: Popular
) -> None:
    personalize_local.fail("UpdateRecommender", failure_reason="too busy")
    this = {"recommenderArn": popular.arn, "recommenderConfig": {REQUESTS: 2}}
    popular.client.update_recommender(**this)
    output = machines.output(DEFINITION, popular.plan(is_busy=True))
    assert output["failures"] == [{"name": "recommender popular", "reason": "too busy"}]
    personalize_local.forget_faults()

    # one that failed earlier is made again after what is under way, and says nothing about that
    popular.client.stop_recommender(recommenderArn=popular.arn)
    output = machines.output(DEFINITION, popular.plan(START, update(1), is_busy=True))
    assert (output["failures"], popular.state()) == ([], ("ACTIVE", 1))


def test_what_cannot_be_updated_is_stopped_all_the_same_and_what_cannot_be_started_is_left(
    machines: StateMachines, popular: Popular
) -> None:
    output = machines.output(DEFINITION, popular.plan(update(0), STOP))
    [failure] = output["failures"]
    assert failure["name"] == "recommender popular"
    assert failure["reason"].startswith("Personalize.InvalidInputException: ")
    assert popular.state() == ("INACTIVE", 1)

    gone = Popular(popular.client, popular.group, f"{popular.arn}-gone")
    [failure] = machines.output(DEFINITION, gone.plan(START, update(2)))["failures"]
    assert failure["reason"].startswith("Personalize.ResourceNotFoundException: ")
    machines.output(DEFINITION, popular.plan(START))
