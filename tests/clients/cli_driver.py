"""Runs commands of the AWS CLI: each line of the standard input is one, each line of the output what came of it.

They are the CLI's own, each in a process of its own; only what the CLI imports is imported once for all of them.
"""

import json
import os
import sys
import tempfile
from typing import IO

import awscli.handlers  # noqa: F401 - what every command imports
from awscli.clidriver import main


def run(arguments: list[str]) -> dict[str, object]:
    """Run one command, and tell its exit code and what it has written."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        child = os.fork()
        if child == 0:
            os.dup2(output.fileno(), 1)
            os.dup2(errors.fileno(), 2)
            sys.argv[1:] = arguments
            code = main()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return {"code": code, "output": _text(output), "errors": _text(errors)}


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


for line in sys.stdin:
    print(json.dumps(run(json.loads(line))), flush=True)
