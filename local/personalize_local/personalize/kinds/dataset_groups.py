"""Dataset groups."""

from __future__ import annotations

from ..crud import Behaviour
from ..engine import Attributes, Context, Parameters
from ..errors import invalid_input


def prepare(context: Context, parameters: Parameters) -> Attributes:
    """Check that a key comes with the role that may use it, and no role without a key."""
    if ("kmsKeyArn" in parameters) != ("roleArn" in parameters):
        raise invalid_input("kmsKeyArn and roleArn must be given together, or neither of them.")
    return dict(parameters)


BEHAVIOUR = Behaviour(prepare=prepare)
