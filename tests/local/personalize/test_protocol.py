from __future__ import annotations

import json
from typing import Any

import pytest

from .support import ACCOUNT, REGION, Builder, Cloud

RUNTIME = {"campaignArn": "arn:aws:personalize:us-east-1:000000000000:campaign/x", "userId": "u"}


def post(cloud: Cloud, path: str, body: Any, target: str | None = None) -> tuple[int, dict[str, str], Any]:
    headers = {"X-AMZ-TARGET": target} if target else {}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    status, answered, content = cloud.service.handle_http("POST", path, headers, raw, account=ACCOUNT, region=REGION)
    return status, answered, json.loads(content) if content else None


def test_json(cloud: Cloud) -> None:
    status, headers, body = post(cloud, "/", {"name": "films"}, "AmazonPersonalize.CreateDatasetGroup")
    assert status == 200
    assert headers["Content-Type"] == "application/x-amz-json-1.1"
    assert headers["x-amzn-RequestId"]
    assert body == {"datasetGroupArn": f"arn:aws:personalize:{REGION}:{ACCOUNT}:dataset-group/films"}


def test_timestamps_are_unix_time(cloud: Cloud, build: Builder) -> None:
    request = {"datasetGroupArn": build.group()}
    _, _, body = post(cloud, "/", request, "AmazonPersonalize.DescribeDatasetGroup")
    assert isinstance(body["datasetGroup"]["creationDateTime"], float)


def test_json_error(cloud: Cloud) -> None:
    status, headers, body = post(cloud, "/", {"name": ""}, "AmazonPersonalize.CreateDatasetGroup")
    assert status == 400
    assert headers["x-amzn-ErrorType"] == body["__type"] == "InvalidInputException"
    assert "'name'" in body["message"]


def test_rest(cloud: Cloud, build: Builder) -> None:
    group = build.group()
    build.dataset(group)
    tracker = cloud.personalize.create_event_tracker(name="t", datasetGroupArn=group)
    build.wait("event_tracker", tracker["eventTrackerArn"])
    event = {"eventType": "watch", "sentAt": 1, "itemId": "i"}
    request = {"trackingId": tracker["trackingId"], "sessionId": "s", "eventList": [event]}
    status, headers, body = post(cloud, "/events?x=1", request)
    assert (status, headers["Content-Type"], body) == (200, "application/json", None)


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/recommendations", RUNTIME, 404, "ResourceNotFoundException"),
        ("/recommendations", {**RUNTIME, "numResults": 501}, 400, "InvalidInputException"),
        ("/events", {}, 400, "InvalidInputException"),
        ("/events", b"{", 400, "SerializationException"),
        ("/events", [], 400, "SerializationException"),
        ("/nowhere", {}, 404, "UnknownOperationException"),
        (
            "/actions",
            {"datasetArn": "arn:aws:personalize:::dataset/x", "actions": [{"actionId": "a"}]},
            501,
            "Internal",
        ),
    ],
)
def test_rest_errors(cloud: Cloud, path: str, body: Any, status: int, code: str) -> None:
    answered, headers, content = post(cloud, path, body)
    assert answered == status
    assert headers["x-amzn-ErrorType"].startswith(code)
    assert content["message"]


@pytest.mark.parametrize("target", ["AmazonPersonalize.MakeCoffee", "AmazonPersonalize.", "DynamoDB.ListTables"])
def test_unknown_operations(cloud: Cloud, target: str) -> None:
    status, _, body = post(cloud, "/", {}, target)
    assert (status, body["__type"]) == (404, "UnknownOperationException")


def test_an_operation_that_is_not_emulated_says_so(cloud: Cloud) -> None:
    status, _, body = post(cloud, "/", {}, "AmazonPersonalize.ListRecommenders")
    assert status == 501
    assert body["message"] == "personalize:ListRecommenders is not emulated by personalize-local"
