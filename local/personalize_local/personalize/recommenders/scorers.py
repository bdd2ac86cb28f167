"""From the items of a history to a score for every item: two ways, for smaller and for larger catalogues."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import TFIDFRecommender
from implicit.utils import ParameterWarning
from scipy import sparse
from scipy.linalg import lapack

from personalize_local.personalize.recommenders.data import Array, Floats, Integers
from personalize_local.personalize.recommenders.encoding import Sequences

# Tuned on MovieLens 100K, ratings above 3.6; benchmarks/recommenders.py tells whether a change is for the better.
EASE_REGULARIZATION = 400.0
TRANSITION_WINDOW = 3
TRANSITION_DECAY = 0.8
TRANSITION_SHRINKAGE = 10.0
TRANSITION_WEIGHT = 0.5
ALS_REGULARIZATION = 0.05
ALS_ITERATIONS = 8
ALS_CONFIDENCE = 2.0
NEIGHBOURS = 50
NEIGHBOUR_WEIGHT = 1.0
FOLLOWING = 200
FOLLOWING_WEIGHT = 0.5
ALL_CORES = 0


class Scorer(ABC):
    """Scores the items that interactions know, given weighted items of a history."""

    kind: ClassVar[str]

    @abstractmethod
    def scores(self, items: Integers, weights: Floats) -> Floats:
        """Score every item.

        :param items: places of the items of the history.
        :param weights: how much each counts; they sum to 1.
        """

    @abstractmethod
    def arrays(self) -> dict[str, Array]:
        """Give what :meth:`from_arrays` needs."""

    @classmethod
    @abstractmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """Build the scorer again from what :meth:`arrays` gave."""


class ItemToItem(Scorer):
    """EASE and item-to-next-item transitions, summed up in one dense matrix; for smaller catalogues.

    EASE: H. Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", 2019.
    """

    kind = "item_to_item"

    def __init__(self, matrix: Floats) -> None:
        self._matrix = matrix

    @classmethod
    def train(cls, sequences: Sequences) -> Self:
        """Solve EASE and add the transitions."""
        user_items = sequences.user_items()
        gram = (user_items.T @ user_items).toarray().astype(np.float64)
        gram[np.diag_indices_from(gram)] += EASE_REGULARIZATION
        inverse = _inverse(gram)
        similarity = inverse / -np.diag(inverse)
        np.fill_diagonal(similarity, 0)

        transitions = sequences.transitions(window=TRANSITION_WINDOW, decay=TRANSITION_DECAY).toarray()
        transitions /= transitions.sum(axis=1, keepdims=True) + TRANSITION_SHRINKAGE
        return cls((similarity + TRANSITION_WEIGHT * transitions).astype(np.float32))

    def scores(self, items: Integers, weights: Floats) -> Floats:
        """Add up the rows of the items of the history."""
        result: Floats = weights.astype(np.float32) @ self._matrix[items]
        return result

    def arrays(self) -> dict[str, Array]:
        """Give the matrix."""
        return {"matrix": self._matrix}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """Build the scorer from the matrix."""
        return cls(arrays["matrix"])


class Factors(Scorer):
    """Matrix factorization, the user folded in from the history, and neighbours of items; for larger catalogues.

    :param factors: one row per item.
    :param neighbours: for each item, how near others are: alike (TF-IDF), or often next.
    """

    kind = "factors"

    def __init__(self, factors: Floats, neighbours: sparse.csr_matrix) -> None:
        self._factors = factors
        self._neighbours = neighbours
        self._gram = factors.T @ factors + ALS_REGULARIZATION * np.eye(factors.shape[1], dtype=factors.dtype)

    @classmethod
    def train(cls, sequences: Sequences, *, size: int, seed: int) -> Self:
        """Factorize, and find the neighbours.

        :param size: how many factors.
        :param seed: where the factors start.
        """
        user_items = sequences.user_items()
        als = AlternatingLeastSquares(
            factors=size,
            regularization=ALS_REGULARIZATION,
            alpha=1 + ALS_CONFIDENCE,
            iterations=ALS_ITERATIONS,
            random_state=seed,
            num_threads=ALL_CORES,
            use_gpu=False,
        )
        als.fit(user_items, show_progress=False)
        similarity = TFIDFRecommender(K=NEIGHBOURS, num_threads=ALL_CORES)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ParameterWarning)  # of a conversion inside implicit
            similarity.fit(user_items, show_progress=False)
        alike = similarity.similarity.tocsr()
        alike = alike - sparse.diags(alike.diagonal())
        transitions = sequences.transitions(window=TRANSITION_WINDOW, decay=TRANSITION_DECAY)
        following = sparse.diags(1 / (_row_sums(transitions) + TRANSITION_SHRINKAGE)) @ transitions
        following = _strongest(following.tocsr(), FOLLOWING)
        return cls(np.asarray(als.item_factors), (alike + FOLLOWING_WEIGHT * following).tocsr().astype(np.float32))

    def scores(self, items: Integers, weights: Floats) -> Floats:
        """Fold the user in, and add what is near the items."""
        near: Floats = self._neighbours[items].T @ weights
        return _to_one(self._folded_in(items, weights)) + NEIGHBOUR_WEIGHT * _to_one(near)

    def _folded_in(self, items: Integers, weights: Floats) -> Floats:
        """Take the last step of the least squares for a user with these items.

        Each of the items is scored as if it were not in the history: else the history would be recommended most.
        """
        distinct, inverse = np.unique(items, return_inverse=True)
        confidence = 1 + ALS_CONFIDENCE * len(items) * np.bincount(inverse, weights)
        rows = self._factors[distinct].astype(np.float64)
        inverted = np.linalg.inv(self._gram + (rows.T * (confidence - 1)) @ rows)
        scores: Floats = self._factors @ (inverted @ (rows.T @ confidence)).astype(self._factors.dtype)
        leverage = ((rows @ inverted) * rows).sum(axis=1)
        scores[distinct] = (scores[distinct] - confidence * leverage) / (1 - (confidence - 1) * leverage)
        return scores

    def arrays(self) -> dict[str, Array]:
        """Give the factors, and the neighbours as the parts of a sparse matrix."""
        near = self._neighbours
        return {"factors": self._factors, "data": near.data, "indices": near.indices, "indptr": near.indptr}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """Build the scorer from its arrays."""
        size = len(arrays["factors"])
        parts = (arrays["data"], arrays["indices"], arrays["indptr"])
        return cls(arrays["factors"], sparse.csr_matrix(parts, shape=(size, size)))


SCORERS: Mapping[str, type[Scorer]] = {scorer.kind: scorer for scorer in (ItemToItem, Factors)}


def _inverse(positive_definite: Floats) -> Floats:
    """Invert by Cholesky, in two thirds of the time that a matrix without this property takes."""
    factor, _ = lapack.dpotrf(positive_definite, lower=1, overwrite_a=1)
    half, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)
    lower = np.tril(half)
    result: Floats = lower + np.tril(lower, -1).T
    return result


def _strongest(matrix: sparse.csr_matrix, count: int) -> sparse.csr_matrix:
    """Keep the highest values of each row, and those equal to the last of them."""
    lowest = np.zeros(matrix.shape[0])
    for row in np.flatnonzero(np.diff(matrix.indptr) > count):
        values = matrix.data[matrix.indptr[row] : matrix.indptr[row + 1]]
        lowest[row] = np.partition(values, -count)[-count]
    kept = matrix.data >= np.repeat(lowest, np.diff(matrix.indptr))
    starts = np.concatenate([[0], np.cumsum(kept)])[matrix.indptr]
    return sparse.csr_matrix((matrix.data[kept], matrix.indices[kept], starts), shape=matrix.shape)


def _row_sums(matrix: sparse.csr_matrix) -> Floats:
    return np.asarray(matrix.sum(axis=1)).ravel()


def _to_one(scores: Floats) -> Floats:
    """Scale scores so that the highest is 1."""
    highest = scores.max()
    return scores / highest if highest > 0 else scores
