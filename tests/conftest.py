"""Guards for the whole test run."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

if (ROOT / "constructs" / "__init__.py").exists():
    raise RuntimeError(
        "constructs/ is a source root, not a package: constructs/__init__.py would hide the library `constructs` that "
        "aws-cdk-lib needs; delete it"
    )
