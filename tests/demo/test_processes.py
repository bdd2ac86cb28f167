"""Nothing outlives the demonstration."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.processes import Interrupted, Processes, interruptible, uninterrupted

# A child that ignores SIGTERM and has a child of its own, whose process id it prints.
STUBBORN = """\
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid, flush=True)
time.sleep(60)
"""


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text() if Path("/proc/self").exists() else True


def test_close_ends_children_and_their_children(tmp_path: Path) -> None:
    processes = Processes()
    log = tmp_path / "log"
    child = processes.start([sys.executable, "-c", STUBBORN], cwd=tmp_path, env=os.environ, log=log)
    until(lambda: log.read_text().endswith("\n"))
    processes.close()
    assert child.returncode == -signal.SIGKILL
    until(lambda: not is_alive(int(log.read_text())))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_interrupt(number: signal.Signals) -> None:
    before = signal.getsignal(number)

    def be_interrupted() -> None:
        with interruptible():
            os.kill(os.getpid(), number)
            time.sleep(5)

    with pytest.raises(Interrupted) as raised:
        be_interrupted()
    assert raised.value.number == number
    assert signal.getsignal(number) is before


def test_tidying_is_not_interrupted() -> None:
    with interruptible(), uninterrupted():
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)
