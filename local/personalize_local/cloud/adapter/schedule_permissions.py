"""What a schedule's role may start: where IAM is enforced, it must allow it; the emulator itself does not ask.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/setting-up.html#setting-up-execution-role
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from ministack import app
from ministack.services import eventbridge

from personalize_local.cloud.adapter.expected import wrap
from personalize_local.cloud.adapter.resources import Need
from personalize_local.cloud.adapter.state_permissions import allows

_logger = logging.getLogger("personalize_local.cloud")

#: By the service of the target's ARN
ACTIONS: Final = {
    "lambda": "lambda:InvokeFunction",
    "sns": "sns:Publish",
    "sqs": "sqs:SendMessage",
    "states": "states:StartExecution",
}


def register() -> None:
    """Judge what schedules start, if IAM is enforced at all."""
    if app.AUTH:
        wrap(eventbridge, "_invoke_target", "target event rule view", _judging)


def _judging(original: Callable[..., None]) -> Callable[..., None]:
    def invoke(target: Mapping[str, Any], event: Mapping[str, Any], rule: Any, view: Any = None) -> None:
        arn = str(target["Arn"])
        action = ACTIONS.get(arn.split(":")[2])
        if event.get("Source") == "aws.scheduler" and action is not None:
            role = str(target.get("RoleArn", ""))
            if not allows(role, Need(action, arn, {}), "scheduler"):
                _logger.warning("the role %s of a schedule may not %s on %s: nothing is started", role, action, arn)
                return
        original(target, event, rule, view)

    return invoke
