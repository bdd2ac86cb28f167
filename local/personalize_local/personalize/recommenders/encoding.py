"""Interactions as numbers: which user dealt with which item, in the order of time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from personalize_local.personalize.recommenders.data import Array, Floats, Integers, Interactions


@dataclass(frozen=True, eq=False)
class Sequences:
    """All users' events, user after user and oldest first, as places in ``user_ids`` and ``item_ids``.

    :param user_ids: each user once, sorted.
    :param item_ids: each item once, sorted.
    :param users: per event, its user.
    :param items: per event, its item.
    """

    user_ids: Array
    item_ids: Array
    users: Integers
    items: Integers

    @classmethod
    def of(cls, interactions: Interactions) -> Sequences:
        """Put interactions into order; rows of the same second keep theirs."""
        user_ids, users = np.unique(interactions.user_ids, return_inverse=True)
        item_ids, items = np.unique(interactions.item_ids, return_inverse=True)
        order = np.lexsort((interactions.timestamps, users))
        return cls(user_ids, item_ids, users[order], items[order])

    @cached_property
    def counts(self) -> Floats:
        """How many events each item has."""
        return np.bincount(self.items, minlength=len(self.item_ids)).astype(np.float64)

    @cached_property
    def lengths(self) -> Integers:
        """How many events each user has."""
        return np.bincount(self.users, minlength=len(self.user_ids))

    def user_items(self) -> sparse.csr_matrix:
        """Build the matrix that is 1 where a user has dealt with an item."""
        ones = np.ones(len(self.users), dtype=np.float32)
        shape = (len(self.user_ids), len(self.item_ids))
        matrix = sparse.csr_matrix((ones, (self.users, self.items)), shape=shape)
        matrix.data[:] = 1
        return matrix

    def transitions(self, *, window: int, decay: float) -> sparse.csr_matrix:
        """Count how often an item is followed by another.

        :param window: how many events ahead to look.
        :param decay: what one more event in between multiplies the count by.
        """
        size = len(self.item_ids)
        total = sparse.csr_matrix((size, size), dtype=np.float64)
        for distance in range(1, window + 1):
            same_user = self.users[:-distance] == self.users[distance:]
            pairs = (self.items[:-distance][same_user], self.items[distance:][same_user])
            weights = np.full(len(pairs[0]), decay ** (distance - 1))
            total = total + sparse.csr_matrix((weights, pairs), shape=(size, size))
        return total

    def with_lengths_between(self, shortest: float, longest: float) -> Sequences:
        """Leave out the events of users whose history is unusually short or long.

        :param shortest: percentile of history length, 0 to 1, below which users go.
        :param longest: percentile above which users go.
        """
        low, high = np.quantile(self.lengths, [shortest, longest], method="inverted_cdf")
        kept = ((self.lengths >= low) & (self.lengths <= high))[self.users]
        return Sequences(self.user_ids, self.item_ids, self.users[kept], self.items[kept])
