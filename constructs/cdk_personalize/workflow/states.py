"""The parts that the workflow's state machines are made of, as Amazon States Language in plain dictionaries.

Follows https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html (JSONata) and
https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html (SDK integrations).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import polling

State = dict[str, Any]
States = dict[str, State]

ALREADY_EXISTS = "Personalize.ResourceAlreadyExistsException"
INVALID_INPUT = "Personalize.InvalidInputException"
IN_USE = "Personalize.ResourceInUseException"
LIMIT_EXCEEDED = "Personalize.LimitExceededException"
NOT_FOUND = "Personalize.ResourceNotFoundException"
# Errors that the service's model does not name, throttling among them, arrive under the service's own name
UNNAMED = "Personalize.PersonalizeException"
CLIENT = "Personalize.SdkClientException"
#: JSONata expression: the reason where the service gives none
UNSTATED = "'the service gave no reason'"


def retry_passing(*errors: str, interval: int, attempts: int, longest: int) -> State:
    """Retry what passes by itself."""
    return {
        "ErrorEquals": list(errors),
        "IntervalSeconds": interval,
        "BackoffRate": 2,
        "MaxAttempts": attempts,
        "MaxDelaySeconds": longest,
        "JitterStrategy": "FULL",
    }


RETRY_READ = [retry_passing(LIMIT_EXCEEDED, UNNAMED, CLIENT, interval=2, attempts=8, longest=60)]
# A resource that was just created may not be readable at once
RETRY_READ_NEW = [*RETRY_READ, retry_passing(NOT_FOUND, interval=2, attempts=5, longest=10)]
# What is not worth waiting for
RETRY_METRICS = [
    retry_passing("CloudWatch.CloudWatchException", "CloudWatch.SdkClientException", interval=2, attempts=3, longest=10)
]
RETRY_LAMBDA = [
    retry_passing(
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.TooManyRequestsException",
        interval=2,
        attempts=6,
        longest=30,
    )
]

# Throttling and faults of Step Functions; a child that failed is States.TaskFailed, and is not run twice
RETRY_START = [
    retry_passing(
        "StepFunctions.AWSStepFunctionsException",
        "StepFunctions.ExecutionLimitExceededException",
        "StepFunctions.SdkClientException",
        "StepFunctions.ThrottlingException",
        interval=2,
        attempts=6,
        longest=30,
    )
]

# A function that crashed or ran out of time, for a reason that may pass
RETRY_LAMBDA_ONCE = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "MaxAttempts": 1}


def retry_until(deadline_seconds: float, *errors: str) -> State:
    """Retry what others have to make room for, until a deadline.

    Without jitter, which would take half of the time away.
    """
    interval, longest, attempts, waited = 10, 300, 0, 0
    while waited < deadline_seconds:
        waited += min(interval * 2**attempts, longest)
        attempts += 1
    return {
        "ErrorEquals": list(errors),
        "IntervalSeconds": interval,
        "BackoffRate": 2,
        "MaxAttempts": attempts,
        "MaxDelaySeconds": longest,
    }


def retry_write(deadline_seconds: float) -> list[State]:
    """Retry a change: for a while where the service is at fault, until a deadline while something is in use."""
    return [*RETRY_READ, retry_until(deadline_seconds, IN_USE)]


def retry_in_queue(deadline_seconds: float) -> list[State]:
    """Retry the start of a job until a deadline while the service runs as many as it allows."""
    return [
        retry_until(deadline_seconds, LIMIT_EXCEEDED, IN_USE),
        retry_passing(UNNAMED, CLIENT, interval=2, attempts=8, longest=60),
    ]


def expression(text: str) -> str:
    """``text`` as a JSONata expression of a state machine."""
    return f"{{% {text} %}}"


def one_line(text: str) -> str:
    """A longer JSONata expression as validators take it; no text in it may have line breaks or several spaces."""
    return " ".join(text.split())


def either(first: str, otherwise: str) -> str:
    """The JSONata expression for ``first`` where it exists, else for ``otherwise``."""
    return f"($exists({first}) ? {first} : {otherwise})"


def catch(next_state: str, *errors: str, **assign: str) -> State:
    """A catcher of ``errors`` (default: all) that goes to ``next_state`` and sets the variables ``assign``."""
    catcher: State = {"ErrorEquals": list(errors) or ["States.ALL"], "Next": next_state}
    if assign:
        catcher["Assign"] = {name: expression(value) for name, value in assign.items()}
    return catcher


def sdk_task(
    integration: str,
    *,
    partition: str,
    arguments: Mapping[str, Any] | str,
    next_state: str,
    retry: Sequence[State],
    catchers: Sequence[State] = (),
    assign: Mapping[str, str] | None = None,
) -> State:
    """A call of an AWS API, ``integration`` being ``service:operation``."""
    state: State = {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::aws-sdk:{integration}",
        "Arguments": dict(arguments) if isinstance(arguments, Mapping) else arguments,
        "Next": next_state,
    }
    if retry:
        state["Retry"] = list(retry)
    if catchers:
        state["Catch"] = list(catchers)
    if assign:
        state["Assign"] = {name: expression(value) for name, value in assign.items()}
    return state


def choice(*rules: tuple[str, str], default: str) -> State:
    """Go to the state of the first rule (condition, next state) whose JSONata condition holds."""
    return {
        "Type": "Choice",
        "Choices": [{"Condition": expression(condition), "Next": next_state} for condition, next_state in rules],
        "Default": default,
    }


def assign(next_state: str, **variables: str) -> State:
    """Set workflow variables and go on."""
    return {
        "Type": "Pass",
        "Assign": {name: expression(value) for name, value in variables.items()},
        "Next": next_state,
    }


def finish(**output: str) -> State:
    """The last state of a branch: its output, each member a JSONata expression."""
    return {"Type": "Pass", "Output": {name: expression(value) for name, value in output.items()}, "End": True}


#: JSONata expression: no page of a list was read yet
FIRST_PAGE = "''"
#: JSONata expression, over ``$states.result``: which page of a list follows
NEXT_PAGE = either("$states.result.NextToken", FIRST_PAGE)
_LARGEST_PAGE = 100


def page_of(variable: str, arguments: Mapping[str, str]) -> str:
    """The arguments of a call that lists: of the page that ``variable`` says.

    :param variable: The variable that holds :data:`FIRST_PAGE` or :data:`NEXT_PAGE`.
    :param arguments: The others, each a JSONata expression in its marks.
    """
    given = ", ".join(f"'{name}': {value[2:-2].strip()}" for name, value in arguments.items())
    token = f"{has_more(variable)} ? {{'NextToken': ${variable}}} : {{}}"
    return expression(f"$merge([{{{given}, 'MaxResults': {_LARGEST_PAGE}}}, {token}])")


def has_more(variable: str) -> str:
    """JSONata expression: whether there is a page after the one that was read."""
    return f"${variable} != {FIRST_PAGE}"


def state_machine(comment: str, states: States) -> dict[str, Any]:
    """The definition of a state machine that starts at the state ``Begin``.

    :param comment: What it does.
    :param states: Its states.
    """
    return {"Comment": comment, "QueryLanguage": "JSONata", "StartAt": "Begin", "States": states}


@dataclass(frozen=True, kw_only=True)
class Poll:
    """Look at a resource until it is settled: Describe, Choice, Wait, with growing waits and a deadline.

    :param subject: What is waited for, as the state names and failure reasons call it.
    :param variable: Prefix of the workflow variables used; unique per state machine.
    :param read: The Personalize operation that reads it.
    :param arguments: Arguments of that operation.
    :param status: JSONata expression of the status, over ``$states.result``.
    :param reason: JSONata expression of the failure reason, over ``$states.result``.
    :param deadline_seconds: How long to wait at most.
    :param settled: Rules (condition over the status variable, next state), tried in order.
    :param late: The state to go to when the deadline has passed.
    :param failed: The state to go to when the resource cannot be read.
    :param retry: Retries of the read. Default: - those for a resource that was just created.
    :param keep: What else is kept of each look: variables, each with a JSONata expression over ``$states.result``.
    :param absent: For a list that is read: the status that says that what is waited for is not on the page that was
        read. All pages are then read before it is believed. Default: - what is read is no list
    """

    subject: str
    variable: str
    read: str
    arguments: Mapping[str, Any]
    status: str
    reason: str = "'no reason given'"
    deadline_seconds: float
    settled: Sequence[tuple[str, str]]
    late: str
    failed: str
    retry: Sequence[State] = tuple(RETRY_READ_NEW)
    keep: Mapping[str, str] = field(default_factory=dict)
    absent: str | None = None

    @property
    def start(self) -> str:
        """Name of the state to enter by."""
        return f"Watch {self.subject}"

    @property
    def waited(self) -> str:
        """JSONata expression: what is said when the deadline has passed."""
        hours = f"{self.deadline_seconds / 3600:g}"
        return (
            f"'{self.subject} was still ' & ${self.variable}Status & ' after {hours} h, its deadline: '"
            " & 'it goes on in the service; run the workflow again to pick it up, or allow more time'"
        )

    def states(self, partition: str) -> States:
        """The states, to be merged into a state machine's."""
        polls, waited = f"${self.variable}Polls", f"${self.variable}Waited"
        look, settled, wait = f"Describe {self.subject}", f"{self.subject} settled?", f"Wait for {self.subject}"
        page = f"{self.variable}Page"
        first_page = {page: FIRST_PAGE} if self.absent else {}
        more = (f"${self.variable}Status = '{self.absent}' and {has_more(page)}", look)
        return {
            self.start: assign(look, **{f"{self.variable}Polls": "0", f"{self.variable}Waited": "0"}, **first_page),
            look: sdk_task(
                f"personalize:{self.read}",
                partition=partition,
                arguments=page_of(page, self.arguments) if self.absent else self.arguments,
                next_state=settled,
                retry=self.retry,
                catchers=[catch(self.failed, **{f"{self.variable}Reason": error_reason()})],
                assign={
                    f"{self.variable}Status": self.status,
                    f"{self.variable}Reason": self.reason,
                    **({page: NEXT_PAGE} if self.absent else {}),
                    **self.keep,
                },
            ),
            settled: choice(
                *([more] if self.absent else []),
                *self.settled,
                (f"{waited} >= {self.deadline_seconds:g}", self.late),
                default=wait,
            ),
            wait: {
                "Type": "Wait",
                "Seconds": expression(polling.wait_seconds(polls)),
                "Assign": {
                    f"{self.variable}Polls": expression(f"{polls} + 1"),
                    f"{self.variable}Waited": expression(f"{waited} + {polling.wait_seconds(polls)}"),
                    **{name: expression(value) for name, value in first_page.items()},
                },
                "Next": look,
            },
        }


def error_reason() -> str:
    """JSONata expression: the caught error as one sentence."""
    cause = either("$states.errorOutput.Cause", "'no cause given'")
    return f"$states.errorOutput.Error & ': ' & {cause}"
