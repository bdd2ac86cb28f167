"""Following a run through the public APIs, answered by stubs of botocore."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from demo.errors import DemoError
from demo.following import Line, Run

PREFIX = "arn:aws:personalize:us-east-1:000000000000"
OUTPUTS = {
    "DatasetGroupArn": f"{PREFIX}:dataset-group/films",
    "SolutionArn": f"{PREFIX}:solution/top-picks",
    "CampaignArn": f"{PREFIX}:campaign/live",
    "WorkflowArn": "arn:aws:states:us-east-1:000000000000:stateMachine:films",
}
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Stubs:
    """Clients that answer what they are told to."""

    def __init__(self) -> None:
        self._clients = {
            name: boto3.client(name, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
            for name in ("personalize", "stepfunctions")
        }
        self._stubbers = {name: Stubber(client) for name, client in self._clients.items()}
        for stubber in self._stubbers.values():
            stubber.activate()

    def client(self, name: str) -> Any:
        return self._clients[name]

    def answer(self, service: str, operation: str, answer: dict[str, Any]) -> None:
        self._stubbers[service].add_response(operation, answer)

    def refuse(self, service: str, operation: str, code: str) -> None:
        self._stubbers[service].add_client_error(operation, code)

    def executions(self, *reports: tuple[str, dict[str, Any]]) -> None:
        """Executions, newest first: their status, and output or cause."""
        listed = [
            {
                "executionArn": f"arn:aws:states:us-east-1:000000000000:execution:films:{number}",
                "stateMachineArn": OUTPUTS["WorkflowArn"],
                "name": f"run-{number}",
                "status": status,
                "startDate": BEGIN - timedelta(minutes=number),
            }
            for number, (status, _) in enumerate(reports)
        ]
        self.answer("stepfunctions", "list_executions", {"executions": listed})
        for execution, (_, told) in zip(listed, reports, strict=True):
            self.answer("stepfunctions", "describe_execution", {**execution, **told})


@pytest.fixture
def stubs() -> Stubs:
    return Stubs()


def output(status: str, **members: Any) -> tuple[str, dict[str, Any]]:
    return "SUCCEEDED", {"output": json.dumps({"status": status, **members})}


def test_before_anything_is_made(stubs: Stubs) -> None:
    stubs.answer("personalize", "list_datasets", {"datasets": []})
    stubs.refuse("personalize", "list_solution_versions", "ResourceNotFoundException")
    stubs.refuse("personalize", "describe_campaign", "ResourceNotFoundException")
    assert Run(stubs.client, OUTPUTS).lines() == [Line("training", "top-picks"), Line("campaign", "live")]


def test_one_line_per_dataset_training_and_campaign(stubs: Stubs) -> None:
    times = {"creationDateTime": BEGIN, "lastUpdatedDateTime": BEGIN + timedelta(seconds=7)}
    arn = f"{PREFIX}:dataset/films/ITEMS"
    stubs.answer("personalize", "list_datasets", {"datasets": [{"datasetArn": arn, "datasetType": "ITEMS"}]})
    jobs = [{"jobName": "one", "status": "CREATE FAILED", **times, "failureReason": "bad"}]
    stubs.answer("personalize", "list_dataset_import_jobs", {"datasetImportJobs": jobs})
    versions = [
        {"status": "ACTIVE", **times},
        {"status": "CREATE IN_PROGRESS", **times, "creationDateTime": BEGIN + timedelta(seconds=1)},
    ]
    stubs.answer("personalize", "list_solution_versions", {"solutionVersions": versions})
    stubs.answer("personalize", "describe_campaign", {"campaign": {"status": "ACTIVE", **times}})
    items, training, campaign = Run(stubs.client, OUTPUTS).lines()
    assert items == Line("import", "items", "CREATE FAILED", 7.0)
    assert (training.kind, training.status) == ("training", "CREATE IN_PROGRESS")
    assert campaign == Line("campaign", "live", "ACTIVE", 7.0)


def test_a_run_under_way_has_no_result(stubs: Stubs) -> None:
    stubs.executions(("RUNNING", {}), output("COMPLETED"))
    assert Run(stubs.client, OUTPUTS).result() is None


def test_the_result_is_that_of_the_newest_run_that_did_something(stubs: Stubs) -> None:
    stubs.executions(output("QUEUED"), output("COMPLETED", imported=["items"]))
    assert Run(stubs.client, OUTPUTS).result() == {"status": "COMPLETED", "imported": ["items"]}


def test_a_failed_run_tells_its_cause(stubs: Stubs) -> None:
    stubs.executions(("FAILED", {"error": "WorkflowFailed", "cause": "items: Input CSV\nusers: bad"}))
    with pytest.raises(DemoError, match=r"the run run-0 of the workflow failed \(items: Input CSV users: bad\)"):
        Run(stubs.client, OUTPUTS).result()


def test_a_run_that_waits_tells_for_what(stubs: Stubs) -> None:
    stubs.executions(output("WAITING", waitingFor=["items: no CSV file"]))
    with pytest.raises(DemoError, match="waits for items: no CSV file"):
        Run(stubs.client, OUTPUTS).result()
