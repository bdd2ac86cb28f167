"""The state machines: valid, and calling only what the service's own models know."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from cdk_personalize.workflow.deadlines import Deadlines
from cdk_personalize.workflow.import_definition import import_definition
from cdk_personalize.workflow.job_definition import job_definition
from cdk_personalize.workflow.recommender_definition import recommender_definition
from cdk_personalize.workflow.run_definition import run_definition
from cdk_personalize.workflow.solution_definition import REFUSED, VERDICT_TAG, solution_definition
from cdk_personalize.workflow.states import retry_until
from cdk_personalize.workflow.transitions import DETAIL_TYPE, EVENT_SOURCE, TRANSITIONS, tell
from personalize_lambda.planner import world
from personalize_lambda.workflow import finish

ROOT = Path(__file__).parents[3]
VALIDATOR = ROOT / "node_modules" / ".bin" / "asl-validator"
# Step Functions' names of the services whose model has another name
SERVICES = {"sfn": "stepfunctions"}

DEFINITIONS = {
    "import": import_definition(
        partition="aws",
        deadlines=Deadlines(),
        check_function_arn="arn:aws:lambda:us-east-1:000000000000:function:check",
        document={"bucket": "bucket", "key": "key"},
    ),
    "job": job_definition(partition="aws", deadlines=Deadlines()),
    "recommender": recommender_definition(partition="aws", deadlines=Deadlines()),
    "run": run_definition(
        partition="aws",
        table_name="lock",
        plan_function_arn="arn:aws:lambda:us-east-1:000000000000:function:plan",
        document={"bucket": "bucket", "key": "key"},
        import_state_machine_arn="arn:aws:states:us-east-1:000000000000:stateMachine:import",
        solution_state_machine_arn="arn:aws:states:us-east-1:000000000000:stateMachine:solution",
        job_state_machine_arn="arn:aws:states:us-east-1:000000000000:stateMachine:job",
        deadlines=Deadlines(),
    ),
    "run of a domain": run_definition(
        partition="aws",
        table_name="lock",
        plan_function_arn="arn:aws:lambda:us-east-1:000000000000:function:plan",
        document={"bucket": "bucket", "key": "key"},
        import_state_machine_arn="arn:aws:states:us-east-1:000000000000:stateMachine:import",
        solution_state_machine_arn="arn:aws:states:us-east-1:000000000000:stateMachine:solution",
        job_state_machine_arn="arn:aws:states:us-east-1:000000000000:stateMachine:job",
        recommender_state_machine_arn="arn:aws:states:us-east-1:000000000000:stateMachine:recommender",
        deadlines=Deadlines(),
    ),
    "solution": solution_definition(partition="aws", deadlines=Deadlines()),
}


def all_states(definition: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in definition["States"].items():
        yield name, state
        if "ItemProcessor" in state:
            yield from all_states(state["ItemProcessor"])


@pytest.mark.parametrize("name", DEFINITIONS)
def test_definition_is_valid_amazon_states_language(name: str, tmp_path: Path) -> None:
    path = tmp_path / "definition.json"
    path.write_text(json.dumps(DEFINITIONS[name]))
    result = subprocess.run(
        [VALIDATOR, "--json-path", path], capture_output=True, text=True, check=False, cwd=ROOT, timeout=60
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_validator_refuses_a_broken_definition(tmp_path: Path) -> None:
    path = tmp_path / "definition.json"
    path.write_text(json.dumps({**DEFINITIONS["run"], "StartAt": "Nowhere"}))
    result = subprocess.run([VALIDATOR, "--json-path", path], capture_output=True, check=False, cwd=ROOT, timeout=60)
    assert result.returncode != 0


@pytest.mark.parametrize("name", DEFINITIONS)
def test_state_names_are_unique_in_the_whole_machine(name: str) -> None:
    names = [state for state, _ in all_states(DEFINITIONS[name])]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_integrations_call_operations_with_arguments_that_the_models_know(name: str) -> None:
    session = botocore.session.get_session()
    checked = 0
    for title, state in all_states(DEFINITIONS[name]):
        match = re.search(r":aws-sdk:(\w+):(\w+)$", state.get("Resource", ""))
        if not match:
            continue
        service, operation = match.groups()
        model = session.get_service_model(SERVICES.get(service, service))
        shape = model.operation_model(operation[0].upper() + operation[1:]).input_shape
        if isinstance(state["Arguments"], dict):
            known = {member[0].upper() + member[1:] for member in shape.members}
            assert set(state["Arguments"]) <= known, title
            required = {member[0].upper() + member[1:] for member in shape.required_members}
            assert required <= set(state["Arguments"]), title
        checked += 1
    assert checked >= 2


def _variables(definition: dict[str, Any]) -> set[str]:
    """The variables that are assigned in a scope, not in the scopes within it."""
    names: set[str] = set()
    for state in definition["States"].values():
        for holder in (state, *state.get("Catch", []), *state.get("Choices", [])):
            names |= set(holder.get("Assign", {}))
    return names


def _scopes(definition: dict[str, Any], outer: set[str]) -> Iterator[tuple[set[str], set[str]]]:
    own = _variables(definition)
    yield outer, own
    for state in definition["States"].values():
        if "ItemProcessor" in state:
            yield from _scopes(state["ItemProcessor"], outer | own)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_inner_scopes_do_not_assign_variables_of_outer_ones(name: str) -> None:
    """Step Functions refuses a definition that does."""
    for outer, own in _scopes(DEFINITIONS[name], set()):
        assert not outer & own


def test_every_task_is_retried_and_every_branch_catches() -> None:
    for definition in DEFINITIONS.values():
        for title, state in all_states(definition):
            if state["Type"] == "Task":
                assert state["Retry"], title


def test_what_dynamodb_answers_when_it_is_at_fault_or_busy_is_retried() -> None:
    """Errors that the service's model names do not arrive as DynamoDbException."""
    model = botocore.session.get_session().get_service_model("dynamodb")
    passing = {"InternalServerError", "ProvisionedThroughputExceeded", "RequestLimitExceeded", "Throttling"}
    checked = 0
    for title, state in all_states(DEFINITIONS["run"]):
        _, _, call = state.get("Resource", "").partition("aws-sdk:dynamodb:")
        if not call:
            continue
        errors = {shape.name.removesuffix("Exception") for shape in model.operation_model(_title(call)).error_shapes}
        retried = {name for rule in state["Retry"] for name in rule["ErrorEquals"]}
        assert {f"DynamoDb.{name}Exception" for name in errors & passing} <= retried, title
        checked += len(errors & passing)
    assert checked


def _title(operation: str) -> str:
    return operation[0].upper() + operation[1:]


def told() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """All events: the machine, the name of the state that sends it, and the state."""
    for name, definition in DEFINITIONS.items():
        for title, state in all_states(definition):
            if state.get("Resource", "").endswith(":events:putEvents"):
                yield name, title, state


def test_every_transition_of_the_table_is_told_and_no_other() -> None:
    details = [state["Arguments"]["Entries"][0]["Detail"] for _, _, state in told()]
    known = {(transition.resource, transition.change): transition.members for transition in TRANSITIONS}
    assert len(known) == len(TRANSITIONS)
    assert {(detail["resource"], detail["change"]) for detail in details} == set(known)
    everywhere = ["workflow", "execution", "resource", "name", "arn", "change"]
    for detail in details:
        assert sorted(detail) == sorted([*everywhere, *known[detail["resource"], detail["change"]]])


def test_a_transition_that_is_not_in_the_table_cannot_be_told() -> None:
    of = {"partition": "aws", "next_state": "Next", "name": "$name", "arn": "$arn"}
    for change, members in (("MOVED", {}), ("FAILED", {}), ("DELETED", {"reason": "$reason"})):
        with pytest.raises(ValueError, match=f"the event campaign {change} with .* is not one of the TRANSITIONS"):
            tell("campaign", change, **of, **members)


def test_failures_and_nothing_else_are_told_with_a_reason() -> None:
    for transition in TRANSITIONS:
        assert transition.change.endswith("FAILED") == ("reason" in transition.members), transition


def test_an_event_that_cannot_be_sent_stops_nothing() -> None:
    """It is tried for some seconds; then its state leads where it leads when it was sent."""
    model = botocore.session.get_session().get_service_model("events").operation_model("PutEvents").input_shape
    for name, title, state in told():
        [entry] = state["Arguments"]["Entries"]
        assert set(entry) <= set(model.members["Entries"].member.members), (name, title)
        assert state["Catch"] == [{"ErrorEquals": ["States.ALL"], "Next": state["Next"]}], (name, title)
        assert sum(rule["MaxAttempts"] * rule["MaxDelaySeconds"] for rule in state["Retry"]) <= 15


def test_the_finishing_function_sends_events_of_the_same_kind() -> None:
    assert (finish.EVENT_SOURCE, finish.CHANGE_EVENT) == (EVENT_SOURCE, DETAIL_TYPE)


def test_the_documentation_lists_all_transitions() -> None:
    rows = [
        f"| {transition.resource} | `{transition.change}` | {transition.when} | "
        f"{', '.join(f'`{member}`' for member in transition.members)} |"
        for transition in TRANSITIONS
    ]
    lines = (ROOT / "docs" / "workflow.md").read_text().splitlines()
    head = lines.index("| Resource | Change | When | What belongs to it |")
    found = list(itertools.takewhile(lambda line: line.startswith("|"), lines[head + 2 :]))
    assert [row.replace("|  |", "| |") for row in rows] == found


def test_an_execution_that_is_started_twice_is_one() -> None:
    """A start that the service was too busy for is tried again under the same name and with the same input."""
    starts = [
        state
        for name in ("run", "run of a domain")
        for _, state in all_states(DEFINITIONS[name])
        if "startExecution" in state.get("Resource", "")
    ]
    assert len(starts) == 4 + 5
    for state in starts:
        retried = {error for rule in state["Retry"] for error in rule["ErrorEquals"]}
        assert retried >= {"StepFunctions.AWSStepFunctionsException", "StepFunctions.SdkClientException"}
        # a child that failed is not run twice
        assert not retried & {"States.ALL", "States.TaskFailed"}
        assert "RetryCount" not in json.dumps(state["Arguments"])
        assert state["Arguments"]["Name"] == "{% $childName %}"
        already, broken = state["Catch"]
        assert already["ErrorEquals"] == ["StepFunctions.ExecutionAlreadyExistsException"]
        assert broken["ErrorEquals"] == ["States.ALL"]


def test_training_is_begun_again_at_once_only_where_the_answer_says_that_nothing_was_begun() -> None:
    state = DEFINITIONS["solution"]["States"]["Create solution version"]
    assert [rule["ErrorEquals"] for rule in state["Retry"]] == [
        ["Personalize.LimitExceededException", "Personalize.ResourceInUseException"]
    ]
    refused, unclear = state["Catch"]
    assert refused["Next"] == "Training failed"
    assert unclear["ErrorEquals"] == ["States.ALL"]
    assert unclear["Next"] == "Wait for solution versions"


def test_a_solution_is_trained_and_served_even_if_its_update_fails() -> None:
    states = DEFINITIONS["solution"]["States"]
    (catcher,) = states["Update solution"]["Catch"]
    assert (catcher["ErrorEquals"], catcher["Next"]) == (["States.ALL"], "Update failed")
    assert states["Update failed"]["Next"] == "Failed update noted"
    assert states["Failed update noted"]["Next"] == "Train?"
    assert states["Done"]["Output"]["failures"].startswith("{% $append($problems, [")
    for name in ("Failed gate noted", "Failed solution noted", "Failed training noted"):
        assert states[name]["Assign"]["problems"].startswith("{% $append($problems, [")


def test_tags_that_say_whether_a_version_serves_are_those_that_the_planner_reads() -> None:
    assert (VERDICT_TAG, REFUSED) == (world.VERDICT_TAG, world.REFUSED)


def test_a_rollback_does_not_wait_for_another_run() -> None:
    """The run that is started once that one has ended would not know what was asked for."""
    first, second = DEFINITIONS["run"]["States"]["Holder running?"]["Choices"]
    assert "$exists($states.context.Execution.Input.rollback)" in first["Condition"]
    assert (first["Next"], second["Next"]) == ("Rollback not now", "Leave mark")
    assert DEFINITIONS["run"]["States"]["Rollback not now"]["Type"] == "Fail"


def test_files_of_a_dataset_are_checked_once_before_its_imports() -> None:
    states = DEFINITIONS["import"]["States"]
    leads_to_check = [
        name
        for name, state in states.items()
        if "Check imports" in json.dumps([state.get("Next"), state.get("Choices"), state.get("Catch")])
    ]
    assert leads_to_check == ["Imports to check?"]
    assert [name for name, state in states.items() if state.get("Next") == "Imports to check?"] == ["Begin"]
    refused = states["Imports refused?"]
    assert [rule["Next"] for rule in refused["Choices"]] == ["Import failed"]
    assert {catcher["Next"] for catcher in states["Check imports"]["Catch"]} == {"Import failed"}
    assert states["Import failed"]["Next"] == "Failed import noted"
    assert states["Failed import noted"]["End"]


@pytest.mark.parametrize("deadline", [60, 3000, 6 * 3600])
def test_retries_until_a_deadline_go_on_for_as_long(deadline: int) -> None:
    rule = retry_until(deadline, "Personalize.LimitExceededException")
    waits = [
        min(rule["IntervalSeconds"] * 2**attempt, rule["MaxDelaySeconds"]) for attempt in range(rule["MaxAttempts"])
    ]
    assert deadline <= sum(waits) < deadline + rule["MaxDelaySeconds"]
    assert "JitterStrategy" not in rule


def test_deadline_that_could_use_up_the_history_is_refused() -> None:
    from aws_cdk import Duration

    with pytest.raises(
        ValueError, match=r"Deadlines.training is 200 h, which could take \d+ history events .* at most"
    ):
        Deadlines(training=Duration.hours(200))
    with pytest.raises(ValueError, match=r"Deadlines.serving is 5 s; a deadline is at least 1 minute"):
        Deadlines(serving=Duration.seconds(5))
    Deadlines(training=Duration.hours(72))


def _invocations(definition: dict[str, Any], answers: list[str | None]) -> int:
    """How often a run invokes the planning function that names these phases as its next."""
    states, name, planned, count = definition["States"], "Plan imports", None, 0
    remaining = iter(answers)
    while name != "Gather":
        state = states[name]
        if "lambda:invoke" in state.get("Resource", ""):
            planned, count = next(remaining), count + 1
        if state["Type"] == "Choice":
            (rule,) = state["Choices"]
            condition = f"{{% $plan.next = '{planned}' %}}"
            name = rule["Next"] if rule["Condition"] == condition else state["Default"]
        else:
            name = state["Next"]
    assert next(remaining, "none left") == "none left"
    return count


@pytest.mark.parametrize("name", ["run", "run of a domain"])
@pytest.mark.parametrize(
    ("answers", "imported", "changed"),
    [
        ([None], 0, 0),
        ([None], 1, 0),  # of a dataset group that declares nothing to train
        (["imports", "imports", None], 3, 0),  # of which one plan has not all
        (["imports", "solutions", "prune", None], 2, 1),
        (["prune", None], 0, 1),
        (["solutions", None], 1, 0),
        (["solutions", "prune", None], 1, 1),
    ],
)
def test_functions_are_invoked_rarely(name: str, answers: list[str | None], imported: int, changed: int) -> None:
    """At most twice, once for every dataset in every round, and twice for every solution or recommender."""
    planning, finishing = _invocations(DEFINITIONS[name], answers), 1
    assert planning == len(answers)
    assert planning + finishing <= 2 + imported + 2 * changed


def test_users_are_deleted_before_anything_is_trained_and_other_jobs_come_last() -> None:
    for name in ("run", "run of a domain"):
        states = DEFINITIONS[name]["States"]
        assert states["Import"]["Next"] == "More to import?"
        assert states["More to import?"]["Default"] == "Delete users"
        assert states["Delete users"]["Next"] == "Solutions planned?"
        assert states["Delete solutions"]["Next"] == "Jobs"
        assert states["Jobs"]["Next"] == "Gather"
        assert states["Delete users"]["MaxConcurrency"] == states["Jobs"]["MaxConcurrency"] == 5


def test_a_function_that_broke_off_is_asked_again() -> None:
    for name in ("Plan imports", "Plan solutions", "Plan prune"):
        assert DEFINITIONS["run"]["States"][name]["Retry"][-1] == {
            "ErrorEquals": ["States.ALL"],
            "IntervalSeconds": 2,
            "MaxAttempts": 1,
        }


def test_nothing_is_trained_while_users_who_are_to_be_deleted_are_not() -> None:
    payload = DEFINITIONS["run"]["States"]["Plan solutions"]["Arguments"]["Payload"]
    assert "$append($imports, $deletions)[$count(failures) > 0].name" in payload["failedImports"]
