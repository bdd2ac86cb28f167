"""Synthesizes apps in processes of their own, and reads what comes out."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_ASSEMBLY_FILES = ".template.json"


@dataclass(frozen=True)
class PythonFunction:
    """A Lambda function of an app that runs Python.

    :param handler: module and function, with dots
    :param code: the folder of its code in the assembly
    """

    handler: str
    code: Path

    @property
    def module(self) -> str:
        """The module of the handler."""
        return self.handler.rpartition(".")[0]


def synthesize(
    outdir: Path,
    *,
    app: Path = ROOT / "app.py",
    python: Path = Path(sys.executable),
    env: Mapping[str, str] | None = None,
) -> None:
    """Run an app.

    :param outdir: folder for the assembly
    :param app: the file that makes the app. Default: - the reference app
    :param python: interpreter. Default: - the running one
    :param env: environment variables. Default: - those of this process
    :raises RuntimeError: when the app fails, with what it printed
    """
    done = subprocess.run(  # noqa: S603 - the caller's own app
        [str(python), app.name],
        cwd=app.parent,
        env={**(os.environ if env is None else env), "CDK_OUTDIR": str(outdir)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{app} did not synthesize:\n{done.stdout}{done.stderr}")


def templates(assembly: Path) -> dict[str, dict[str, Any]]:
    """The templates of an assembly by file name."""
    return {
        path.name: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(assembly.rglob(f"*{_ASSEMBLY_FILES}"))
    }


def python_functions(assembly: Path) -> list[PythonFunction]:
    """The Lambda functions of an assembly that run Python, each handler once."""
    return sorted(set(_python_functions(assembly)), key=lambda function: function.handler)


def _python_functions(assembly: Path) -> Iterator[PythonFunction]:
    for template in templates(assembly).values():
        for resource in template["Resources"].values():
            properties = resource.get("Properties", {})
            if resource["Type"] == "AWS::Lambda::Function" and properties.get("Runtime", "").startswith("python"):
                asset = Path(properties["Code"]["S3Key"]).stem
                yield PythonFunction(properties["Handler"], assembly / f"asset.{asset}")
