"""Filters, as resources; what they mean is in ``personalize_local.personalize.filters``."""

from __future__ import annotations

from cdk_personalize.recipe import Recipe

from ..crud import Behaviour
from ..engine import Context, Parameters
from ..errors import not_emulated
from ..recommenders.model import Allowed

BEHAVIOUR = Behaviour()


def allowed_by(context: Context, group: str, parameters: Parameters, recipe: Recipe) -> Allowed | None:
    raise not_emulated("personalize-runtime", "filterArn")
