from __future__ import annotations

import json
from typing import Any

import pytest

from .support import ACCOUNT, ITEMS_SCHEMA, REGION, Builder, Cloud

RUNTIME = {"campaignArn": "arn:aws:personalize:us-east-1:000000000000:campaign/x", "userId": "u"}


def post(
    cloud: Cloud,
    path: str,
    body: Any,
    target: str | None = None,
    *,
    method: str = "POST",
    content_type: str | None = None,
) -> tuple[int, dict[str, str], Any]:
    headers = {"X-AMZ-TARGET": target} if target else {}
    if content_type is not None:
        headers["content-type"] = content_type
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    status, answered, content = cloud.service.handle_http(method, path, headers, raw, account=ACCOUNT, region=REGION)
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


LIST = "AmazonPersonalize.ListSchemas"


@pytest.mark.parametrize(
    ("method", "path", "target"),
    [
        ("GET", "/", LIST),
        ("PUT", "/", LIST),
        ("POST", "/schemas", LIST),
        ("GET", "/recommendations", None),
        ("DELETE", "/events", None),
        ("GET", "/", None),
        ("POST", "/events/", None),
    ],
)
def test_other_methods_and_paths(cloud: Cloud, method: str, path: str, target: str | None) -> None:
    status, headers, body = post(cloud, path, {}, target, method=method)
    assert (status, body["__type"]) == (404, "UnknownOperationException")
    assert headers["x-amzn-RequestId"]
    assert path in body["message"]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (None, 200),
        ("", 200),
        ("application/x-amz-json-1.1", 200),
        ("Application/X-Amz-Json-1.1; charset=utf-8", 200),
        ("application/json", 200),
        ("application/x-amz-json-1.0", 415),
        ("application/xml", 415),
        ("text/plain", 415),
    ],
)
def test_content_types(cloud: Cloud, content_type: str | None, status: int) -> None:
    answered, _, body = post(cloud, "/", {}, LIST, content_type=content_type)
    assert answered == status
    if status != 200:
        assert body["__type"] == "UnsupportedMediaTypeException"
        assert body["message"] == f"The Content-Type must be application/x-amz-json-1.1, got {content_type}"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "The body is not JSON"),
        (b"nothing", "The body is not JSON"),
        (b'{"maxResults": NaN}', "NaN is not a number"),
        (b'{"maxResults": -Infinity}', "-Infinity is not a number"),
        (b'{"maxResults": ' + b"9" * 5000 + b"}", "The body is not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"nextToken": "\xff"}', "The body is not UTF-8"),
        (b'{"nextToken": "\\ud800"}', "The body is not UTF-8"),
        (b"{}".decode().encode("utf-16"), "The body is not UTF-8"),
        (b"[]", "The body must be a JSON object"),
        (b"null", "The body must be a JSON object"),
        (b'"text"', "The body must be a JSON object"),
    ],
)
@pytest.mark.parametrize(("path", "target"), [("/", LIST), ("/recommendations", None)])
def test_bodies_that_are_no_requests(cloud: Cloud, path: str, target: str | None, body: bytes, message: str) -> None:
    status, _, answer = post(cloud, path, body, target)
    assert (status, answer["__type"]) == (400, "SerializationException")
    assert message in answer["message"]


def test_an_empty_body_is_an_empty_request(cloud: Cloud) -> None:
    assert post(cloud, "/", b"", LIST)[0] == 200


def test_huge_bodies(cloud: Cloud) -> None:
    body = json.dumps({"nextToken": "x" * 9_000_000}).encode()
    status, _, answer = post(cloud, "/", body, LIST)
    assert (status, answer["__type"]) == (413, "RequestEntityTooLargeException")
    assert answer["message"] == "The body has more than the 8388608 bytes that are allowed"


def test_the_largest_request_of_the_model_is_taken(cloud: Cloud, build: Builder) -> None:
    """Ten items, with properties of 32,000 characters, each of which takes six bytes of the body."""
    dataset = build.dataset(build.group(), "Items", ITEMS_SCHEMA)
    properties = json.dumps({"genres": "\u20ac" * 1000, "year": None}) + " " * 20_000
    items = [{"itemId": "\u20ac" * 256, "properties": properties} for _ in range(10)]
    assert post(cloud, "/items", {"datasetArn": dataset, "items": items})[0] == 200
