"""Follows a run of the workflow through the public APIs: what is imported, trained and deployed, and how it ended."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .errors import DemoError

SETTLED = frozenset({"ACTIVE", "CREATE FAILED", "CREATE STOPPED"})

Client = Callable[[str], Any]


@dataclass(frozen=True)
class Line:
    """One line of the display.

    :param kind: what is made: import, training, campaign
    :param name: of what
    :param status: in the words of the service, or "waiting"
    :param seconds: how long it takes, or took; None before it begins
    """

    kind: str
    name: str
    status: str = "waiting"
    seconds: float | None = None


class Run:
    """The runs of one workflow.

    :param client: makes a boto3 client of a service
    :param outputs: the outputs of the recommender stack
    """

    def __init__(self, client: Client, outputs: Mapping[str, str]) -> None:
        self._personalize = client("personalize")
        self._states = client("stepfunctions")
        self._outputs = outputs

    def lines(self) -> list[Line]:
        """What there is at the moment: one line per dataset, training and campaign."""
        return [*self._imports(), self._training(), self._campaign()]

    def result(self) -> Mapping[str, Any] | None:
        """What the last run reports; None while one is under way.

        :raises DemoError: when the run failed, or waits for data
        """
        found = self._states.list_executions(stateMachineArn=self._outputs["WorkflowArn"], maxResults=10)["executions"]
        if not found or any(execution["status"] == "RUNNING" for execution in found):
            return None
        for execution in sorted(found, key=lambda execution: execution["startDate"], reverse=True):
            told = self._states.describe_execution(executionArn=execution["executionArn"])
            if told["status"] != "SUCCEEDED":
                cause = told.get("cause") or told.get("error") or told["status"]
                raise DemoError(f"the run {told['name']} of the workflow failed ({' '.join(cause.split())}).")
            report: dict[str, Any] = json.loads(told["output"])
            if report["status"] == "WAITING":
                raise DemoError(f"the run of the workflow waits for {', '.join(report['waitingFor'])}.")
            if report["status"] != "QUEUED":
                return report
        return None

    def _imports(self) -> Iterator[Line]:
        group = self._outputs["DatasetGroupArn"]
        for dataset in self._personalize.list_datasets(datasetGroupArn=group)["datasets"]:
            name = dataset["datasetType"].lower()
            jobs = self._personalize.list_dataset_import_jobs(datasetArn=dataset["datasetArn"])["datasetImportJobs"]
            yield _line("import", name, jobs)

    def _training(self) -> Line:
        try:
            versions = self._personalize.list_solution_versions(solutionArn=self._outputs["SolutionArn"])
        except self._personalize.exceptions.ResourceNotFoundException:
            return Line("training", _name(self._outputs["SolutionArn"]))
        return _line("training", _name(self._outputs["SolutionArn"]), versions["solutionVersions"])

    def _campaign(self) -> Line:
        name = _name(self._outputs["CampaignArn"])
        try:
            campaign = self._personalize.describe_campaign(campaignArn=self._outputs["CampaignArn"])["campaign"]
        except self._personalize.exceptions.ResourceNotFoundException:
            return Line("campaign", name)
        return _line("campaign", name, [campaign])


def _name(arn: str) -> str:
    return arn.partition("/")[2]


def _line(kind: str, name: str, found: list[dict[str, Any]]) -> Line:
    """The line of the newest of what was found."""
    if not found:
        return Line(kind, name)
    newest = max(found, key=lambda one: one["creationDateTime"])
    end = newest["lastUpdatedDateTime"] if newest["status"] in SETTLED else datetime.now(UTC)
    return Line(kind, name, newest["status"], max((end - newest["creationDateTime"]).total_seconds(), 0.0))
