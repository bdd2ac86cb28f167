"""After a restart: takes up again what was under way when the process ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .crud import start_creation
from .engine import Context, Engine
from .errors import ServiceError
from .lifecycle import CALL
from .operations import BEHAVIOURS, OPERATIONS
from .state import Progress, Record, Scope, Way


def resume(engine: Engine) -> None:
    """Go on with everything in a state that was loaded; time has gone on meanwhile. The lock must be held."""
    for scope in engine.state.scopes():
        for record in list(scope.records()):
            _resume(engine, scope, record)


def _resume(engine: Engine, scope: Scope, record: Record) -> None:
    context = Context(engine, scope, f"Create{record.kind.name}")
    update = record.update
    if update and update.progress.way:
        _resume_update(context, record, update.progress, update.progress.way)
    way = record.progress.way
    if way is None:
        BEHAVIOURS[record.kind.name].restored(context, record)
    elif way.before == "":
        record.progress.status = way.before
        with engine.lifecycle.since(way.begun), _caused_by(way):
            start_creation(Context(engine, scope, context.operation, way.failure), record, BEHAVIOURS[record.kind.name])
    else:
        engine.lifecycle.stop(record.progress, way.before)
        _call_again(context, way)


def _resume_update(context: Context, record: Record, progress: Progress, way: Way) -> None:
    """Ask for the update again; one that the service has begun by itself comes through at once."""
    update, record.update = record.update, None
    if update is not None and not _call_again(context, way):
        record.attributes.update(update.attributes)
        record.update = update
        context.engine.lifecycle.stop(progress, "ACTIVE")


def _call_again(context: Context, way: Way) -> bool:
    """Make the call again that set something going, if there was one and it can still be made."""
    if way.call is None:
        return False
    service, operation, parameters = way.call
    try:
        with context.engine.lifecycle.since(way.begun), _caused_by(way):
            again = Context(context.engine, context.scope, operation, way.failure)
            OPERATIONS[service, operation].run(again, parameters)
    except ServiceError as error:
        context.engine.log.warning("%s was under way and cannot go on after the restart: %s", operation, error)
        return False
    return True


@contextmanager
def _caused_by(way: Way) -> Iterator[None]:
    token = CALL.set(way.call)
    try:
        yield
    finally:
        CALL.reset(token)
