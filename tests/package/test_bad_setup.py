"""What is missing on a computer is told in one sentence, with what to do."""

import ast
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tools.synthesized import ROOT

COPIED = ("Makefile", "pyproject.toml", "package.json", "package-lock.json", ".npmrc", "tools", "README.md", "LICENSE")
# Nothing listens there.
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """As much of a fresh clone as the setup looks at."""
    for name in COPIED:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    return tmp_path


def path_without(folder: Path, *left_out: str) -> str:
    """A PATH on which some commands are not found."""
    tools = folder / "path"
    tools.mkdir()
    for name in ("make", "sh", "awk", "touch", "env", "node", "npm"):
        found = shutil.which(name)
        if found and name not in left_out:
            (tools / name).symlink_to(found)
    return str(tools)


def make(checkout: Path, *arguments: str, env: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    """Run make in a checkout, in an environment of its own."""
    dropped = ("AWS_", "PIP_", "NPM_", "npm_", "MAKE", "MFLAGS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return subprocess.run(
        [shutil.which("make") or "make", f"PYTHON={sys.executable}", *arguments],
        cwd=checkout,
        env={**kept, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def sentence(done: "subprocess.CompletedProcess[str]") -> str:
    """The one sentence of a failure, after checking that it is one and that the exit code says so."""
    assert done.returncode != 0
    printed = done.stdout + done.stderr
    assert "Traceback" not in printed
    found = [line for line in printed.splitlines() if line.startswith("Error: ")]
    assert len(found) == 1, printed
    return found[0]


def mark_ready(checkout: Path, folder: str) -> None:
    (checkout / folder).mkdir()
    (checkout / folder / ".ready").touch()


def test_an_unsupported_python(checkout: Path) -> None:
    project = checkout / "pyproject.toml"
    text = re.sub(r'requires-python = ".*"', 'requires-python = ">=3.97,<3.99"', project.read_text(encoding="utf-8"))
    project.write_text(text, encoding="utf-8")
    told = sentence(make(checkout, "demo"))
    assert f"is Python 3.{sys.version_info.minor}, but Python 3.97 to 3.98 is needed" in told
    assert "PYTHON=" in told
    assert not (checkout / ".venv").exists()


def test_old_pythons_can_read_what_complains() -> None:
    code = (ROOT / "tools" / "check_python.py").read_text(encoding="utf-8")
    ast.parse(code, feature_version=(3, 4))
    for name in ("python2", "python3.6", "python3.8", "python3.10"):
        if shutil.which(name) and subprocess.run([name, "-V"], capture_output=True, check=False).returncode == 0:
            done = subprocess.run(
                [name, str(ROOT / "tools" / "check_python.py")], capture_output=True, text=True, check=False
            )
            assert "is needed" in sentence(done)


def test_no_python(checkout: Path) -> None:
    assert "no-such-python is not there or does not run" in sentence(make(checkout, "demo", "PYTHON=no-such-python"))


def test_no_package_index(checkout: Path) -> None:
    env = {
        "PIP_INDEX_URL": f"{NOWHERE}/simple",
        "PIP_RETRIES": "0",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_CACHE_DIR": "1",
    }
    told = sentence(make(checkout, "demo", env=env))
    assert "pip could not install the Python packages" in told
    assert ".cache/logs/pip.log" in told
    assert (checkout / ".cache" / "logs" / "pip.log").stat().st_size


@pytest.mark.parametrize("command", ["node", "npm"])
def test_no_node(checkout: Path, tmp_path: Path, command: str) -> None:
    mark_ready(checkout, ".venv")
    told = sentence(make(checkout, "demo", env={"PATH": path_without(tmp_path, command)}))
    assert f"the command {command} was not found" in told
    assert "install Node.js 20 or later" in told


def test_an_old_node(checkout: Path, tmp_path: Path) -> None:
    mark_ready(checkout, ".venv")
    path = path_without(tmp_path, "node")
    node = Path(path) / "node"
    node.write_text("#!/bin/sh\necho v18.19.1\n", encoding="utf-8")
    node.chmod(0o755)
    assert "Node.js v18.19.1 is too old" in sentence(make(checkout, "demo", env={"PATH": path}))


def test_no_npm_registry(checkout: Path, tmp_path: Path) -> None:
    mark_ready(checkout, ".venv")
    env = {
        "npm_config_registry": NOWHERE,
        "npm_config_fetch_retries": "0",
        "npm_config_cache": str(tmp_path / "npm-cache"),
        "npm_config_userconfig": os.devnull,
    }
    told = sentence(make(checkout, "demo", env=env))
    assert "npm could not install the Node packages" in told
    assert ".cache/logs/npm.log" in told


def test_a_second_setup_does_nothing(checkout: Path) -> None:
    mark_ready(checkout, ".venv")
    mark_ready(checkout, "node_modules")
    done = make(checkout, "setup", env={"PATH": "/nonexistent:/bin:/usr/bin"})
    assert done.returncode == 0
    assert "Installing" not in done.stdout


def test_a_port_in_use() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "demo", "--port", str(port)], cwd=ROOT, capture_output=True, text=True, check=False
        )
    assert f"port {port} is in use: stop what uses it" in sentence(done)
