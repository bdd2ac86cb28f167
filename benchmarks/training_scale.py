"""How long training takes on many interactions, and how much memory its process needs.

Plants users who each like the items of one taste, trains as a solution version does (offline metrics included), and
prints the seconds and the highest memory that the training process has had. To be run from the checkout:

    python -m benchmarks.training_scale
"""

from __future__ import annotations

import logging
import multiprocessing
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console

from personalize_local.personalize.recommenders import Interactions, TrainingData
from personalize_local.personalize.recommenders.data import Array, Coded
from personalize_local.personalize.worker import Trainer

RECIPE = "aws-user-personalization-v2"
TASTES = 200
OWN_TASTE = 0.7
EVENT_TYPES = ("view", "purchase")
DEVICES = ("phone", "television", "tablet")


def main(
    interactions: Annotated[int, typer.Option(help="How many rows.")] = 10_000_000,
    users: Annotated[int, typer.Option(help="How many users.")] = 100_000,
    items: Annotated[int, typer.Option(help="How many items.")] = 20_000,
) -> None:
    """Measure training."""
    data = TrainingData(planted(interactions, users, items))
    trainer = Trainer(logging.getLogger("benchmark"))
    start = time.perf_counter()
    trained = trainer.run(RECIPE, data)
    seconds = time.perf_counter() - start
    (process,) = multiprocessing.active_children()
    status = Path(f"/proc/{process.pid}/status").read_text()
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    trainer.close()
    Console().print(
        f"{interactions:,} interactions, {users:,} users, {items:,} items: {seconds:.1f} s, "
        f"{int(peak[1]) / 1024 if peak else 0:,.0f} MB at most"
    )
    Console().print({name: round(value, 4) for name, value in trained.metrics.items()})


def planted(rows: int, users: int, items: int, *, seed: int = 1) -> Interactions:
    """Make interactions of users with tastes, user after user and in the order of time."""
    random = np.random.default_rng(seed)
    user = np.sort(random.integers(users, size=rows, dtype=np.int32))
    # within a taste, and for everybody, few items are chosen often
    appeal = random.random(rows) ** 3
    own = random.random(rows) < OWN_TASTE
    item = np.where(own, (appeal * (items // TASTES)).astype(np.int32) * TASTES + user % TASTES, appeal * items)
    return Interactions.coded(
        _named("user", user, users),
        _named("item", item.astype(np.int32), items),
        1_600_000_000 + np.arange(rows, dtype=np.int64),
        _repeated(random, EVENT_TYPES, rows),
        random.random(rows).astype(np.float32),
        {"DEVICE": _repeated(random, DEVICES, rows)},
    )


def _repeated(random: np.random.Generator, values: Sequence[str], rows: int) -> Array:
    return np.array(values, dtype=object)[random.integers(len(values), size=rows, dtype=np.int8)]


def _named(prefix: str, numbers: np.typing.NDArray[np.int32], count: int) -> Coded:
    names = np.array([f"{prefix}-{number:07}" for number in range(count)], dtype=object)
    return Coded(names, numbers).where(np.ones(len(numbers), dtype=np.bool_))


if __name__ == "__main__":
    typer.run(main)
