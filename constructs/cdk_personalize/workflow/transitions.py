"""What is told of each thing as it happens: an event on the default event bus for every transition of a resource.

The state machines send them themselves, by the integration that fails where EventBridge did not take an entry:
https://docs.aws.amazon.com/step-functions/latest/dg/connect-eventbridge.html
"""

from __future__ import annotations

from typing import Final, NamedTuple

from .states import State, catch, either, expression, retry_passing

EVENT_SOURCE: Final = "cdk-personalize"
DETAIL_TYPE: Final = "Personalize Resource Change"
#: Where Step Functions says which execution started this one
STARTED_BY: Final = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"
#: JSONata expression: the run, in a state machine that it starts
RUN_OF_CHILD: Final = either(f"$states.input.{STARTED_BY}", "$states.context.Execution.Id")


class Transition(NamedTuple):
    """What can happen to a resource.

    :param resource: The kind of resource.
    :param change: What happened. Failures, and nothing else, end with FAILED.
    :param when: What it means, as the documentation says it.
    :param members: What an event has of it beside those that all events have.
    """

    resource: str
    change: str
    when: str
    members: tuple[str, ...] = ()


_REASON = ("reason",)
_VERSION = ("solutionVersionArn",)
_IMPORT = ("datasetImportJobArn",)
TRANSITIONS: Final = (
    Transition("dataset", "IMPORT_BEGUN", "an import job was begun", _IMPORT),
    Transition("dataset", "IMPORTED", "the job is done", _IMPORT),
    Transition("dataset", "IMPORT_FAILED", "the files were refused, or a job failed or is late", _IMPORT + _REASON),
    Transition("dataset", "RUN_FAILED", "the state machine of its import broke off", _REASON),
    Transition("solution", "CREATED", "it can be trained"),
    Transition("solution", "CREATE_FAILED", "it could not be created", _REASON),
    Transition("solution", "UPDATED", "it is as declared again"),
    Transition("solution", "UPDATE_FAILED", "it could not be changed", _REASON),
    Transition("solution", "TRAINING_BEGUN", "a version is being trained", (*_VERSION, "trainingMode")),
    Transition("solution", "VERSION_ACTIVE", "a version is new and can serve", (*_VERSION, "metrics")),
    Transition("solution", "VERSION_REFUSED", "the quality gate refused it", (*_VERSION, "thresholds")),
    Transition("solution", "GATE_FAILED", "it could not be judged", (*_VERSION, *_REASON)),
    Transition("solution", "TRAINING_FAILED", "the training failed or is late", (*_VERSION, *_REASON)),
    Transition("solution", "TRAINING_STOPPED", "the training was stopped", _VERSION),
    Transition("solution", "STOP_FAILED", "the training could not be stopped", (*_VERSION, *_REASON)),
    Transition("solution", "VERDICT_FAILED", "a rollback could not mark a version", (*_VERSION, *_REASON)),
    Transition("solution", "RUN_FAILED", "its state machine broke off", _REASON),
    Transition("solution", "DELETED", "it is gone"),
    Transition("solution", "DELETION_FAILED", "it could not be deleted", _REASON),
    Transition("campaign", "CREATING", "it is being created", _VERSION),
    Transition("campaign", "UPDATING", "it is being updated, and serves what it did", _VERSION),
    Transition("campaign", "SERVING", "it serves as declared", _VERSION),
    Transition("campaign", "FAILED", "it could not be created or updated", _REASON),
    Transition("campaign", "DELETED", "it is gone"),
    Transition("campaign", "DELETION_FAILED", "it could not be deleted", _REASON),
    Transition("recommender", "CREATING", "it is being created and trained"),
    Transition("recommender", "UPDATING", "it is being updated"),
    Transition("recommender", "STARTING", "it is being started"),
    Transition("recommender", "STOPPING", "it is being stopped"),
    Transition("recommender", "SERVING", "it serves as declared"),
    Transition("recommender", "STOPPED", "it is stopped, as declared"),
    Transition("recommender", "FAILED", "it could not be created, updated, started or stopped", _REASON),
    Transition("recommender", "RUN_FAILED", "its state machine broke off", _REASON),
    Transition("recommender", "DELETED", "it is gone"),
    Transition("recommender", "DELETION_FAILED", "it could not be deleted", _REASON),
    Transition("job", "BEGUN", "a job, which `arn` names, was begun", ("kind", "output")),
    Transition("job", "DONE", "the job is done", ("kind", "output")),
    Transition("job", "FAILED", "the job failed or is late", ("kind", *_REASON)),
    Transition("job", "RUN_FAILED", "its state machine broke off", _REASON),
)
_KNOWN: Final = {(each.resource, each.change): each for each in TRANSITIONS}
# What nothing waits for is not tried for long
_RETRY: Final = [retry_passing("States.TaskFailed", interval=1, attempts=3, longest=5)]


def tell(resource: str, change: str, *, partition: str, next_state: str, name: str, arn: str, **members: str) -> State:
    """Send an event of a transition and go on, whether it could be sent or not.

    The variable ``run`` of the state machine holds the ARN of the run.

    :param resource: The kind of resource.
    :param change: What happened to it.
    :param partition: The AWS partition.
    :param next_state: The state that follows.
    :param name: JSONata expression of the resource's name.
    :param arn: JSONata expression of its ARN.
    :param members: JSONata expressions of what belongs to the transition.
    :raises ValueError: for a transition, or a member, that is not in the table.
    """
    transition = _KNOWN.get((resource, change))
    if transition is None or set(members) != set(transition.members):
        raise ValueError(f"the event {resource} {change} with {', '.join(members)} is not one of the TRANSITIONS")
    detail = {
        "workflow": expression("$split($run, ':')[6]"),
        "execution": expression("$run"),
        "resource": resource,
        "name": expression(name),
        "arn": expression(arn),
        "change": change,
        **{member: expression(value) for member, value in members.items()},
    }
    return {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::events:putEvents",
        "Arguments": {"Entries": [{"Source": EVENT_SOURCE, "DetailType": DETAIL_TYPE, "Detail": detail}]},
        "Retry": _RETRY,
        "Catch": [catch(next_state)],
        "Next": next_state,
    }
