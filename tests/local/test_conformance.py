"""Conformance tests are safe to run in a real account: they ask first, and what they make goes, whatever happens.

A local cloud plays the real account.
"""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from personalize_local.cloud.client import LocalCloud
from tests.conformance.account import Account
from tests.conformance.clean_up import CleanUp
from tools.documents import DOCS, blocks, commands
from tools.facts import FACTS, Fact

ROOT = Path(__file__).resolve().parents[2]
# What the page says can be run: tests, and cleaning up.
LOCALLY, WITHOUT_TRAINING, WITH_TRAINING, LIST, ONE_RUN, ALL_RUNS = [
    command for block in blocks(DOCS / "conformance.md", "sh") for command in commands(block)
]
BROKEN = """
def test_broken(account):
    assert account.tracker and account.bucket and account.solution
    account.create("Filter", wait=False, datasetGroupArn=account.group,
                   filterExpression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")')
    raise RuntimeError("something went wrong in the middle")
"""


def run(cloud: LocalCloud, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=cloud.subprocess_environment,
        capture_output=True,
        text=True,
        check=False,
    )


def as_on_the_page(cloud: LocalCloud, command: list[str], *more: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the page with the local cloud in the place of AWS."""
    arguments = command[2:] if command[0] == "python" else command
    return run(cloud, *arguments, "--endpoint-url", cloud.endpoint_url, *more)


def run_tests(cloud: LocalCloud, *arguments: str) -> subprocess.CompletedProcess[str]:
    options = ("--aws", "--endpoint-url", cloud.endpoint_url, "-p", "no:cacheprovider", "-q")
    return run(cloud, "pytest", *options, *arguments)


@pytest.fixture
def account(personalize_local: LocalCloud) -> Account:
    return Account(personalize_local.client, f"conformance-{uuid.uuid4().hex[:8]}", 0.02, 20)


def clean_up(cloud: LocalCloud, patience: float = 20) -> CleanUp:
    return CleanUp(cloud.client, 0.02, patience, say=lambda text: None)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "Nothing was done; run it again with --this-costs-money"),
        (("--this-costs-money", "-n", "2"), "--aws runs in one process"),
    ],
)
def test_a_run_that_is_refused(personalize_local: LocalCloud, arguments: tuple[str, ...], told: str) -> None:
    since = max((call["number"] for call in personalize_local.calls()), default=0)
    done = run_tests(personalize_local, *arguments, "tests/conformance")
    assert (done.returncode, told in done.stderr) == (pytest.ExitCode.USAGE_ERROR, True), done.stdout + done.stderr
    assert personalize_local.calls(since=since) == []


def test_what_a_broken_test_made_is_deleted(personalize_local: LocalCloud, tmp_path: Path) -> None:
    broken = tmp_path / "test_broken.py"
    broken.write_text(BROKEN)
    since = max((call["number"] for call in personalize_local.calls()), default=0)
    done = run_tests(personalize_local, "--this-costs-money", "-p", "tests.conformance.conftest", str(broken))
    assert "something went wrong in the middle" in done.stdout
    assert (done.returncode, "1 failed" in done.stdout) == (pytest.ExitCode.TESTS_FAILED, True), done.stdout
    deleted = [call["operation"] for call in personalize_local.calls("Delete*", since=since) if not call["error"]]
    assert list(dict.fromkeys(deleted)) == [
        "DeleteSolution",
        "DeleteFilter",
        "DeleteEventTracker",
        "DeleteDataset",
        "DeleteDatasetGroup",
        "DeleteSchema",
    ]
    assert clean_up(personalize_local).find() == {}


def test_the_tests_of_the_page() -> None:
    """The first command needs no account; `tests/conformance` itself is part of every run of all tests."""
    assert LOCALLY == ["pytest", "tests/conformance"]
    assert [*WITHOUT_TRAINING, "--with-training"] == WITH_TRAINING


def test_a_run_says_what_it_settled(personalize_local: LocalCloud) -> None:
    chosen = ("-k", "second_event_tracker or automatic_training_by", "-p", "no:cacheprovider", "-q")
    done = as_on_the_page(personalize_local, WITHOUT_TRAINING, *chosen)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed, 1 skipped" in done.stdout
    assert "in account 000000000000, eu-west-1. This creates billed resources" in done.stdout
    assert "If this is interrupted: python -m tests.conformance.clean_up --region eu-west-1 --run conf" in done.stdout
    assert "second_event_tracker_error: 'LimitExceededException', as assumed" in done.stdout
    assert "not settled: " in done.stdout
    settled = done.stdout.partition("not settled: ")[2].partition("\n")[0].split(", ")
    assert set(settled) == FACTS.keys() - {"second_event_tracker_error"}


def test_cleaning_up_later(personalize_local: LocalCloud) -> None:
    """By the commands of the page."""

    def client(service: str) -> Any:
        return personalize_local.client(service, region=LIST[LIST.index("--region") + 1])

    accounts = [Account(client, f"conformance-{uuid.uuid4().hex[:8]}", 0.02, 20) for _ in range(2)]
    others = client("personalize").create_schema(
        name=f"conformance-of-others-{accounts[0].run}",
        schema=accounts[0].describe("Schema", accounts[0].schema)["schema"],
    )["schemaArn"]
    for account in accounts:
        assert account.dataset
    listed = as_on_the_page(personalize_local, LIST)
    for account in accounts:
        assert f"{account.run}: DatasetGroup {account.group}" in listed.stdout
    assert (listed.returncode, others in listed.stdout) == (1, False)
    left = CleanUp(client, 0.02, 20, say=lambda text: None)
    deleted = as_on_the_page(personalize_local, [*ONE_RUN[:-1], accounts[0].run])
    assert deleted.returncode == 0, deleted.stderr
    assert left.find(accounts[0].run) == {}
    assert left.find(accounts[1].run)
    deleted = as_on_the_page(personalize_local, ALL_RUNS)
    assert deleted.returncode == 0, deleted.stderr
    assert left.find() == {}
    assert accounts[0].describe("Schema", others)
    refused = as_on_the_page(personalize_local, [*ONE_RUN[:-1], ""])
    assert (refused.returncode, "a run is conformance- and eight" in refused.stderr.replace("\n", " ")) == (2, True)
    client("personalize").delete_schema(schemaArn=others)


def test_what_cannot_be_deleted_is_told(personalize_local: LocalCloud, account: Account) -> None:
    assert account.tracker
    personalize_local.fail("DeleteEventTracker", code="ResourceInUseException", message="busy", times=1000)
    problems = clean_up(personalize_local, patience=0.3).delete(account.run)
    personalize_local.reset()
    kinds = [problem.partition(" ")[0] for problem in problems]
    assert (kinds[0], "DatasetGroup" in kinds) == ("EventTracker", True)
    assert problems[0].startswith(f"EventTracker {account.tracker}: ")
    assert "busy" in problems[0]


def test_a_deletion_that_fails_for_a_while(personalize_local: LocalCloud, account: Account) -> None:
    assert account.tracker
    personalize_local.fail("DeleteEventTracker", code="ResourceInUseException", message="busy", times=3)
    assert clean_up(personalize_local).delete(account.run) == []


@pytest.mark.parametrize(
    ("assumed", "answer", "agrees"),
    [
        (True, True, True),
        (True, False, False),
        ("LimitExceededException", "LimitExceededException", True),
        ("LimitExceededException", None, False),
        ("fewer than {minimum} (all).", "fewer than 1000 (all).", True),
        ("fewer than {minimum} (all).", "fewer than 1000 (all)!", False),
    ],
)
def test_agreement(assumed: Any, answer: Any, agrees: bool) -> None:
    assert Fact("f", "?", assumed).agrees(answer) is agrees


def test_every_fact_has_a_question() -> None:
    assert all(len(fact.question) > 20 for fact in FACTS.values())
    assert FACTS["second_event_tracker_error"].question.startswith("the error when a dataset group has")
    assert FACTS["CLOUDFORMATION_REF"].assumed == "ARN"
