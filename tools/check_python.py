"""Ends with one sentence when the Python that runs it is not one that the project supports.

Kept to the syntax that every Python since 2.6 reads: an old interpreter must get as far as the sentence.
"""

# ruff: noqa: UP031

import io
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120


def supported_minors():
    # type: () -> tuple[int, int]
    """The first supported minor version of Python 3, and the first that is not supported any more."""
    with io.open(os.path.join(ROOT, "pyproject.toml"), encoding="utf-8") as file:  # noqa: PTH118, UP020
        found = re.search(r'^requires-python = ">=3\.(\d+),<3\.(\d+)"', file.read(), re.MULTILINE)
    if found is None:
        raise SystemExit("Error: pyproject.toml has no requires-python of the form >=3.A,<3.B: restore that line.")
    return int(found.group(1)), int(found.group(2))


def that_run(minors):
    # type: (range) -> list[str]
    """The commands among python3.A, python3.B, ... that run, newest first; a shim may exist and yet not run."""
    return [name for name in ["python3.%d" % minor for minor in reversed(minors)] if runs(name)]


def runs(name):
    # type: (str) -> bool
    """Whether a command is there and runs."""
    with io.open(os.devnull, "w") as nowhere:  # noqa: UP020
        try:
            return subprocess.call([name, "-c", ""], stdout=nowhere, stderr=nowhere) == 0  # noqa: S603
        except OSError:
            return False


def main():
    # type: () -> None
    first, end = supported_minors()
    if sys.version_info[0] == 3 and first <= sys.version_info[1] < end:
        return
    others = that_run(range(first, end))
    sys.exit(
        "Error: %s is Python %d.%d, but Python 3.%d to 3.%d is needed: %s."
        % (
            sys.executable or "python",
            sys.version_info[0],
            sys.version_info[1],
            first,
            end - 1,
            "run make again with PYTHON=%s" % others[0]
            if others
            else "install one and run make again with PYTHON=/path/to/python3",
        )
    )


main()
