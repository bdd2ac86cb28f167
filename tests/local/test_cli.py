"""The command `personalize-local`, run as users run it."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from personalize_local.cloud.client import LocalCloud
from personalize_local.cloud.process import CloudProcess, free_port, is_healthy, start
from personalize_local.cloud.settings import CloudSettings, server_environment


@pytest.fixture
def command(tmp_path: Path) -> Iterator["Command"]:
    made = Command(tmp_path)
    yield made
    made.run("stop")


class Command:
    """`personalize-local` on one port, with a state directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.environment = {**os.environ, "XDG_STATE_HOME": str(directory)}

    def arguments(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "personalize_local.cli", *arguments, "--port", str(self.port)]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.arguments(*arguments), env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )


def process_group(leader: int) -> set[int]:
    """The processes of a group that are not zombies."""
    listed = subprocess.run(["ps", "-eo", "pid=,pgid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listed.splitlines()]
    return {int(pid) for pid, group, state in rows if int(group) == leader and not state.startswith("Z")}


def wait_until_gone(leader: int) -> None:
    deadline = time.monotonic() + 5
    while process_group(leader):
        assert time.monotonic() < deadline, process_group(leader)
        time.sleep(0.05)


def start_function(cloud: CloudProcess) -> None:
    """Make the local cloud run a Lambda function, which is a process of its own, for a minute."""
    script = f"""
import boto3, io, zipfile
buffer = io.BytesIO()
with zipfile.ZipFile(buffer, "w") as archive:
    archive.writestr("index.py", "import time\\ndef handler(event, context): time.sleep(60)")
client = boto3.client("lambda", endpoint_url="http://127.0.0.1:{cloud.port}", region_name="us-east-1",
                      aws_access_key_id="test", aws_secret_access_key="test")
client.create_function(FunctionName="sleeper", Runtime="python3.13", Handler="index.handler", Timeout=90,
                       Role="arn:aws:iam::000000000000:role/any", Code={{"ZipFile": buffer.getvalue()}})
client.invoke(FunctionName="sleeper", InvocationType="Event")
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
    deadline = time.monotonic() + 10
    while len(process_group(cloud.pid)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_detached_life(command: Command) -> None:
    began = time.monotonic()
    started = command.run("start", "--detach")
    assert started.returncode == 0, started.stderr
    assert time.monotonic() - began < 10
    assert f"export AWS_ENDPOINT_URL=http://127.0.0.1:{command.port}" in started.stdout
    shown = command.run("status")
    assert (shown.returncode, f"http://127.0.0.1:{command.port}" in shown.stdout) == (0, True)
    again = command.run("start", "--detach")
    assert again.returncode == 1
    assert "a local cloud runs there already" in again.stderr
    assert command.run("stop").returncode == 0
    assert command.run("status").returncode == 1
    assert command.run("stop").returncode == 1


def test_a_data_directory_survives(command: Command, tmp_path: Path) -> None:
    """Personalize alone with a directory, stopped and started again; `status` tells what there is."""
    data = tmp_path / "data"
    arguments = ("start", "--detach", "--only-personalize", "--data", str(data), "--time-scale", "0")
    assert command.run(*arguments).returncode == 0
    client = LocalCloud(command.port).client("personalize")
    client.create_dataset_group(name="films")
    shown = command.run("status").stdout
    assert "1 DatasetGroup" in shown
    assert re.search(rf"^data +{re.escape(str(data))}$", shown, re.MULTILINE)
    assert command.run("stop").returncode == 0
    assert command.run(*arguments).returncode == 0
    assert [group["name"] for group in client.list_dataset_groups()["datasetGroups"]] == ["films"]
    other = Command(tmp_path)
    refused = other.run(*arguments)
    assert (refused.returncode, refused.stderr.strip()) == (
        1,
        f"the data directory {data}/personalize is in use by another local cloud; stop that first",
    )


def test_quotas(command: Command) -> None:
    options = ("start", "--detach", "--only-personalize", "--time-scale", "0")
    wrong = command.run(*options, "--quota", "dataset_groups")
    assert (wrong.returncode, "a quota is NAME=NUMBER" in wrong.stderr) == (2, True)
    unknown = command.run(*options, "--quota", "groups=1")
    assert (unknown.returncode, unknown.stderr.startswith("unknown quotas ['groups'], there are [")) == (1, True)
    assert command.run(*options, "--quota", "dataset_groups=1", "--quota", "schemas=1").returncode == 0
    client = LocalCloud(command.port).client("personalize")
    client.create_dataset_group(name="one")
    with pytest.raises(client.exceptions.LimitExceededException, match="More than 1 resources in ACTIVE state"):
        client.create_dataset_group(name="two")


def test_a_port_in_use(command: Command) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", command.port))
        taken.listen()
        refused = command.run("start")
    assert refused.returncode == 1
    assert refused.stderr.strip() == (
        f"port {command.port} is in use; stop what uses it, or choose another one: "
        f"`personalize-local start --port {command.port + 1}`"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_foreground_command_takes_everything_with_it(command: Command, number: int) -> None:
    foreground = subprocess.Popen(
        command.arguments("start"), env=command.environment, stdout=subprocess.PIPE, start_new_session=True, text=True
    )
    assert foreground.stdout is not None
    for line in foreground.stdout:
        if "Ctrl-C" in line:
            break
    assert is_healthy(command.port)
    foreground.send_signal(number)
    foreground.wait(10)
    deadline = time.monotonic() + 5
    while is_healthy(command.port):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    foreground.stdout.close()


def test_stopping_ends_lambda_functions_and_removes_temporary_files(tmp_path: Path) -> None:
    cloud = start(CloudSettings(port=free_port()), tmp_path / "log")
    try:
        start_function(cloud)
    finally:
        cloud.stop()
    wait_until_gone(cloud.pid)
    assert not cloud.directory.exists()


def test_a_local_cloud_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    cloud = start(CloudSettings(port=free_port(), exit_with_parent=True), tmp_path / "log")
    try:
        start_function(cloud)
        assert cloud.child is not None
        assert cloud.child.stdin is not None
        cloud.child.stdin.close()  # what the kernel does when the parent is killed
        cloud.child.wait(10)
        wait_until_gone(cloud.pid)
    finally:
        cloud.stop()


def test_the_server_does_not_inherit_what_would_point_it_elsewhere(tmp_path: Path) -> None:
    inherited = {"PATH": "/bin", "AWS_PROFILE": "prod", "HTTPS_PROXY": "x", "SSL_CERT_FILE": "y", "AUTH": "true"}
    environment = server_environment(CloudSettings(port=1234, time_scale=0.5), inherited, tmp_path)
    assert environment["PATH"] == "/bin"
    assert not {"AWS_PROFILE", "HTTPS_PROXY", "SSL_CERT_FILE", "AUTH"} & environment.keys()
    assert (environment["GATEWAY_PORT"], environment["SFN_WAIT_SCALE"]) == ("1234", "0.5")


def test_settings_travel_to_the_server() -> None:
    fault = {"operation": "Create*", "code": "ThrottlingException", "rate": 0.05}
    settings = CloudSettings(
        port=1234,
        data="/data",
        only_personalize=True,
        quotas={"schemas": 2},
        limit_rates=True,
        seed=7,
        fail=(fault,),
    )
    assert CloudSettings.from_json(settings.to_json()) == settings


def test_a_project_sets_its_local_cloud_up(tmp_path: Path) -> None:
    """As users do: by a fixture in their conftest.py."""
    (tmp_path / "conftest.py").write_text(
        """
import pytest

@pytest.fixture(scope="session")
def personalize_local_settings():
    fault = {"operation": "CreateSchema", "code": "LimitExceededException"}
    return {"only_personalize": True, "time_scale": 0.5, "fail": [fault]}
"""
    )
    (tmp_path / "test_it.py").write_text(
        """
import pytest

def test_it(personalize_local):
    client = personalize_local.client("personalize")
    with pytest.raises(client.exceptions.LimitExceededException):
        client.create_schema(name="s", schema="{}")
    assert personalize_local.status()["time_scale"] == 0.5
"""
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stdout
    assert "1 passed" in ran.stdout


@pytest.mark.parametrize(("values", "message"), [({"port": 0}, "port"), ({"time_scale": -1.0}, "time scale")])
def test_settings_are_checked(values: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CloudSettings(**values)  # type: ignore[arg-type]


def test_the_pytest_plugin_imports_nothing_heavy() -> None:
    script = "import sys, personalize_local.pytest_plugin as p; print([m for m in sys.modules if m in %r])"
    heavy = ("boto3", "botocore", "ministack", "numpy", "typer", "rich")
    printed = subprocess.run([sys.executable, "-c", script % (heavy,)], capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "[]"
