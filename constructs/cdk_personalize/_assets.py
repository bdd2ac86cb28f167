"""Finds the Lambda code, in a checkout and in an installed wheel alike."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = "personalize_lambda"


def lambda_root() -> Path:
    """Return the folder that contains the package of the Lambda functions.

    :raises FileNotFoundError: When the installation is incomplete.
    """
    here = Path(__file__).resolve()
    candidates = (here.parent / "_lambda", here.parents[2] / "lambda")
    for candidate in candidates:
        if (candidate / _PACKAGE / "__init__.py").is_file():
            return candidate
    raise FileNotFoundError(
        f"the Lambda code of cdk-personalize is in none of {[str(path) for path in candidates]}; "
        "install the package again"
    )
