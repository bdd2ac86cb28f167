"""Lambda functions import with boto3 alone: that, and the standard library, is what Lambda's runtime has."""

import os
import subprocess
import venv
from pathlib import Path

import pytest

from tools.synthesized import PythonFunction, python_functions, synthesize

# Clients are made on import; Lambda tells functions their Region in the environment.
LAMBDA_LIKE = {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> list[PythonFunction]:
    """The functions of the reference app."""
    assembly = tmp_path_factory.mktemp("assembly")
    synthesize(assembly)
    return python_functions(assembly)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has boto3 and nothing else."""
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment, with_pip=True)
    path = environment / "bin" / "python"
    install = [str(path), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "boto3"]
    subprocess.run(install, check=True)
    return path


def test_every_handler_imports_and_is_a_function(functions: list[PythonFunction], python: Path, tmp_path: Path) -> None:
    assert len(functions) >= 2
    for function in functions:
        name = function.handler.rpartition(".")[2]
        code = f"import importlib; assert callable(importlib.import_module({function.module!r}).{name})"
        done = subprocess.run(
            [str(python), "-c", code],
            cwd=tmp_path,
            env={
                **{key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PYTHON"))},
                **LAMBDA_LIKE,
                "PYTHONPATH": str(function.code),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{function.handler}\n{done.stderr}"
