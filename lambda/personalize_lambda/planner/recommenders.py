"""The recommenders of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .compare import empty_datasets, holds, refuse_foreign
from .world import ACTIVE, FAILED, INACTIVE, JsonObject, RecommenderState, World


def plan_recommenders(document: Mapping[str, Any], world: World, failed_imports: Sequence[str]) -> JsonObject:
    """The recommenders to create, start, update or stop; one that is declared as stopped is not created.

    Creating one trains it, so that it waits for data like a solution does.
    """
    empty = empty_datasets(document, world)
    recommenders: list[JsonObject] = []
    waiting: list[str] = []
    for recommender in document.get("recommenders", ()):
        state = world.recommenders.get(recommender["recommenderArn"])
        refuse_foreign("recommender", recommender["name"], state)
        if state is None and recommender["running"] and (empty or failed_imports):
            waiting += [f"{recommender['name']}: data for {', '.join(empty)}"] if empty else []
            continue
        step = {
            "name": recommender["name"],
            "recommenderArn": recommender["recommenderArn"],
            "isBusy": state is not None and state.is_busy,
            "actions": _actions(document, recommender, state),
        }
        if step["isBusy"] or step["actions"]:
            recommenders.append(step)
    return {"recommenders": recommenders, "waitingFor": waiting}


def _actions(
    document: Mapping[str, Any], recommender: Mapping[str, Any], state: RecommenderState | None
) -> list[JsonObject]:
    """What to do one after the other, once what is under way has ended.

    One is updated while it is active: whether the service updates one that is stopped is not documented.
    """
    runs, wanted = recommender["running"], recommender["configuration"]
    if state is None:
        arguments = {
            "name": recommender["name"],
            "datasetGroupArn": document["datasetGroupArn"],
            "recipeArn": recommender["recipeArn"],
            "recommenderConfig": wanted,
            "tags": recommender["tags"],
        }
        return [{"action": "create", "arguments": arguments}] if runs else []
    if state.end_status not in (ACTIVE, INACTIVE):  # it failed, or is being deleted
        return []
    active, this = state.end_status == ACTIVE, {"recommenderArn": state.arn}
    differs = not holds(state.configuration, wanted) and (runs or active)
    # what did not work is tried again
    failed = runs and state.update_status == FAILED
    actions: list[tuple[str, bool, JsonObject]] = [
        ("start", runs and not active, this),
        ("update", differs or failed, {**this, "recommenderConfig": wanted}),
        ("stop", active and not runs, this),
    ]
    return [{"action": name, "arguments": arguments} for name, is_due, arguments in actions if is_due]
