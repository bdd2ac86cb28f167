"""Create, Describe, List and Delete, and what takes a resource from one status to another, for every kind."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .api import models_error
from .engine import Attributes, Context, Parameters
from .errors import ServiceError, already_exists, in_use, invalid_input
from .lifecycle import Path, Work
from .pagination import page
from .resources import Dependant, Kind, Parent
from .state import Progress, Record, Update
from .tags import read_tags

Answer = Mapping[str, Any]


def _as_requested(context: Context, parameters: Parameters) -> Attributes:
    return dict(parameters)


@dataclass(frozen=True)
class Behaviour:
    """What is special about a kind of resource.

    :param prepare: checks a Create request and gives the attributes of what it makes. Its parents are there and
        ACTIVE. Default: - the request as it is.
    :param work: what has to be done before it is ACTIVE; called with the lock held, it gives a function that is
        called without. Default: - nothing.
    :param activated: called with the lock held and the work's result, just before it is ACTIVE.
    :param described: further members of Describe's answer. Default: - none.
    :param restored: called with the lock held after a restart, for each one that was not on its way anywhere, to make
        what is not in its record: what rests on it, what is due at some time. Default: - nothing.
    """

    prepare: Callable[[Context, Parameters], Attributes] = _as_requested
    work: Callable[[Context, Record], Work | None] = lambda context, record: None
    activated: Callable[[Context, Record, Any], None] = lambda context, record, result: None
    described: Callable[[Context, Record], Attributes] = lambda context, record: {}
    restored: Callable[[Context, Record], None] = lambda context, record: None


def create(context: Context, parameters: Parameters, kind: Kind, behaviour: Behaviour) -> Answer:
    """Create a resource; all but the kinds without status get ACTIVE later."""
    for parent in kind.parents:
        require_active(context, parent, parameters[parent.member])
    tags = read_tags(context, parameters.get("tags", ()), {})
    requested = {name: value for name, value in parameters.items() if name != "tags"}
    attributes = {"id": secrets.token_hex(4), **behaviour.prepare(context, requested)}
    arn = context.scope.arn(kind.arn.format(**attributes))
    if context.scope.find(kind.name, arn):
        raise already_exists(arn)
    context.engine.quotas.check(context.scope, kind, attributes)
    now = context.engine.lifecycle.today
    record = Record(kind, arn, attributes, Progress("", now, now), tags)
    context.scope.add(record)
    start_creation(context, record, behaviour)
    return {**attributes, kind.arn_member: arn}


def start_creation(context: Context, record: Record, behaviour: Behaviour) -> None:
    """Start the way to ACTIVE, for the kinds that have a status; also the second time, after a restart."""
    if record.kind.seconds is not None:
        context.engine.lifecycle.run(
            record.progress,
            record.kind.create_path,
            record.kind.seconds,
            work=behaviour.work(context, record),
            failure=context.failure,
            done=lambda result: behaviour.activated(context, record, result),
        )


def describe(context: Context, parameters: Parameters, kind: Kind, behaviour: Behaviour) -> Answer:
    """Describe a resource. Tags are never part of it."""
    record = context.scope.get(kind.name, parameters[kind.arn_member])
    return {kind.member: {**record.to_api(), **behaviour.described(context, record)}}


def list_all(context: Context, parameters: Parameters, kind: Kind, behaviour: Behaviour) -> Answer:
    """List resources, page by page."""
    wanted = {member: parameters[member] for member in kind.list_by if member in parameters}
    if models_error("personalize", context.operation, "ResourceNotFoundException"):
        for parent in kind.parents:
            if parent.member in wanted:
                context.scope.get(parent.kind, wanted[parent.member])
    records = [
        record
        for record in context.scope.all(kind.name)
        if all(record.attributes.get(member) == value for member, value in wanted.items())
    ]
    if kind.newest_first:
        records.reverse()
    records_on_page, token = page(records, context.operation, parameters)
    return {kind.listed_as: [record.to_api() for record in records_on_page], "nextToken": token}


def delete(context: Context, parameters: Parameters, kind: Kind, behaviour: Behaviour) -> Answer:
    """Start to delete a resource; it is gone a little later."""
    record = context.scope.get(kind.name, parameters[kind.arn_member])
    if record.status.startswith("DELETE") and context.engine.settings.uncertain.delete_while_deleting:
        return {}
    if record.progress.busy or (record.updating and kind.update_blocks_delete):
        raise in_use(f"The resource {record.arn} is in status {_busy_status(record)} and cannot be deleted yet.")
    for dependant in kind.dependants:
        _refuse_if_needed(context, record, dependant)
    if kind.seconds is None:
        _remove(context, record)
    else:
        context.engine.lifecycle.run(
            record.progress, kind.delete_path, kind.delete_seconds, done=lambda result: _remove(context, record)
        )
    return {}


def start_update(
    context: Context,
    record: Record,
    attributes: Attributes,
    path: Path,
    done: Callable[[Any], None],
    work: Work | None = None,
) -> Answer:
    """Start an update that is reported beside the resource.

    :param attributes: what the update asks for, by the members of its summary.
    :param path: the ``update_path`` of its kind.
    :param done: called with the lock held and the work's result when the update has come through.
    :param work: what has to be done before that, called without the lock; it takes as long as making a new one.
        Default: - nothing.
    """
    now = context.engine.lifecycle.today
    record.update = Update(attributes, Progress("", now, now))
    seconds = (record.kind.seconds or 0.0) if work else record.kind.update_seconds
    context.engine.lifecycle.run(record.update.progress, path, seconds, work=work, failure=context.failure, done=done)
    return {record.kind.arn_member: record.arn}


def move(context: Context, parameters: Parameters, kind: Kind) -> Answer:
    """Take a resource to another status, by an operation that does nothing else: ``Kind.moves``."""
    record = context.scope.get(kind.name, parameters[kind.arn_member])
    way = kind.moves[context.operation]
    if record.updating or record.status not in way.begins + way.at_once:
        raise ServiceError(
            context.engine.settings.uncertain.move_from_wrong_status,
            f"The resource {record.arn} is in status {_busy_status(record)}, {context.operation} needs "
            f"{' or '.join(way.begins + way.at_once)}.",
        )
    if record.status in way.at_once:
        context.engine.lifecycle.stop(record.progress, way.path.done)
    else:
        context.engine.lifecycle.run(record.progress, way.path, way.seconds)
    return {kind.arn_member: record.arn}


def require_active(context: Context, parent: Parent, arn: str) -> Record:
    """Get a resource that something is to be made from.

    :raises ServiceError: if it does not exist or is not ACTIVE.
    """
    record = context.scope.get(parent.kind, arn)
    if not record.active:
        raise ServiceError(
            context.engine.settings.uncertain.create_on_busy_parent,
            f"The resource {arn} is in status {record.status}, it must be ACTIVE.",
        )
    return record


def _refuse_if_needed(context: Context, record: Record, dependant: Dependant) -> None:
    if dependant.switch and not getattr(context.engine.settings.uncertain, dependant.switch):
        return
    if dependant.where and record.attributes[dependant.where[0]] != dependant.where[1]:
        return
    named = record.attributes[dependant.of] if dependant.of else record.arn
    for child in context.scope.dependants(dependant.kind, dependant.member, named):
        if child.status in dependant.unless:
            continue
        if not dependant.busy_only:
            raise in_use(f"The resource {record.arn} is in use by {child.arn}. Delete that first.")
        if child.progress.busy:
            raise in_use(f"The resource {record.arn} is in use by {child.arn}, which is in status {child.status}.")


def _remove(context: Context, record: Record) -> None:
    for kind, member in record.kind.deleted_with:
        for child in context.scope.children(kind, member, record.arn):
            context.scope.remove(child)
    context.scope.remove(record)


def _busy_status(record: Record) -> str:
    return record.update.progress.status if record.update and record.updating else record.status


def required(parameters: Parameters, member: str, because: str) -> Any:
    """Get a member that the API's model leaves optional.

    :raises ServiceError: InvalidInputException if it is not there.
    """
    if member not in parameters:
        raise invalid_input(f"{member} is required {because}.")
    return parameters[member]
