"""How long a deployment takes: until a run has begun, or until it has ended."""

from __future__ import annotations

from enum import Enum, auto


class Deployment(Enum):
    """Whether a deployment waits for the run that it starts."""

    ASYNC = auto()
    """Return once the run has begun. How it ends is told to the workflow's topic."""

    WAIT = auto()
    """Return once everything that is declared serves, after at most 12 hours.

    The deployment fails, and is rolled back, when the run fails, when it is stopped, and when there is no data to train
    from; what failed is the reason of the failure. See
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-waitcondition.html
    """
