"""The recommenders of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .compare import empty_datasets, holds, refuse_foreign
from .world import ACTIVE, FAILED, INACTIVE, JsonObject, RecommenderState, World


def plan_recommenders(document: Mapping[str, Any], world: World, failed_imports: Sequence[str]) -> JsonObject:
    """The recommenders to create, update, start or stop; one that is declared as stopped is not created.

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
        action = _recommender_action(document, recommender, state)
        if action:
            step = {"name": recommender["name"], "recommenderArn": recommender["recommenderArn"]}
            recommenders.append({**step, **action})
    return {"recommenders": recommenders, "waitingFor": waiting}


def _recommender_action(
    document: Mapping[str, Any], recommender: Mapping[str, Any], state: RecommenderState | None
) -> JsonObject | None:
    if state is None:
        arguments = {
            "name": recommender["name"],
            "datasetGroupArn": document["datasetGroupArn"],
            "recipeArn": recommender["recipeArn"],
            "recommenderConfig": recommender["configuration"],
            "tags": recommender["tags"],
        }
        return {"action": "create", "arguments": arguments} if recommender["running"] else None
    this = {"recommenderArn": state.arn}
    if state.status not in (ACTIVE, INACTIVE) or state.update_status not in (None, ACTIVE, FAILED):
        return {"action": "wait", "arguments": {}}
    if recommender["running"] and state.status == INACTIVE:
        return {"action": "start", "arguments": this}
    if not recommender["running"]:
        return {"action": "stop", "arguments": this} if state.status == ACTIVE else None
    wanted = recommender["configuration"]
    if state.update_status == FAILED or not holds(state.configuration, wanted):
        return {"action": "update", "arguments": {**this, "recommenderConfig": wanted}}
    return None
