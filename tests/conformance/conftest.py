"""Where conformance tests run: in a local cloud, or with `--aws` in a real account. See docs/conformance.md."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from personalize_local.cloud.client import LocalCloud
from personalize_local.cloud.process import free_port, start
from personalize_local.cloud.settings import CloudSettings
from tests.conformance.account import Account, clients
from tests.conformance.clean_up import CleanUp
from tools.facts import FACTS, Fact

ROOT = Path(__file__).resolve().parents[2]
REPORTS = ROOT / ".cache" / "conformance"
BUDGET = (
    "This creates billed resources in the account: below 0.10 USD without --with-training, below 15 USD with it, as "
    "long as everything is deleted at the end. Set an AWS budget with an alarm before you run it."
)
# The tests need these to be slow enough to be seen, and fast enough for a test run.
LOCAL_TIME_SCALE = 0.001
_FINDINGS = pytest.StashKey[list[tuple[Fact, Any]]]()
_RUN = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of a run against AWS."""
    group = parser.getgroup("conformance")
    group.addoption("--aws", action="store_true", help="run conformance tests in a real AWS account")
    group.addoption("--this-costs-money", action="store_true", help="confirm --aws")
    group.addoption("--with-training", action="store_true", help="with --aws: also the tests that train and serve")
    group.addoption("--aws-region", metavar="REGION", help="with --aws: the Region. Default: that of the credentials")
    group.addoption("--endpoint-url", metavar="URL", help="with --aws: another endpoint than that of AWS")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse what could cost money by accident."""
    config.addinivalue_line("markers", "training: needs a trained solution version, which takes an hour on AWS")
    config.stash[_FINDINGS] = []
    config.stash[_RUN] = f"conformance-{uuid.uuid4().hex[:8]}"
    if not _on_aws(config):
        return
    if not config.getoption("--this-costs-money"):
        raise pytest.UsageError(f"{BUDGET} Nothing was done; run it again with --this-costs-money.")
    if config.getoption("numprocesses", None):
        raise pytest.UsageError("--aws runs in one process: a dataset group is shared by all tests; leave out -n.")
    if not _region(config):
        raise pytest.UsageError("--aws needs a Region: give --aws-region, such as --aws-region eu-west-1.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On AWS what needs no training comes first, and the rest is left out unless it is asked for."""
    if not _on_aws(config):
        return
    items.sort(key=lambda item: item.get_closest_marker("training") is not None)
    if not config.getoption("--with-training"):
        for item in items:
            if item.get_closest_marker("training"):
                item.add_marker(pytest.mark.skip(reason="needs --with-training"))


@pytest.fixture(scope="session")
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    """The account; whatever happens to the tests, what they made in it is deleted at the end."""
    config = request.config
    run = config.stash[_RUN]
    if _on_aws(config):
        url = config.getoption("--endpoint-url")
        made = Account(clients(_region(config), url), run, *((0.02, 60) if url else (15, 4 * 3600)))
        caller = made.client("sts").get_caller_identity()
        with config.pluginmanager.get_plugin("capturemanager").global_and_fixture_disabled():
            print(f"\n{run} in account {caller['Account']}, {_region(config)}. {BUDGET}")
            print(f"If this is interrupted: {_later(config)}", flush=True)
        yield made
        _delete_all(made, config)
    else:
        with _local_cloud(request) as cloud:
            made = Account(cloud.client, run, 0.02, 60)
            yield made
            _delete_all(made, config)


@pytest.fixture
def settle(request: pytest.FixtureRequest) -> Callable[[str, Any], None]:
    """Say what the answer to an uncertain question is. In the local cloud it must be what the emulator assumes."""

    def record(fact_id: str, answer: Any) -> None:
        fact = FACTS[fact_id]
        request.config.stash[_FINDINGS].append((fact, answer))
        if not _on_aws(request.config):
            assert fact.agrees(answer), f"{fact_id}: uncertain.py says {fact.assumed!r}, the emulator does {answer!r}"

    return record


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """On AWS, say which uncertain facts were settled, and keep that in a file."""
    if not _on_aws(config):
        return
    findings = config.stash[_FINDINGS]
    write = terminalreporter.write_line
    terminalreporter.section("uncertain facts")
    for fact, answer in findings:
        verdict = "as assumed" if fact.agrees(answer) else f"DIFFERENT: uncertain.py assumes {fact.assumed!r}"
        write(f"{fact.id}: {answer!r}, {verdict}")
        write(f"    {fact.question}")
    settled = {fact.id for fact, _ in findings}
    write(f"not settled: {', '.join(sorted(FACTS.keys() - settled)) or 'none'}")
    REPORTS.mkdir(parents=True, exist_ok=True)
    file = REPORTS / f"{config.stash[_RUN]}.json"
    document = [
        {"fact": fact.id, "question": fact.question, "assumed": fact.assumed, "answer": answer}
        for fact, answer in findings
    ]
    file.write_text(json.dumps(document, indent=1, default=str) + "\n", encoding="utf-8")
    write(f"written to {file}")


@contextmanager
def _local_cloud(request: pytest.FixtureRequest) -> Iterator[LocalCloud]:
    log = request.getfixturevalue("tmp_path_factory").mktemp("conformance") / "cloud.log"
    process = start(CloudSettings(port=free_port(), time_scale=LOCAL_TIME_SCALE, exit_with_parent=True), log)
    try:
        yield LocalCloud(process.port, log)
    finally:
        process.stop()


def _on_aws(config: pytest.Config) -> bool:
    return bool(config.getoption("--aws", False))


def _region(config: pytest.Config) -> str:
    return config.getoption("--aws-region") or boto3.Session().region_name or ""


def _later(config: pytest.Config) -> str:
    url = config.getoption("--endpoint-url")
    more = f" --endpoint-url {url}" if url else ""
    return f"python -m tests.conformance.clean_up --region {_region(config)} --run {config.stash[_RUN]}{more}"


def _delete_all(account: Account, config: pytest.Config) -> None:
    try:
        problems = CleanUp(account.client, account.poll_seconds, account.patience).delete(account.run)
    except (BotoCoreError, ClientError) as error:
        problems = [str(error)]
    if problems:
        how = f"\nDelete it with: {_later(config)}" if _on_aws(config) else ""
        pytest.fail("what the tests made is not gone:\n" + "\n".join(problems) + how, pytrace=False)
