"""The public surface of the package."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import cdk_personalize

SOURCE = Path(cdk_personalize.__file__).read_text()
PURE = (
    "avro",
    "dataset_type",
    "facts.fields",
    "facts.hyperparameters",
    "facts.limits",
    "facts.names",
    "filter_expression",
    "recipe",
    "schema",
)


@pytest.mark.parametrize("module", PURE)
def test_pure_modules_do_not_load_the_cdk(module: str) -> None:
    script = f"import sys, cdk_personalize.{module}; sys.exit('aws_cdk' in sys.modules or 'jsii' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_every_name_can_be_loaded() -> None:
    for name in cdk_personalize.__all__:
        assert getattr(cdk_personalize, name).__name__ == name


def test_type_checkers_see_the_same_names() -> None:
    block = next(node for node in ast.parse(SOURCE).body if isinstance(node, ast.If))
    seen = {alias.asname for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}

    assert seen == set(cdk_personalize.__all__)


def test_all_is_the_public_surface() -> None:
    """Every public class of a public module can be imported from the package, and nothing else can."""
    found = set()
    for module_name, names in cdk_personalize._EXPORTS.items():
        module = importlib.import_module(f"cdk_personalize.{module_name}")
        public = {
            name
            for name, value in vars(module).items()
            if isinstance(value, type) and value.__module__ == module.__name__ and not name.startswith("_")
        }
        found |= public & set(cdk_personalize.__all__)
        assert set(names) <= public
    assert found == set(cdk_personalize.__all__)


def test_dir_and_unknown_names() -> None:
    assert set(cdk_personalize.__all__) <= set(dir(cdk_personalize))
    with pytest.raises(AttributeError, match=r"^module 'cdk_personalize' has no attribute 'Nothing'$"):
        _ = cdk_personalize.Nothing
