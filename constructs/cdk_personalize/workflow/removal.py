"""What happens to what a workflow made when the workflow is removed."""

from __future__ import annotations

from enum import Enum


class WorkflowRemovalPolicy(Enum):
    """What is removed with a workflow. Its data belong to the dataset group, which has a removal policy of its own."""

    DESTROY = "destroy"
    """Campaigns, recommenders and solutions with their versions."""

    RETAIN = "retain"
    """Nothing. Campaigns and recommenders are billed by the hour for as long as they are there."""

    STOP_BILLING = "stop-billing"
    """What is billed while nobody uses it: campaigns are deleted, recommenders and trainings are stopped, automatic
    training is turned off. Solutions with their versions stay, and a later deployment takes them on."""
