"""Exploration: places that go to items which little is known about, so that something gets known.

See https://docs.aws.amazon.com/personalize/latest/dg/native-recipe-new-item-USER_PERSONALIZATION.html
"""

from __future__ import annotations

import zlib

import numpy as np

from personalize_local.personalize.recommenders.data import Exploration, Floats, Integers, Mask, Request
from personalize_local.personalize.recommenders.model import best_of
from personalize_local.personalize.uncertain import EXPLORED_PLACES, EXPLORED_UP_TO_EVENTS

DAY = 86_400.0
SELECTIVITY = 3
"""The higher, the rarer are items explored that do not fit the user best."""

LEAST_FIT = 0.02
"""What an item that does not fit at all counts, beside 1 of the one that fits best."""

SMALLEST = 1e-12


def to_explore(exploration: Exploration, created: Floats, counts: Floats, newest: float) -> Mask:
    """Find the items that are new enough, and that little is known about.

    :param created: Unix time in seconds; NaN where nothing tells an item's age, which makes it new.
    :param counts: how many events each item has.
    :param newest: when the newest interaction was.
    """
    age = (newest if exploration.now is None else exploration.now) - created
    young: Mask = np.isnan(age) | (age <= exploration.age_cut_off * DAY)
    return young & (counts <= EXPLORED_UP_TO_EVENTS)


def explored(
    scores: Floats, counts: Floats, ranked: Integers, candidates: Integers, request: Request, weight: float
) -> Integers:
    """Give places of a list to items to explore: each changes scores with the item that stood there.

    An item is the likelier to get one the better it fits the user, and the less is known about it. The scores still
    sum to what they did, and the list is still in their order.

    :param scores: of all items; changed.
    :param counts: how many events each item has.
    :param ranked: the items of the list, best first.
    :param candidates: the items to explore that may be shown.
    :param weight: the share of the places, 0 to 1.
    :return: the items that got a place.
    """
    steps = np.floor(weight * EXPLORED_PLACES * np.arange(len(ranked) + 1) + 1e-9)
    places = np.flatnonzero(np.diff(steps))
    random = np.random.default_rng(_seed(request))
    fit = scores[candidates] / max(scores[candidates].max(initial=0.0), SMALLEST)
    keys = np.log((fit**SELECTIVITY + LEAST_FIT) / (1 + counts[candidates])) + random.gumbel(size=len(candidates))
    chosen = candidates[best_of(keys, len(places))]
    # one that made it into the list by its score has its place already
    chosen = chosen[~np.isin(chosen, ranked)]
    replaced = ranked[places[: len(chosen)]]
    scores[replaced], scores[chosen] = scores[chosen], scores[replaced]
    return chosen


def _seed(request: Request) -> int:
    """Choose by the user's newest event, so that an answer repeats until the user does something."""
    newest = max(request.history, key=lambda event: event.timestamp, default=None)
    return zlib.crc32(repr((newest, sorted(request.user.items(), key=str))).encode())
