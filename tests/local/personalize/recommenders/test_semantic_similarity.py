from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from personalize_local.personalize.recommenders import Interactions, Request, Table, TrainingData, train

from .conftest import ids_of, survives_a_file

SEMANTIC = "aws-semantic-similarity"
NOTHING = Interactions([], [], [])
TOPICS = {
    "sea": "ship sailor ocean harbour storm captain island whale voyage anchor wave tide",
    "law": "judge court trial lawyer verdict witness jury crime evidence justice prison sentence",
    "space": "rocket planet orbit astronaut galaxy comet moon telescope launch gravity alien star",
    "food": "chef kitchen recipe bread pepper garlic oven flavour dinner sauce spice butter",
}
COMMON = "the a and of story about with when old new man woman finds loses"
PER_TOPIC = 30


def topic_of(item_id: str) -> str:
    return item_id.split("-")[0]


@pytest.fixture(scope="module")
def items() -> Table:
    """Texts that share few words with each other, but those of a topic with others of the topic."""
    random = np.random.default_rng(3)
    ids, names, plots, created = [], [], [], []
    for topic, text in TOPICS.items():
        words = text.split()
        for number in range(PER_TOPIC):
            ids.append(f"{topic}-{number}")
            names.append(" ".join(random.choice(words, 1)))
            plots.append(" ".join([*random.choice(words, 4, replace=False), *random.choice(COMMON.split(), 8)]))
            created.append(1000.0 * number)
    columns = {"NAME": names, "PLOT": plots, "CREATION_TIMESTAMP": created}
    return Table(ids, columns, textual=frozenset({"NAME", "PLOT"}))


def share_of(topic: str, item_ids: list[str]) -> float:
    return sum(topic_of(item_id) == topic for item_id in item_ids) / len(item_ids)


def test_similar_texts_are_about_the_same_without_any_interaction(items: Table) -> None:
    model = train(SEMANTIC, TrainingData(NOTHING, items))
    by_chance = list(np.random.default_rng(1).choice(items.ids, 10, replace=False))
    # what is popular is about everything
    popular = [f"{topic}-{number}" for topic in TOPICS for number in range(3)]
    for topic in TOPICS:
        shares = [
            share_of(topic, ids_of(model.recommend(Request(item_id=f"{topic}-{number}"), count=10)))
            for number in range(10)
        ]
        assert np.mean(shares) >= 0.9
        assert np.mean(shares) >= max(share_of(topic, popular), share_of(topic, by_chance)) + 0.4


def test_texts_that_share_no_word_are_similar_through_others(items: Table) -> None:
    model = train(SEMANTIC, TrainingData(NOTHING, items))
    changed = with_rows(items, {"x": "ship sailor ocean captain", "y": "whale voyage tide wave", "z": "judge trial"})
    found = ids_of(model.recommend(Request(item_id="x", items=changed), count=200))
    assert found.index("y") < found.index("z")


def with_rows(items: Table, plots: dict[str, str]) -> Table:
    kept = np.array([item_id not in plots for item_id in items.ids])
    columns = {
        "NAME": [*items.columns["NAME"][kept], *[None] * len(plots)],
        "PLOT": [*items.columns["PLOT"][kept], *plots.values()],
    }
    return Table([*items.ids[kept], *plots], columns, textual=items.textual)


def test_new_and_changed_items_are_live_without_training(items: Table) -> None:
    model = train(SEMANTIC, TrainingData(NOTHING, items))
    assert share_of("sea", ids_of(model.recommend(Request(item_id="sea-1"), count=10))) >= 0.8
    changed = with_rows(items, {"new": "rocket orbit planet moon", "sea-1": "judge court jury verdict crime"})
    now = Request(item_id="sea-1", items=changed)
    assert share_of("law", ids_of(model.recommend(now, count=10))) >= 0.8
    assert share_of("space", ids_of(model.recommend(Request(item_id="new", items=changed), count=10))) >= 0.8
    assert "new" in ids_of(model.recommend(Request(item_id="space-1", items=changed), count=40))
    # the trained model is as it was
    assert share_of("sea", ids_of(model.recommend(Request(item_id="sea-1"), count=10))) >= 0.8


def test_popularity_and_freshness_rerank_what_is_similar(items: Table) -> None:
    popular = [f"{topic}-{number}" for topic in TOPICS for number in range(0, PER_TOPIC, 3)]
    events = [(f"u{user}", item) for user in range(20) for item in popular]
    users, dealt_with = zip(*events, strict=True)
    model = train(SEMANTIC, TrainingData(Interactions(users, dealt_with, range(len(users))), items))

    def top(**influence: float) -> list[str]:
        return ids_of(model.recommend(Request(item_id="sea-1", influence=influence), count=10))

    def number_popular(item_ids: list[str]) -> int:
        return len(set(item_ids) & set(popular))

    def age(item_ids: list[str]) -> float:
        return float(np.mean([int(item_id.split("-")[1]) for item_id in item_ids]))

    assert number_popular(top(POPULARITY=1.0)) > number_popular(top())
    assert age(top(FRESHNESS=1.0)) > age(top())
    # it stays among what is similar
    assert share_of("sea", top(POPULARITY=1.0, FRESHNESS=1.0)) >= 0.8


def test_items_without_text_cannot_be_trained_on() -> None:
    for table in (None, Table(["a"], {"GENRES": ["x"]}, frozenset({"GENRES"}))):
        with pytest.raises(ValueError, match="must have text: one field marked itemName and one marked textual"):
            train(SEMANTIC, TrainingData(NOTHING, table))


def test_a_model_survives_a_file(items: Table, tmp_path: Path) -> None:
    model = train(SEMANTIC, TrainingData(NOTHING, items))
    assert survives_a_file(model, Request(item_id="sea-1"), tmp_path / "model")
    changed = with_rows(items, {"new": "rocket orbit planet moon"})
    assert survives_a_file(model, Request(item_id="new", items=changed), tmp_path / "model")
