"""The data of ``resources``, row by row: statuses, what keeps a resource from being deleted, quotas."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from personalize_local.personalize.api import operation_model
from personalize_local.personalize.resources import KINDS, QUOTAS, Dependant, Kind, Path, Quota
from personalize_local.personalize.state import Record

from .scenario import IN_USE, LIMIT, NOT_FOUND, STEPS, Json, Step, World

#: the share of a path that is over after an advance, but for the last one; more than the first status takes
_SHARE = 0.3

WITH_STATUS = [kind for kind in KINDS.values() if kind.seconds is not None]
DELETABLE = [kind for kind in KINDS.values() if "Delete" in kind.verbs]


@dataclass(frozen=True)
class Journey:
    """What an operation lets a resource go through.

    :param update: whether it is told beside the resource. Default: - by the status of the resource itself.
    """

    kind: Kind
    path: Path
    seconds: float
    update: bool = False


def journeys() -> dict[str, Journey]:
    """Those of the data, by operation."""
    found = {}
    for kind in WITH_STATUS:
        found[f"Create{kind.name}"] = Journey(kind, kind.create_path, kind.seconds or 0.0)
        if "Delete" in kind.verbs:
            found[f"Delete{kind.name}"] = Journey(kind, kind.delete_path, kind.delete_seconds)
        if kind.latest_update or kind.update_is_status:
            update = bool(kind.latest_update)
            found[f"Update{kind.name}"] = Journey(kind, kind.update_path, kind.update_seconds, update)
        for name, move in kind.moves.items():
            found[name] = Journey(kind, move.path, move.seconds)
    return found


JOURNEYS = journeys()


def describe(world: World, kind: Kind, arn: str) -> Json:
    """What Describe tells; nothing once it is gone."""
    answer = world.send(f"Describe{kind.name}", {kind.arn_member: arn})
    if answer.status != 200:
        assert answer.body["__type"] == NOT_FOUND
        return {}
    found: Json = answer.body[kind.member]
    return found


def status(world: World, journey: Journey, arn: str) -> str:
    found = describe(world, journey.kind, arn)
    if not found:
        return "DELETED"
    if not journey.update:
        return str(found["status"])
    update = str(found[str(journey.kind.latest_update)]["status"])
    assert found["status"] == (update if journey.kind.update_is_status else "ACTIVE")
    return update


def watch(world: World, journey: Journey, arn: str) -> list[str]:
    """Let time pass in steps that miss no status, and list the statuses."""
    seen = [status(world, journey, arn)]
    for number in range(len(journey.path.steps)):
        if seen[-1] == journey.path.done:
            break
        last = number == len(journey.path.steps) - 1
        world.cloud.advance(journey.seconds * (1 if last else _SHARE))
        end = time.monotonic() + 20
        while (now := status(world, journey, arn)) == seen[-1]:
            assert time.monotonic() < end, f"{arn} is still {now}"
            time.sleep(0.001)
        seen.append(now)
    return seen


@dataclass(frozen=True)
class Seen:
    """A world in which all steps were done.

    :ivar statuses: those after each step that changed any, by operation.
    """

    world: World
    statuses: dict[str, list[list[str]]]


@pytest.fixture(scope="module")
def seen() -> Iterator[Seen]:
    """Do all steps, and watch."""
    world = World()
    found: dict[str, list[list[str]]] = {}
    for step in STEPS:
        journey = None if step.leave else JOURNEYS.get(step.operation)
        answer = world.do(replace(step, leave=True) if journey else step)
        if journey:
            request = world.resolve(step.request)
            arn = answer.body.get(journey.kind.arn_member) or request[journey.kind.arn_member]
            found.setdefault(step.operation, []).append(watch(world, journey, arn))
            world.settle()
    yield Seen(world, found)
    world.close()


def creation(kind: Kind) -> Step:
    """The first step that makes one."""
    return next(step for step in STEPS if step.operation == f"Create{kind.name}")


def make(world: World, kind: Kind, **members: str) -> str:
    """Make one more, and let it go its way."""
    name = f"another{next(_NUMBERS)}"
    request = {**world.resolve(creation(kind).request), **members}
    if kind.name_member in request:
        request[kind.name_member] = name
    if kind.name in _ONE_PER_GROUP:
        group = world.saved.get(_ONE_PER_GROUP[kind.name])
        request["datasetGroupArn"] = group or make(world, KINDS["DatasetGroup"])
        world.settle()
    answer = world.send(f"Create{kind.name}", request)
    assert answer.status == 200, answer.body
    return str(answer.body[kind.arn_member])


_NUMBERS = itertools.count()
#: the group that another one is made in, by what it is saved as; else a new group
_ONE_PER_GROUP = {"Dataset": "", "EventTracker": "", "MetricAttribution": "domain_group"}


@pytest.mark.parametrize("operation", sorted(set(JOURNEYS) - {"StopSolutionVersionCreation"}))
def test_statuses(seen: Seen, operation: str) -> None:
    path = JOURNEYS[operation].path
    assert seen.statuses[operation]
    for statuses in seen.statuses[operation]:
        assert statuses == [*path.steps, path.done]


@pytest.mark.parametrize("kind", WITH_STATUS, ids=lambda kind: kind.name)
def test_statuses_when_it_fails(seen: Seen, kind: Kind) -> None:
    world, journey = seen.world, JOURNEYS[f"Create{kind.name}"]
    world.settle()
    world.cloud.service.admin("fail", {"operation": f"Create{kind.name}", "failure_reason": "No luck."})
    arn = make(world, kind)
    assert watch(world, journey, arn) == [*kind.create_path.steps, kind.create_path.failed]
    model: Any = operation_model("personalize", f"Describe{kind.name}")
    told = "failureReason" in model.output_shape.members[kind.member].members
    assert describe(world, kind, arn).get("failureReason") == ("No luck." if told else None)
    if "Delete" in kind.verbs:
        assert world.send(f"Delete{kind.name}", {kind.arn_member: arn}).status == 200
        assert watch(world, JOURNEYS[f"Delete{kind.name}"], arn)[-1] == "DELETED"


MOVES = [
    (kind, name, status)
    for kind in KINDS.values()
    for name, move in kind.moves.items()
    for status in move.begins + move.at_once
]


@pytest.mark.parametrize(("kind", "operation", "begin"), MOVES, ids=lambda value: getattr(value, "name", value))
def test_moves(seen: Seen, kind: Kind, operation: str, begin: str) -> None:
    world, move = seen.world, kind.moves[operation]
    arn = make(world, kind)
    for number in range(len(kind.create_path.steps)):
        if describe(world, kind, arn)["status"] != begin:
            world.cloud.advance((kind.seconds or 0.0) * (_SHARE if number == 0 else 1))
            wait_for_change(world, kind, arn, kind.create_path.steps[number])
    if describe(world, kind, arn)["status"] != begin:
        before = next(name for name, other in kind.moves.items() if other.path.done == begin)
        assert world.send(before, {kind.arn_member: arn}).status == 200
        world.settle()
    assert describe(world, kind, arn)["status"] == begin
    assert world.send(operation, {kind.arn_member: arn}).status == 200
    expected = [move.path.done] if begin in move.at_once else [*move.path.steps, move.path.done]
    found = [describe(world, kind, arn)["status"]]
    assert found == expected[:1]
    if begin not in move.at_once:
        assert watch(world, JOURNEYS[operation], arn) == expected
    world.settle()
    assert describe(world, kind, arn)["status"] == move.path.done


def wait_for_change(world: World, kind: Kind, arn: str, status: str) -> None:
    end = time.monotonic() + 20
    while describe(world, kind, arn)["status"] == status:
        assert time.monotonic() < end
        time.sleep(0.001)


DEPENDANTS = [(kind, dependant) for kind in DELETABLE for dependant in kind.dependants]
ALWAYS = {kind.name: kind for kind, other in DEPENDANTS if not other.busy_only}
_WHILE_BUSY = [(kind, dependant) for kind, dependant in DEPENDANTS if dependant.busy_only]


@pytest.mark.parametrize(
    ("kind", "dependant"), _WHILE_BUSY, ids=[f"{kind.name}-{other.kind}" for kind, other in _WHILE_BUSY]
)
def test_what_is_under_way_keeps_others_from_being_deleted(seen: Seen, kind: Kind, dependant: Dependant) -> None:
    world = seen.world
    world.settle()
    child = KINDS[dependant.kind]
    names = {}
    if kind.arn_member in creation(child).request and kind.name in ALWAYS:
        # one that nothing else keeps
        names[kind.arn_member] = make(world, kind)
        world.settle()
    child_arn = make(world, child, **names)
    named = next(each for each in world.records() if each.arn == child_arn).attributes[dependant.member]
    parents = [
        each for each in records(world, kind) if named == (each.attributes[dependant.of] if dependant.of else each.arn)
    ]
    assert parents
    for parent in parents:
        refusal = world.send(f"Delete{kind.name}", {kind.arn_member: parent.arn}).body
        assert refusal["__type"] == IN_USE
        assert f"in use by {child_arn}, which is in status {child.create_path.steps[0]}" in refusal["message"]


@pytest.mark.parametrize("kept", ALWAYS.values(), ids=lambda kind: kind.name)
def test_what_is_there_keeps_others_from_being_deleted(kept: Kind) -> None:
    """Each is refused until all that its data names are gone, and all that the data names does refuse one."""
    world = World()
    refused: set[tuple[str, str]] = set()

    def take_down(kind: Kind, arn: str) -> None:
        for _ in range(100):
            answer = world.send(f"Delete{kind.name}", {kind.arn_member: arn})
            if answer.status == 200:
                world.settle()
                assert describe(world, kind, arn) == {}
                return
            assert answer.body["__type"] == IN_USE
            child = next(each for each in world.records() if f"is in use by {each.arn}." in answer.body["message"])
            refused.add((kind.name, child.kind.name))
            take_down(child.kind, child.arn)
        raise AssertionError(f"{arn} cannot be deleted")

    try:
        for step in STEPS:
            world.do(step)
        for each in records(world, kept):
            take_down(kept, each.arn)
        gone = {name for name, member in kept.deleted_with}
        assert not [each for each in world.records() if each.kind.name in gone | {kept.name}]
    finally:
        world.close()
    expected = {(kind.name, other.kind) for kind, other in DEPENDANTS if not other.busy_only}
    assert {(kind, other) for kind, other in refused if kind == kept.name} == {
        (kind, other) for kind, other in expected if kind == kept.name
    }


def test_a_campaign_that_failed_keeps_nothing(seen: Seen) -> None:
    world = seen.world
    dataset = KINDS["Dataset"]
    unless = {other.kind: other.unless for other in dataset.dependants if other.unless}
    assert unless == {"Campaign": ("CREATE FAILED",)}
    for each in records(world, KINDS["Campaign"]):
        assert world.send("DeleteCampaign", {"campaignArn": each.arn}).status == 200
    world.settle()
    world.cloud.service.admin("fail", {"operation": "CreateCampaign", "failure_reason": "No luck."})
    failed = make(world, KINDS["Campaign"])
    world.settle()
    assert describe(world, KINDS["Campaign"], failed)["status"] == "CREATE FAILED"
    refusal = world.send("DeleteDataset", {"datasetArn": world.saved["items"]}).body
    assert "campaign" not in refusal["message"]
    assert "filter" in refusal["message"]


def records(world: World, kind: Kind) -> list[Record]:
    return [each for each in world.records() if each.kind is kind]


@pytest.mark.parametrize("quota", QUOTAS, ids=lambda quota: quota.name)
def test_quotas(quota: Quota) -> None:
    """One more than allowed is refused, in the documented words; what is refused once is taken when there is room."""
    kind = KINDS[quota.kind]
    under_way = "PENDING" if quota.pending else "PENDING or IN_PROGRESS" if quota.busy else ""
    first = creation(kind)
    before = [step for step in STEPS[: STEPS.index(first)] if step.operation != first.operation]
    world = World({quota.name: 1})
    try:
        for step in before:
            world.do(step)
        made = world.do(replace(first, leave=bool(under_way))).body[kind.arn_member]
        request = {**world.resolve(first.request)}
        if kind.name_member in request:
            request[kind.name_member] = "more"
        refusal = world.send(first.operation, request)
        assert refusal.body["__type"] == LIMIT
        assert refusal.body["message"] == (
            f"More than 1 resources with {under_way} status."
            if under_way
            else f"Cannot create a {kind.words}. More than 1 resources in ACTIVE state. "
            "Please delete some and try again."
        )
        if not under_way:
            assert world.send(f"Delete{kind.name}", {kind.arn_member: made}).status == 200
        world.settle()
        assert world.send(first.operation, request).status == 200
    finally:
        world.close()
