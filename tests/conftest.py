"""Guards for the whole test run."""

from __future__ import annotations

import signal
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

if (ROOT / "constructs" / "__init__.py").exists():
    raise RuntimeError(
        "constructs/ is a source root, not a package: constructs/__init__.py would hide the library `constructs` that "
        "aws-cdk-lib needs; delete it"
    )

# A shell has what it starts in the background ignore Ctrl-C. Children would inherit that, and those that are ended by
# Ctrl-C in tests would never end.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
