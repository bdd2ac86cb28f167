"""Themes of similar items, made without a language model.

AWS lets one write a theme for each group of items. Here a theme is what tells the group apart from all other items:
the categories and words that most of its items share and few others have. See
https://docs.aws.amazon.com/personalize/latest/dg/themed-batch-recommendations.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from .recommenders.data import Table
from .recommenders.embedding import categories_in, words_of

TERMS_OF_A_THEME = 2
NO_THEME = "Similar items"
_LEAST_SHARE = 0.3


class Themes:
    """Knows how often each category and each word occurs among all items.

    :param items: the Items dataset.
    :param name_column: the column that names items; its words say what an item is, like those of texts.
    """

    def __init__(self, items: Table, name_column: str) -> None:
        texts = {*items.textual, name_column} & items.columns.keys()
        categories = items.categorical & items.columns.keys() - texts
        columns = [(items.columns[name], categories_in) for name in sorted(categories)]
        columns += [(items.columns[name], _words) for name in sorted(texts)]
        self._terms: dict[str, dict[str, str]] = {}
        for row, item_id in enumerate(items.ids):
            found = (term for values, terms in columns for term in terms(values[row]))
            # a category and a word that differ in case only are one
            self._terms[item_id] = {term.casefold(): term for term in found}
        self._counts = Counter(key for terms in self._terms.values() for key in terms)

    def theme(self, item_ids: Sequence[str]) -> tuple[str, dict[str, float]]:
        """Find what some items have in common.

        :return: the theme, and how relevant it is for each item, from 0 to 1.
        """
        shown: dict[str, Counter[str]] = {}
        for item_id in item_ids:
            for key, term in self._terms.get(item_id, {}).items():
                shown.setdefault(key, Counter())[term] += 1
        shares = {key: sum(terms.values()) / len(item_ids) for key, terms in shown.items()}
        telling = {
            key: share * self._weight(key)
            for key, share in shares.items()
            if share >= _LEAST_SHARE and self._weight(key) > 0
        }
        chosen = sorted(telling, key=lambda key: (-telling[key], key))[:TERMS_OF_A_THEME]
        words = [max(shown[key], key=lambda term: (shown[key][term], term)) for key in chosen]
        text = " and ".join(words)
        return (text[:1].upper() + text[1:] if text else NO_THEME), {
            item_id: self._relevance(item_id, chosen) for item_id in item_ids
        }

    def _weight(self, key: str) -> float:
        return float(np.log(len(self._terms) / self._counts[key])) if self._counts[key] else 0.0

    def _relevance(self, item_id: str, theme: Iterable[str]) -> float:
        """Compare an item with a theme, by the cosine of their weights."""
        own: Mapping[str, str] = self._terms.get(item_id, {})
        all_of = np.sqrt(sum(self._weight(key) ** 2 for key in own)) * np.sqrt(
            sum(self._weight(key) ** 2 for key in theme)
        )
        shared = sum(self._weight(key) ** 2 for key in theme if key in own)
        return min(float(shared / all_of), 1.0) if all_of else 0.0


def _words(value: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words_of(value))) if isinstance(value, str) else ()
