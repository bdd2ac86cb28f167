"""Processes of Lambda functions: those in Python start from one that has imported boto3, and their logs have an end."""

import os
import queue
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from ministack.core import lambda_runtime

from personalize_local.cloud.adapter.expected import IncompatibleEmulatorError, substitute, wrap
from personalize_local.cloud.forking import ForkServer, is_available

# After this comes nothing more of an invocation; the emulator would wait whether something comes.
_END: Final = "\0end of invocation\0"
_LOG_SECONDS: Final = 0.25

_PYTHON_OLD: Final = "\n        _real_stdout.flush()\n\nrun()"
_PYTHON_NEW: Final = f"""
        _real_stdout.flush()
        try:
            sys.stderr.flush()
            os.write(2, {f"{_END}{chr(10)}".encode()!r})
        except (OSError, ValueError, AttributeError):
            pass

run()"""


def register() -> None:
    """Start Python functions by forking where the platform can, and read their logs up to the end."""
    substitute(lambda_runtime, "_PYTHON_WORKER_SCRIPT", _PYTHON_OLD, _PYTHON_NEW)
    wrap(lambda_runtime.Worker, "_drain_stderr_bounded", "self first_line_wait idle_confirm hard_cap", _to_the_end)
    if is_available():
        if getattr(lambda_runtime, "subprocess", None) is not subprocess:
            raise IncompatibleEmulatorError("ministack.core.lambda_runtime does not start processes by `subprocess`")
        lambda_runtime.subprocess = SimpleNamespace(**{**vars(subprocess), "Popen": _starter(ForkServer())})


def _to_the_end(original: Callable[..., str]) -> Callable[..., str]:
    def drain(worker: Any, *arguments: Any, **options: Any) -> str:
        if not worker.config.get("Runtime", "python").startswith("python"):
            return original(worker, *arguments, **options)
        lines: list[str] = []
        deadline = time.monotonic() + _LOG_SECONDS
        try:
            while not (lines and lines[-1].endswith(_END)):
                lines.append(worker._stderr_queue.get(timeout=max(0, deadline - time.monotonic())))
        except queue.Empty:
            return "\n".join(lines)
        lines[-1] = lines[-1].removesuffix(_END)
        return "\n".join(lines if lines[-1] else lines[:-1])

    return drain


def _starter(server: ForkServer) -> Callable[..., Any]:
    def start(command: list[str], **options: Any) -> Any:
        if _can_be_forked(command, options.get("cwd"), options.get("env") or {}, server):
            return server.start(command[1], options["cwd"], options["env"])
        return subprocess.Popen(command, **options)  # noqa: S603 - what the emulator asks for

    return start


def _can_be_forked(command: list[str], cwd: str | None, env: Mapping[str, str], server: ForkServer) -> bool:
    """Tell whether a process would find what it finds if it were started afresh.

    Not so if its function has modules of its own by a name that is imported already, layers, or variables that Python
    reads when it starts.
    """
    if command[0] != sys.executable or Path(command[-1]).name != "_worker.py" or cwd is None:
        return False
    if "_LAMBDA_LAYERS_DIRS" in env:
        return False
    if any(env.get(name) != os.environ.get(name) for name in env if name.startswith(("PYTHON", "LD_", "MALLOC_"))):
        return False
    return not {path.name.partition(".")[0] for path in Path(cwd).iterdir()} & server.modules
