"""EventTracker."""

from __future__ import annotations

import pytest

import cdk_personalize as personalize
from tests.unit.conftest import USERS, Resources, Synthesis

TYPE = "AWS::Personalize::EventTracker"


def test_it_waits_for_every_dataset(synthesis: Synthesis, group: personalize.DatasetGroup) -> None:
    tracker = group.add_event_tracker()
    group.add_users(schema=USERS)
    resources = Resources.of(synthesis.template)
    resource = resources.one(TYPE)

    assert set(resources.ids("Custom::PersonalizeDataset")) <= set(resource["DependsOn"])
    assert len(resources.ids("Custom::PersonalizeDataset")) == 3
    assert resource["Properties"] == {
        "Name": tracker.event_tracker_name,
        "DatasetGroupArn": {"Fn::GetAtt": [*resources.ids("Custom::PersonalizeDatasetGroup"), "DatasetGroupArn"]},
        "Tags": [{"Key": "cdk-personalize:owner", "Value": group.owner}],
    }


def test_attributes(synthesis: Synthesis, group: personalize.DatasetGroup) -> None:
    tracker = group.add_event_tracker(event_tracker_name="clicks")
    [attribute] = synthesis.stack.resolve(tracker.tracking_id).values()

    assert attribute[1] == "TrackingId"
    assert synthesis.stack.resolve(tracker.event_tracker_arn)["Fn::GetAtt"][1] == "EventTrackerArn"
    assert tracker.event_tracker_name == "clicks"
    assert group.event_tracker is tracker


def test_at_most_one(group: personalize.DatasetGroup) -> None:
    group.add_event_tracker()

    with pytest.raises(
        ValueError, match=r"^dataset group 'Films/Movies' has an event tracker already \('Films/Movies/EventTracker'\)"
    ):
        group.add_event_tracker("Another")


def test_a_name_that_the_service_refuses(group: personalize.DatasetGroup) -> None:
    with pytest.raises(ValueError, match="event_tracker_name must have 1 to 63"):
        group.add_event_tracker(event_tracker_name="my clicks")


def test_in_a_dataset_group_that_is_managed_elsewhere(synthesis: Synthesis) -> None:
    arn = "arn:aws:personalize:us-east-1:111122223333:dataset-group/films"
    group = personalize.DatasetGroup.from_dataset_group_arn(synthesis.stack, "Imported", arn)
    personalize.EventTracker(synthesis.stack, "Tracker", dataset_group=group)

    properties = Resources.of(synthesis.template).properties(TYPE)
    assert properties["DatasetGroupArn"] == arn
    assert "Tags" not in properties
