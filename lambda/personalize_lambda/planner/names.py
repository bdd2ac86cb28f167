"""Names of jobs. Each is used once, so a name carries what the job was made from and a mark of the run that made it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any

from .world import File

_LENGTH = 63


def fingerprint(files: Iterable[File], configuration: Any = None) -> str:
    """Twelve digits that stand for the content of some files, as far as their ETags do, and for a configuration."""
    lines = [f"{key}\t{etag}\t{size}" for key, etag, size in sorted(files)]
    if configuration is not None:
        lines.append(json.dumps(configuration, sort_keys=True))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def job_name(prefix: str, digest: str, execution: str) -> str:
    """The name of the job that a run makes from what ``digest`` is the fingerprint of."""
    run = hashlib.sha256(execution.encode()).hexdigest()[:8]
    tail = f"-{digest}-{run}"
    return f"{prefix[: _LENGTH - len(tail)]}{tail}"


def job_arn(of: str, kind: str, name: str) -> str:
    """The ARN that the service gives to a job.

    :param of: ARN of what the job works on, in the same account and Region.
    :param kind: What it is, as the operations of the API name it, such as ``BatchInferenceJob``.
    :param name: Its name.
    """
    resource = re.sub(r"\B(?=[A-Z])", "-", kind).lower()
    return f"{of.rsplit(':', 1)[0]}:{resource}/{name}"


def fingerprint_in(name: str) -> str:
    """The fingerprint that the name of a job carries; empty where something else named it."""
    parts = name.rsplit("-", 2)
    return parts[1] if len(parts) == 3 else ""


def belongs(name: str, prefix: str) -> bool:
    """Whether a job of that name was made for the declaration whose jobs have that prefix."""
    digest, _, run = name.removeprefix(f"{prefix}-").partition("-")
    return name == f"{prefix}-{digest}-{run}" and "-" not in run and bool(digest and run)
