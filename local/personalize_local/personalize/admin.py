"""What can be asked of the service besides its API."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from .contents import DatasetContents
from .engine import Engine
from .faults import Fault
from .packing import pack

Parameters = Mapping[str, Any]


def _calls(engine: Engine, parameters: Parameters) -> dict[str, Any]:
    unknown = sorted(set(parameters) - {"operation", "since"})
    if unknown:
        raise ValueError(f"calls takes operation and since, got {unknown}")
    return {"calls": engine.calls.to_json(parameters.get("operation", "*"), since=int(parameters.get("since", 0)))}


def _forget_calls(engine: Engine, parameters: Parameters) -> dict[str, Any]:
    engine.calls.clear()
    return {}


def _fail(engine: Engine, parameters: Parameters) -> dict[str, Any]:
    engine.faults.add(Fault.from_json(parameters))
    return {}


def _faults(engine: Engine, parameters: Parameters) -> dict[str, Any]:
    return {"faults": engine.faults.to_json()}


def _forget_faults(engine: Engine, parameters: Parameters) -> dict[str, Any]:
    engine.faults.clear()
    return {}


def _advance(engine: Engine, parameters: Parameters) -> dict[str, Any]:
    seconds = parameters.get("seconds")
    if set(parameters) != {"seconds"} or not isinstance(seconds, (int, float)) or seconds < 0:
        raise ValueError(f"advance takes seconds, 0 or more, got {dict(parameters)}")
    with engine.state.lock:
        engine.lifecycle.advance(seconds)
        engine.save()
    return {}


def _status(engine: Engine, parameters: Parameters) -> dict[str, Any]:
    with engine.state.lock:
        kinds = Counter(record.kind.name for scope in engine.state.scopes() for record in scope.records())
    settings = engine.settings
    return {
        "resources": dict(kinds),
        "time_scale": settings.time_scale,
        "data": settings.data and str(settings.data),
        "calls": engine.calls.count,
        "struck": engine.faults.struck(),
        "struck_operations": engine.faults.struck_operations(),
    }


def _datasets(engine: Engine, parameters: Parameters) -> dict[str, Any]:
    with engine.state.lock:
        held = {arn: held for scope in engine.state.scopes() for arn, held in scope.datasets.items()}
        return {"datasets": {arn: {"records": len(rows), "imported": _digest(rows)} for arn, rows in held.items()}}


def _digest(rows: DatasetContents) -> str:
    """A text that is another when the imported rows are."""
    digest = hashlib.blake2b(digest_size=16)
    for name, array in sorted(pack(rows.arrays()).items()):
        digest.update(name.encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


ADMIN_ACTIONS: Mapping[str, Callable[[Engine, Parameters], dict[str, Any]]] = {
    "calls": _calls,
    "forget_calls": _forget_calls,
    "fail": _fail,
    "faults": _faults,
    "forget_faults": _forget_faults,
    "advance": _advance,
    "datasets": _datasets,
    "status": _status,
}
