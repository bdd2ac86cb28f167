"""The workflow's state machine for a run: what it accepts as input, and what it reports however it ends.

What the planning function would answer is put into its states.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from aws_cdk import Duration

from cdk_personalize.workflow import import_definition
from cdk_personalize.workflow.deadlines import Deadlines
from cdk_personalize.workflow.job_definition import job_definition
from cdk_personalize.workflow.run_definition import run_definition
from cdk_personalize.workflow.transitions import STARTED_BY
from personalize_local.cloud.client import LocalCloud
from tests.data_bucket import DataBucket
from tests.local.personalize.support import USERS_SCHEMA

from .conftest import StateMachines, machine, unique, wait_for

NOTHING: dict[str, Any] = {
    "imports": [],
    "deletions": [],
    "trainings": [],
    "solutions": [],
    "campaigns": [],
    "prunedSolutions": [],
    "jobs": [],
    "next": None,
}
LISTS = ("failures", "imported", "solutions", "warnings", "recommenders", "jobs", "stopped", "pruned")
JOB = "arn:aws:personalize:us-east-1:000000000000:dataset-import-job/none"
DATASET = "arn:aws:personalize:us-east-1:000000000000:dataset/films/ITEMS"
ITEMS = {"name": "items", "datasetArn": DATASET}
Planned = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def table(personalize_local: LocalCloud) -> str:
    name = unique("lock")
    personalize_local.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


@pytest.fixture(scope="module")
def imports_nothing(machines: StateMachines) -> str:
    check = "arn:aws:lambda:us-east-1:000000000000:function:check"
    return machines.create(
        import_definition.import_definition(
            partition="aws", deadlines=Deadlines(), check_function_arn=check, document={}
        )
    )


@pytest.fixture(scope="module")
def job_machine(machines: StateMachines) -> str:
    return machines.create(job_definition(partition="aws", deadlines=Deadlines()))


@pytest.fixture
def planned(table: str, personalize_local: LocalCloud, imports_nothing: str, job_machine: str) -> Planned:
    """The definition with the answers of the planning function."""
    for item in ("lock", "report"):
        personalize_local.client("dynamodb").delete_item(TableName=table, Key={"id": {"S": item}})

    def define(
        waiting: tuple[str, ...] = (),
        drift: tuple[str, ...] = (),
        import_machine: str | None = None,
        **plan: Any,
    ) -> dict[str, Any]:
        definition = run_definition(
            partition="aws",
            table_name=table,
            plan_function_arn="arn:aws:lambda:us-east-1:000000000000:function:plan",
            document={"bucket": "bucket", "key": "key"},
            solution_state_machine_arn="arn:aws:states:us-east-1:000000000000:stateMachine:solution",
            import_state_machine_arn=import_machine or imports_nothing,
            job_state_machine_arn=job_machine,
            deadlines=Deadlines(),
        )
        answer = {"plan": NOTHING | plan, "waitingFor": list(waiting), "drift": list(drift)}
        for state in definition["States"].values():
            if "lambda:invoke" in state.get("Resource", ""):
                next_state = state["Next"]
                state.clear()
                state.update({"Type": "Pass", "Assign": answer, "Next": next_state})
        return definition

    return define


def test_report_of_a_run_that_did_nothing(machines: StateMachines, planned: Planned) -> None:
    empty = {name: [] for name in LISTS}
    drift = ["campaign live is gone"]
    for waiting, status in ((), "COMPLETED"), (("items: no CSV file", "items: no CSV file"), "WAITING"):
        report = machines.output(planned(waiting=waiting, drift=tuple(drift)), {"trigger": "schedule"})
        assert report == {"status": status, "waitingFor": list(waiting[:1]), "drift": drift, **empty}


def test_report_of_a_failed_run_is_kept(
    machines: StateMachines, planned: Planned, table: str, personalize_local: LocalCloud
) -> None:
    imports = [{**ITEMS, "running": JOB, "runningIsWanted": True, "jobs": [], "left": 0}]
    ended = machines.run(planned(imports=imports))
    assert (ended["status"], ended["error"]) == ("FAILED", "WorkflowFailed")
    item = personalize_local.client("dynamodb").get_item(TableName=table, Key={"id": {"S": "report"}})["Item"]
    assert item["execution"]["S"] == ended["executionArn"]
    report = json.loads(item["report"]["S"])
    (failure,) = report["failures"]
    assert (report["status"], failure["name"], report["imported"]) == ("FAILED", "import of items", [])
    assert ended["cause"] == f"import of items: {failure['reason']}"


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        ({"reason": "none"}, "the input has reason; allowed are trigger, files, after, mode, rollback, AWS_"),
        ({"a": 1, "mode": "plan", "b": 2}, "the input has a, b; allowed are "),
        ({"mode": "sleep"}, "mode is sleep; allowed is plan"),
        (["trigger"], 'the input is ["trigger"]; it must be a JSON object'),
    ],
)
def test_an_input_that_would_be_misunderstood_is_refused(
    machines: StateMachines, planned: Planned, value: Any, cause: str
) -> None:
    ended = machines.run(planned(), value)
    assert (ended["status"], ended["error"]) == ("FAILED", "InputRefused")
    assert ended["cause"].startswith(cause)


def test_a_run_that_only_plans_leaves_the_lock_alone(
    machines: StateMachines, planned: Planned, table: str, personalize_local: LocalCloud
) -> None:
    assert machines.output(planned(status="PLANNED"), {"mode": "plan"}) == NOTHING | {"status": "PLANNED"}
    dynamodb = personalize_local.client("dynamodb")
    assert "Item" not in dynamodb.get_item(TableName=table, Key={"id": {"S": "lock"}})


def test_a_run_that_is_behind_another_leaves_a_mark(
    machines: StateMachines, planned: Planned, table: str, personalize_local: LocalCloud
) -> None:
    holder = machines.start(machines.create(machine({"Type": "Wait", "Seconds": 60})))
    dynamodb = personalize_local.client("dynamodb")
    dynamodb.put_item(TableName=table, Item={"id": {"S": "lock"}, "execution": {"S": holder}})
    try:
        ended = machines.run(planned())
        assert json.loads(ended["output"]) == {"status": "QUEUED", "behind": holder}
        item = dynamodb.get_item(TableName=table, Key={"id": {"S": "lock"}})["Item"]
        assert item == {"id": {"S": "lock"}, "execution": {"S": holder}, "again": {"S": ended["executionArn"]}}
    finally:
        machines.client.stop_execution(executionArn=holder)


def test_a_lock_that_was_not_given_back_is_taken_over_with_what_was_asked_for(
    machines: StateMachines, planned: Planned, table: str, personalize_local: LocalCloud
) -> None:
    holder = machines.run(machine({"Type": "Succeed"}))["executionArn"]
    dynamodb = personalize_local.client("dynamodb")
    item = {"id": {"S": "lock"}, "execution": {"S": holder}, "again": {"S": "a run that was queued"}}
    dynamodb.put_item(TableName=table, Item=item)
    ended = machines.run(planned())
    assert ended["status"] == "SUCCEEDED"
    item = dynamodb.get_item(TableName=table, Key={"id": {"S": "lock"}})["Item"]
    assert item == {"id": {"S": "lock"}, "execution": {"S": ended["executionArn"]}}


FILES = 24


@pytest.fixture(scope="module")
def additions(personalize_local: LocalCloud) -> Additions:
    """Files of one user each."""
    client, bucket = personalize_local.client("personalize"), DataBucket(personalize_local.client, unique("data"))
    group = client.create_dataset_group(name=unique("group"))["datasetGroupArn"]
    wait_for(lambda: client.describe_dataset_group(datasetGroupArn=group)["datasetGroup"]["status"] == "ACTIVE", group)
    schema = client.create_schema(name=unique("schema"), schema=USERS_SCHEMA)["schemaArn"]
    dataset = client.create_dataset(name=unique("users"), schemaArn=schema, datasetGroupArn=group, datasetType="Users")[
        "datasetArn"
    ]
    wait_for(lambda: client.describe_dataset(datasetArn=dataset)["dataset"]["status"] == "ACTIVE", dataset)
    for number in range(FILES):
        body = f"USER_ID,AGE\nu{number},{number}\n".encode()
        personalize_local.client("s3").put_object(Bucket=bucket.name, Key=f"{number:03}.csv", Body=body)
    return Additions(client, dataset, bucket)


@dataclass
class Additions:
    """What is added to a dataset, job by job."""

    client: Any
    dataset: str
    bucket: DataBucket

    def job(self, number: int, run: str) -> dict[str, Any]:
        name = f"{run}-{number:03}"
        create = {
            "JobName": name,
            "DatasetArn": self.dataset,
            "DataSource": {"DataLocation": f"s3://{self.bucket.name}/{number:03}.csv"},
            "RoleArn": self.bucket.role_arn,
            "ImportMode": "INCREMENTAL" if number else "FULL",
        }
        return {"create": create, "arn": f"{self.dataset.rsplit(':', 1)[0]}:dataset-import-job/{name}"}

    def imported(self, run: str) -> list[str]:
        pages = self.client.get_paginator("list_dataset_import_jobs").paginate(datasetArn=self.dataset)
        jobs = [job for page in pages for job in page["datasetImportJobs"] if job["jobName"].startswith(run)]
        return [job["jobName"] for job in sorted(jobs, key=lambda job: job["creationDateTime"])]

    def in_rounds(self, definition: dict[str, Any], run: str, page: int) -> dict[str, Any]:
        """A run whose planning function is asked for one round after the other; no files are checked."""
        jobs = [self.job(number, run) for number in range(FILES)]
        rounds = [
            {
                **NOTHING,
                "imports": [
                    {
                        "name": "users",
                        "running": None,
                        "datasetArn": self.dataset,
                        "runningIsWanted": False,
                        "jobs": jobs[first : first + page],
                        "left": max(0, FILES - first - page),
                    }
                ],
                "next": "imports" if first + page < FILES else None,
            }
            for first in range(0, FILES, page)
        ]
        none_left = {**NOTHING, "imports": []}
        states = definition["States"]
        states["Begin"]["Assign"] |= {"rounds": [*rounds, none_left]}
        # of a dataset whose import failed, no more is planned
        answer = "{% $rounds[$count($imports[$count(failures) > 0]) > 0 ? -1 : $round - 1] %}"
        states["Plan imports"]["Assign"] |= {"plan": answer}
        return definition


def unchecked(machines: StateMachines, deadlines: Deadlines) -> str:
    """The import state machine, without the check of files."""
    definition = import_definition.import_definition(
        partition="aws", deadlines=deadlines, check_function_arn="check", document={}
    )
    skipped = {"Type": "Pass", "Assign": {"importReason": ""}, "Next": "Imports refused?"}
    definition["States"]["Check imports"] = skipped
    return machines.create(definition)


def test_a_run_plans_and_imports_until_nothing_is_left(
    machines: StateMachines, planned: Planned, additions: Additions
) -> None:
    run = unique("all")
    definition = planned(import_machine=unchecked(machines, Deadlines()))
    report = machines.output(additions.in_rounds(definition, run, page=10))
    assert (report["status"], report["imported"], report["waitingFor"]) == ("COMPLETED", ["users"], [])
    assert additions.imported(run) == [f"{run}-{number:03}" for number in range(FILES)]


@pytest.mark.parametrize(
    ("deadlines", "reason"),
    [
        (
            {"imports": Duration.minutes(1)},
            "after 0.0166667 h, the deadline, {left} imports are left: run the workflow",
        ),
        ({}, "after as many imports as the history of a run has room for, {left} imports are left: run the workflow"),
    ],
)
def test_all_rounds_together_have_an_end(
    machines: StateMachines,
    planned: Planned,
    additions: Additions,
    monkeypatch: pytest.MonkeyPatch,
    deadlines: dict[str, Duration],
    reason: str,
) -> None:
    # each round is of one import, so what one has taken is remembered for the next
    monkeypatch.setattr(import_definition, "MOST_ROUNDS", 10)
    run = unique("some")
    machine = unchecked(machines, Deadlines(**deadlines))
    ended = machines.run(additions.in_rounds(planned(import_machine=machine), run, page=1))
    left = FILES - len(additions.imported(run))
    assert ended["cause"].startswith(f"import of users: {reason.format(left=left)}")
    assert 0 < left < FILES - 1


def job(name: str) -> dict[str, Any]:
    """A job under way that there is not, so that following it fails."""
    arn = f"arn:aws:personalize:us-east-1:000000000000:dataset-export-job/{name}"
    return {"name": name, "kind": "DatasetExportJob", "running": arn, "create": None, "createArn": None, "output": None}


def children(machines: StateMachines, machine: str, run: str) -> list[dict[str, Any]]:
    """The executions of a machine that a run started."""
    listed = machines.client.list_executions(stateMachineArn=machine)["executions"]
    found = [machines.client.describe_execution(executionArn=each["executionArn"]) for each in listed]
    return [each for each in found if json.loads(each["input"])[STARTED_BY] == run]


def test_what_a_child_of_the_run_tells_is_of_the_run(machines: StateMachines, planned: Planned) -> None:
    imports = [{**ITEMS, "running": JOB, "runningIsWanted": True, "jobs": [], "left": 0}]
    ended = machines.run(planned(imports=imports, jobs=[job("Backup")]))
    failed = [(each["resource"], each["name"], each["change"]) for each in machines.events.of(ended["executionArn"])]
    assert failed == [("dataset", "items", "IMPORT_FAILED"), ("job", "Backup", "FAILED")]
    [first, _] = machines.events.of(ended["executionArn"])
    assert first["workflow"] == ended["stateMachineArn"].rpartition(":")[2]
    assert (first["arn"], first["datasetImportJobArn"]) == (DATASET, JOB)
    assert first["reason"].partition(":")[0] == "Personalize.ResourceNotFoundException"


def test_a_start_that_the_service_was_too_busy_for_is_tried_again(
    machines: StateMachines, planned: Planned, personalize_local: LocalCloud, job_machine: str
) -> None:
    personalize_local.fail("states:StartExecution", code="ThrottlingException", times=2)
    ended = machines.run(planned(jobs=[job("Backup")]))
    personalize_local.forget_faults()
    assert ended["cause"].startswith("job Backup: Personalize.ResourceNotFoundException")
    assert len(children(machines, job_machine, ended["executionArn"])) == 1


def test_an_execution_whose_start_was_not_answered_is_read(
    machines: StateMachines, planned: Planned, job_machine: str
) -> None:
    """It has ended by the time its start is tried again: here it is started before the run does."""
    definition = planned(jobs=[job("Backup")])
    states = definition["States"]["Jobs"]["ItemProcessor"]["States"]
    again = json.loads(json.dumps(states["Run job"]))
    again |= {"Next": "Run job", "Output": "{% $states.input %}"}
    del again["End"]
    states["Begin job"]["Next"] = "Run job before"
    states["Run job before"] = again

    ended = machines.run(definition)

    assert ended["cause"].startswith("job Backup: Personalize.ResourceNotFoundException")
    assert len(children(machines, job_machine, ended["executionArn"])) == 1
    changes = [each["change"] for each in machines.events.of(ended["executionArn"])]
    assert changes == ["FAILED"]


def test_an_execution_that_broke_off_is_told_and_not_run_again(
    machines: StateMachines, planned: Planned, job_machine: str
) -> None:
    misunderstood = {"name": "Backup", "running": None, "create": {}, "createArn": "arn:backup"}
    ended = machines.run(planned(jobs=[misunderstood]))
    assert ended["cause"].startswith("job Backup: States.TaskFailed: ")
    [child] = children(machines, job_machine, ended["executionArn"])
    assert child["status"] == "FAILED"
    [event] = machines.events.of(ended["executionArn"])
    assert (event["resource"], event["change"], event["arn"]) == ("job", "RUN_FAILED", "arn:backup")
