"""Promotions: a share of what is recommended is taken from what a filter of its own lets through.

See https://docs.aws.amazon.com/personalize/latest/dg/promoting-items.html
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .engine import Parameters
from .errors import invalid_input
from .recommenders.data import Recommendation
from .recommenders.model import Allowed

Recommend = Callable[[Allowed | None, int], Sequence[Recommendation]]
"""Recommends so many items at most of those that are allowed."""


@dataclass(frozen=True)
class Promotion:
    """A promotion of a request.

    :param percent: the share of the results that is promoted.
    :param allowed: which items may be promoted.
    :param rounds_up: whether a share that is not whole is rounded up.
    :param seed: decides where the promoted items go.
    """

    name: str | None
    percent: int
    allowed: Allowed
    rounds_up: bool
    seed: str

    def share(self, count: int) -> int:
        """How many of the results are promoted."""
        return -(-count * self.percent // 100) if self.rounds_up else count * self.percent // 100

    def places(self, promoted: int, results: int) -> frozenset[int]:
        """Where the promoted items go; the same request has them at the same places."""
        return frozenset(random.Random(self.seed).sample(range(results), promoted))  # noqa: S311


def check_promotion(promotion: Parameters) -> None:
    """Refuse a promotion that lacks what the API's model leaves optional.

    :raises ServiceError: InvalidInputException.
    """
    missing = [member for member in ("filterArn", "percentPromotedItems") if member not in promotion]
    if missing:
        raise invalid_input(f"promotions.1.member must have {', '.join(missing)}.")


def seed_of(seed: int, parameters: Parameters) -> str:
    """What is random in the answer to a request."""
    return f"{seed} {json.dumps(parameters, sort_keys=True)}"


def mixed(
    promoted: Sequence[Recommendation], others: Sequence[Recommendation], promotion: Promotion
) -> list[tuple[Recommendation, bool]]:
    """Put promoted items among the others; both keep their order.

    :returns: the items, and whether they are promoted.
    """
    results = len(promoted) + len(others)
    places = promotion.places(len(promoted), results)
    theirs, rest = iter(promoted), iter(others)
    return [(next(theirs), True) if place in places else (next(rest), False) for place in range(results)]
