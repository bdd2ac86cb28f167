"""Makes processes for Python programs from one that has imported boto3: `python -m personalize_local.cloud.forking`.

Each program gets a process of its own, with its own environment, folder and pipes, as if it had been started afresh;
only that it need not import boto3, which takes most of the time that a Lambda function takes to start. What is imported
is memory that all of them share. Time passes in them as it does in state machines: see `scale_waits`.
"""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final, SupportsIndex

_LENGTH_BYTES: Final = 4
_STREAMS: Final = 3


class ForkServer:
    """The process that has imported boto3, started when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._modules: frozenset[str] = frozenset()

    @property
    def modules(self) -> frozenset[str]:
        """The names of the modules and packages that a program finds imported."""
        with self._lock:
            self._connected()
        return self._modules

    def start(self, script: str, cwd: str, env: Mapping[str, str]) -> "ForkedProcess":
        """Run a Python file in a new process.

        :param script: path of the file.
        :param cwd: its working directory.
        :param env: all of its environment variables.
        """
        theirs, ours = [], []
        for readable in (True, False, False):
            reader, writer = os.pipe()
            theirs.append(reader if readable else writer)
            ours.append(writer if readable else reader)
        message = json.dumps({"script": script, "cwd": cwd, "env": dict(env)}).encode()
        with self._lock:
            connection = self._connected()
            try:
                socket.send_fds(connection, [len(message).to_bytes(_LENGTH_BYTES, "big")], theirs)
                connection.sendall(message)
                pid = int.from_bytes(_receive(connection, _LENGTH_BYTES), "big")
                # The server collects a process that has ended only when it is asked for the next one.
                handle = os.pidfd_open(pid)
            except OSError:
                self._socket = None
                for number in ours:
                    os.close(number)
                raise
            finally:
                for number in theirs:
                    os.close(number)
        return ForkedProcess(pid, handle, *ours)

    def _connected(self) -> socket.socket:
        if self._socket is None:
            ours, theirs = socket.socketpair()
            with theirs:
                subprocess.Popen(  # noqa: S603 - our own module
                    [sys.executable, "-m", __name__, str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                )
            length = int.from_bytes(_receive(ours, _LENGTH_BYTES), "big")
            self._modules = frozenset(json.loads(_receive(ours, length)))
            self._socket = ours
        return self._socket


class ForkedProcess:
    """A process of the fork server, with the members of `subprocess.Popen` that its users need."""

    def __init__(self, pid: int, handle: int, stdin: int, stdout: int, stderr: int) -> None:
        self.pid = pid
        self._handle = handle
        self._ended = False
        self.stdin: IO[str] = os.fdopen(stdin, "w", buffering=1)
        self.stdout: IO[str] = os.fdopen(stdout)
        self.stderr: IO[str] = os.fdopen(stderr)

    def poll(self) -> int | None:
        """0 if it has ended, otherwise None; with what code, nobody asks."""
        return 0 if self._has_ended(0) else None

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended.

        :raises subprocess.TimeoutExpired: when that takes longer than ``timeout`` seconds.
        """
        if not self._has_ended(timeout):
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return 0

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if not self._ended:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)

    def _has_ended(self, seconds: float | None) -> bool:
        if not self._ended:
            poll = select.poll()
            poll.register(self._handle, select.POLLIN)
            self._ended = bool(poll.poll(None if seconds is None else max(0, seconds) * 1000))
        return self._ended

    def __del__(self) -> None:
        """Let go of the handle; the pipes let go of themselves."""
        os.close(self._handle)


def is_available() -> bool:
    """Tell whether this platform has what it takes."""
    return hasattr(os, "pidfd_open") and hasattr(socket, "send_fds")


def scale_waits(scale: float, timeout: float) -> None:
    """Let this process sleep for a part of the time, and believe that it was all of it.

    :param scale: seconds that pass for one second of sleep. The wall clock, by which requests are signed, goes on as it
        does, and so does what is measured without a sleep.
    :param timeout: a sleep of so many seconds takes them all, so that it ends a function as on AWS.
    """
    sleep, monotonic, skipped = time.sleep, time.monotonic, 0.0

    def scaled_sleep(seconds: SupportsIndex | float) -> None:
        nonlocal skipped
        asked = float(seconds)
        share = 1.0 if asked >= timeout else scale
        sleep(asked * share)
        skipped += asked * (1 - share)

    time.sleep = scaled_sleep
    time.monotonic = lambda: monotonic() + skipped


def serve(number: int) -> None:
    """Make a process for every message, until the other end is closed."""
    import boto3  # noqa: F401 - for those that are forked

    wait_scale = min(1.0, float(os.environ.get("SFN_WAIT_SCALE", "1")))
    connection = socket.socket(fileno=number)
    connection.set_inheritable(False)
    modules = json.dumps(sorted({name.partition(".")[0] for name in sys.modules})).encode()
    connection.sendall(len(modules).to_bytes(_LENGTH_BYTES, "big") + modules)
    while True:
        head, streams, _, _ = socket.recv_fds(connection, _LENGTH_BYTES, _STREAMS)
        if not head:
            return
        message = json.loads(_receive(connection, int.from_bytes(head, "big")))
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        pid = os.fork()
        if pid == 0:
            connection.close()
            scale_waits(wait_scale, float(message["env"].get("_LAMBDA_TIMEOUT", "inf")))
            _become(message["script"], message["cwd"], message["env"], streams)
        for stream in streams:
            os.close(stream)
        connection.sendall(pid.to_bytes(_LENGTH_BYTES, "big"))


def _become(script: str, cwd: str, env: Mapping[str, str], streams: list[int]) -> None:
    """Run a file in this process as `python <script>` would, and end."""
    code = 1
    try:
        for target, stream in enumerate(streams):
            os.dup2(stream, target)
            os.close(stream)
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(env)
        time.tzset()
        sys.argv = [script]
        sys.path[0] = str(Path(script).parent)
        main = type(sys)("__main__")
        main.__dict__["__file__"] = script
        sys.modules["__main__"] = main
        exec(compile(Path(script).read_text(), script, "exec"), main.__dict__)  # noqa: S102 - what it is for
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _receive(connection: socket.socket, length: int) -> bytes:
    received = b""
    while len(received) < length:
        more = connection.recv(length - len(received))
        if not more:
            raise ConnectionError("the process that makes processes for Lambda functions has ended")
        received += more
    return received


if __name__ == "__main__":
    serve(int(sys.argv[1]))
