"""Fault runs: apps live in the local cloud while things go wrong, once per seed, and must keep what is promised.

    python -m tools.fault_runs --seeds 200 [--first N] [--jobs 3]

Each run deploys, adds data, trains again, changes and destroys, with roles enforced. Whatever goes wrong, at the end
nothing may be left but what retention declares, no data lost, nothing trained twice, and from the first campaign until
the end a client that asks all the time must get an answer. What passes must not keep a run from its goal; what does not
must be told in the service's own words. Exits with 1 if a promise was broken.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Self

import typer
from rich.console import Console

from personalize_local.cloud.client import LocalCloud
from personalize_local.cloud.process import CloudProcess, free_port, start
from personalize_local.cloud.settings import CloudSettings
from tests.e2e.shop import DESTROY, RETAIN
from tools import assembly
from tools.fault_apps import kinds
from tools.fault_plan import Plan, plan
from tools.fault_run import App, FaultRun, Outcome


def run_seeds(seeds: Iterable[int], jobs: int = 3) -> Iterator[Outcome]:
    """Do fault runs; the outcome of each as soon as it is there.

    :param seeds: which.
    :param jobs: how many at a time, each in a local cloud of its own.
    """
    plans = [plan(seed) for seed in seeds]
    with tempfile.TemporaryDirectory() as folder:
        apps = _synthesized(Path(folder), plans)
        with ThreadPoolExecutor(jobs) as pool, _Clouds(Path(folder)) as clouds:

            def run(todo: Plan) -> Outcome:
                cloud = clouds.take()
                outcome = FaultRun(cloud, apps[todo.app, todo.retain], todo).run()
                if not outcome.broken:  # otherwise who knows what is left in it
                    clouds.give_back(cloud)
                return outcome

            yield from pool.map(run, plans)


def _synthesized(folder: Path, plans: Iterable[Plan]) -> dict[tuple[str, bool], App]:
    """The apps that are needed, by name and whether data is retained."""
    needed: dict[tuple[str, bool], set[str]] = defaultdict(set)
    for todo in plans:
        needed[todo.app, todo.retain] |= todo.variants
    apps = {}
    for (name, retain), variants in needed.items():
        kind, stacks = kinds()[name], {}
        for variant in sorted(variants):
            target = kind.declare(variant, RETAIN if retain else DESTROY).synth(folder / f"{name}-{retain}-{variant}")
            [stacks[variant]] = assembly.stacks(target)
        apps[name, retain] = App(kind, stacks)
    return apps


class _Clouds:
    """Local clouds that enforce roles, with the templates in them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[CloudProcess] = []
        self._idle: list[LocalCloud] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._started:
            process.stop()

    def take(self) -> LocalCloud:
        """One that holds no app; nobody else gets it."""
        with self._lock:
            if self._idle:
                return self._idle.pop()
            settings = CloudSettings(port=free_port(), enforce_iam=True, exit_with_parent=True)
            process = start(settings, self._folder / f"cloud-{len(self._started)}.log")
            self._started.append(process)
        cloud = LocalCloud(process.port, process.log_path)
        assembly.prepare(cloud)
        for assets in sorted(self._folder.glob("*/manifest.json")):
            assembly.publish(cloud, assets.parent)
        return cloud

    def give_back(self, cloud: LocalCloud) -> None:
        """Let others use one."""
        with self._lock:
            self._idle.append(cloud)


def main(
    seeds: Annotated[int, typer.Option(min=1, help="How many fault runs.")] = 200,
    first: Annotated[int, typer.Option(min=0, help="The first seed.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="How many at a time.")] = 3,
    verbose: Annotated[bool, typer.Option(help="Print every run, and what had to be done again.")] = False,
) -> None:
    """Let an app live while things go wrong, once per seed."""
    console = Console(highlight=False, soft_wrap=True, markup=False)
    begin, outcomes = time.monotonic(), []
    for outcome in run_seeds(range(first, first + seeds), jobs):
        outcomes.append(outcome)
        if outcome.broken or verbose:
            app = plan(outcome.seed).app
            console.print(
                f"seed {outcome.seed}, {app}, {outcome.kind}, {outcome.seconds:.1f} s: {outcome.broken or 'kept'}"
            )
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
        for name in ("calls", "errors", "needed", "trainings", "answers", "client_errors", "again", "told", "orphans")
    }
    permanent = sum(plan(outcome.seed).permanent is not None for outcome in outcomes)
    console.print(
        "{calls:,} calls of Personalize, {errors:,} answered with an error\n"
        "{needed:,} trainings needed, {trainings:,} made\n"
        "{answers:,} recommendations while things went wrong, {client_errors:,} errors\n"
        "{told:,} of {permanent:,} permanent faults told in the service's words; {orphans:,} orphans\n"
        "{again:,} deployments and runs done again".format(**total, permanent=permanent)
    )
    struck = sum((outcome.struck for outcome in outcomes), Counter[str]())
    console.print("injected: " + ", ".join(f"{kind} {count:,}" for kind, count in struck.most_common()))
    quiet = [outcome for outcome in outcomes if not outcome.struck]
    accidents = sum(plan(outcome.seed).accident is not None for outcome in quiet)
    console.print(f"nothing was injected in {len(quiet)} runs, {accidents} of them with an accident")
    called = set().union(*(outcome.called for outcome in outcomes))
    hit = set().union(*(outcome.struck_operations for outcome in outcomes))
    # the names of functions are not the same in every run
    others = sorted({"functions" if name.startswith("function:") else name for name in hit - called})
    console.print(f"{len(called & hit)} of {len(called)} operations of Personalize were struck")
    console.print(f"struck besides: {', '.join(others) or 'nothing'}")
    if called - hit:
        console.print(f"never struck: {', '.join(sorted(called - hit))}")


if __name__ == "__main__":
    app = typer.Typer(add_completion=False)
    app.command()(main)
    sys.exit(app(prog_name="python -m tools.fault_runs"))
