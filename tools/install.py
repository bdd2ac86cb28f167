"""Installs what the checkout needs: `python tools/install.py python` makes .venv, `... node` makes node_modules.

Uses the standard library only, as it runs before anything is installed. Quiet while all goes well; a failure is one
sentence that says what failed and what to do, and the whole output of the tool is kept in .cache/logs.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / ".cache" / "logs"
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"


class SetupError(Exception):
    """Something is missing or refused to work; the message says what, and what to do."""


def run(name: str, command: Sequence[str], *, env: Mapping[str, str] | None = None) -> Path | None:
    """Run a command in the checkout and keep its output.

    :param name: name of the log file in .cache/logs, without its suffix
    :param command: program and arguments
    :param env: environment variables added to the current ones
    :return: None when the command succeeded, else the log file
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{name}.log"
    with log.open("w", encoding="utf-8") as output:
        done = subprocess.run(  # noqa: S603 - fixed commands of this file
            command,
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    return log if done.returncode else None


def reason(log: Path, marker: str) -> str:
    """The first line of a log that starts with `marker`, else its last line, for use inside a sentence."""
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    told = next((line[len(marker) :].strip() for line in lines if line.startswith(marker)), lines[-1] if lines else "")
    return told.rstrip(".")[:200] or "no reason given"


def install_python() -> None:
    """Make .venv from the running Python and install the project with its extras `dev` and `local`."""
    if not _is_made_from_this_python():
        log = run("venv", [sys.executable, "-m", "venv", "--clear", str(VENV)])
        if log:
            shutil.rmtree(VENV, ignore_errors=True)
            raise SetupError(
                f"{sys.executable} -m venv failed ({reason(log, 'Error:')}): install the venv module of this Python"
                f" (Debian, Ubuntu: apt install python3-venv) and run make again; the output is in {shown(log)}."
            )
    say("Installing the Python packages into .venv (about a minute)")
    log = run(
        "pip",
        [str(VENV_PYTHON), "-m", "pip", "install", "--quiet", "--no-input", "-e", ".[dev,local]"],
        env={"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_PROGRESS_BAR": "off"},
    )
    if log:
        raise SetupError(
            f"pip could not install the Python packages ({reason(log, 'ERROR:')}): check that this computer reaches"
            f" the package index that pip is configured for and run make again; the output is in {shown(log)}."
        )


def install_node() -> None:
    """Install the packages of package-lock.json into node_modules."""
    _check_node()
    say("Installing the Node packages into node_modules")
    log = run(
        "npm",
        ["npm", "ci", "--no-audit", "--no-fund", "--no-progress"],
        env={"NPM_CONFIG_UPDATE_NOTIFIER": "false"},
    )
    if log:
        raise SetupError(
            f"npm could not install the Node packages ({reason(log, 'npm error')}): check that this computer reaches"
            f" the package registry that npm is configured for and run make again; the output is in {shown(log)}."
        )


def _is_made_from_this_python() -> bool:
    """Whether .venv exists, works and has the version of the running Python."""
    if not VENV_PYTHON.exists():
        return False
    code = "import sys, pip; print('%d.%d' % sys.version_info[:2])"
    told = subprocess.run([VENV_PYTHON, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603
    return told.stdout.strip() == f"{sys.version_info.major}.{sys.version_info.minor}"


def _check_node() -> None:
    minimum = int(re.sub(r"\D", "", json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["engines"]["node"]))
    advice = f"install Node.js {minimum} or later (22 and 24 are current) with its npm and run make again"
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            raise SetupError(f"the command {tool} was not found, and the AWS CDK needs it: {advice}.")
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)  # noqa: S607
    version = re.fullmatch(r"v(\d+)\..*", told.stdout.strip())
    if version is None:
        raise SetupError(f"`node --version` does not work (it said {told.stdout.strip()!r}): {advice}.")
    if int(version.group(1)) < minimum:
        raise SetupError(f"Node.js {told.stdout.strip()} is too old: {advice}.")


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def say(text: str) -> None:
    print(text, flush=True)


PARTS = {"python": install_python, "node": install_node}

if __name__ == "__main__":
    try:
        for part in sys.argv[1:]:
            PARTS[part]()
    except SetupError as error:
        sys.exit(f"Error: {error}")
    except KeyboardInterrupt:
        sys.exit("Interrupted: run make again to go on.")
