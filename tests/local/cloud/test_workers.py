"""Processes of Lambda functions: made fast, and as if they had been started afresh."""

import base64
import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from personalize_local.cloud.client import LocalCloud
from personalize_local.cloud.forking import ForkServer, is_available

from .conftest import ROLE_ARN, unique, zipped

pytestmark = pytest.mark.skipif(not is_available(), reason="functions are not forked on this platform")


@pytest.fixture(scope="module")
def server() -> ForkServer:
    return ForkServer()


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], Path]:
    def write(source: str) -> Path:
        path = tmp_path / "program.py"
        path.write_text(source)
        return path

    return write


def test_a_program_finds_what_it_finds_when_it_is_started(
    server: ForkServer, program: Callable[[str], Path], tmp_path: Path
) -> None:
    path = program(
        "import json, os, sys\nprint(json.dumps([dict(os.environ), os.getcwd(), sys.argv, sys.path[0], __name__]))"
    )
    folder = tmp_path / "code"
    folder.mkdir()
    process = server.start(str(path), str(folder), {"ONLY": "this"})
    assert json.loads(process.stdout.read()) == [{"ONLY": "this"}, str(folder), [str(path)], str(tmp_path), "__main__"]
    assert process.wait(5) == 0
    assert process.poll() == 0


def test_programs_share_nothing(server: ForkServer, program: Callable[[str], Path], tmp_path: Path) -> None:
    path = program("import boto3, os\nprint(getattr(boto3, 'mark', None), os.getpid())\nboto3.mark = 1")
    answers = [server.start(str(path), str(tmp_path), {}).stdout.read().split() for _ in range(2)]
    assert [mark for mark, _ in answers] == ["None", "None"]
    assert answers[0][1] != answers[1][1]


def test_programs_wait_a_part_of_the_time(
    program: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SFN_WAIT_SCALE", "0.001")
    path = program(
        "import time\nwall, begin = time.time(), time.monotonic()\ntime.sleep(60)\n"
        "print(time.time() - wall, time.monotonic() - begin)"
    )
    wall, passed = map(float, ForkServer().start(str(path), str(tmp_path), {}).stdout.read().split())
    assert 0.06 <= wall < 30
    assert 60 <= passed < 90
    begin = time.monotonic()
    ForkServer().start(str(program("import time\ntime.sleep(0.3)")), str(tmp_path), {"_LAMBDA_TIMEOUT": "0.2"}).wait(9)
    assert time.monotonic() - begin >= 0.3


def test_a_program_reads_writes_and_is_ended(
    server: ForkServer, program: Callable[[str], Path], tmp_path: Path
) -> None:
    path = program("import sys\nfor line in sys.stdin:\n    print(line.upper(), end='', flush=True)\nprint('end')")
    with pytest.raises(subprocess.TimeoutExpired):
        server.start(str(path), str(tmp_path), {}).wait(0.05)
    for end in ("terminate", "kill"):
        process = server.start(str(path), str(tmp_path), {})
        process.stdin.write("hello\n")
        assert process.stdout.readline() == "HELLO\n"
        assert process.poll() is None
        getattr(process, end)()
        process.wait(5)
        assert process.stdout.read() == ""
        getattr(process, end)()  # no process by then, and no error
    process = server.start(str(path), str(tmp_path), {})
    process.stdin.close()
    assert process.stdout.read() == "end\n"


def test_what_goes_wrong_is_on_standard_error(
    server: ForkServer, program: Callable[[str], Path], tmp_path: Path
) -> None:
    process = server.start(str(program("raise ValueError('no')")), str(tmp_path), {})
    assert process.stderr.read().endswith("ValueError: no\n")


def create(cloud: LocalCloud, timeout: int = 5, **files: str) -> str:
    name = unique("function")
    cloud.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="index.handler",
        Role=ROLE_ARN,
        Timeout=timeout,
        Code={"ZipFile": zipped(**files)},
    )
    return name


def invoke(cloud: LocalCloud, name: str, event: Any = None) -> tuple[Any, str]:
    """What a function answers and logs."""
    answer = cloud.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
    return json.loads(answer["Payload"].read()), base64.b64decode(answer.get("LogResult", "")).decode()


def test_a_function_starts_soon(personalize_local: LocalCloud) -> None:
    source = "import boto3\ndef handler(event, context):\n    return boto3.__version__"
    names = [create(personalize_local, index__py=source) for _ in range(6)]
    invoke(personalize_local, names[0])
    begin = time.monotonic()
    for name in names[1:]:
        invoke(personalize_local, name)
    # a Python that imports boto3 takes 0.2 s
    assert (time.monotonic() - begin) / 5 < 0.15


def test_a_module_of_its_own_comes_before_what_is_imported_already(personalize_local: LocalCloud) -> None:
    source = "import boto3\ndef handler(event, context):\n    return boto3.whose"
    assert (
        invoke(personalize_local, create(personalize_local, index__py=source, boto3__py="whose = 'mine'"))[0] == "mine"
    )


def test_the_log_is_that_of_the_invocation(personalize_local: LocalCloud) -> None:
    source = "def handler(event, context):\n    print(event, end='')"
    name = create(personalize_local, index__py=source)
    for text in ("one\ntwo", "", "three"):
        _, log = invoke(personalize_local, name, text)
        lines = [line for line in log.splitlines() if not line.startswith(("START ", "END ", "REPORT "))]
        assert lines == text.splitlines()
        assert "\0" not in log


def test_a_function_that_dies_or_takes_too_long_is_started_again(personalize_local: LocalCloud) -> None:
    source = """
import os, time
count = 0
def handler(event, context):
    global count
    count += 1
    if event == "die":
        os._exit(3)
    if event == "sleep":
        time.sleep(30)
    return count
"""
    name = create(personalize_local, timeout=1, index__py=source)
    assert [invoke(personalize_local, name)[0] for _ in range(2)] == [1, 2]
    assert "errorMessage" in invoke(personalize_local, name, "die")[0]
    assert invoke(personalize_local, name)[0] == 1
    assert "timed out" in invoke(personalize_local, name, "sleep")[0]["errorMessage"]
    assert invoke(personalize_local, name)[0] == 1
