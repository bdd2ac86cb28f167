"""Next best action: what a user will most likely take, by one logistic regression per action.

Stands for aws-next-best-action. Actions stand where items do in other models. See
https://docs.aws.amazon.com/personalize/latest/dg/native-recipe-next-best-action.html
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from threadpoolctl import threadpool_limits

from personalize_local.personalize.recommenders.data import (
    Array,
    Event,
    Floats,
    Integers,
    Interactions,
    Mask,
    Recommendation,
    Request,
    Table,
    TrainingData,
)
from personalize_local.personalize.recommenders.model import NOTHING_KNOWN, Allowed, Model
from personalize_local.personalize.recommenders.user_features import UserFeatures
from personalize_local.personalize.uncertain import EXPLORED_ACTIONS

TAKEN = "TAKEN"
OTHERS = frozenset({"NOT_TAKEN", "VIEWED"})

MIN_EVENTS = 50
"""An action has a score once it was taken so often, and not taken or viewed so often."""

SPAN_SECONDS = 6 * 7 * 24 * 3600
"""Events count that are not older than this, seen from the newest."""

DAY = 24 * 3600
_PERIOD_DAYS = 14
_RIDGE = 1.0
_STEPS = 25
_EXPIRY = ("EXPIRATION_TIMESTAMP", "ACTION_EXPIRATION_TIMESTAMP")


@dataclass(frozen=True, eq=False)
class Terms:
    """What the Actions dataset says of each action; NaN where it says nothing.

    :param values: how much an action is worth, as a factor of its score.
    :param expires: when it is no longer recommended, Unix time in seconds.
    :param repeats: after how many days it can be recommended again.
    """

    values: Floats
    expires: Floats
    repeats: Floats

    @classmethod
    def of(cls, action_ids: Array, actions: Table | None) -> Self:
        """Read the table, in the order of the ids."""
        row_by_id = {action_id: row for row, action_id in enumerate(actions.ids)} if actions else {}
        rows = np.array([row_by_id.get(action_id, -1) for action_id in action_ids], dtype=np.int64)

        def column(*names: str) -> Floats:
            found = [actions.columns[name] for name in names if actions and name in actions.columns]
            padded = np.append(found[0].astype(np.float64), np.nan) if found else np.full(len(row_by_id) + 1, np.nan)
            result: Floats = padded[rows]
            return result

        return cls(_factors(column("VALUE")), column(*_EXPIRY), column("REPEAT_FREQUENCY"))


class NextBestActionModel(Model):
    """Scores actions by how likely this user takes them, and by what they are worth.

    :param item_ids: the actions.
    :param coefficients: one row per action; zeros where there were too few events.
    :param scored: which actions have a score.
    :param tries: how many events each action has.
    :param features: what describes users.
    :param terms: what the Actions dataset says.
    """

    kind = "next_best_action"

    def __init__(
        self, item_ids: Array, coefficients: Floats, scored: Mask, tries: Floats, features: UserFeatures, terms: Terms
    ) -> None:
        super().__init__(item_ids)
        self._coefficients = coefficients
        self._scored = scored
        self._tries = tries
        self._features = features
        self._terms = terms
        self._updated: tuple[Table, NextBestActionModel] | None = None

    def probabilities(self, request: Request) -> Floats:
        """Give each action the probability that the user takes it; these do not sum to 1.

        The less of two equally likely actions is worth, the lower its score; without enough events it is 0.0.
        """
        newest_first = sorted(request.history, key=lambda event: event.timestamp, reverse=True)
        features = self._features.of(request.user, (event.item_id for event in newest_first))
        likely = _sigmoid(self._coefficients @ features) * self._terms.values
        result: Floats = np.where(self._scored, likely, 0.0)
        return result

    def recommend(
        self, request: Request = NOTHING_KNOWN, *, allowed: Allowed | None = None, count: int = 25
    ) -> list[Recommendation]:
        """Recommend actions, best first; the end of the list is for those that have no score yet.

        Left out is what has expired, and what the user has dealt with so recently that it must not be repeated yet.

        :param request: ``items`` is the Actions dataset as it is now.
        """
        model = self if request.items is None else self.updated(request.items)
        return model._list(request, allowed, count)

    def updated(self, actions: Table) -> NextBestActionModel:
        """Take the actions as they are now; new ones have no score until the next training.

        :param actions: the Actions dataset.
        """
        if self._updated is None or self._updated[0] is not actions:
            places = np.array([self._place_by_id.get(action_id, -1) for action_id in actions.ids], dtype=np.int64)
            known = places >= 0
            coefficients = np.where(known[:, None], self._coefficients[places], 0.0)
            model = NextBestActionModel(
                actions.ids,
                coefficients,
                known & self._scored[places],
                np.where(known, self._tries[places], 0.0),
                self._features,
                Terms.of(actions.ids, actions),
            )
            self._updated = (actions, model)
        return self._updated[1]

    def _list(self, request: Request, allowed: Allowed | None, count: int) -> list[Recommendation]:
        scores = self.probabilities(request)
        open_ = self._open(request.action_history)
        if allowed:
            open_ &= allowed(self.item_ids)
        known = np.flatnonzero(open_ & self._scored)
        known = known[np.argsort(-scores[known], kind="stable")]
        new = np.flatnonzero(open_ & ~self._scored)
        new = new[np.argsort(self._tries[new], kind="stable")]
        explored = min(len(new), round(count * EXPLORED_ACTIONS)) if len(known) else len(new)
        listed = [*known[: max(count - explored, 0)], *new][: max(count, 0)]
        return [Recommendation(self.item_ids[place], float(scores[place])) for place in listed]

    def _open(self, history: Sequence[Event]) -> Mask:
        now = time.time()
        with np.errstate(invalid="ignore"):
            closed: Mask = self._terms.expires <= now
        for event in history:
            place = self._place_by_id.get(event.item_id)
            if place is not None and now - event.timestamp < self._terms.repeats[place] * DAY:
                closed[place] = True
        return ~closed

    def arrays(self) -> dict[str, Array]:
        """Give all parts."""
        return {
            "coefficients": self._coefficients,
            "scored": self._scored,
            "tries": self._tries,
            "values": self._terms.values,
            "expires": self._terms.expires,
            "repeats": self._terms.repeats,
            **self._features.arrays(),
        }

    @classmethod
    def from_arrays(cls, item_ids: Array, arrays: Mapping[str, Array]) -> Self:
        """Build the model from its arrays."""
        terms = Terms(arrays["values"], arrays["expires"], arrays["repeats"])
        parts = (arrays["coefficients"], arrays["scored"], arrays["tries"])
        return cls(item_ids, *parts, UserFeatures.from_arrays(arrays), terms)


def train_next_best_action(data: TrainingData) -> Model:
    """Learn from which users took which actions.

    ``action_optimization_period`` is how many days after an action was shown it still counts as taken (default 14).

    :raises ValueError: if there are no actions.
    """
    if data.actions is None or not len(data.actions):
        raise ValueError("the Actions dataset must have at least one action, it has none")
    action_ids = data.actions.ids
    with threadpool_limits(limits=1, user_api="blas"):
        features = UserFeatures.train(data)
        coefficients = np.zeros((len(action_ids), features.size))
        scored = np.zeros(len(action_ids), dtype=np.bool_)
        tries = np.zeros(len(action_ids))
        place_by_id = {action_id: place for place, action_id in enumerate(action_ids)}
        period = int(data.hyper_parameters.get("action_optimization_period", _PERIOD_DAYS)) * DAY
        if data.action_interactions is not None and len(data.action_interactions):
            described = _described(data, features)
            for action_id, users, taken, enough in _examples(data.action_interactions, period):
                if action_id in place_by_id:
                    place = place_by_id[action_id]
                    tries[place] = len(users)
                    scored[place] = enough
                    if enough:
                        coefficients[place] = logistic_regression(described[users], taken)
    return NextBestActionModel(action_ids, coefficients, scored, tries, features, Terms.of(action_ids, data.actions))


def logistic_regression(features: Floats, taken: Mask) -> Floats:
    """Fit coefficients that tell how likely each row is ``taken``, by Newton's method.

    :param features: the first column is 1, and its coefficient is not held back.
    """
    target = taken.astype(np.float64)
    penalty = np.full(features.shape[1], _RIDGE)
    penalty[0] = 1e-6
    coefficients = np.zeros(features.shape[1])
    for _ in range(_STEPS):
        likely = _sigmoid(features @ coefficients)
        gradient = features.T @ (target - likely) - penalty * coefficients
        spread = np.maximum(likely * (1 - likely), 1e-6)
        step = np.linalg.solve((features.T * spread) @ features + np.diag(penalty), gradient)
        # a long step may overshoot where most rows are alike
        coefficients += step * min(1.0, 5.0 / (np.abs(step).max() or 1.0))
        if np.abs(step).max() < 1e-6:
            break
    return coefficients


def _examples(events: Interactions, period: int) -> Iterator[tuple[str, Integers, Mask, bool]]:
    """Give per action the users who were shown it or took it, whether they took it, and whether that is enough.

    Users are places among the sorted ids. What was shown counts as taken if it was within the period.
    """
    types = np.array([str(kind).upper() for kind in _types(events)], dtype=object)
    recent = events.timestamps > events.timestamps.max() - SPAN_SECONDS
    recent &= np.isin(types, [TAKEN, *OTHERS])
    users, actions = (codes.astype(np.int64) for codes in (events.users.codes, events.items.codes))
    action_ids = events.items.values
    order = np.lexsort((events.timestamps, actions))
    order = order[recent[order]]
    for rows in np.split(order, np.flatnonzero(np.diff(actions[order])) + 1):
        if len(rows):
            took = types[rows] == TAKEN
            enough = took.sum() >= MIN_EVENTS and (~took).sum() >= MIN_EVENTS
            times = events.timestamps[rows]
            next_taken: dict[int, int] = {}
            label = took.copy()
            for number in range(len(rows) - 1, -1, -1):
                user = int(users[rows[number]])
                if took[number]:
                    next_taken[user] = int(times[number])
                elif user in next_taken:
                    label[number] = next_taken[user] - times[number] <= period
            yield action_ids[actions[rows[0]]], users[rows], label, bool(enough)


def _described(data: TrainingData, features: UserFeatures) -> Floats:
    """Describe each user of the action interactions, in the order of their ids."""
    events = data.action_interactions
    user_ids = events.users.values if events is not None else np.empty(0, dtype=object)
    items = data.interactions
    described = np.flatnonzero(np.isin(items.users.values.astype(str), user_ids.astype(str))[items.users.codes])
    items_by_user: dict[str, list[str]] = {}
    for row in described[np.argsort(-items.timestamps[described], kind="stable")].tolist():
        items_by_user.setdefault(items.user_ids[row], []).append(items.item_ids[row])
    rows = rows_by_id(data.users)
    return np.array([features.of(rows.get(user, {}), items_by_user.get(user, ())) for user in user_ids.tolist()])


def rows_by_id(table: Table | None) -> dict[str, dict[str, object]]:
    """Take a table apart into rows."""
    if table is None:
        return {}
    return {
        id_: {name: values[row] for name, values in table.columns.items()} for row, id_ in enumerate(table.ids.tolist())
    }


def _types(events: Interactions) -> Array:
    return np.full(len(events), TAKEN, dtype=object) if events.event_types is None else events.event_types


def _factors(values: Floats) -> Floats:
    """Turn values into factors from a half, for nothing, to 1; one that is missing counts as average."""
    known = np.isfinite(values)
    if not known.any() or np.nanmax(values) <= 0:
        return np.ones(len(values))
    filled = np.where(known, values, np.nanmean(values))
    return np.asarray((1 + np.maximum(filled, 0) / np.nanmax(values)) / 2)


def _sigmoid(logits: Floats) -> Floats:
    result: Floats = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
    return result
