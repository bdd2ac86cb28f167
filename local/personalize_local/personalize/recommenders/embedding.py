"""Vectors for items: from words, from metadata, and from what users have in common."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import svds

from personalize_local.personalize.recommenders.data import Array, Floats, Table

MOST_WORDS = 20_000

_TOLERANCE = 0.05
"""How exact the dimensions of a large matrix must be: which of two weak ones comes first tells nothing."""

_WORD = re.compile(r"\w\w+")


def words_of(text: str) -> list[str]:
    """Take a text apart.

    :param text: in any language that puts spaces between words.
    """
    return _WORD.findall(text.casefold())


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Words, and how much each tells: TF-IDF.

    :param words: in order.
    :param weights: the rarer the word, the higher.
    """

    words: Array
    weights: Floats

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """Collect the words that at least two texts have, and not more than half of them.

        :param texts: what to learn from; if that leaves no word, all words count.
        """
        frequencies = Counter(word for text in texts for word in set(words_of(text)))
        telling = {word: count for word, count in frequencies.items() if 2 <= count <= max(2, len(texts) / 2)}
        chosen = sorted((telling or frequencies).items(), key=lambda entry: (-entry[1], entry[0]))[:MOST_WORDS]
        words = np.array([word for word, _ in chosen], dtype=object)
        counts = np.array([count for _, count in chosen], dtype=np.float64)
        return cls(words, np.log((1 + len(texts)) / (1 + counts)) + 1)

    def vectors(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Turn texts into rows of length 1; a text without known words is all zeros."""
        places = {word: place for place, word in enumerate(self.words)}
        rows, columns, values = [], [], []
        for row, text in enumerate(texts):
            for word, count in Counter(words_of(text)).items():
                if word in places:
                    rows.append(row)
                    columns.append(places[word])
                    values.append((1 + np.log(count)) * self.weights[places[word]])
        matrix = sparse.csr_matrix((values, (rows, columns)), shape=(len(texts), len(self.words)), dtype=np.float64)
        return unit_rows(matrix)


def texts_of(items: Table) -> list[str]:
    """Put all texts of each item together."""
    columns = [items.columns[name] for name in sorted(items.textual) if name in items.columns]
    return [" ".join(value for value in values if isinstance(value, str)) for values in _rows(columns, len(items))]


def features_of(items: Table) -> sparse.csr_matrix:
    """Describe each item by what its metadata says: categories and words, the rarer the weightier, and numbers."""
    parts = [sparse.csr_matrix((len(items), 0), dtype=np.float64)]
    names = sorted(items.columns)
    parts += [_categories(items.columns[name]) for name in names if name in items.categorical]
    parts += [_numbers(items.columns[name]) for name in names if items.columns[name].dtype.kind == "f"]
    texts = texts_of(items)
    if any(texts):
        parts.append(Vocabulary.of(texts).vectors(texts))
    return sparse.hstack(parts).tocsr()


def reduced(matrix: sparse.csr_matrix, size: int, seed: int) -> tuple[Floats, Floats]:
    """Find few dimensions that say most of what many say: a truncated singular value decomposition.

    :param matrix: one row per thing.
    :param size: how many dimensions at most.
    :param seed: where the search begins, in large matrices.
    :return: the rows in these dimensions, and what turns further rows into them.
    """
    size = min(size, *matrix.shape)
    if size == 0:
        return np.zeros((matrix.shape[0], 0)), np.zeros((matrix.shape[1], 0))
    if size < min(matrix.shape) / 2:
        start = np.random.default_rng(seed).normal(size=min(matrix.shape))
        _, strengths, components = svds(matrix.astype(np.float64), k=size, v0=start, tol=_TOLERANCE)
        order = np.argsort(-strengths, kind="stable")
        components = components[order]
    else:
        _, _, components = np.linalg.svd(matrix.toarray(), full_matrices=False)
        components = components[:size]
    turned: Floats = components.T
    return np.asarray(matrix @ turned), turned


def unit_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Scale rows to length 1; zeros stay zeros."""
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return (sparse.diags(1 / np.where(lengths > 0, lengths, 1)) @ matrix).tocsr()


def directions(rows: Floats) -> Floats:
    """Scale rows to length 1; zeros stay zeros."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    result: Floats = rows / np.where(lengths > 1e-12, lengths, 1)
    return result


def categories_in(value: object) -> tuple[str, ...]:
    """Take the categories of a value apart; null has none."""
    return tuple(dict.fromkeys(value.split("|"))) if isinstance(value, str) and value else ()


def _categories(values: Array) -> sparse.csr_matrix:
    places: dict[str, int] = {}
    entries = [
        (row, places.setdefault(category, len(places)))
        for row, value in enumerate(values)
        for category in categories_in(value)
    ]
    rows, columns = zip(*entries, strict=True) if entries else ((), ())
    matrix = sparse.csr_matrix((np.ones(len(entries)), (rows, columns)), shape=(len(values), len(places)))
    frequencies = np.asarray(matrix.sum(axis=0)).ravel()
    return (matrix @ sparse.diags(np.log((1 + len(values)) / (1 + frequencies)) + 0.1)).tocsr()


def _numbers(values: Array) -> sparse.csr_matrix:
    if not np.isfinite(values).any():
        return sparse.csr_matrix((len(values), 0), dtype=np.float64)
    spread = np.nanstd(values) or 1.0
    scaled = np.nan_to_num((values - np.nanmean(values)) / spread)
    return sparse.csr_matrix(np.clip(scaled, -3, 3)[:, None] / 3)


def _rows(columns: Sequence[Array], length: int) -> Iterator[tuple[object, ...]]:
    return zip(*columns, strict=True) if columns else iter([()] * length)


def as_arrays(vocabulary: Vocabulary) -> dict[str, Array]:
    """Give what :func:`vocabulary_from` needs."""
    return {"words": vocabulary.words.astype(str), "weights": vocabulary.weights}


def vocabulary_from(arrays: Mapping[str, Array]) -> Vocabulary:
    """Build a vocabulary again from what :func:`as_arrays` gave."""
    return Vocabulary(arrays["words"].astype(object), arrays["weights"])
