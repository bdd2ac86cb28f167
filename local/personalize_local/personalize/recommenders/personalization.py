"""User personalization: what this user is likely to deal with next.

Stands for the recipes of user personalization and of personalized ranking, and for the HRNN recipes. See
https://docs.aws.amazon.com/personalize/latest/dg/user-personalization-recipes.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from personalize_local.personalize.recommenders.cold_items import ColdItems
from personalize_local.personalize.recommenders.data import (
    Array,
    Exploration,
    Floats,
    Integers,
    Interactions,
    Mask,
    Recommendation,
    Request,
    Table,
    TrainingData,
)
from personalize_local.personalize.recommenders.encoding import Sequences
from personalize_local.personalize.recommenders.exploration import DAY, explored, to_explore
from personalize_local.personalize.recommenders.model import NOTHING_KNOWN, Allowed, Model, best_of, softmax
from personalize_local.personalize.recommenders.scorers import SCORERS, Factors, ItemToItem, Scorer
from personalize_local.personalize.recommenders.segments import Segments

LARGEST_DENSE_CATALOGUE = 5_000
"""Up to so many items a dense item-to-item matrix is trained (100 MB at most), above it factors."""

RECENCY = 0.8
"""What one more event since then multiplies an event's weight by."""

LONGEST_HISTORY = 100
"""How many of the newest events count."""

POPULARITY_EVENTS = 2.0
"""A user with so many events gets popularity and personal taste in equal parts."""

SHARPNESS = 5.0
"""How many times likelier, as a logarithm, the best item is than one with score 0."""

SENSITIVITIES = {"OFF": 0.0, "LOW": 0.4, "MEDIUM": 0.8, "HIGH": 1.6}
"""How many times likelier, as a logarithm, one standard deviation more of the objective makes an item."""

PERSONAL_CANDIDATES = 500
"""How many items recipes that give reasons take as personal; what a filter leaves of them is filled up with popular
ones."""

CREATION_TIMESTAMP = "CREATION_TIMESTAMP"
NO_EXPLORATION = Exploration(0.0)
EXPLORED, POPULAR = "Exploration", "Popular item"
FACTORS = 64


@dataclass(frozen=True, eq=False)
class Catalogue:
    """The items that can be recommended: first those that are scored by interactions, then cold ones.

    :param item_ids: each once.
    :param counts: how many events each has.
    :param created: when each came into being, Unix time in seconds; NaN where nothing tells.
    :param reward: the objective's value of each item, in standard deviations from the mean; 0 without an objective.
    :param described: the features of the cold items.
    """

    item_ids: Array
    counts: Floats
    created: Floats
    reward: Floats
    described: sparse.csr_matrix

    @property
    def known(self) -> int:
        """How many items are scored by interactions."""
        return len(self.item_ids) - int(self.described.shape[0])

    @property
    def popularity(self) -> Floats:
        """Each item's share of all events."""
        shares: Floats = self.counts / max(self.counts.sum(), 1e-9)
        return shares


@dataclass(frozen=True)
class Manner:
    """How a model recommends.

    :param recency: what one more event since then multiplies an event's weight by.
    :param longest: how many of the newest events count.
    :param explains: whether it gives reasons, and fills up with popular items.
    :param sensitivity: how much the objective counts; see :data:`SENSITIVITIES`.
    :param objective: the Items column to optimize for.
    :param newest: when the newest interaction was.
    """

    recency: float = RECENCY
    longest: int = LONGEST_HISTORY
    explains: bool = False
    sensitivity: float = 0.0
    objective: str = ""
    newest: float = 0.0


class PersonalizationModel(Model):
    """Blends personal scores with popularity, which is all that an unknown user gets.

    :param catalogue: the items.
    :param scorer: scores the known items.
    :param cold: scores the cold items.
    :param segments: what people in the same situation choose.
    :param event_weights: how much an event of each type counts. Default: - all the same.
    :param manner: how it recommends.
    """

    kind = "personalization"

    def __init__(
        self,
        catalogue: Catalogue,
        scorer: Scorer,
        cold: ColdItems,
        segments: Segments,
        event_weights: Mapping[str, float],
        manner: Manner,
    ) -> None:
        super().__init__(catalogue.item_ids)
        self._catalogue = catalogue
        self._scorer = scorer
        self._cold = cold
        self._segments = segments
        self._event_weights = event_weights
        self._manner = manner
        self._popularity = catalogue.popularity
        self._latest: tuple[Table, Catalogue] | None = None

    def probabilities(self, request: Request) -> Floats:
        """Blend: the more events there are, the more personal."""
        return self._probabilities(request, self._catalogue)

    def recommend(
        self, request: Request = NOTHING_KNOWN, *, allowed: Allowed | None = None, count: int = 25
    ) -> list[Recommendation]:
        """Recommend as any model does, explore as the request says, and give reasons if the recipe does."""
        catalogue = self._with_later(request.items)
        scores = self._probabilities(request, catalogue)
        able = allowed(catalogue.item_ids) if allowed else np.ones(len(scores), dtype=np.bool_)
        reasons: dict[int, tuple[str, ...]] = {}
        if request.exploration is None:
            ranked = self._ranked(scores, able, catalogue, count, reasons, filtered=allowed is not None)
        else:
            ranked = self._explored(request, catalogue, scores, able, count, reasons, filtered=allowed is not None)
        if not self._manner.explains:
            reasons = {}
        ids = catalogue.item_ids
        return [Recommendation(ids[item], float(scores[item]), reasons.get(item, ())) for item in ranked.tolist()]

    def _explored(
        self,
        request: Request,
        catalogue: Catalogue,
        scores: Floats,
        able: Mask,
        count: int,
        reasons: dict[int, tuple[str, ...]],
        *,
        filtered: bool,
    ) -> Integers:
        exploration = request.exploration or NO_EXPLORATION
        # items that nobody has dealt with are there to be explored, and for nothing else
        seen = catalogue.counts > 0
        new = to_explore(exploration, catalogue.created, catalogue.counts, self._manner.newest)
        new &= exploration.weight > 0
        scores *= seen | new
        scores /= scores.sum()
        ranked = self._ranked(scores, able & seen, catalogue, count, reasons, filtered=filtered)
        # where a filter leaves too few of the others, new items fill up the list
        unseen = np.flatnonzero(able & new & ~seen)
        filling = unseen[best_of(scores[unseen], count - len(ranked))]
        reasons |= dict.fromkeys(filling.tolist(), (EXPLORED,))
        ranked = np.concatenate([ranked, filling])
        places = np.flatnonzero(able & new)
        chosen = explored(scores, catalogue.counts, ranked, places, request, exploration.weight)
        reasons |= dict.fromkeys(chosen.tolist(), (EXPLORED,))
        together = np.union1d(ranked, chosen)
        return together[best_of(scores[together], count)]

    def _ranked(
        self,
        scores: Floats,
        able: Mask,
        catalogue: Catalogue,
        count: int,
        reasons: dict[int, tuple[str, ...]],
        *,
        filtered: bool,
    ) -> Integers:
        candidates = np.flatnonzero(able)
        if not (filtered and self._manner.explains) or len(scores) <= PERSONAL_CANDIDATES:
            return candidates[best_of(scores[candidates], count)]
        personal = np.sort(best_of(scores, PERSONAL_CANDIDATES))
        personal = personal[able[personal]]
        ranked = personal[best_of(scores[personal], count)]
        others = candidates[~np.isin(candidates, personal)]
        popular = others[best_of(catalogue.counts[others], count - len(ranked))]
        scores[popular] = np.sort(scores[popular])[::-1]
        reasons |= dict.fromkeys(popular.tolist(), (POPULAR,))
        return np.concatenate([ranked, popular])

    def _probabilities(self, request: Request, catalogue: Catalogue) -> Floats:
        popularity = self._popularity if catalogue is self._catalogue else catalogue.popularity
        result = _tilted(popularity, self._segments.of_user(request.user))
        known, weights = self._history(request)
        scores = self._scorer.scores(known, weights / weights.sum()) if len(known) else np.zeros(1)
        highest = scores.max()
        if highest > 0:
            scores = scores / highest
            if catalogue.described.shape[0]:
                scores = np.concatenate([scores, self._cold.scores(catalogue.described, scores)])
            popular_part = POPULARITY_EVENTS / (POPULARITY_EVENTS + len(known))
            result = popular_part * result + (1 - popular_part) * softmax(SHARPNESS * scores.astype(np.float64))
        result = _tilted(result, self._segments.of_context(request.context))
        if self._manner.sensitivity:
            result = _tilted(result, self._manner.sensitivity * catalogue.reward)
        return result if result is not popularity else popularity.copy()

    def _history(self, request: Request) -> tuple[Integers, Floats]:
        """Give the known items of a history, newest first, and how much each counts."""
        places, weights = [], []
        for event in sorted(request.history, key=lambda event: event.timestamp, reverse=True):
            place = self.place(event.item_id)
            weight = self._event_weights.get(event.event_type or "", 0.0) if self._event_weights else 1.0
            if place is not None and place < self._catalogue.known and weight > 0:
                places.append(place)
                weights.append(weight)
                if len(places) == self._manner.longest:
                    break
        return np.array(places, dtype=np.int64), np.array(weights) * self._manner.recency ** np.arange(len(weights))

    def _with_later(self, items: Table | None) -> Catalogue:
        """Add the items that came after training."""
        if items is None:
            return self._catalogue
        latest = self._latest
        if latest is None or latest[0] is not items:
            later = np.array([one for one in items.ids if self.place(one) is None], dtype=object)
            latest = (items, self.extended(later, np.zeros(len(later)), items))
            self._latest = latest
        return latest[1]

    def extended(self, later: Array, counts: Floats, items: Table | None) -> Catalogue:
        """Give the catalogue with further items, which are cold.

        :param later: their ids.
        :param counts: how many events each has.
        :param items: what tells what they are like.
        """
        old = self._catalogue
        return Catalogue(
            np.concatenate([old.item_ids, later]),
            np.concatenate([old.counts, counts]),
            np.concatenate([old.created, _column(later, items, CREATION_TIMESTAMP)]),
            np.concatenate([old.reward, np.zeros(len(later))]),
            sparse.vstack([old.described, self._cold.describe(later, items)]).tocsr(),
        )

    def updated(self, data: TrainingData) -> PersonalizationModel:
        """Take up the items that came since, and everything's popularity, without learning anew what goes with what.

        Users need nothing: what a user has done comes with each request.
        """
        items = data.interactions.items
        events = np.bincount(items.codes, data.weights, minlength=len(items.values))
        count_by_id = dict(zip(items.values.tolist(), events.tolist(), strict=True))
        ids = dict.fromkeys([*items.values, *(data.items.ids if data.items else ())])
        later = np.array([one for one in ids if self.place(one) is None], dtype=object)
        catalogue = self.extended(later, np.zeros(len(later)), data.items)
        counts = np.array([count_by_id.get(one, 0.0) for one in catalogue.item_ids], dtype=np.float64)
        newest = float(data.interactions.timestamps.max())
        return PersonalizationModel(
            replace(catalogue, counts=counts),
            self._scorer,
            self._cold,
            self._segments,
            self._event_weights,
            replace(self._manner, newest=newest),
        )

    def arrays(self) -> dict[str, Array]:
        """Give the catalogue, the manner, and the parts of the model."""
        described, manner = self._catalogue.described, self._manner
        return {
            "counts": self._catalogue.counts,
            "created": self._catalogue.created,
            "reward": self._catalogue.reward,
            "described": described.data,
            "described_indices": described.indices,
            "described_indptr": described.indptr,
            "described_shape": np.array(described.shape),
            "event_types": np.array(list(self._event_weights), dtype=str),
            "event_weights": np.array(list(self._event_weights.values()), dtype=np.float64),
            "manner": np.array([manner.recency, manner.longest, manner.explains, manner.sensitivity, manner.newest]),
            "objective": np.array(manner.objective),
            "scorer": np.array(self._scorer.kind),
            **self._scorer.arrays(),
            **self._cold.arrays(),
            **self._segments.arrays(),
        }

    @classmethod
    def from_arrays(cls, item_ids: Array, arrays: Mapping[str, Array]) -> Self:
        """Build the model from its arrays."""
        parts = (arrays["described"], arrays["described_indices"], arrays["described_indptr"])
        described = sparse.csr_matrix(parts, shape=tuple(arrays["described_shape"]))
        ids = item_ids.astype(object)
        recency, longest, explains, sensitivity, newest = arrays["manner"].tolist()
        return cls(
            Catalogue(ids, arrays["counts"], arrays["created"], arrays["reward"], described),
            SCORERS[str(arrays["scorer"])].from_arrays(arrays),
            ColdItems.from_arrays(arrays),
            Segments.from_arrays(arrays),
            dict(zip(arrays["event_types"].tolist(), arrays["event_weights"].tolist(), strict=True)),
            Manner(recency, int(longest), bool(explains), sensitivity, str(arrays["objective"]), newest),
        )


def train_personalization(data: TrainingData, *, explains: bool = False) -> Model:
    """Learn which items follow from which.

    Hyperparameters that have a counterpart here: ``apply_recency_bias`` and ``recency_mask`` (false: all events
    count the same), ``bptt`` (how many of the newest events count), ``hidden_dimension`` (number of factors in large
    catalogues; default 64), ``min_user_history_length_percentile`` and ``max_user_history_length_percentile``
    (default 0 and 1), and ``cold_start_max_interactions``, ``cold_start_max_duration`` and
    ``cold_start_relative_from`` (new items are scored by what they are like, and not by their first events).

    :param explains: whether the recipe gives reasons, and fills up with popular items. Default: - it does not.
    """
    hyper_parameters = data.hyper_parameters
    everything = Sequences.of(data.interactions, data.weights)
    first_seen = _first_seen(data.interactions)
    cold = _cold(hyper_parameters, everything, data.interactions, first_seen)
    order = np.argsort(cold, kind="stable")
    scored = everything.without_items(cold) if cold.any() else everything
    known_ids = everything.item_ids[~cold]
    sequences = replace(scored, item_ids=known_ids, items=(np.cumsum(~cold) - 1)[scored.items].astype(np.int32))
    sequences = sequences.with_lengths_between(
        float(hyper_parameters.get("min_user_history_length_percentile", 0)),
        float(hyper_parameters.get("max_user_history_length_percentile", 1)),
    )
    later = np.setdiff1d(data.items.ids, everything.item_ids) if data.items else np.empty(0, dtype=object)
    item_ids = np.concatenate([everything.item_ids[order], later])
    created = _column(item_ids, data.items, CREATION_TIMESTAMP)
    first_seen = np.concatenate([first_seen[order], np.full(len(later), np.nan)])
    # Threads of BLAS fight with those of implicit, and with whatever else runs on a small machine.
    with threadpool_limits(limits=1, user_api="blas"):
        scorer: Scorer
        if len(known_ids) <= LARGEST_DENSE_CATALOGUE:
            scorer = ItemToItem.train(sequences)
        else:
            size = int(hyper_parameters.get("hidden_dimension", FACTORS))
            scorer = Factors.train(sequences, size=size, seed=data.seed)
        regression = ColdItems.train(known_ids, data.items)
    objective, sensitivity = data.objective or ("", "OFF")
    catalogue = Catalogue(
        item_ids,
        np.concatenate([everything.counts[order], np.zeros(len(later))]),
        np.where(np.isnan(created), first_seen, created),
        _standardized(_column(item_ids, data.items, objective)),
        regression.describe(item_ids[len(known_ids) :], data.items),
    )
    manner = Manner(
        recency=_recency(hyper_parameters),
        longest=int(hyper_parameters.get("bptt", LONGEST_HISTORY)),
        explains=explains,
        sensitivity=SENSITIVITIES[sensitivity],
        objective=objective,
        newest=float(data.interactions.timestamps.max()),
    )
    segments = Segments.train(data.interactions, data.weights, data.users)
    return PersonalizationModel(
        catalogue, scorer, regression, segments.arranged(order, len(item_ids)), _event_weights(data), manner
    )


def update_personalization(previous: Model, data: TrainingData) -> Model:
    """Take up what is new, without learning the rest anew.

    :raises ValueError: if the earlier model is of another kind.
    """
    if not isinstance(previous, PersonalizationModel):
        raise ValueError(f"the earlier version must be of kind {PersonalizationModel.kind}, got {previous.kind}")
    return previous.updated(data)


def _cold(
    hyper_parameters: Mapping[str, str], sequences: Sequences, interactions: Interactions, first_seen: Floats
) -> Mask:
    """Find the items that are new and have few events, in the recipe that sets these apart."""
    if "cold_start_max_interactions" not in hyper_parameters:
        return np.zeros(len(sequences.item_ids), dtype=np.bool_)
    last = float(interactions.timestamps.max())
    from_newest_item = hyper_parameters.get("cold_start_relative_from", "latestItem") == "latestItem"
    now = float(first_seen.max()) if from_newest_item else last
    young = now - first_seen <= float(hyper_parameters.get("cold_start_max_duration", 5.0)) * DAY
    cold: Mask = young & (sequences.counts <= float(hyper_parameters["cold_start_max_interactions"]))
    # where everything is new, nothing is
    return cold if not cold.all() else np.zeros(len(cold), dtype=np.bool_)


def _first_seen(interactions: Interactions) -> Floats:
    first = np.full(len(interactions.items.values), np.inf)
    np.minimum.at(first, interactions.items.codes, interactions.timestamps)
    return first


def _event_weights(data: TrainingData) -> dict[str, float]:
    """How much events of each type count, from the weights of those there are."""
    types = data.interactions.event_types
    if data.weights is None or types is None:
        return {}
    return {str(kind): float(data.weights[types == kind].mean()) for kind in dict.fromkeys(types) if kind is not None}


def _column(item_ids: Array, items: Table | None, name: str) -> Floats:
    """Take numbers of items from a table; NaN where it has none."""
    values = items.columns.get(name) if items else None
    if items is None or values is None or values.dtype.kind != "f":
        return np.full(len(item_ids), np.nan)
    value_by_id = dict(zip(items.ids.tolist(), values.tolist(), strict=True))
    return np.array([value_by_id.get(item_id, np.nan) for item_id in item_ids], dtype=np.float64)


def _standardized(values: Floats) -> Floats:
    if not np.isfinite(values).any():
        return np.zeros(len(values))
    return np.nan_to_num((values - np.nanmean(values)) / (np.nanstd(values) or 1.0))


def _tilted(probabilities: Floats, logits: Floats | None) -> Floats:
    """Make items likelier or less likely; what is there for an item beyond the logits stays as it is."""
    if logits is None:
        return probabilities
    factors = np.ones(len(probabilities))
    factors[: len(logits)] = np.exp(logits)
    result: Floats = probabilities * factors
    total = result.sum()
    return result / total if total > 0 else probabilities


def _recency(hyper_parameters: Mapping[str, str]) -> float:
    switches = (hyper_parameters.get(name, "true") for name in ("apply_recency_bias", "recency_mask"))
    return RECENCY if all(switch.lower() == "true" for switch in switches) else 1.0
