"""`make demo` as it is run by people, on a free port."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from personalize_local.cloud.process import free_port
from tools.synthesized import ROOT

PATIENCE_SECONDS = 300


def environment() -> dict[str, str]:
    """An environment without any AWS setting."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def process(port: int) -> Iterator["subprocess.Popen[str]"]:
    """The demonstration, started; ended with the test."""
    command = [sys.executable, "-m", "demo", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        yield process
        if process.poll() is None:
            process.terminate()


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def processes_that_name(text: str) -> list[str]:
    """The command lines of running processes that contain a text."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in command:
            found.append(command)
    return found


def test_it_ends_in_recommendations(process: "subprocess.Popen[str]", port: int) -> None:
    printed, complaints = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, complaints
    assert complaints == ""
    for expected in (
        "import interactions: active",
        "import items: active",
        "import users: active",
        "NDCG@25",
        "watched last",
        "Recommended after these events",
        "films seen before are left out",
    ):
        assert expected in printed
    (ratio,) = re.findall(r"same split: \S+ against popularity's \S+, (\S+) times", printed)
    assert float(ratio) >= 1.6
    first, then, unseen = re.split(r"\n\s*Recommended\b.*\n|\n\s*The same with the filter.*\n", printed)[1:]
    assert re.search(r"\bnew\b", then)
    assert "seen" not in unseen.partition("change")[2]
    assert first != then
    assert not is_listening(port)
    assert processes_that_name(f"personalize-local-{port}-") == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_everything_when_told_to_end(
    process: "subprocess.Popen[str]", port: int, number: signal.Signals
) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if "cdk synth" in line:
            break
    time.sleep(0.5)  # in the middle of a deployment
    process.send_signal(number)
    _, complaints = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 128 + number
    assert "everything that was started has been stopped" in complaints
    assert "Traceback" not in complaints
    assert not is_listening(port)
    assert processes_that_name(f"personalize-local-{port}-") == []
