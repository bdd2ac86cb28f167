"""How many history events the state machines make, by the rules of Step Functions.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html names the events. The emulator
leaves out some of them (TaskStarted, those of Map), so they are counted along the definition.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from jsonata import Jsonata

import cdk_personalize as personalize
from cdk_personalize.workflow import history
from cdk_personalize.workflow.deadlines import Deadlines
from cdk_personalize.workflow.import_definition import MOST_ROUNDS, import_definition
from cdk_personalize.workflow.job_definition import KINDS, job_definition
from cdk_personalize.workflow.polling import polls_until
from cdk_personalize.workflow.run_definition import run_definition
from cdk_personalize.workflow.solution_definition import solution_definition
from personalize_lambda.planner.imports import MOST_JOBS

DEFINITION = solution_definition(partition="aws", deadlines=Deadlines())
LIMIT = 5_000
EVENTS = {
    "Pass": 2,  # entered, exited
    "Choice": 2,
    "Wait": 2,
    "Task": 5,  # entered, scheduled, started, succeeded, exited
    "Map": 4,  # entered, started, succeeded, exited
    "Succeed": 2,
}
EVENTS_OF_CHILD = 1  # submitted
EVENTS_PER_LOOK = 5 + 2 + 2
EVENTS_PER_ITERATION = 2  # started, succeeded
EVENTS_PER_RETRY = 3  # scheduled, started, failed
EVENTS_OF_EXECUTION = 2  # started, succeeded
HOUR = 3600

Route = Mapping[str, list[str]]


def events(definition: Mapping[str, Any], route: Route, items: Mapping[str, int], *, retried: bool = False) -> int:
    """The events of a walk through a definition.

    :param route: where each Choice leads, each time that it is come by.
    :param items: how many items each Map has.
    :param retried: whether tasks, but for those of polls, succeed at the last attempt and not at the first.
    """
    states, count, name = definition["States"], 0, definition["StartAt"]
    ways = {choice: iter(route[choice]) for choice in states.keys() & route.keys()}
    while True:
        state = states[name]
        count += EVENTS[state["Type"]] + (EVENTS_OF_CHILD if ".sync" in state.get("Resource", "") else 0)
        if retried and state["Type"] == "Task" and not name.startswith("Describe"):
            count += EVENTS_PER_RETRY * sum(rule["MaxAttempts"] for rule in state["Retry"])
        if state["Type"] == "Map":
            inner = events(state["ItemProcessor"], route, items, retried=retried) if items[name] else 0
            count += items[name] * (EVENTS_PER_ITERATION + inner)
        if state.get("End") or state["Type"] == "Succeed":
            break
        if state["Type"] == "Choice":
            following = next(ways[name])
            assert following in {*(rule["Next"] for rule in state["Choices"]), state["Default"]}, name
            name = following
        else:
            name = state["Next"]
    assert {choice: list(rest) for choice, rest in ways.items() if list(rest)} == {}
    return count


def waits(subject: str, definition: Mapping[str, Any] = DEFINITION) -> Iterator[float]:
    """The seconds of one wait after the other, by the definition's own expressions."""
    state = _states(definition)[f"Wait for {subject}"]
    [polls] = [name for name in state["Assign"] if name.endswith("Polls")]
    seconds, following = (Jsonata(text[2:-2]) for text in (state["Seconds"], state["Assign"][polls]))
    looked: float = 0
    while True:
        for expression in (seconds, following):
            expression.assign(polls, looked)
        yield float(seconds.evaluate(None))
        looked = float(following.evaluate(None))


def looks(subject: str, seconds: float, definition: Mapping[str, Any] = DEFINITION) -> int:
    """How often something is looked at that takes so long."""
    count = 1
    for wait in waits(subject, definition):
        if seconds <= 0:
            return count
        seconds -= wait
        count += 1
    raise AssertionError("waiting has an end")


def polled(
    subject: str, seconds: float, following: str, definition: Mapping[str, Any] = DEFINITION
) -> dict[str, list[str]]:
    """What the Choice of a poll says of something that takes so long."""
    waiting = [f"Wait for {subject}"] * (looks(subject, seconds, definition) - 1)
    return {f"{subject} settled?": [*waiting, following]}


def _states(definition: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(definition["States"])
    for state in definition["States"].values():
        found |= _states(state["ItemProcessor"]) if "ItemProcessor" in state else {}
    return found


def lifetime(hours: float, *, verdict: str = "Accept version") -> dict[str, list[str]]:
    """A solution that is created, trained for so long, measured, judged and served; all else takes all its time."""
    deadlines = Deadlines()
    return {
        "Marked?": ["Create?"],
        "Create?": ["Create solution"],
        **polled("Solution", deadlines.creation.to_seconds(), "Solution created"),
        "Train?": ["List solution versions"],
        "Training begun?": ["Create solution version"],
        **polled("Training", hours * HOUR, "Get metrics"),
        "New version?": ["Version active"],
        "Measured?": ["Publish metrics"],
        "Gate?": ["Get serving metrics"],
        "Refused?": [verdict],
        "Campaign action?": ["Create campaign"],
        **polled("Campaign", deadlines.serving.to_seconds(), "Campaign serves"),
    }


@pytest.mark.parametrize("campaigns", [1, 5])
@pytest.mark.parametrize("verdict", ["Accept version", "Refuse version"])
def test_the_history_of_a_training_of_ten_hours_stays_small(campaigns: int, verdict: str) -> None:
    items = {"Mark versions": 1 if verdict == "Accept version" else 0, "Campaigns": campaigns}
    route = lifetime(10, verdict=verdict)
    count = EVENTS_OF_EXECUTION + events(DEFINITION, route, items)
    assert EVENTS_PER_LOOK * looks("Training", 10 * HOUR) < count < LIMIT


def test_there_is_room_for_all_that_is_tried_again() -> None:
    """Every call but those of the polls fails as often as it may, the training waits a day for others to end."""
    count = EVENTS_OF_EXECUTION + events(DEFINITION, lifetime(10), {"Mark versions": 1, "Campaigns": 1}, retried=True)
    assert count < LIMIT


def test_a_walk_counts_what_the_rules_say() -> None:
    small = {
        "StartAt": "Each",
        "States": {
            "Each": {
                "Type": "Map",
                "Next": "Done?",
                "ItemProcessor": {"StartAt": "Do", "States": {"Do": {"Type": "Task", "End": True}}},
            },
            "Done?": {"Type": "Choice", "Choices": [{"Next": "End"}], "Default": "Wait"},
            "Wait": {"Type": "Wait", "Next": "Done?"},
            "End": {"Type": "Pass", "End": True},
        },
    }
    assert events(small, {"Done?": ["Wait", "End"]}, {"Each": 3}) == 4 + 3 * (2 + 5) + 2 + 2 + 2 + 2
    with pytest.raises(StopIteration):
        events(small, {"Done?": ["Wait"]}, {"Each": 0})
    with pytest.raises(AssertionError):
        events(small, {"Done?": ["End", "End"]}, {"Each": 0})


@pytest.mark.parametrize("hours", [0.01, 1, 10, 24])
def test_deadlines_are_judged_by_as_many_looks_as_the_definition_takes(hours: float) -> None:
    for subject in ("Solution", "Training", "Campaign"):
        assert looks(subject, hours * HOUR) == polls_until(hours * HOUR)


def test_a_training_of_ten_hours_is_noticed_within_minutes() -> None:
    taken: float = 0
    for wait in waits("Training"):
        assert wait <= 300
        taken += wait
        if taken >= 10 * HOUR:
            break
    assert taken - 10 * HOUR < 300


RUN = run_definition(
    partition="aws",
    table_name="lock",
    plan_function_arn="plan",
    document={},
    import_state_machine_arn="import",
    solution_state_machine_arn="solution",
    job_state_machine_arn="job",
    recommender_state_machine_arn="recommender",
    deadlines=Deadlines(),
)
#: All that the service allows a dataset group, all of it changed, and as much again declared no more; and many jobs
FULL = {
    "Import": 4 + MOST_ROUNDS,
    "Delete users": 5,
    "Stop trainings": 10,
    "Solutions": 10,
    "Recommenders": 5,
    "Delete campaigns": 5,
    "Delete recommenders": 5,
    "Delete solutions": 10,
    "Jobs": 100,
}


def busy() -> dict[str, list[str]]:
    """A run that does all there is; each deletion takes all its time."""
    deletion = Deadlines().deletion.to_seconds()
    kinds = ("Campaign", "Recommender", "Solution")
    route = {
        "Input known?": ["Lock"],
        "More to import?": ["Delete users"],
        "Solutions planned?": ["Plan solutions"],
        "Prune planned?": ["Plan prune"],
        "Failed?": ["Report"],
        **polled("Stopping training", deletion, "Training stopped", RUN),
    }
    for kind in kinds:
        route |= polled(f"{kind} deletion", deletion, f"{kind} gone", RUN)
    return route


@pytest.mark.parametrize("retried", [False, True])
def test_a_run_has_room_for_all_that_a_dataset_group_can_have(retried: bool) -> None:
    """Imports, trainings and jobs take no more of it the longer they take."""
    count = EVENTS_OF_EXECUTION + events(RUN, busy(), FULL, retried=retried)
    assert sum(FULL.values()) * EVENTS_PER_LOOK < count
    assert count < history.most_events(RUN, FULL, looks("Campaign deletion", Deadlines().deletion.to_seconds(), RUN))
    assert history.most_events(RUN, FULL, polls_until(Deadlines().deletion.to_seconds())) < history.LIMIT


def workflow(folder: Path, jobs: int, deadlines: Deadlines) -> cdk.App:
    app = cdk.App(outdir=str(folder))
    group = personalize.DatasetGroup(cdk.Stack(app, "Films"), "Movies")
    group.add_interactions(schema=personalize.Schema.interactions())
    solution = group.add_solution("Picks", recipe=personalize.Recipe.USER_PERSONALIZATION_V2)
    for n in range(jobs):
        solution.add_batch_inference_job(f"Mail{n}")
    personalize.Workflow(group.stack, "Workflow", dataset_group=group, deadlines=deadlines)
    return app


def test_a_run_that_could_come_to_too_many_events_is_refused(tmp_path: Path) -> None:
    workflow(tmp_path, 20, Deadlines()).synth()
    patient = Deadlines(deletion=cdk.Duration.hours(8))
    with pytest.raises(
        RuntimeError,
        match=r"could have \d+ history events, of which Step Functions allows 25000: it works on 47 things, and waits "
        r"up to 8 h for each that it deletes. Shorten Deadlines.deletion, or declare fewer solutions, recommenders and",
    ):
        workflow(tmp_path, 20, patient).synth()


def test_imports_and_jobs_have_room_in_histories_of_their_own() -> None:
    deadlines = Deadlines()
    jobs = job_definition(partition="aws", deadlines=deadlines)
    for kind, words in zip(KINDS, ("batch inference", "batch segment", "dataset export", "data deletion"), strict=True):
        subject = f"{words} job"
        longest = (deadlines.data_deletion if kind == "DataDeletionJob" else deadlines.jobs).to_seconds()
        route = {"Kind of job?": [f"Create {subject}"], **polled(subject, longest, "Job done", jobs)}
        assert events(jobs, route, {}, retried=True) < LIMIT
    imports = import_definition(partition="aws", deadlines=deadlines, check_function_arn="check", document={})
    # as many additions as a run takes on, which together use up the time that imports have
    each = polled("Import", deadlines.imports.to_seconds() / MOST_JOBS, "Imported", imports)
    route = {
        "Imports to check?": ["Check imports"],
        "Imports refused?": ["Import running already?"],
        "Import running already?": ["Next import?"],
        "Next import?": ["Create import"] * MOST_JOBS + ["Import done"],
        "Import settled?": each["Import settled?"] * MOST_JOBS,
    }
    assert events(imports, route, {}) < LIMIT
