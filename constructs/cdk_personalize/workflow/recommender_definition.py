"""The state machine that makes one recommender true: create, update, start or stop it, and wait.

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
)

ACTIONS = ("create", "update", "start", "stop")
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
            f"($plan.action = 'update' or {_LATEST}.Status in ['CREATE PENDING', 'CREATE IN_PROGRESS'])"
            f" ? {_LATEST}.Status : $states.result.Recommender.Status)"
        ),
        reason=either(
            f"{_LATEST}.FailureReason",
            either("$states.result.Recommender.FailureReason", UNSTATED),
        ),
        deadline_seconds=deadlines.training.to_seconds(),
        settled=[
            ("$recommenderStatus in ['ACTIVE', 'INACTIVE']", "Done"),
            ("$recommenderStatus = 'CREATE FAILED'", "Failed"),
        ],
        late="Late",
        failed="Failed",
    )
    failed = catch("Failed", recommenderReason=error_reason())
    states: States = {
        "Begin": assign("Action?", plan="$states.input"),
        "Action?": choice(
            *((f"$plan.action = '{action}'", f"{action.capitalize()} recommender") for action in ACTIONS),
            default=recommender.start,
        ),
        **{
            f"{action.capitalize()} recommender": sdk_task(
                f"personalize:{action}Recommender",
                partition=partition,
                arguments=expression("$plan.arguments"),
                next_state=recommender.start,
                retry=retry_write(deadlines.serving.to_seconds()),
                catchers=[*([catch(recommender.start, ALREADY_EXISTS)] if action == "create" else []), failed],
            )
            for action in ACTIONS
        },
        **recommender.states(partition),
        "Done": finish(name="$plan.name", failures="[]"),
        "Late": assign("Failed", recommenderReason=recommender.waited),
        "Failed": finish(
            name="$plan.name", failures="[{'name': 'recommender ' & $plan.name, 'reason': $recommenderReason}]"
        ),
    }
    return {
        "Comment": "Creates, updates, starts or stops one recommender of Amazon Personalize",
        "QueryLanguage": "JSONata",
        "StartAt": "Begin",
        "States": states,
    }
