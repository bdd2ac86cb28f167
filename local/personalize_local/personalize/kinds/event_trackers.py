"""Event trackers."""

from __future__ import annotations

import uuid

from ..crud import Behaviour
from ..engine import Attributes, Context, Parameters
from ..errors import ServiceError, invalid_input
from .datasets import interactions_of


def prepare(context: Context, parameters: Parameters) -> Attributes:
    """Check that the dataset group has none yet."""
    group = parameters["datasetGroupArn"]
    present = context.scope.children("EventTracker", "datasetGroupArn", group)
    if present:
        code = context.engine.settings.uncertain.second_event_tracker_error
        raise ServiceError(code, f"The dataset group {group} already has the event tracker {present[0].arn}.")
    if context.engine.settings.uncertain.tracker_needs_interactions and interactions_of(context.scope, group) is None:
        raise invalid_input(f"The dataset group {group} has no ACTIVE Interactions dataset, which events go to.")
    return {**parameters, "trackingId": str(uuid.uuid4()), "accountId": context.scope.account}


BEHAVIOUR = Behaviour(prepare=prepare)
