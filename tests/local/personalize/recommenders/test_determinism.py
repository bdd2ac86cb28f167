"""The same data and seed give the same model in every process, however Python mixes its hashes there."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys

import numpy as np

from personalize_local.personalize.recommenders import (
    TRAINERS,
    Interactions,
    Table,
    TrainingData,
    personalization,
    train,
)

ROWS = 800


def data(seed: int) -> TrainingData:
    """Something for every recipe, all of strings, sets of which every process orders in another way."""
    chance = np.random.default_rng(3)
    users = [f"u{user}" for user in chance.integers(60, size=ROWS)]
    items = [f"i{item}" for item in chance.integers(40, size=ROWS)]
    times = np.arange(ROWS) * 600
    kinds = chance.choice(["View", "Purchase", "Watch"], ROWS).astype(object)
    names = [f"i{item}" for item in range(45)]
    texts = [f"a tale of {word} and {other}" for word, other in zip(names, reversed(names), strict=True)]
    return TrainingData(
        Interactions(users, items, times, kinds),
        items=Table(
            names,
            {"GENRES": [f"g{item % 5}|g{item % 7}" for item in range(45)], "PLOT": texts},
            frozenset({"GENRES"}),
            textual=frozenset({"PLOT"}),
        ),
        users=Table(
            [f"u{user}" for user in range(60)], {"PLAN": [f"p{user % 3}" for user in range(60)]}, frozenset({"PLAN"})
        ),
        actions=Table(["join", "share"]),
        action_interactions=Interactions(
            users,
            chance.choice(["join", "share"], ROWS).astype(object),
            times,
            chance.choice(["TAKEN", "VIEWED"], ROWS).astype(object),
        ),
        seed=seed,
    )


def fingerprints() -> dict[str, str]:
    """Train every recipe, and one in the way of large catalogues too, and give a fingerprint of each model."""
    found = {recipe: fingerprint(recipe) for recipe in sorted(TRAINERS)}
    personalization.LARGEST_DENSE_CATALOGUE = 0
    return {**found, "large": fingerprint("aws-user-personalization-v2")}


def fingerprint(recipe: str) -> str:
    """Train, and put all that the model knows together."""
    model = train(recipe, data(seed=5))
    digest = hashlib.sha256(repr(list(model.item_ids)).encode())
    for name, array in sorted(model.arrays().items()):
        digest.update(name.encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def test_every_recipe_is_trained_alike_in_every_process() -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, __file__],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        for hash_seed in ("1", "2")
    ]
    one, other = (json.loads(process.communicate(timeout=60)[0]) for process in processes)
    assert one.keys() == {*TRAINERS, "large"}
    assert one == other


if __name__ == "__main__":
    print(json.dumps(fingerprints()))
