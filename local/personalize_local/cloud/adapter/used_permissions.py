"""Which permissions were used: what was asked for and allowed, by the name of the role."""

from collections.abc import Callable
from threading import Lock
from typing import Any

from ministack import app
from ministack.core import iam_evaluator

from personalize_local.cloud.adapter.expected import wrap

#: Role, action and resource
_used: set[tuple[str, str, str]] = set()
_lock = Lock()


def register() -> None:
    """Keep a record, if IAM is enforced at all."""
    if app.AUTH:
        wrap(iam_evaluator, "evaluate", "ctx policies limits", _recording)


def used() -> dict[str, dict[str, list[str]]]:
    """The resources on which each role was allowed each action when it asked for it, since the start."""
    with _lock:
        asked = sorted(_used)
    found: dict[str, dict[str, list[str]]] = {}
    for role, action, resource in asked:
        found.setdefault(role, {}).setdefault(action, []).append(resource)
    return found


def _recording(original: Callable[..., Any]) -> Callable[..., Any]:
    def evaluate(ctx: Any, policies: Any, *limits: Any) -> Any:
        result = original(ctx, policies, *limits)
        _, is_role, session = (ctx.principal_arn or "").partition(":assumed-role/")
        if is_role and result.decision == "Allow":
            with _lock:
                _used.add((session.partition("/")[0], ctx.action, ctx.resource_arn))
        return result

    return evaluate
