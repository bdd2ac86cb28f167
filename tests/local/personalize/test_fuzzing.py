"""Random requests, right and wrong, to every operation: none is answered with an error that the API does not have."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personalize_local.personalize.api import TARGET_PREFIX, operation_model
from personalize_local.personalize.validation import _compiled

from .scenario import EVERY, INVALID, STEPS, Json, World
from .support import ACCOUNT, REGION, Cloud
from .test_operations import misfits

#: for each operation and each kind of request
_EXAMPLES = 10
_SECONDS = 5.0
_FAST = settings(
    max_examples=_EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
# a response with one of these says that the request could not be read
_UNREADABLE = frozenset({INVALID, "SerializationException"})

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([-1, 0, 2**31, 2**63, 10**400, 1e308, 1e-320, -0.0]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(
        ["", " ", "\x00", "\ud7ff", "x" * 30_000, "../..", "$(x)", "{}", "[" * 2000, "arn:aws:personalize:::"]
    ),
    st.recursive(
        st.none() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=6,
    ),
)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """A world in which all steps were done."""
    made = World()
    for step in STEPS:
        made.do(step)
    yield made
    made.close()


def strings(shape: Any, name: str, saved: dict[str, str]) -> st.SearchStrategy[str]:
    """Strings of a shape; of those that name resources, most name one that there is."""
    if shape.enum:
        return st.sampled_from(shape.enum)
    limits = shape.metadata
    own = (
        st.from_regex(_compiled(limits["pattern"]), fullmatch=True)
        if "pattern" in limits
        else st.text(min_size=limits.get("min", 0), max_size=min(limits.get("max", 20), limits.get("min", 0) + 20))
    )
    own = own.filter(lambda text: limits.get("min", 0) <= len(text) <= limits.get("max", len(text)))
    known = sorted(text for key, text in saved.items() if ("Arn" in name) == text.startswith("arn:"))
    if "Arn" in name or name == "trackingId":
        return st.one_of(st.sampled_from(known), st.sampled_from(known), own)
    return own


def values(shape: Any, name: str, saved: dict[str, str]) -> st.SearchStrategy[Any]:
    """Values of a shape."""
    kind, limits = shape.type_name, shape.metadata
    if kind == "string":
        return strings(shape, name, saved)
    if kind == "boolean":
        return st.booleans()
    if kind in ("integer", "long"):
        return st.integers(limits.get("min", -1000), limits.get("max", limits.get("min", 0) + 1000))
    if kind in ("float", "double"):
        return st.floats(limits.get("min", -1e6), limits.get("max", 1e6), width=32)
    if kind == "timestamp":
        return st.integers(0, 2_000_000_000) | st.floats(0, 2e9)
    if kind == "list":
        least = limits.get("min", 0)
        most = min(limits.get("max", least + 3), least + 3)
        return st.lists(values(shape.member, name, saved), min_size=least, max_size=most)
    if kind == "map":
        return st.dictionaries(
            values(shape.key, "", saved), values(shape.value, "", saved), min_size=limits.get("min", 0), max_size=3
        )
    members = {member: values(each, member, saved) for member, each in shape.members.items()}
    required = {member: members.pop(member) for member in shape.required_members}
    return st.fixed_dictionaries(required, optional=members)


@st.composite
def damaged(draw: st.DrawFn, requests: st.SearchStrategy[Json]) -> Any:
    """A request in which one thing is wrong: a value at any depth, a member too few, a member too many."""
    request = draw(requests)
    place: Any = request
    while True:
        keys = sorted(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            break
        key = draw(st.sampled_from(keys))
        if isinstance(place[key], (dict, list)) and place[key] and draw(st.booleans()):
            place = place[key]
            continue
        if isinstance(place, dict) and draw(st.integers(0, 4)) == 0:
            del place[key]
        else:
            place[key] = draw(JUNK)
        return request
    return {**request, draw(st.text(max_size=5)): draw(JUNK)}


def send(world: World, operation: str, request: Any) -> None:
    """Send a request, and check that the answer is one that the API has."""
    begun = time.monotonic()
    answer = world.send(operation, request)
    assert time.monotonic() - begun < _SECONDS
    model: Any = operation_model(EVERY[operation], operation)
    if answer.status == 200:
        if model.output_shape is not None:
            assert list(misfits(model.output_shape, answer.body)) == []
        return
    assert 400 <= answer.status < 500, (request, answer.body)
    documented = {shape.name for shape in model.error_shapes}
    assert answer.body["__type"] in documented | _UNREADABLE, (request, answer.body)
    assert answer.body["message"]


@pytest.mark.parametrize("operation", sorted(EVERY))
def test_right_requests(world: World, operation: str) -> None:
    model: Any = operation_model(EVERY[operation], operation)

    @_FAST
    @given(values(model.input_shape, "", world.saved))
    def run(request: Json) -> None:
        send(world, operation, request)

    run()


@pytest.mark.parametrize("operation", sorted(EVERY))
def test_wrong_requests(world: World, operation: str) -> None:
    """Also those that a step has, which get further than random ones."""
    model: Any = operation_model(EVERY[operation], operation)
    step = next(step for step in STEPS if step.operation == operation)
    good = json.dumps(world.resolve(step.request))
    requests = st.one_of(values(model.input_shape, "", world.saved), st.builds(json.loads, st.just(good)))

    @_FAST
    @given(damaged(requests) | JUNK)
    def run(request: Any) -> None:
        send(world, operation, request)

    run()


#: as they are sent, with everything that a connection may bring
METHODS = st.sampled_from(["POST", "GET", "PUT", "post", ""])
PATHS = (
    st.sampled_from(["/", "/events", "/recommendations", "/items?x=%00", "//", "", "/personalize-ranking/"]) | st.text()
)
HEADERS = st.dictionaries(
    st.sampled_from(["X-Amz-Target", "Content-Type", "x-amz-target", "content-type"]) | st.text(max_size=5),
    st.sampled_from(
        [
            f"{TARGET_PREFIX}.ListSchemas",
            f"{TARGET_PREFIX}.CreateSchema",
            f"{TARGET_PREFIX}.",
            "application/json",
            "a;b",
        ]
    )
    | st.text(max_size=20),
    max_size=3,
)
BODIES = st.binary(max_size=50) | st.recursive(JUNK, lambda inner: st.lists(inner, max_size=3), max_leaves=3).map(
    lambda value: json.dumps(value).encode()
)


def test_whatever_is_sent_is_answered(cloud: Cloud) -> None:
    @settings(_FAST, max_examples=400)
    @given(METHODS, PATHS, HEADERS, BODIES)
    def run(method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        status, answered, content = cloud.service.handle_http(
            method, path, headers, body, account=ACCOUNT, region=REGION
        )
        assert status == 200 or 400 <= status < 500, (status, content)
        assert answered["x-amzn-RequestId"]
        if content:
            assert isinstance(json.loads(content), dict)

    run()


@pytest.mark.parametrize("operation", sorted(EVERY))
def test_bytes_that_are_damaged(world: World, operation: str) -> None:
    """A right request in which a few bytes are others, too many or too few."""
    model: Any = operation_model(EVERY[operation], operation)
    step = next(step for step in STEPS if step.operation == operation)
    good = json.dumps(world.resolve(step.request)).encode()
    documented = {shape.name for shape in model.error_shapes}
    places = st.tuples(st.integers(0, len(good)), st.integers(0, 2), st.binary(max_size=2))

    @_FAST
    @given(st.lists(places, min_size=1, max_size=3))
    def run(changes: list[tuple[int, int, bytes]]) -> None:
        body = good
        for place, length, new in changes:
            body = body[:place] + new + body[place + length :]
        answer = world.send_bytes(operation, body)
        assert answer.status == 200 or answer.body["__type"] in documented | _UNREADABLE, (body, answer.body)

    run()
