"""Fault runs: an app lives in the local cloud while things go wrong, once per seed, and must keep what is promised.

    python -m tools.fault_runs --seeds 200 [--first N] [--jobs 2]

Each run deploys, adds data, trains again, changes and destroys, with roles enforced. Whatever goes wrong, at the end
nothing may be left but what retention declares, no data lost, nothing trained twice, and from the first campaign until
the end a client that asks all the time must get an answer. What passes must not keep a run from its goal; what does not
must be told in the service's own words. Exits with 1 if a promise was broken.
"""

from __future__ import annotations

import queue
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import aws_cdk as cdk
import typer
from rich.console import Console

import cdk_personalize as personalize
from personalize_local.cloud.client import LocalCloud
from personalize_local.cloud.process import free_port, start
from personalize_local.cloud.settings import CloudSettings
from tests.e2e.shop import DESTROY, RETAIN, Shop, interactions, items
from tools import assembly
from tools.fault_plan import plan
from tools.fault_run import App, FaultRun, Outcome

VARIANTS = {
    "first": {},
    "tps": {"tps": 2},
    "recipe": {"recipe": personalize.Recipe.USER_PERSONALIZATION},
}


def run_seeds(seeds: Iterable[int], jobs: int = 2) -> Iterator[Outcome]:
    """Do fault runs; the outcome of each as soon as it is there.

    :param seeds: which.
    :param jobs: how many at a time, each in a local cloud of its own.
    """
    with tempfile.TemporaryDirectory() as folder:
        policies = {retain: _synthesized(Path(folder), policy) for retain, policy in ((False, DESTROY), (True, RETAIN))}
        data = {"interactions": interactions(1200), "items": items()}
        with ThreadPoolExecutor(jobs) as pool, _clouds(jobs, Path(folder)) as clouds:

            def run(seed: int) -> Outcome:
                cloud = clouds.get()
                try:
                    todo = plan(seed)
                    return FaultRun(cloud, policies[todo.retain], todo, data).run()
                finally:
                    clouds.put(cloud)

            yield from pool.map(run, seeds)


def _synthesized(folder: Path, policy: cdk.RemovalPolicy) -> App:
    found = {}
    for name, changes in VARIANTS.items():
        target = folder / f"{policy.name}-{name}"
        Shop(removal_policy=policy, **changes).synth(target)  # type: ignore[arg-type]
        [found[name]] = assembly.stacks(target)
    return App(**found)


@contextmanager
def _clouds(count: int, folder: Path) -> Iterator[queue.Queue[LocalCloud]]:
    """Local clouds that enforce roles, with the templates in them."""
    clouds: queue.Queue[LocalCloud] = queue.Queue()
    started = []
    try:
        for number in range(count):
            settings = CloudSettings(port=free_port(), enforce_iam=True, exit_with_parent=True)
            process = start(settings, folder / f"cloud-{number}.log")
            started.append(process)
            cloud = LocalCloud(process.port, process.log_path)
            assembly.prepare(cloud)
            for assets in sorted(folder.glob("*/manifest.json")):
                assembly.publish(cloud, assets.parent)
            clouds.put(cloud)
        yield clouds
    finally:
        for process in started:
            process.stop()


def main(
    seeds: Annotated[int, typer.Option(min=1, help="How many fault runs.")] = 200,
    first: Annotated[int, typer.Option(min=0, help="The first seed.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="How many at a time.")] = 2,
    verbose: Annotated[bool, typer.Option(help="Print every run, and what had to be done again.")] = False,
) -> None:
    """Let an app live while things go wrong, once per seed."""
    console = Console(highlight=False, soft_wrap=True, markup=False)
    begin, outcomes = time.monotonic(), []
    for outcome in run_seeds(range(first, first + seeds), jobs):
        outcomes.append(outcome)
        if outcome.broken or verbose:
            console.print(f"seed {outcome.seed}, {outcome.kind}, {outcome.seconds:.1f} s: {outcome.broken or 'kept'}")
            for note in outcome.notes:
                console.print(f"    {note}")
    print_figures(console, outcomes, time.monotonic() - begin)
    sys.exit(any(outcome.broken for outcome in outcomes))


def print_figures(console: Console, outcomes: list[Outcome], seconds: float) -> None:
    """Print what came of fault runs."""
    broken = Counter(outcome.kind for outcome in outcomes if outcome.broken)
    console.print(f"{len(outcomes)} seeds, {len(outcomes) - broken.total()} kept every promise, {seconds:.0f} s")
    for kind, count in sorted(Counter(outcome.kind for outcome in outcomes).items()):
        console.print(f"  {kind}: {count}, broken {broken[kind]}")
    total = {
        name: sum(getattr(outcome, name) for outcome in outcomes)
        for name in ("calls", "errors", "trainings", "answers", "again", "told")
    }
    console.print(
        "{calls:,} calls of Personalize, {errors:,} answered with an error; {trainings:,} trainings; {answers:,}"
        " recommendations while things went wrong; {again:,} deployments and runs done again; {told:,} permanent faults"
        " told in the service's words".format(**total)
    )


if __name__ == "__main__":
    app = typer.Typer(add_completion=False)
    app.command()(main)
    sys.exit(app(prog_name="python -m tools.fault_runs"))
