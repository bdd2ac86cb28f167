"""The same program, from the schema to recommendations that follow events, in three SDKs against one local cloud."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from personalize_local.cloud.client import LocalCloud
from tests.clients.drivers import DRIVERS, CallError, Driver
from tests.data_bucket import DataBucket

ITEMS = 30
RECIPE = "arn:aws:personalize:::recipe/aws-user-personalization-v2"
SCHEMA = {
    "type": "record",
    "name": "Interactions",
    "namespace": "com.amazonaws.personalize.schema",
    "fields": [
        {"name": "USER_ID", "type": "string"},
        {"name": "ITEM_ID", "type": "string"},
        {"name": "TIMESTAMP", "type": "long"},
        {"name": "EVENT_TYPE", "type": "string"},
    ],
    "version": "1.0",
}


@pytest.fixture(scope="module")
def bucket(personalize_local: LocalCloud) -> DataBucket:
    """Two tastes: even users like even items, odd users odd ones."""
    made = DataBucket(personalize_local.client, f"clients-{uuid.uuid4().hex[:8]}")
    rows = [f"u{n % 60},i{(n * 7 // 60 * 2 + n % 2) % ITEMS},{1_600_000_000 + n * 60},watch" for n in range(1800)]
    made.put("interactions.csv", "\n".join(["USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE", *rows]))
    return made


@pytest.fixture(params=DRIVERS)
def driver(request: pytest.FixtureRequest, personalize_local: LocalCloud) -> Iterator[Driver]:
    # An account has few dataset groups, and other tests may have left some.
    personalize_local.reset()
    made = DRIVERS[request.param](personalize_local)
    yield made
    made.close()
    personalize_local.reset()


def active(driver: Driver, kind: str, arn: str) -> dict[str, Any]:
    """What is described, when it is ACTIVE."""
    member = kind[0].lower() + kind[1:]
    deadline = time.monotonic() + 30
    while True:
        found: dict[str, Any] = driver.call("personalize", f"Describe{kind}", {f"{member}Arn": arn})[member]
        assert "FAILED" not in found["status"], found
        if found["status"] == "ACTIVE":
            return found
        assert time.monotonic() < deadline, f"{arn} is still {found['status']}"
        time.sleep(0.05)


def test_a_program(driver: Driver, bucket: DataBucket) -> None:
    name = f"p-{uuid.uuid4().hex[:8]}"

    def create(kind: str, **parameters: Any) -> str:
        member = kind[0].lower() + kind[1:]
        arn: str = driver.call("personalize", f"Create{kind}", parameters)[f"{member}Arn"]
        if kind != "Schema":
            described = active(driver, kind, arn)
            assert described["creationDateTime"]
        return arn

    schema = create("Schema", name=name, schema=json.dumps(SCHEMA))
    group = create("DatasetGroup", name=name, tags=[{"tagKey": "team", "tagValue": "films"}])
    dataset = create("Dataset", name=name, datasetGroupArn=group, schemaArn=schema, datasetType="Interactions")
    create(
        "DatasetImportJob",
        jobName=name,
        datasetArn=dataset,
        dataSource={"dataLocation": bucket.location},
        roleArn=bucket.role_arn,
    )
    solution = create("Solution", name=name, datasetGroupArn=group, recipeArn=RECIPE, performAutoTraining=False)
    version = create("SolutionVersion", solutionArn=solution)
    campaign = create("Campaign", name=name, solutionVersionArn=version, minProvisionedTPS=1)

    def recommended(user: str, count: int = 5) -> list[str]:
        asked = {"campaignArn": campaign, "userId": user, "numResults": count}
        items = driver.call("personalize-runtime", "GetRecommendations", asked)["itemList"]
        assert all(0 <= item["score"] <= 1 for item in items)
        return [item["itemId"] for item in items]

    even = recommended("u0")
    assert sum(int(item[1:]) % 2 == 0 for item in even) >= 4, even
    tracker = create("EventTracker", name=name, datasetGroupArn=group)
    tracking = driver.call("personalize", "DescribeEventTracker", {"eventTrackerArn": tracker})["eventTracker"]
    before = recommended("stranger", ITEMS)
    event = {"eventType": "watch", "sentAt": int(time.time())}
    driver.call(
        "personalize-events",
        "PutEvents",
        {
            "trackingId": tracking["trackingId"],
            "userId": "stranger",
            "sessionId": "s",
            "eventList": [{**event, "itemId": f"i{item}"} for item in range(1, 10, 2)],
        },
    )
    assert recommended("stranger", ITEMS) != before

    listed = driver.call("personalize", "ListSolutionVersions", {"solutionArn": solution})["solutionVersions"]
    assert [found["solutionVersionArn"] for found in listed] == [version]
    with pytest.raises(CallError) as refused:
        driver.call("personalize", "DescribeCampaign", {"campaignArn": f"{campaign}-other"})
    assert refused.value.code == "ResourceNotFoundException"
    with pytest.raises(CallError) as missing:
        driver.call("personalize-runtime", "GetRecommendations", {"campaignArn": f"{campaign}-other", "userId": "u0"})
    assert missing.value.code == "ResourceNotFoundException"
