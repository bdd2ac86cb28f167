from __future__ import annotations

from collections.abc import Callable

import pytest

from personalize_local.personalize import Settings, Uncertain

from ..support import Builder, Cloud


def test_one_per_dataset_group(build: Builder) -> None:
    client = build.personalize
    group = build.group()
    tracker = client.create_event_tracker(name="t", datasetGroupArn=group)
    build.wait("event_tracker", tracker["eventTrackerArn"])
    with pytest.raises(client.exceptions.LimitExceededException, match=tracker["eventTrackerArn"]):
        client.create_event_tracker(name="u", datasetGroupArn=group)
    other = client.create_event_tracker(name="t", datasetGroupArn=build.group("books"))
    assert other["trackingId"] != tracker["trackingId"]


@pytest.mark.parametrize("code", ["LimitExceededException", "ResourceAlreadyExistsException"])
def test_the_error_for_a_second_one(make_cloud: Callable[..., Cloud], code: str) -> None:
    build = Builder(make_cloud(Settings(uncertain=Uncertain(second_event_tracker_error=code))))
    group = build.group()
    build.personalize.create_event_tracker(name="t", datasetGroupArn=group)
    with pytest.raises(getattr(build.personalize.exceptions, code), match="already has the event tracker"):
        build.personalize.create_event_tracker(name="u", datasetGroupArn=group)


def test_whether_interactions_are_needed(make_cloud: Callable[..., Cloud]) -> None:
    build = Builder(make_cloud(Settings(uncertain=Uncertain(tracker_needs_interactions=True))))
    group = build.group()
    with pytest.raises(build.personalize.exceptions.InvalidInputException, match="no ACTIVE Interactions dataset"):
        build.personalize.create_event_tracker(name="t", datasetGroupArn=group)
    build.dataset(group)
    assert build.personalize.create_event_tracker(name="t", datasetGroupArn=group)
