"""Every operation of the API, with requests that it takes and requests that it refuses.

What is called how is data: see ``scenario``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from botocore import parsers

from personalize_local.personalize.api import error_status, operation_model
from personalize_local.personalize.rates import Rates
from personalize_local.personalize.resources import RATES
from personalize_local.personalize.uncertain import RATE_ERROR
from personalize_local.personalize.validation import check_request

from .scenario import (
    BAD_TOKEN,
    BUSY,
    ERRORS,
    EVERY,
    EXISTS,
    INVALID,
    LIMIT,
    NOT_FOUND,
    STEPS,
    TOO_MANY_TAGS,
    UNEXPLAINED,
    Answer,
    Json,
    Step,
    World,
)

PROTOCOLS = {
    "personalize": ("json", "application/x-amz-json-1.1"),
    "personalize-runtime": ("rest-json", "application/json"),
    "personalize-events": ("rest-json", "application/json"),
}
_ARN = re.compile(r"arn:[^:]+:personalize:.*")
_TYPES = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float),
}


@dataclass
class Walk:
    """A world in which every step was done.

    :ivar answers: by operation, in the order of the steps.
    """

    world: World
    answers: dict[str, list[Answer]]


@pytest.fixture(scope="module")
def walk() -> Iterator[Walk]:
    """Do all steps, and leave some resources in CREATE PENDING."""
    world = World()
    answers: dict[str, list[Answer]] = {}
    for step in (*STEPS, *BUSY):
        answers.setdefault(step.operation, []).append(world.do(step))
    yield Walk(world, answers)
    world.close()


def first_request(operation: str) -> Json:
    return next(step.request for step in STEPS if step.operation == operation)


def errors_of(operation: str) -> list[str]:
    """The errors that the API's model gives an operation."""
    model: Any = operation_model(EVERY[operation], operation)
    return sorted(
        {shape.name for shape in model.error_shapes} - {name for key, name in UNEXPLAINED if key == operation}
    )


def missing_parent(request: Any) -> Any:
    """Name other resources, which do not exist."""
    if isinstance(request, dict):
        return {key: missing_parent(value) for key, value in request.items()}
    return f"{request}-gone" if isinstance(request, str) and _ARN.fullmatch(request) else request


def bring_about(walk: Walk, operation: str, error: str) -> Json:
    """Make the request that shall be answered with an error."""
    model: Any = operation_model(EVERY[operation], operation)
    good = walk.world.resolve(first_request(operation))
    if (operation, error) in ERRORS:
        return {**good, **walk.world.resolve(ERRORS[operation, error])}
    if error == INVALID:
        return {} if model.input_shape.required_members else {"maxResults": 0}
    if error == BAD_TOKEN:
        return {**good, "nextToken": "nonsense"}
    if error == NOT_FOUND:
        gone = missing_parent(good)
        return {key: "gone" if key == "trackingId" else value for key, value in gone.items()}
    if error == EXISTS:
        return good
    if error == TOO_MANY_TAGS:
        return {**good, "tags": [{"tagKey": f"k{number}", "tagValue": "v"} for number in range(51)]}
    raise AssertionError(f"{operation}: what brings {error} about? A row of ERRORS is missing, or one of UNEXPLAINED")


def misfits(shape: Any, value: Any, path: str = "") -> Iterator[str]:
    """What of a body does not fit a shape: members that it lacks or does not know, values of another type."""
    kind = shape.type_name
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        yield f"{path}: {value!r} is no {kind}"
    elif kind == "structure":
        yield from (f"{path}.{name} is unknown" for name in set(value) - set(shape.members))
        yield from (f"{path}.{name} is missing" for name in set(shape.required_members) - set(value))
        for name, item in value.items():
            if name in shape.members:
                yield from misfits(shape.members[name], item, f"{path}.{name}")
    elif kind == "list":
        for item in value:
            yield from misfits(shape.member, item, f"{path}[]")
    elif kind == "map":
        for key, item in value.items():
            yield from misfits(shape.key, key, f"{path}{{}}")
            yield from misfits(shape.value, item, f"{path}.{key}")


def test_every_operation_has_a_step() -> None:
    assert {step.operation for step in STEPS} == set(EVERY)


@pytest.mark.parametrize("step", [*STEPS, *BUSY], ids=lambda step: step.operation)
def test_steps_are_requests_of_the_model(step: Step) -> None:
    model: Any = operation_model(EVERY[step.operation], step.operation)
    written = re.sub(r"<\w+>", "arn:aws:personalize:us-east-1:000000000000:some/thing", json.dumps(step.request))
    assert check_request(model.input_shape, json.loads(written)) == json.loads(written)


@pytest.mark.parametrize("operation", sorted(EVERY))
def test_answers_fit_their_shapes(walk: Walk, operation: str) -> None:
    """By botocore's own parser, and by its shapes: nothing else is in an answer."""
    protocol, content_type = PROTOCOLS[EVERY[operation]]
    model: Any = operation_model(EVERY[operation], operation)
    parser = parsers.create_parser(protocol)
    for answer in walk.answers[operation]:
        assert answer.headers["x-amzn-RequestId"]
        assert answer.headers["Content-Type"] == content_type
        if model.output_shape is None:
            assert answer.body == {}
            continue
        assert list(misfits(model.output_shape, answer.body)) == []
        assert answer.body or not model.output_shape.members
        response = {"status_code": answer.status, "headers": answer.headers, "body": answer.content}
        parsed = parser.parse(response, model.output_shape)
        assert set(parsed) - {"ResponseMetadata"} == set(answer.body)


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        (operation, error)
        for operation in sorted(EVERY)
        for error in errors_of(operation)
        # the rates below bring it about; test_resources meets each quota
        if error != LIMIT or (operation, error) in ERRORS
    ],
)
def test_errors(walk: Walk, operation: str, error: str) -> None:
    """Every error that the API's model gives an operation and that the documentation explains."""
    answer = walk.world.send(operation, bring_about(walk, operation, error))
    assert answer.headers["x-amzn-ErrorType"] == answer.body["__type"] == error, answer.body
    assert answer.status == (error_status(EVERY[operation], error) or 400)
    assert answer.body["message"]


@pytest.mark.parametrize("operation", sorted(EVERY))
def test_rates(walk: Walk, monkeypatch: pytest.MonkeyPatch, operation: str) -> None:
    """A request too many, whatever the operation; LimitExceededException is also the error of rates."""
    service = walk.world.cloud.service
    none_left = {rate.name: 0 for rate in RATES}
    monkeypatch.setattr(service, "_engine", replace(service._engine, rates=Rates(none_left, every=False)))
    answer = walk.world.send(operation, walk.world.resolve(first_request(operation)))
    expected = LIMIT if LIMIT in errors_of(operation) else RATE_ERROR
    assert (answer.status, answer.body["__type"]) == (400, expected)


def test_what_is_not_explained_is_in_the_model() -> None:
    for operation, error in UNEXPLAINED:
        model: Any = operation_model(EVERY[operation], operation)
        assert error in {shape.name for shape in model.error_shapes}
    for operation, error in ERRORS:
        assert error in errors_of(operation), (operation, error)
