from __future__ import annotations

import datetime
from typing import Any

import pytest

from personalize_local.personalize.api import SERVICES, operation_model, operation_names
from personalize_local.personalize.errors import ServiceError
from personalize_local.personalize.validation import check_request, shape_response, violates_pattern


def check(operation: str, service: str = "personalize", **parameters: Any) -> dict[str, Any]:
    model = operation_model(service, operation)
    assert model is not None
    return check_request(model.input_shape, parameters)


GROUP = "arn:aws:personalize:us-east-1:000000000000:dataset-group/films"
SOLUTION = {"name": "picks", "datasetGroupArn": GROUP}


@pytest.mark.parametrize(
    ("operation", "parameters", "message"),
    [
        (
            "CreateDatasetGroup",
            {},
            "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null",
        ),
        ("CreateDatasetGroup", {"name": None}, "Value null at 'name'"),
        ("CreateDatasetGroup", {"name": 5}, "Value '5' at 'name' .* must be a string"),
        ("CreateDatasetGroup", {"name": ""}, "'name' .* length greater than or equal to 1"),
        ("CreateDatasetGroup", {"name": "x" * 64}, "'name' .* length less than or equal to 63"),
        ("CreateDatasetGroup", {"name": "-x"}, "Value '-x' at 'name' .* satisfy regular expression pattern"),
        ("CreateDatasetGroup", {"name": "x y"}, "regular expression pattern"),
        ("CreateDatasetGroup", {"name": "x\n"}, "regular expression pattern"),
        ("CreateDatasetGroup", {"name": "x", "domain": "TOYS"}, r"enum value set: \[ECOMMERCE, VIDEO_ON_DEMAND\]"),
        ("CreateDatasetGroup", {"name": "x", "roleArn": "r"}, "'roleArn'"),
        ("DescribeDatasetGroup", {"datasetGroupArn": "films"}, "'datasetGroupArn' .* regular expression"),
        ("ListDatasetGroups", {"maxResults": 0}, "'maxResults' .* value greater than or equal to 1"),
        ("ListDatasetGroups", {"maxResults": 101}, "'maxResults' .* value less than or equal to 100"),
        ("ListDatasetGroups", {"maxResults": True}, "'maxResults' .* must be an integer"),
        ("ListDatasetGroups", {"maxResults": 2**31}, "'maxResults' .* must be an integer"),
        ("ListDatasetGroups", {"maxResults": 1.0}, "'maxResults' .* must be an integer"),
        ("CreateSolution", {**SOLUTION, "performHPO": "yes"}, "'performHPO' .* must be a boolean"),
        (
            "CreateSolution",
            {**SOLUTION, "solutionConfig": {"optimizationObjective": {"objectiveSensitivity": "SOME"}}},
            "'solutionConfig.optimizationObjective.objectiveSensitivity' .* enum value set",
        ),
        (
            "TagResource",
            {"resourceArn": GROUP, "tags": [{"tagKey": "a", "tagValue": "1"}, {"tagKey": "b"}]},
            "Value null at 'tags.2.member.tagValue'",
        ),
        ("TagResource", {"resourceArn": GROUP, "tags": [{"tagKey": "a;b", "tagValue": "1"}]}, "tags.1.member.tagKey"),
        ("TagResource", {"resourceArn": GROUP, "tags": "a"}, "'tags' .* must be a list"),
    ],
)
def test_names_what_is_wrong(operation: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ServiceError, match=message) as raised:
        check(operation, **parameters)
    assert raised.value.code == "InvalidInputException"


def test_names_everything_that_is_wrong() -> None:
    with pytest.raises(ServiceError, match=r"^2 validation errors detected: .*'name'.*; .*'datasetGroupArn'"):
        check("CreateSolution", name="x y", datasetGroupArn="films")


def test_unknown_and_null_members_are_left_out() -> None:
    assert check("CreateDatasetGroup", name="x", colour="red", domain=None) == {"name": "x"}


@pytest.mark.parametrize("service", SERVICES)
def test_every_pattern_of_the_api_can_be_checked(service: str) -> None:
    def check_patterns(shape: Any, above: tuple[str, ...] = ()) -> None:
        if shape.name in above:
            return
        if "pattern" in shape.metadata:
            violates_pattern(shape, "x")
        parts = {"list": ("member",), "map": ("key", "value")}.get(shape.type_name, ())
        members = shape.members.values() if shape.type_name == "structure" else [getattr(shape, part) for part in parts]
        for member in members:
            check_patterns(member, (*above, shape.name))

    for operation in operation_names(service):
        check_patterns(operation_model(service, operation).input_shape)  # type: ignore[union-attr]


def test_unicode_letters_are_allowed_in_tags() -> None:
    tags = [{"tagKey": "Größe/é", "tagValue": "groß + klein"}]
    assert check("TagResource", resourceArn=GROUP, tags=tags)["tags"] == tags


@pytest.mark.parametrize("sent", [1.5, datetime.datetime.fromtimestamp(1.5, datetime.UTC), "1970-01-01T00:00:01.5Z"])
def test_timestamps_become_unix_time(sent: Any) -> None:
    event = {"eventType": "watch", "sentAt": sent, "itemId": "i"}
    request = check("PutEvents", "personalize-events", trackingId="t", sessionId="s", eventList=[event])
    assert request["eventList"][0]["sentAt"] == 1.5


@pytest.mark.parametrize("sent", ["yesterday", float("nan"), float("inf"), -(10**300), 1e12, True, [1]])
def test_what_is_no_timestamp_is_refused(sent: Any) -> None:
    event = {"eventType": "watch", "sentAt": sent, "itemId": "i"}
    with pytest.raises(ServiceError, match="sentAt"):
        check("PutEvents", "personalize-events", trackingId="t", sessionId="s", eventList=[event])


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_refuses_what_is_not_a_request(service: str) -> None:
    for operation in operation_names(service):
        shape = operation_model(service, operation).input_shape  # type: ignore[union-attr]
        required = shape.required_members
        if required:
            with pytest.raises(ServiceError, match=f"{len(required)} validation error"):
                check(operation, service)


def test_responses_keep_what_the_shape_knows() -> None:
    shape = operation_model("personalize", "DescribeDatasetGroup").output_shape  # type: ignore[union-attr]
    assert shape_response(shape, {"datasetGroup": {"name": "x", "secret": 1, "failureReason": None}}) == {
        "datasetGroup": {"name": "x"}
    }


def test_a_response_that_does_not_fit_is_a_defect() -> None:
    shape = operation_model("personalize", "DescribeDatasetGroup").output_shape  # type: ignore[union-attr]
    with pytest.raises(RuntimeError, match=r"DescribeDatasetGroupResponse.*datasetGroup\.name"):
        shape_response(shape, {"datasetGroup": {"name": 1}})
