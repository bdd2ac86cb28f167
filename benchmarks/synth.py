"""Prints how long synthesis and the start of the Lambda functions take, as ratios that travel between computers.

`make benchmark`. Every measurement is the median of runs in processes of their own, taken in turns, so that a slow
moment of the computer hits both sides of a ratio.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tools.synthesized import ROOT, PythonFunction, python_functions, synthesize

SYNTH_RUNS = 5
IMPORT_RUNS = 11

ONE_BUCKET = """\
import aws_cdk as cdk
from aws_cdk import aws_s3 as s3

app = cdk.App()
s3.Bucket(cdk.Stack(app, "OneBucket"), "Bucket")
app.synth()
"""

TIMED_IMPORT = """\
import importlib, sys, time
start = time.perf_counter()
importlib.import_module(sys.argv[1])
print(time.perf_counter() - start)
"""

# Clients are made on import; making one needs a Region and asks for nothing over the network.
_LAMBDA_LIKE = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def medians(measurements: Mapping[str, Callable[[], float]], runs: int) -> dict[str, float]:
    """The median of each measurement over some runs, taken in turns after one run that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in measurements}
    for run in range(runs + 1):
        for name, measure in measurements.items():
            told = measure()
            if run:
                seconds[name].append(told)
    return {name: statistics.median(values) for name, values in seconds.items()}


def synth_seconds(app: Path, outdir: Path) -> float:
    """How long one synthesis takes, from the start of the process to its end."""
    start = time.perf_counter()
    synthesize(outdir, app=app)
    return time.perf_counter() - start


def import_seconds(module: str, code: Path | None = None) -> float:
    """How long one import takes in a new process.

    :param code: folder that the module is in. Default: - it is installed
    """
    path = {"PYTHONPATH": str(code)} if code else {}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    told = subprocess.run(
        [sys.executable, "-c", TIMED_IMPORT, module],
        env={**kept, **_LAMBDA_LIKE, **path},
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode:
        raise SystemExit(f"Error: {module} cannot be imported:\n{told.stderr}")
    return float(told.stdout)


def measure_synth(folder: Path) -> dict[str, float]:
    """Seconds of synthesis of the reference app and of a stack with one bucket."""
    bucket_app = folder / "one_bucket" / "app.py"
    bucket_app.parent.mkdir()
    bucket_app.write_text(ONE_BUCKET, encoding="utf-8")
    return medians(
        {
            "one bucket": lambda: synth_seconds(bucket_app, folder / "one_bucket.out"),
            "reference app": lambda: synth_seconds(ROOT / "app.py", folder / "reference.out"),
        },
        SYNTH_RUNS,
    )


def measure_imports(functions: list[PythonFunction]) -> dict[str, float]:
    """Seconds that the import of each handler takes, and that of boto3."""

    def importer(function: PythonFunction) -> Callable[[], float]:
        return lambda: import_seconds(function.module, function.code)

    return medians(
        {"boto3": lambda: import_seconds("boto3"), **{f.module: importer(f) for f in functions}}, IMPORT_RUNS
    )


def print_ratios(console: Console, title: str, seconds: Mapping[str, float], base: str) -> None:
    """Print seconds, and their ratios to one of them."""
    table = Table(title=title, title_justify="left")
    table.add_column("")
    table.add_column("seconds", justify="right")
    table.add_column(f"ratio to {base}", justify="right")
    for name, value in seconds.items():
        table.add_row(name, f"{value:.3f}", f"{value / seconds[base]:.2f}")
    console.print(table)


def main() -> None:
    """Measure and print."""
    console = Console()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print_ratios(console, "Synthesis", measure_synth(folder), "one bucket")
        functions = python_functions(folder / "reference.out")
        print_ratios(console, "Import of the Lambda handlers", measure_imports(functions), "boto3")


if __name__ == "__main__":
    main()
