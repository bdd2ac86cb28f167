"""Interactions as numbers: which user dealt with which item, in the order of time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import sparse

from personalize_local.personalize.recommenders.data import Array, Codes, Floats, Integers, Interactions


@dataclass(frozen=True, eq=False)
class Sequences:
    """All users' events, user after user and oldest first, as places in ``user_ids`` and ``item_ids``.

    :param user_ids: each user once, sorted.
    :param item_ids: each item once, sorted.
    :param users: per event, its user.
    :param items: per event, its item.
    :param weights: per event, how much it counts. Default: - all the same.
    """

    user_ids: Array
    item_ids: Array
    users: Codes
    items: Codes
    weights: Floats | None = None

    @classmethod
    def of(cls, interactions: Interactions, weights: Floats | None = None) -> Sequences:
        """Put interactions into order; rows of the same second keep theirs.

        :param weights: per row, how much it counts. Default: - all the same.
        """
        users, items = interactions.users, interactions.items
        sequences = cls(
            users.values,
            items.values,
            users.codes,
            items.codes,
            None if weights is None else weights.astype(np.float32),
        )
        later = np.diff(interactions.timestamps) >= 0
        next_user = np.diff(users.codes)
        if ((next_user > 0) | ((next_user == 0) & later)).all():
            return sequences
        return sequences._at(np.lexsort((interactions.timestamps, users.codes)))

    @cached_property
    def counts(self) -> Floats:
        """How many events each item has, by their weights."""
        return np.bincount(self.items, self.weights, minlength=len(self.item_ids)).astype(np.float64)

    @cached_property
    def lengths(self) -> Integers:
        """How many events each user has."""
        return np.bincount(self.users, minlength=len(self.user_ids))

    def user_items(self) -> sparse.csr_matrix:
        """Build the matrix that is 1 where a user has dealt with an item, or the highest weight of the events."""
        shape = (len(self.user_ids), len(self.item_ids))
        starts = np.concatenate([[0], np.cumsum(self.lengths)])
        values = np.ones(len(self.users), dtype=np.float32) if self.weights is None else self.weights
        matrix = sparse.csr_matrix((values, self.items, starts), shape=shape, copy=True)
        if self.weights is None:
            matrix.sum_duplicates()
            matrix.data[:] = 1
            return matrix
        pairs = self.users.astype(np.int64) * shape[1] + self.items
        order = np.lexsort((-self.weights, pairs))
        first = order[np.r_[True, np.diff(pairs[order]) > 0]]
        return sparse.csr_matrix((self.weights[first], (self.users[first], self.items[first])), shape=shape)

    def transitions(self, *, window: int, decay: float) -> sparse.csr_matrix:
        """Count how often an item is followed by another, by the weight of the later event.

        :param window: how many events ahead to look.
        :param decay: what one more event in between multiplies the count by.
        """
        size = len(self.item_ids)
        total = sparse.csr_matrix((size, size), dtype=np.float32)
        for distance in range(1, window + 1):
            same_user = self.users[:-distance] == self.users[distance:]
            pairs = (self.items[:-distance][same_user], self.items[distance:][same_user])
            counted = np.full(len(pairs[0]), decay ** (distance - 1), dtype=np.float32)
            if self.weights is not None:
                counted *= self.weights[distance:][same_user]
            total = total + sparse.csr_matrix((counted, pairs), shape=(size, size))
        return total

    def with_lengths_between(self, shortest: float, longest: float) -> Sequences:
        """Leave out the events of users whose history is unusually short or long.

        :param shortest: percentile of history length, 0 to 1, below which users go.
        :param longest: percentile above which users go.
        """
        low, high = np.quantile(self.lengths, [shortest, longest], method="inverted_cdf")
        if low <= self.lengths.min() and high >= self.lengths.max():
            return self
        return self._at(((self.lengths >= low) & (self.lengths <= high))[self.users])

    def without_items(self, left_out: Array) -> Sequences:
        """Leave out the events with some items.

        :param left_out: a mask of the items.
        """
        return self._at(~left_out[self.items])

    def _at(self, rows: Array) -> Sequences:
        weights = None if self.weights is None else self.weights[rows]
        return replace(self, users=self.users[rows], items=self.items[rows], weights=weights)
