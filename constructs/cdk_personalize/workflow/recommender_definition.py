"""The state machine that makes one recommender true: create, start, update or stop it, one after the other, and wait.

Creating a recommender trains it, so that it takes hours; a run's own history has no room for that.
Its input is one entry of ``recommenders`` in the plan (``personalize_lambda.planner.recommenders``).
"""

from __future__ import annotations

from typing import Any

from .deadlines import Deadlines
from .states import (
    ALREADY_EXISTS,
    UNSTATED,
    Poll,
    State,
    States,
    assign,
    catch,
    choice,
    either,
    error_reason,
    expression,
    finish,
    retry_write,
    sdk_task,
    state_machine,
)
from .transitions import RUN_OF_CHILD, tell

#: What is done to a recommender, and what it is told as
ACTIONS = {"create": "CREATING", "update": "UPDATING", "start": "STARTING", "stop": "STOPPING"}
#: JSONata expression: what was begun last; nothing while that is waited for which was found under way
_ACTION = "($begun > 0 ? $plan.actions[$begun - 1].action : '')"
#: JSONata expression: whether nothing is to be done but to wait; what is then active is what an update made of it
_FOLLOWS = "$begun = 0 and $count($plan.actions) = 0 and $states.result.Recommender.Status = 'ACTIVE'"
#: JSONata expression: where what was begun last ends; just after the call, it may still be shown as it was before
_ENDS = f"({_ACTION} = 'stop' ? ['INACTIVE'] : {_ACTION} = '' ? ['ACTIVE', 'INACTIVE'] : ['ACTIVE'])"
_LATEST = "$states.result.Recommender.LatestRecommenderUpdate"


def recommender_definition(*, partition: str, deadlines: Deadlines) -> dict[str, Any]:
    """The definition of the recommender state machine.

    :param partition: The AWS partition, for the ARNs of the integrations.
    :param deadlines: How long each wait may take at most.
    """
    recommender = Poll(
        subject="Recommender",
        variable="recommender",
        read="describeRecommender",
        arguments={"RecommenderArn": expression("$plan.recommenderArn")},
        # an update has a status of its own beside the recommender's, which tells nothing once it is over
        status=(
            f"($exists({_LATEST}.Status) and "
            f"({_ACTION} = 'update' or {_LATEST}.Status in ['CREATE PENDING', 'CREATE IN_PROGRESS'] or ({_FOLLOWS}))"
            f" ? {_LATEST}.Status : $states.result.Recommender.Status)"
        ),
        reason=either(
            f"{_LATEST}.FailureReason",
            either("$states.result.Recommender.FailureReason", UNSTATED),
        ),
        deadline_seconds=deadlines.training.to_seconds(),
        settled=[
            (f"$recommenderStatus in {_ENDS}", "More?"),
            ("$recommenderStatus = 'CREATE FAILED'", "Failed"),
        ],
        late="Late",
        failed="Failed",
        keep={"recommenderNow": "$states.result.Recommender.Status"},
    )

    def told(change: str, next_state: str, reason: str | None = None) -> State:
        of = {"name": "$plan.name", "arn": "$plan.recommenderArn", **({"reason": reason} if reason else {})}
        return tell("recommender", change, partition=partition, next_state=next_state, **of)

    begun = {"begun": "$begun + 1"}
    failed = catch("Failed", recommenderReason=error_reason(), **begun)
    states: States = {
        "Begin": assign("Busy?", run=RUN_OF_CHILD, plan="$states.input", begun="0", problems="[]"),
        # what is under way ends first: the actions are planned for what comes of it
        "Busy?": choice(("$plan.isBusy or $count($plan.actions) = 0", recommender.start), default="Action?"),
        "More?": choice(
            ("$begun < $count($plan.actions)", "Action?"),
            ("$recommenderNow = 'INACTIVE'", "Stopped"),
            default="Serving",
        ),
        "Action?": choice(
            *(
                (f"$plan.actions[$begun].action = '{action}'", f"{action.capitalize()} recommender")
                for action in ACTIONS
            ),
            default="Done",
        ),
        **{
            f"{action.capitalize()} recommender": sdk_task(
                f"personalize:{action}Recommender",
                partition=partition,
                arguments=expression("$plan.actions[$begun].arguments"),
                next_state=change.capitalize(),
                retry=retry_write(deadlines.serving.to_seconds()),
                catchers=[
                    *([catch(change.capitalize(), ALREADY_EXISTS, **begun)] if action == "create" else []),
                    failed,
                ],
                assign=begun,
            )
            for action, change in ACTIONS.items()
        },
        **{change.capitalize(): told(change, recommender.start) for change in ACTIONS.values()},
        **recommender.states(partition),
        "Serving": told("SERVING", "Done"),
        "Stopped": told("STOPPED", "Done"),
        "Late": told("FAILED", "Lateness noted", reason=recommender.waited),
        "Lateness noted": assign("Stop all the same?", problems=_problem(recommender.waited)),
        "Failed": told("FAILED", "Failure noted", reason="$recommenderReason"),
        "Failure noted": assign("Stop all the same?", problems=_problem("$recommenderReason")),
        # one that is billed and not wanted is stopped, be it as it was declared last or not
        "Stop all the same?": choice(
            (f"{_ACTION} = 'update' and $begun < $count($plan.actions)", "Action?"), default="Done"
        ),
        "Done": finish(name="$plan.name", failures="$problems"),
    }
    return state_machine("Creates, starts, updates or stops one recommender of Amazon Personalize", states)


def _problem(reason: str) -> str:
    """JSONata expression: that the recommender is not as declared."""
    return f"[{{'name': 'recommender ' & $plan.name, 'reason': {reason}}}]"
