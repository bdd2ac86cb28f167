"""What the five operations for events accept; what they bring about is in ``test_recommendations``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from personalize_local.personalize.columns import columns_of
from personalize_local.personalize.contents import EntityContents, InteractionsContents

from .support import (
    ACCOUNT,
    ACTION_INTERACTIONS_SCHEMA,
    ACTIONS_SCHEMA,
    ITEMS_SCHEMA,
    REGION,
    SLOW,
    USERS_SCHEMA,
    Builder,
    Cloud,
)

EVENT = {"eventType": "watch", "sentAt": 100.5, "itemId": "i"}


@pytest.fixture
def tracked(build: Builder) -> str:
    """A group with interactions and a tracker; gives the tracking id."""
    group = build.group()
    build.dataset(group)
    tracker = build.personalize.create_event_tracker(name="t", datasetGroupArn=group)
    build.wait("event_tracker", tracker["eventTrackerArn"])
    tracking_id: str = tracker["trackingId"]
    return tracking_id


def contents(cloud: Cloud) -> InteractionsContents:
    scope = cloud.service._engine.state.scope(ACCOUNT, REGION)
    (found,) = scope.datasets.values()
    assert isinstance(found, InteractionsContents)
    return found


def put(cloud: Cloud, tracking_id: str, *events: dict[str, Any], session: str = "s", user: str | None = "u") -> None:
    who = {"userId": user} if user else {}
    cloud.events.put_events(trackingId=tracking_id, sessionId=session, eventList=[*events], **who)


def test_events_become_interactions(cloud: Cloud, tracked: str) -> None:
    put(cloud, tracked, {**EVENT, "eventValue": 4.5}, {**EVENT, "itemId": "j", "sentAt": 50})
    assert [tuple(event) for event in contents(cloud).history("u")] == [("j", "watch", 50.0), ("i", "watch", 100.0)]
    found = contents(cloud).interactions()
    assert found.user_ids.tolist() == ["u", "u"]
    assert found.event_values is not None
    assert found.event_values[0] == 4.5


def test_properties_may_hold_the_item_and_the_value(cloud: Cloud, tracked: str) -> None:
    put(cloud, tracked, {"eventType": "watch", "sentAt": 1, "properties": '{"itemId": "i", "eventValue": 3}'})
    assert [event.item_id for event in contents(cloud).history("u")] == ["i"]


def test_the_same_event_counts_once(cloud: Cloud, tracked: str) -> None:
    put(cloud, tracked, EVENT, EVENT)
    put(cloud, tracked, {**EVENT, "itemId": "j", "eventId": "e"}, {**EVENT, "itemId": "k", "eventId": "e"})
    assert [event.item_id for event in contents(cloud).history("u")] == ["i", "j"]


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"eventType": "watch", "sentAt": 1}, "eventList.2.member needs an itemId"),
        ({**EVENT, "properties": "{"}, "eventList.2.member.properties is not JSON"),
        ({**EVENT, "properties": "[]"}, "must be a JSON object"),
        ({**EVENT, "properties": '{"USER_ID": "u"}'}, "reserved names USER_ID"),
        ({**EVENT, "properties": '{"eventValue": "much"}'}, "eventValue must be a number, got 'much'"),
        ({**EVENT, "properties": "x" * 1025}, "length less than or equal to 1024"),
        ({**EVENT, "impression": ["i"] * 26}, "length less than or equal to 25"),
        ({"eventType": "watch", "itemId": "i"}, "eventList.2.member.sentAt"),
    ],
)
def test_a_wrong_event_refuses_all(cloud: Cloud, tracked: str, event: dict[str, Any], message: str) -> None:
    with pytest.raises(cloud.events.exceptions.InvalidInputException, match=message):
        put(cloud, tracked, EVENT, event)
    assert contents(cloud).history("u") == []


def test_at_most_ten_events(cloud: Cloud, tracked: str) -> None:
    with pytest.raises(cloud.events.exceptions.InvalidInputException, match="length less than or equal to 10"):
        put(cloud, tracked, *[EVENT] * 11)


def test_an_unknown_tracker(cloud: Cloud) -> None:
    with pytest.raises(cloud.events.exceptions.InvalidInputException, match="trackingId nothing"):
        put(cloud, "nothing", EVENT)


def test_without_a_dataset_events_are_lost(build: Builder, caplog: pytest.LogCaptureFixture) -> None:
    tracker = build.personalize.create_event_tracker(name="t", datasetGroupArn=build.group())
    build.wait("event_tracker", tracker["eventTrackerArn"])
    put(build.cloud, tracker["trackingId"], EVENT)
    assert "events for arn:aws:personalize:us-east-1:000000000000:dataset-group/films are lost" in caplog.text


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ("{}", "lacks genres, which the schema requires"),
        ('{"genres": 3}', "genres must be a string, got 3"),
        ('{"genres": "Drama", "year": "x"}', "year must be a int, got 'x'"),
        ('{"genres": "Drama", "colour": "red"}', "has colour, which the schema lacks"),
        ("no", "is not JSON"),
    ],
)
def test_wrong_items(build: Builder, properties: str, message: str) -> None:
    dataset = build.dataset(build.group(), "Items", ITEMS_SCHEMA)
    events = build.cloud.events
    with pytest.raises(events.exceptions.InvalidInputException, match=message):
        events.put_items(datasetArn=dataset, items=[{"itemId": "i", "properties": properties}])


def test_items_need_their_dataset(build: Builder) -> None:
    events = build.cloud.events
    dataset = build.dataset(build.group())
    with pytest.raises(events.exceptions.InvalidInputException, match="is not a dataset of type ITEMS"):
        events.put_items(datasetArn=dataset, items=[{"itemId": "i"}])
    with pytest.raises(events.exceptions.ResourceNotFoundException) as raised:
        events.put_users(datasetArn=f"{dataset}X", users=[{"userId": "u"}])
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_what_was_seen_is_kept(cloud: Cloud, tracked: str) -> None:
    scope = cloud.service._engine.state.scope(ACCOUNT, REGION)
    scope.impressions.remember("shown", ["i", "j"], "live")
    put(
        cloud,
        tracked,
        {**EVENT, "sentAt": 1, "impression": ["a", "b"], "recommendationId": "shown"},
        {**EVENT, "sentAt": 2, "recommendationId": "shown"},
        {**EVENT, "sentAt": 3, "recommendationId": "unknown"},
        {**EVENT, "sentAt": 4, "metricAttribution": {"eventAttributionSource": "mail"}},
    )
    found = contents(cloud)
    assert found.column("IMPRESSION").tolist() == ["a|b", "i|j", None, None]
    assert found.column("RECOMMENDATION_ID").tolist() == ["shown", "shown", "unknown", None]
    assert found.column("EVENT_ATTRIBUTION_SOURCE").tolist() == [None, None, None, "mail"]


@pytest.mark.parametrize("name", ["userId", "sessionId", "eventType", "timestamp", "recommendationId", "IMPRESSION"])
def test_reserved_properties(cloud: Cloud, tracked: str, name: str) -> None:
    with pytest.raises(cloud.events.exceptions.InvalidInputException, match=f"reserved names {name}"):
        put(cloud, tracked, {**EVENT, "properties": json.dumps({name: "x"})})


def test_an_event_has_ten_kilobytes(cloud: Cloud, tracked: str) -> None:
    large = {**EVENT, "impression": ["漢" * 256] * 14}
    with pytest.raises(cloud.events.exceptions.InvalidInputException, match=r"has 1\d{4} bytes, at most 10240"):
        put(cloud, tracked, large)
    put(cloud, tracked, {**large, "impression": ["漢" * 256] * 13})


@pytest.fixture
def actions(build: Builder) -> str:
    """A dataset of interactions with actions."""
    return build.dataset(build.group(), "Action_Interactions", ACTION_INTERACTIONS_SCHEMA)


TAKEN = {"actionId": "a", "sessionId": "s", "timestamp": 5, "eventType": "Not Taken"}


def test_events_about_actions(build: Builder, actions: str) -> None:
    tracking_id = build.wait("dataset", actions)["trackingId"]
    before = {**TAKEN, "timestamp": 4, "eventType": "Viewed"}
    taken = {**TAKEN, "userId": "u", "eventId": "e"}
    again = {**TAKEN, "userId": "u", "eventId": "e", "timestamp": 6}
    for interactions in ([before], [taken, again]):
        build.cloud.events.put_action_interactions(trackingId=tracking_id, actionInteractions=interactions)
    assert [tuple(event) for event in contents(build.cloud).history("u")] == [
        ("a", "VIEWED", 4.0),
        ("a", "NOT_TAKEN", 5.0),
    ]


def test_events_about_actions_need_their_dataset(build: Builder, actions: str) -> None:
    events = build.cloud.events
    with pytest.raises(events.exceptions.ResourceNotFoundException, match="trackingId nothing") as raised:
        events.put_action_interactions(trackingId="nothing", actionInteractions=[TAKEN])
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    tracking_id = build.wait("dataset", actions)["trackingId"]
    with pytest.raises(events.exceptions.InvalidInputException, match="reserved names eventType"):
        events.put_action_interactions(
            trackingId=tracking_id, actionInteractions=[{**TAKEN, "properties": '{"eventType": "x"}'}]
        )
    assert contents(build.cloud).history("s") == []


def test_a_busy_dataset_takes_nothing(make_cloud: Callable[..., Cloud]) -> None:
    build = Builder(make_cloud(SLOW))
    group = build.group()
    events = build.cloud.events
    users = build.dataset(group, "Users", USERS_SCHEMA)
    interactions = build.dataset(group, "Action_Interactions", ACTION_INTERACTIONS_SCHEMA)
    tracking_id = build.wait("dataset", interactions)["trackingId"]
    for dataset in (users, interactions):
        build.personalize.delete_dataset(datasetArn=dataset)
    with pytest.raises(events.exceptions.ResourceInUseException, match="DELETE PENDING") as raised:
        events.put_users(datasetArn=users, users=[{"userId": "u", "properties": '{"age": 3}'}])
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409
    with pytest.raises(events.exceptions.ResourceInUseException, match="DELETE PENDING"):
        events.put_action_interactions(trackingId=tracking_id, actionInteractions=[TAKEN])


def test_actions_come_one_by_one(build: Builder) -> None:
    dataset = build.dataset(build.group(), "Actions", ACTIONS_SCHEMA)
    events = build.cloud.events
    events.put_actions(datasetArn=dataset, actions=[{"actionId": "a", "properties": '{"value": 3}'}])
    found = build.cloud.service._engine.state.scope(ACCOUNT, REGION).datasets[dataset]
    assert isinstance(found, EntityContents)
    assert found.row(columns_of(ACTIONS_SCHEMA), "a") == {"VALUE": 3.0}
    with pytest.raises(events.exceptions.InvalidInputException, match="value must be a long, got 'much'"):
        events.put_actions(datasetArn=dataset, actions=[{"actionId": "b", "properties": '{"value": "much"}'}])
    assert len(found) == 1
