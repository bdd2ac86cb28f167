"""Starts and stops the process of a local cloud."""

import contextlib
import errno
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from personalize_local.cloud.settings import HOST, CloudSettings, server_environment

START_SECONDS: Final = 30.0
# enough to write what is to be kept
GRACE_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.02
#: the server's exit code when the settings ask for what cannot be; the last line of its log says why
REFUSED: Final = 78
_SERVER: Final = "personalize_local.cloud.server"


class StartError(RuntimeError):
    """The local cloud could not be started; the text says why and what to do."""


class PortInUseError(StartError):
    """Something else listens on the port."""


@dataclass
class CloudProcess:
    """A running local cloud.

    :param pid: its process, which leads a process group of its own.
    :param port: its TCP port on 127.0.0.1.
    :param log_path: where it logs.
    :param directory: where it keeps temporary files.
    """

    pid: int
    port: int
    log_path: Path
    directory: Path
    child: subprocess.Popen[bytes] | None = None

    def is_alive(self) -> bool:
        """Tell whether the process is there, and is what was started."""
        if self.child is not None:
            return self.child.poll() is None
        return _SERVER in _command_line(self.pid)

    def wait(self) -> None:
        """Wait until it ends; only for what this process started."""
        if self.child is not None:
            self.child.wait()

    def stop(self) -> None:
        """End it and every process that it started: SIGTERM, after a grace period SIGKILL to the whole group."""
        if self.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)
                _wait_until(lambda: not self.is_alive(), GRACE_SECONDS)
                os.killpg(self.pid, signal.SIGKILL)
                _wait_until(lambda: not self.is_alive(), GRACE_SECONDS)
        if self.child is not None and self.child.stdin is not None:
            with contextlib.suppress(OSError):
                self.child.stdin.close()
        shutil.rmtree(self.directory, ignore_errors=True)


def start(settings: CloudSettings, log_path: Path) -> CloudProcess:
    """Start a local cloud and return when it answers.

    :param settings: how it runs.
    :param log_path: the file that it logs to.
    :raises PortInUseError: when the port is taken.
    :raises StartError: when it ends, or does not answer within 30 s.
    """
    _require_free(settings.port)
    directory = Path(tempfile.mkdtemp(prefix=f"personalize-local-{settings.port}-"))
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("wb") as log:
        child = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", _SERVER, settings.to_json()],
            stdin=subprocess.PIPE if settings.exit_with_parent else subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env=server_environment(settings, os.environ, directory),
            start_new_session=True,
        )
    cloud = CloudProcess(child.pid, settings.port, log_path, directory, child)
    try:
        answered = _wait_until(lambda: is_healthy(settings.port) or not cloud.is_alive(), START_SECONDS)
        if child.poll() == REFUSED:
            raise StartError(tail(log_path, 1))
        if not cloud.is_alive():
            raise StartError(f"the local cloud ended while it started; its log {log_path} ends with:\n{tail(log_path)}")
        if not answered:
            raise StartError(f"the local cloud does not answer on port {settings.port} after {START_SECONDS:.0f} s")
    except BaseException:
        cloud.stop()
        raise
    return cloud


def free_port() -> int:
    """A TCP port that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def is_healthy(port: int) -> bool:
    """Tell whether a local cloud answers on the port."""
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/_personalize/status")
        answer = connection.getresponse()
        return answer.status == 200 and b'"resources"' in answer.read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def tail(path: Path, lines: int = 15) -> str:
    """The last lines of a file."""
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno == errno.EACCES:
                raise StartError(f"port {port} needs privileges that you do not have; choose one above 1023") from None
            if error.errno != errno.EADDRINUSE:
                raise
            hint = (
                f"a local cloud runs there already: stop it with `personalize-local stop --port {port}`, or use it"
                if is_healthy(port)
                else f"stop what uses it, or choose another one: `personalize-local start --port {port + 1}`"
            )
            raise PortInUseError(f"port {port} is in use; {hint}") from None


def _command_line(pid: int) -> str:
    """The command of a process, empty when there is none."""
    listed = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self").exists():
        try:
            return listed.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    answer = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607
    return answer.stdout


def _wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
