"""What the pages about the local cloud say can be done literally: commands, programs, tests and tables."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from personalize_local.cloud.client import LocalCloud
from personalize_local.cloud.process import free_port
from personalize_local.personalize import Fault
from tools.documents import DOCS, blocks, commands
from tools.synthesized import ROOT

PAGE = DOCS / "local-cloud.md"
BENCHMARKS = ROOT / "benchmarks" / "README.md"
USE, OTHER_ACCOUNT = [block for block in blocks(PAGE, "sh") if "aws personalize" in block]
STARTS = [command for block in blocks(PAGE, "sh") for command in commands(block) if command[0] == "personalize-local"]
# An assembly as the CDK makes it, so that no app has to be synthesized here.
STACK = {"Resources": {"Parameter": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "v"}}}}
MANIFEST = {
    "version": "36.0.0",
    "artifacts": {
        "Films": {
            "type": "aws:cloudformation:stack",
            "environment": "aws://000000000000/us-east-1",
            "properties": {"templateFile": "Films.template.json", "validateOnSynth": False},
            "displayName": "Films",
        }
    },
}


class Shell:
    """A user's shell in an empty folder, with the commands of this environment and a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.environment = {
            **kept,
            "PATH": path,
            "XDG_STATE_HOME": str(folder / "state"),
            "AWS_PAGER": "",
            "AWS_CONFIG_FILE": "/nonexistent",
            "CI": "true",
            "CDK_DISABLE_CLI_TELEMETRY": "true",
        }

    def run(self, script: str, **variables: str) -> str:
        """Run a script of the page; what it printed."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script.replace("4566", str(self.port))],
            cwd=self.folder,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, command: list[str]) -> str:
        """Run a command that stays until Ctrl-C, and press that when it answers; what it printed."""
        with subprocess.Popen(
            [*command, "--port", str(self.port)],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout is not None
            said = ""
            while "Ctrl-C stops it." not in said:
                line = process.stdout.readline()
                assert line, said
                said += line
            process.send_signal(signal.SIGINT)
            said += process.stdout.read()
        assert process.returncode == 0, said
        return said


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    made = Shell(tmp_path)
    yield made
    subprocess.run(
        [sys.executable, "-m", "personalize_local.cli", "stop", "--port", str(made.port)],
        env=made.environment,
        capture_output=True,
        check=False,
    )


def test_all_commands_of_the_page_are_known() -> None:
    """A new block is run by a test here, or fails this one."""
    first, *others = blocks(PAGE, "sh")
    assert [line.partition(" #")[0].strip() for line in first.splitlines()] == [
        "personalize-local start",
        "personalize-local start --detach",
        "personalize-local status",
        "personalize-local stop",
    ]
    assert others == ["\n".join(map(" ".join, STARTS[4:5])) + "\n", " ".join(STARTS[5]) + "\n", USE, OTHER_ACCOUNT]
    assert len(blocks(PAGE, "python")) == 4
    assert len(blocks(PAGE, "js")) == 1
    assert [page.name for page in sorted(DOCS.glob("[fr]*.md")) if "```" in page.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize("command", [STARTS[0], *STARTS[4:]], ids=" ".join)
def test_starting_it_until_ctrl_c(shell: Shell, command: list[str]) -> None:
    said = shell.start(command)
    assert f"The local cloud answers on http://127.0.0.1:{shell.port}" in said
    if "--data" in command:
        assert (shell.folder / "local-cloud" / "personalize" / "state.sqlite").exists()


def test_using_it_from_a_shell(shell: Shell) -> None:
    """The variables that are printed are those of the page, and the AWS CLI and the CDK CLI follow them."""
    said = shell.run(f"{' '.join(STARTS[1])} --port 4566")
    printed = dict(re.findall(r"^  export (\w+)=(\S+)$", said, re.MULTILINE))
    exported = dict(re.findall(r"(AWS_\w+)=(\S+)", USE.replace("4566", str(shell.port))))
    assert exported.items() <= printed.items()
    for name, value in (("manifest.json", MANIFEST), ("Films.template.json", STACK)):
        (shell.folder / name).write_text(json.dumps(value))
    (shell.folder / "cdk.json").write_text('{"app": "."}')
    (shell.folder / "node_modules").symlink_to(ROOT / "node_modules")
    client = LocalCloud(shell.port).client("personalize")
    client.create_dataset_group(name="films")
    others = 'test "$(aws personalize list-dataset-groups --query "length(datasetGroups)")" = 1\n'
    shell.run(USE + others)
    assert LocalCloud(shell.port).client("cloudformation").describe_stacks(StackName="Films")["Stacks"]
    exports = "".join(line for line in USE.splitlines(keepends=True) if line.startswith("export"))
    assert json.loads(shell.run(exports + OTHER_ACCOUNT)) == {"datasetGroups": []}
    told = shell.run(f"{' '.join(STARTS[2])} --port 4566")
    assert [line.split("  ")[0] for line in told.splitlines()] == [
        "endpoint",
        "process",
        "log",
        "data",
        "time scale",
        "resources",
        "calls",
    ]
    assert f"stopped the local cloud on port {shell.port}" in shell.run(f"{' '.join(STARTS[3])} --port 4566")


def test_clients_without_variables(personalize_local: LocalCloud, tmp_path: Path) -> None:
    python = blocks(PAGE, "python")[0].replace("4566", str(personalize_local.port))
    names: dict[str, Any] = {}
    exec(compile(python, PAGE.name, "exec"), names)
    assert names["personalize"].list_recipes()["recipes"]
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    script = tmp_path / "program.mjs"
    (javascript,) = blocks(PAGE, "js")
    script.write_text(
        javascript.replace("4566", str(personalize_local.port))
        + 'import { ListRecipesCommand } from "@aws-sdk/client-personalize";\n'
        + "console.log((await personalize.send(new ListRecipesCommand({}))).recipes.length);\n"
    )
    node = shutil.which("node")
    assert node
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run([node, script], capture_output=True, text=True, env=kept, check=False)
    assert int(done.stdout or 0) > 10, done.stderr


def test_a_project_tests_with_it(tmp_path: Path) -> None:
    """The tests of the page pass with its conftest.py."""
    _, recommends, conftest, bad_day = blocks(PAGE, "python")
    (tmp_path / "conftest.py").write_text(conftest)
    (tmp_path / "test_it.py").write_text(recommends + "\n\n" + bad_day)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert "2 passed" in done.stdout, done.stdout


def named_in_table(heading: str) -> set[str]:
    """The code in the first column of a table of the page."""
    (rows,) = re.findall(rf"^\| {heading} \|.*\n\|---.*\n((?:\|.*\n)+)", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {name for row in rows.splitlines() for name in re.findall(r"`(\w+)", row.split("|")[1])}


def test_the_tables_name_what_there_is() -> None:
    there = {name for name in [*dir(LocalCloud), *LocalCloud.__dataclass_fields__] if not name.startswith("_")}
    assert named_in_table("Member") == there - {"port"}
    effects = {"code", "message", "status", "failure_reason", "delay_seconds", "stale_seconds"}
    assert named_in_table("Parameter") == effects
    assert effects < {member.name for member in fields(Fault)}


@pytest.mark.parametrize(
    "command", re.findall(r"`python -m (benchmarks\.[^`]+)`", BENCHMARKS.read_text(encoding="utf-8"))
)
def test_commands_of_benchmarks(command: str) -> None:
    """They take the options that the page gives them; how long they take is nothing for a test."""
    name, *options = command.split()
    app = typer.Typer()
    app.command()(importlib.import_module(name).main)
    told = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})
    assert told.exit_code == 0, told.output
    assert [option for option in options if option.startswith("--") and option not in told.output] == []
