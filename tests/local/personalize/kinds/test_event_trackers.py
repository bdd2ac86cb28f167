from __future__ import annotations

import pytest

from ..support import Builder


def test_one_per_dataset_group(build: Builder) -> None:
    client = build.personalize
    group = build.group()
    tracker = client.create_event_tracker(name="t", datasetGroupArn=group)
    build.wait("event_tracker", tracker["eventTrackerArn"])
    with pytest.raises(client.exceptions.LimitExceededException, match=tracker["eventTrackerArn"]):
        client.create_event_tracker(name="u", datasetGroupArn=group)
    other = client.create_event_tracker(name="t", datasetGroupArn=build.group("books"))
    assert other["trackingId"] != tracker["trackingId"]
