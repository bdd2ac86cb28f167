from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ..batches import FAST, Batches, Jobs
from ..support import SLOW, Cloud

BY_ITEM = "aws-item-affinity"
BY_ATTRIBUTE = "aws-item-attribute-affinity"


@pytest.fixture(scope="module")
def batches() -> Iterator[Batches]:
    cloud = Cloud(FAST)
    yield Batches(cloud)
    cloud.service.close()


def likes_dramas(user: str) -> bool:
    """Even users like the first half of the items, which are dramas."""
    return int(user[1:]) % 2 == 0


def share_of_drama(line: dict[str, Any]) -> float:
    users = line["output"]["usersList"]
    return sum(map(likes_dramas, users)) / len(users)


def test_users_of_an_item(batches: Batches) -> None:
    found = batches.run("segment", batches.trained(BY_ITEM), [{"itemId": "i3"}, {"itemId": "i33"}], numResults=20)
    assert [list(line) for line in found] == [["input", "output", "error"]] * 2
    assert [line["input"] for line in found] == [{"itemId": "i3"}, {"itemId": "i33"}]
    assert [len(line["output"]["usersList"]) for line in found] == [20, 20]
    assert share_of_drama(found[0]) >= 0.9
    assert share_of_drama(found[1]) <= 0.1


def test_users_of_attributes(batches: Batches) -> None:
    lines = [
        {"itemAttributes": text}
        for text in (
            'ITEMS.genres = "Drama"',
            'ITEMS.GENRES = "Comedy" AND ITEMS.GENRES = "Children"',
            "Items.YEAR < 1990 and Items.YEAR >= 1985",
        )
    ]
    dramas, comedies, old = batches.run("segment", batches.trained(BY_ATTRIBUTE), lines, numResults=20)
    assert dramas["input"] == lines[0]
    assert share_of_drama(dramas) >= 0.9
    assert share_of_drama(comedies) <= 0.1
    assert share_of_drama(old) >= 0.9


def test_attributes_that_make_no_sense(batches: Batches) -> None:
    texts = {
        'ITEMS.genres = "Western"': "No item has the attributes",
        'ITEMS.genres = "Drama" AND ITEMS.genres = "Comedy"': "No item has the attributes",
        'ITEMS.colour = "red"': "must have the column COLOUR",
        'ITEMS.plot = "x"': "since it is textual",
        'ITEMS.genres IN ("Drama")': "compared with =, got IN",
        'ITEMS.genres = "Drama" OR ITEMS.genres = "Comedy"': "line 1, column",
        'USERS.age = "12"': "item attributes are columns of Items",
        "ITEMS.year = $YEAR": "not with a placeholder",
        "": "itemAttributes, a string",
    }
    found = batches.run("segment", batches.trained(BY_ATTRIBUTE), [{"itemAttributes": text} for text in texts])
    for line, message in zip(found, texts.values(), strict=True):
        assert "output" not in line
        assert message in line["error"]


def test_filters_on_users(batches: Batches) -> None:
    older = batches.filter("older", "INCLUDE UserID WHERE Users.AGE > $AGE")
    lines = [{"itemId": "i3", "filterValues": {"AGE": "50"}}, {"itemId": "i3"}]
    line, missing = batches.run("segment", batches.trained(BY_ITEM), lines, filterArn=older)
    assert {int(user[1:]) + 10 > 50 for user in line["output"]["usersList"]} == {True}
    assert len(line["output"]["usersList"]) == 19
    assert "AGE" in missing["error"]
    watched = batches.filter("watched", 'INCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("buy")')
    (line,) = batches.run("segment", batches.trained(BY_ITEM), [{"itemId": "i3"}], filterArn=watched)
    assert line["output"]["usersList"] == []
    with pytest.raises(batches.personalize.exceptions.InvalidInputException, match="looks at Interactions"):
        batches.start("segment", batches.trained(BY_ATTRIBUTE), "s3://data/x.json", filterArn=watched)


@pytest.mark.parametrize(("recipe", "limit"), [(BY_ITEM, 500), (BY_ATTRIBUTE, 10)])
def test_how_many_queries_there_may_be(batches: Batches, recipe: str, limit: int) -> None:
    line = '{"itemId": "i3"}\n' if recipe == BY_ITEM else '{"itemAttributes": "ITEMS.YEAR = 1990"}\n'
    batches.cloud.buckets.put("many.json", line * (limit + 1))
    reason = batches.failed("segment", batches.trained(recipe), "s3://data/many.json")
    assert reason == f"An input file has {limit + 1} records, at most {limit} are allowed."
    assert len(batches.run("segment", batches.trained(recipe), [line.strip()] * limit)) == limit


@pytest.mark.parametrize(
    ("recipe", "arguments", "message"),
    [
        ("aws-popularity-count", {}, "Batch segment jobs cannot use"),
        (BY_ITEM, {"numResults": 5_000_001}, "from 0 to 5000000"),
        (BY_ITEM, {"jobOutput": {"s3DataDestination": {"path": "s3://data/x.json"}}}, "another location"),
    ],
)
def test_what_does_not_go_together_is_refused(
    batches: Batches, recipe: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(batches.personalize.exceptions.InvalidInputException, match=message):
        batches.start("segment", batches.trained(recipe), "s3://data/x.json", **arguments)


def test_describe_and_list(batches: Batches) -> None:
    version = batches.trained(BY_ITEM)
    batches.run("segment", version, [{"itemId": "i3"}])
    newest = batches.personalize.list_batch_segment_jobs(solutionVersionArn=version)["batchSegmentJobs"][-1]
    arn = newest["batchSegmentJobArn"]
    assert arn.endswith(f":batch-segment-job/{newest['jobName']}")
    job = batches.personalize.describe_batch_segment_job(batchSegmentJobArn=arn)["batchSegmentJob"]
    assert (job["status"], job["numResults"]) == ("ACTIVE", 25)


def test_how_many_jobs_there_may_be_at_once(make_cloud: Callable[..., Cloud]) -> None:
    jobs = Jobs(make_cloud(SLOW))
    version = jobs.planted(BY_ITEM)
    for _ in range(5):
        jobs.start("segment", version, "s3://data/x.json")
    with pytest.raises(jobs.personalize.exceptions.LimitExceededException, match="More than 5 resources with PENDING"):
        jobs.start("segment", version, "s3://data/x.json")


def test_metrics_of_a_segmentation(batches: Batches) -> None:
    for recipe in (BY_ITEM, BY_ATTRIBUTE):
        found = batches.personalize.get_solution_metrics(solutionVersionArn=batches.trained(recipe))["metrics"]
        assert set(found) == {"coverage", "hits_at_1_percent", "recall_at_1_percent"}
