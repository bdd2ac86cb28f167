"""Which permissions were used: what was asked for and allowed, by the name of the role."""

from collections import defaultdict
from collections.abc import Callable
from threading import Lock
from typing import Any

from ministack import app
from ministack.core import iam_evaluator

from personalize_local.cloud.adapter.expected import wrap

_used: defaultdict[str, set[str]] = defaultdict(set)
_lock = Lock()


def register() -> None:
    """Keep a record, if IAM is enforced at all."""
    if app.AUTH:
        wrap(iam_evaluator, "evaluate", "ctx policies limits", _recording)


def used() -> dict[str, list[str]]:
    """The actions that each role was allowed when it asked for them, since the start."""
    with _lock:
        return {role: sorted(actions) for role, actions in _used.items()}


def _recording(original: Callable[..., Any]) -> Callable[..., Any]:
    def evaluate(ctx: Any, policies: Any, *limits: Any) -> Any:
        result = original(ctx, policies, *limits)
        _, is_role, session = (ctx.principal_arn or "").partition(":assumed-role/")
        if is_role and result.decision == "Allow":
            with _lock:
                _used[session.partition("/")[0]].add(ctx.action)
        return result

    return evaluate
