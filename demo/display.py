"""Progress while things happen: live in a terminal, one plain line per change elsewhere."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rich.console import Console, RenderableType
from rich.live import Live

from .errors import DemoError
from .following import Line, Run
from .report import progress_table

_PAUSE_SECONDS = 0.25


@contextlib.contextmanager
def step(console: Console, doing: str, done: str) -> Iterator[None]:
    """Show that something is being done, then that it is done and how long it took.

    :param doing: what is being done
    :param done: what has been done by the end of the block
    """
    start = time.monotonic()
    with console.status(doing) if console.is_terminal else contextlib.nullcontext():
        yield
    console.print(f"[green]✓[/green] {done} [dim]({time.monotonic() - start:.1f} s)[/dim]")


def follow(console: Console, run: Run) -> Mapping[str, Any]:
    """Show a run until it ends.

    :return: what the run reports
    :raises DemoError: when the run failed
    """
    show: Callable[[list[Line]], None]
    with contextlib.ExitStack() as stack:
        if console.is_terminal:
            live = stack.enter_context(Live(_drawn([]), console=console, refresh_per_second=8))

            def show(lines: list[Line]) -> None:
                live.update(_drawn(lines))

        else:
            show = _Plain(console)
        while True:
            # Asked first, so that the last picture is that of the end.
            try:
                result = run.result()
            except DemoError:
                show(run.lines())
                raise
            show(run.lines())
            if result is not None:
                return result
            time.sleep(_PAUSE_SECONDS)


def _drawn(lines: list[Line]) -> RenderableType:
    return progress_table(lines)


class _Plain:
    """Prints a line of the run when its status changes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: dict[tuple[str, str], str] = {}

    def __call__(self, lines: list[Line]) -> None:
        for line in lines:
            key = (line.kind, line.name)
            if line.status != "waiting" and self._shown.get(key) != line.status:
                self._shown[key] = line.status
                seconds = "" if line.seconds is None else f" ({line.seconds:.1f} s)"
                self._console.print(f"  {line.kind} {line.name}: {line.status.lower()}{seconds}", highlight=False)
