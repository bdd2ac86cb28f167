"""What clients send while they run: events, items, users, actions.

See https://docs.aws.amazon.com/personalize/latest/dg/recording-item-interaction-events.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .columns import ID_COLUMNS, NUMBERS, Column, by_property, folded
from .contents import EntityContents, InteractionsContents, PutEvent
from .crud import require_active
from .engine import Context, Parameters
from .errors import invalid_input, not_found
from .json_text import read_json
from .kinds.datasets import columns_of_dataset, dataset_of, interactions_of
from .kinds.metric_attributions import count_events
from .resources import Parent

#: how large one event may be, as JSON
MAX_EVENT_BYTES = 10 * 1024

_RESERVED = frozenset({"userid", "sessionid", "eventtype", "timestamp", "recommendationid", "impression"})
_IN_MEMBERS = frozenset({"USER_ID", "ITEM_ID", "ACTION_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE"})


def put_events(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """PutEvents. The next request already takes them into account."""
    scope = context.scope
    trackers = scope.children("EventTracker", "trackingId", parameters["trackingId"])
    if not trackers or not trackers[0].active:
        raise invalid_input(f"There is no ACTIVE event tracker with the trackingId {parameters['trackingId']}.")
    group = trackers[0].attributes["datasetGroupArn"]
    contents = interactions_of(scope, group)
    dataset = dataset_of(scope, group, "INTERACTIONS")
    if contents is None or dataset is None:
        context.engine.log.warning("events for %s are lost: it has no ACTIVE Interactions dataset", group)
        return {}
    columns = columns_of_dataset(scope, dataset)
    # all are checked before the first is taken up
    events = [
        _interaction(context, event, parameters["sessionId"], columns, f"eventList.{number}.member")
        for number, event in enumerate(parameters["eventList"], start=1)
    ]
    new = [
        event
        for event, given in zip(events, parameters["eventList"], strict=True)
        if contents.put(event, user_id=parameters.get("userId"), event_id=given.get("eventId"))
    ]
    count_events(context, group, new)
    return {}


def put_action_interactions(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """PutActionInteractions. The next request already takes them into account."""
    tracking_id = parameters["trackingId"]
    found = context.scope.children("Dataset", "trackingId", tracking_id)
    if not found:
        raise not_found(f"There is no Action interactions dataset with the trackingId {tracking_id}.")
    dataset = require_active(context, Parent("trackingId", "Dataset"), found[0].arn)
    contents = context.scope.datasets[dataset.arn]
    if not isinstance(contents, InteractionsContents):
        raise invalid_input(f"{dataset.arn} is not a dataset of type ACTION_INTERACTIONS.")
    columns = columns_of_dataset(context.scope, dataset)
    events = [
        _action_interaction(context, given, columns, f"actionInteractions.{number}.member")
        for number, given in enumerate(parameters["actionInteractions"], start=1)
    ]
    for event, given in zip(events, parameters["actionInteractions"], strict=True):
        contents.put(event, user_id=given.get("userId"), event_id=given.get("eventId"))
    return {}


def put_items(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """PutItems."""
    return _put_entities(context, parameters, parameters["items"], "ITEMS", "itemId")


def put_users(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """PutUsers."""
    return _put_entities(context, parameters, parameters["users"], "USERS", "userId")


def put_actions(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    """PutActions."""
    return _put_entities(context, parameters, parameters["actions"], "ACTIONS", "actionId")


def _put_entities(
    context: Context, parameters: Parameters, entities: Sequence[Mapping[str, Any]], dataset_type: str, id_member: str
) -> Mapping[str, Any]:
    dataset = require_active(context, Parent("datasetArn", "Dataset"), parameters["datasetArn"])
    contents = context.scope.datasets[dataset.arn]
    if dataset.attributes["datasetType"] != dataset_type or not isinstance(contents, EntityContents):
        raise invalid_input(f"{dataset.arn} is not a dataset of type {dataset_type}.")
    id_column = ID_COLUMNS[dataset_type][0]
    columns = [column for column in columns_of_dataset(context.scope, dataset) if column.name != id_column]
    rows = []
    for number, entity in enumerate(entities, start=1):
        path = f"{dataset_type.lower()}.{number}.member.properties"
        values = _values(_properties(entity, path), columns, path, strict=True)
        missing = [column.property_name for column in columns if not column.nullable and column.name not in values]
        if missing:
            raise invalid_input(f"{path} lacks {', '.join(missing)}, which the schema requires.")
        rows.append((entity[id_member], values))
    for id_, values in rows:
        contents.put(id_, values)
    return {}


def _interaction(
    context: Context, event: Mapping[str, Any], session_id: str, columns: Sequence[Column], path: str
) -> PutEvent:
    properties = _event_properties(event, path)
    # shipped programs send the item only here, and are understood
    item_id = event.get("itemId") or next((str(v) for k, v in properties.items() if folded(k) == "itemid"), None)
    if item_id is None:
        raise invalid_input(f"{path} needs an itemId.")
    value = event.get("eventValue", next((v for k, v in properties.items() if folded(k) == "eventvalue"), None))
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise invalid_input(f"{path}: eventValue must be a number, got {value!r}.")
    return PutEvent(
        item_id=item_id,
        timestamp=int(event["sentAt"]),
        event_type=event["eventType"],
        event_value=None if value is None else float(value),
        session_id=session_id,
        values={**_further(context, properties, columns, path), **_origin(context, event)},
    )


def _action_interaction(context: Context, event: Mapping[str, Any], columns: Sequence[Column], path: str) -> PutEvent:
    properties = _event_properties(event, path)
    recommendation_id = event.get("recommendationId")
    return PutEvent(
        item_id=event["actionId"],
        timestamp=int(event["timestamp"]),
        # the API writes "Not Taken", files write NOT_TAKEN
        event_type=event["eventType"].upper().replace(" ", "_"),
        event_value=None,
        session_id=event["sessionId"],
        values={
            **_further(context, properties, columns, path),
            **({"RECOMMENDATION_ID": recommendation_id} if recommendation_id else {}),
        },
    )


def _event_properties(event: Mapping[str, Any], path: str) -> dict[str, Any]:
    size = len(json.dumps(event, ensure_ascii=False).encode())
    if size > MAX_EVENT_BYTES:
        raise invalid_input(f"{path} has {size} bytes, at most {MAX_EVENT_BYTES} are allowed.")
    properties = _properties(event, f"{path}.properties")
    reserved = sorted(name for name in properties if folded(name) in _RESERVED)
    if reserved:
        raise invalid_input(f"{path}.properties must not have the reserved names {', '.join(reserved)}.")
    return properties


def _further(context: Context, properties: Mapping[str, Any], columns: Sequence[Column], path: str) -> dict[str, Any]:
    """The values of columns that have no member of their own."""
    known = {folded(name) for name in _IN_MEMBERS}
    return _values(
        {name: value for name, value in properties.items() if folded(name) not in known},
        [column for column in columns if column.name not in _IN_MEMBERS],
        f"{path}.properties",
        strict=context.engine.settings.uncertain.event_needs_known_columns,
    )


def _origin(context: Context, event: Mapping[str, Any]) -> dict[str, str]:
    """What the user saw, and where that came from. What was recommended was seen, unless the event says otherwise."""
    recommendation_id = event.get("recommendationId")
    shown = context.scope.impressions.find(recommendation_id)
    seen = event.get("impression") or (shown.item_ids if shown else ())
    source = event.get("metricAttribution", {}).get("eventAttributionSource")
    found = {"IMPRESSION": "|".join(seen), "RECOMMENDATION_ID": recommendation_id, "EVENT_ATTRIBUTION_SOURCE": source}
    return {name: value for name, value in found.items() if value}


def _properties(holder: Mapping[str, Any], path: str) -> dict[str, Any]:
    try:
        properties = read_json(holder.get("properties", "{}"))
    except ValueError as error:
        raise invalid_input(f"{path} is not JSON: {error}") from error
    if not isinstance(properties, dict):
        raise invalid_input(f"{path} must be a JSON object.")
    return properties


def _values(properties: Mapping[str, Any], columns: Sequence[Column], path: str, *, strict: bool) -> dict[str, Any]:
    known = by_property(columns)
    values: dict[str, Any] = {}
    for name, value in properties.items():
        column = known.get(folded(name))
        if column is None:
            if strict:
                raise invalid_input(f"{path} has {name}, which the schema lacks.")
            continue
        if value is not None:
            values[column.name] = _value(column, value, f"{path}.{name}")
    return values


def _value(column: Column, value: Any, path: str) -> Any:
    if column.type == "boolean":
        fits = isinstance(value, bool)
    elif column.type in NUMBERS:
        numbers = (int,) if column.type in ("int", "long") else (int, float)
        fits = isinstance(value, numbers) and not isinstance(value, bool)
    else:
        fits = isinstance(value, str)
    if not fits:
        raise invalid_input(f"{path} must be a {column.type}, got {value!r}.")
    return float(value) if column.numeric else value
