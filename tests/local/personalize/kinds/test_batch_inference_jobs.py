from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from ..batches import FAST, Batches, Jobs
from ..support import BUCKET, ROLE, SLOW, Cloud

SIMILAR = "aws-similar-items"
V1 = "aws-user-personalization"
V2 = "aws-user-personalization-v2"
RANKING = "aws-personalized-ranking-v2"
THEMES: dict[str, Any] = {
    "batchInferenceJobMode": "THEME_GENERATION",
    "themeGenerationConfig": {"fieldsForThemeGeneration": {"itemName": "TITLE"}},
}


@pytest.fixture(scope="module")
def batches() -> Iterator[Batches]:
    cloud = Cloud(FAST)
    yield Batches(cloud)
    cloud.service.close()


def test_recommendations_for_users(batches: Batches) -> None:
    found = batches.run("inference", batches.trained(V1), [{"userId": "u0"}, {"userId": "u1"}, {"userId": "new"}])
    assert [line["input"] for line in found] == [{"userId": "u0"}, {"userId": "u1"}, {"userId": "new"}]
    for line in found:
        assert list(line) == ["input", "output", "error"]
        assert line["error"] is None
        assert list(line["output"]) == ["recommendedItems", "scores"]
        assert len(line["output"]["recommendedItems"]) == len(line["output"]["scores"]) == 25
        assert line["output"]["scores"] == sorted(line["output"]["scores"], reverse=True)
    first, second = (line["output"]["recommendedItems"][:10] for line in found[:2])
    assert sum(int(item[1:]) < 20 for item in first) >= 8
    assert sum(int(item[1:]) >= 20 for item in second) >= 8


def test_it_is_what_a_campaign_answers(batches: Batches) -> None:
    campaign = batches.campaign(batches.trained(RANKING), "ranking")
    items = ["i3", "i30", "unheard-of", "i7"]
    (line,) = batches.run("inference", batches.trained(RANKING), [{"userId": "u0", "itemList": items}])
    answer = batches.cloud.runtime.get_personalized_ranking(campaignArn=campaign, userId="u0", inputList=items)
    assert line["output"]["recommendedItems"] == [entry["itemId"] for entry in answer["personalizedRanking"]]
    assert line["output"]["scores"] == [entry.get("score") for entry in answer["personalizedRanking"]]
    assert sum(line["output"]["scores"][:3]) == pytest.approx(1)
    assert line["output"]["scores"][3] is None


def test_reasons_of_v2(batches: Batches) -> None:
    (line,) = batches.run("inference", batches.trained(V2), [{"userId": "u0"}], numResults=7)
    assert [len(values) for values in line["output"].values()] == [7, 7, 7]
    assert all(isinstance(reasons, list) for reasons in line["output"]["reasons"])


@pytest.mark.parametrize("recipe", [SIMILAR, "aws-sims"])
def test_related_items_have_no_scores(batches: Batches, recipe: str) -> None:
    (line,) = batches.run("inference", batches.trained(recipe), [{"itemId": "i3"}], numResults=5)
    assert list(line["output"]) == ["recommendedItems"]
    assert "i3" not in line["output"]["recommendedItems"]
    assert sum(int(item[1:]) < 20 for item in line["output"]["recommendedItems"]) >= 4


def test_popular_items_are_the_same_for_everybody(batches: Batches) -> None:
    first, second = batches.run(
        "inference", batches.trained("aws-popularity-count"), [{"userId": "u0"}, {"userId": "u1"}]
    )
    assert first["output"] == second["output"]
    assert list(first["output"]) == ["recommendedItems"]


def test_ranking_influence(batches: Batches) -> None:
    def mean_item(**configuration: Any) -> float:
        version = batches.trained("aws-semantic-similarity")
        (line,) = batches.run("inference", version, [{"itemId": "i25"}], numResults=5, **configuration)
        return sum(int(item[1:]) for item in line["output"]["recommendedItems"]) / 5

    fresh = mean_item(batchInferenceJobConfig={"rankingInfluence": {"FRESHNESS": 1.0}})
    assert fresh > mean_item()
    assert fresh > 30


def test_filters_with_values_in_each_line(batches: Batches) -> None:
    genre = batches.filter("genre", "INCLUDE ItemID WHERE Items.GENRES IN ($GENRES)")
    lines = [
        {"userId": "u0", "filterValues": {"GENRES": '"Drama"'}},
        {"userId": "u0", "filterValues": {"GENRES": '"Comedy"'}},
        {"userId": "u0"},
        {"userId": "u0", "filterValues": {"OTHER": '"Drama"'}},
    ]
    dramas, comedies, missing, other = batches.run("inference", batches.trained(V1), lines, filterArn=genre)
    assert {int(item[1:]) < 20 for item in dramas["output"]["recommendedItems"]} == {True}
    assert {int(item[1:]) < 20 for item in comedies["output"]["recommendedItems"]} == {False}
    for line, message in ((missing, "GENRES"), (other, "OTHER")):
        assert "output" not in line
        assert message in line["error"]
    older = batches.filter("older", "INCLUDE ItemID WHERE Items.YEAR < CurrentItem.YEAR")
    (line,) = batches.run("inference", batches.trained(SIMILAR), [{"itemId": "i10"}], filterArn=older)
    assert max(int(item[1:]) for item in line["output"]["recommendedItems"]) < 10


def test_lines_that_cannot_be_answered_have_errors(batches: Batches) -> None:
    lines = ["{", "[]", '{"itemId": "i1"}', '{"userId": 5}', '{"userId": "u0", "filterValues": []}', '{"userId": "u0"}']
    found = batches.run("inference", batches.trained(V1), lines)
    assert [line["input"] for line in found[:2]] == ["{", "[]"]
    assert all("output" not in line for line in found[:5])
    for line, message in zip(
        found, ("JSON", "object", "userId is required", "userId, a string", "filterValues"), strict=False
    ):
        assert message in line["error"]
    assert found[5]["error"] is None
    ranking = batches.run("inference", batches.trained(RANKING), [{"userId": "u0"}, {"userId": "u0", "itemList": [1]}])
    assert all("itemList, a list of strings" in line["error"] for line in ranking)


def test_a_folder_is_answered_file_by_file(batches: Batches) -> None:
    for name, user in (("a.json", "u0"), ("deep/b.jsonl", "u1"), ("", "")):
        batches.cloud.buckets.put(f"folder/{name}", f'{{"userId": "{user}"}}\n\n' if user else "")
    job = batches.start("inference", batches.trained(V1), f"s3://{BUCKET}/folder/")
    batches.wait("batch_inference_job", job)
    assert [line["input"] for line in batches.output("a.json.out")] == [{"userId": "u0"}]
    assert [line["input"] for line in batches.output("deep/b.jsonl.out")] == [{"userId": "u1"}]


def test_describe_and_list(batches: Batches) -> None:
    version = batches.trained(V1)
    batches.run("inference", version, [{"userId": "u0"}], tags=[{"tagKey": "a", "tagValue": "b"}])
    newest = batches.personalize.list_batch_inference_jobs(solutionVersionArn=version)["batchInferenceJobs"][-1]
    assert newest["status"] == "ACTIVE"
    assert newest["batchInferenceJobMode"] == "BATCH_INFERENCE"
    arn = newest["batchInferenceJobArn"]
    assert arn.endswith(f":batch-inference-job/{newest['jobName']}")
    job = batches.personalize.describe_batch_inference_job(batchInferenceJobArn=arn)["batchInferenceJob"]
    assert (job["numResults"], job["roleArn"], job["solutionVersionArn"]) == (25, ROLE, version)
    assert batches.personalize.list_tags_for_resource(resourceArn=arn)["tags"] == [{"tagKey": "a", "tagValue": "b"}]
    with pytest.raises(batches.personalize.exceptions.ResourceAlreadyExistsException):
        batches.start("inference", version, f"s3://{BUCKET}/x", jobName=newest["jobName"])


@pytest.mark.parametrize(
    ("recipe", "arguments", "message"),
    [
        ("aws-trending-now", {}, "cannot use solution versions of the recipe aws-trending-now"),
        ("aws-item-affinity", {}, "cannot use solution versions of the recipe aws-item-affinity"),
        (V1, {"numResults": 501}, "from 0 to 500, got 501"),
        (V1, {"jobOutput": {"s3DataDestination": {"path": "s3://data/x/"}}}, "another location than jobInput"),
        (V1, {"batchInferenceJobConfig": {"itemExplorationConfig": {"explorationWeight": "2"}}}, "from 0.0 to 1.0"),
        (V2, {"batchInferenceJobConfig": {"itemExplorationConfig": {"explorationWeight": "1"}}}, "does not support"),
        (V1, {"batchInferenceJobConfig": {"rankingInfluence": {"POPULARITY": 1.0}}}, "does not support rankingInfl"),
        (V1, THEMES, "Themes are for the recipe aws-similar-items only"),
        (SIMILAR, {"batchInferenceJobMode": "THEME_GENERATION"}, "themeGenerationConfig is required"),
        (
            SIMILAR,
            {**THEMES, "themeGenerationConfig": {"fieldsForThemeGeneration": {"itemName": "YEAR"}}},
            "must name a column of strings in the Items dataset, got YEAR",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(
    batches: Batches, recipe: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(batches.personalize.exceptions.InvalidInputException, match=message):
        batches.start("inference", batches.trained(recipe), "s3://data/x", **arguments)


def test_filters_must_fit(batches: Batches) -> None:
    people = batches.filter("people", "INCLUDE UserID WHERE Users.AGE > 30")
    with pytest.raises(batches.personalize.exceptions.InvalidInputException, match="not about ItemID"):
        batches.start("inference", batches.trained(V1), "s3://data/x", filterArn=people)
    with pytest.raises(batches.personalize.exceptions.ResourceNotFoundException):
        batches.start("inference", batches.trained(V1), "s3://data/x", filterArn=people + "x")


@pytest.mark.parametrize(
    ("source", "destination", "reason"),
    [
        ("s3://data/none.json", "s3://data/o/", "Invalid S3 input path"),
        ("s3://other/x.json", "s3://data/o/", "Invalid S3 input path"),
        ("https://data/x.json", "s3://data/o/", "Invalid S3 input path"),
        ("s3://data/one.json", "s3://other/o/", "Invalid S3 output path"),
        ("s3://data/one.json", "https://data/o/", "Invalid S3 output path"),
        ("s3://data/latin.json", "s3://data/o/", "Invalid S3 input path"),
    ],
)
def test_bad_locations(batches: Batches, source: str, destination: str, reason: str) -> None:
    batches.cloud.buckets.put("one.json", '{"userId": "u0"}')
    batches.cloud.buckets.objects[BUCKET, "latin.json"] = b'{"userId": "\xff"}'
    output = {"s3DataDestination": {"path": destination}}
    assert batches.failed("inference", batches.trained(V1), source, jobOutput=output) == reason


def test_themes_are_what_items_have_in_common(batches: Batches) -> None:
    sea, space = batches.run(
        "inference", batches.trained(SIMILAR), [{"itemId": "i3"}, {"itemId": "i33"}], numResults=8, **THEMES
    )
    for line, words in ((sea, ("drama", "sailor", "whale")), (space, ("comedy", "rocket", "planet"))):
        output = line["output"]
        assert list(output) == ["recommendedItems", "theme", "itemsThemeRelevanceScores"]
        assert any(word in output["theme"].lower() for word in words)
        assert output["itemsThemeRelevanceScores"] == sorted(output["itemsThemeRelevanceScores"], reverse=True)
        assert len(output["itemsThemeRelevanceScores"]) == len(output["recommendedItems"]) == 8


def test_themes_have_limits_of_their_own(batches: Batches) -> None:
    source = batches.cloud.buckets.put("many.json", '{"itemId": "i1"}\n' * 101)
    reason = batches.failed("inference", batches.trained(SIMILAR), source, **THEMES)
    assert reason == "An input file has 101 records, at most 100 are allowed."


def test_limits_of_the_input(make_cloud: Callable[..., Cloud]) -> None:
    limits = {
        "batch_input_files": 2,
        "batch_input_bytes": 60,
        "batch_inference_records_per_file": 3,
        "busy_batch_inference_jobs": 1,
    }
    batches = Jobs(make_cloud(replace(FAST, quotas=limits)))
    version = batches.planted()
    line = '{"userId": "u0"}\n'
    for name, lines in (("a", 1), ("b", 3), ("c", 1)):
        batches.cloud.buckets.put(f"three/{name}.json", line * lines)
        batches.cloud.buckets.put(f"{'two' if name != 'c' else 'one'}/{name}.json", line * lines)
    batches.cloud.buckets.put("four.json", "{}\n" * 4)
    assert batches.failed("inference", version, "s3://data/three/") == "The input has 3 files, at most 2 are allowed."
    assert batches.failed("inference", version, "s3://data/two/") == "The input has 68 bytes, at most 60 are allowed."
    assert "has 4 records, at most 3" in batches.failed("inference", version, "s3://data/four.json")


def test_permissions(make_cloud: Callable[..., Cloud], caplog: pytest.LogCaptureFixture) -> None:
    denied = {"action": "", "resource": ""}

    def authorize(**request: str) -> bool:
        return not (request["action"] == denied["action"] and request["resource"].endswith(denied["resource"]))

    batches = Jobs(make_cloud(FAST, authorize=authorize))
    source = batches.cloud.buckets.put("in.json", '{"userId": "u0"}\n')
    version = batches.planted()
    for action, resource, reason in (
        ("s3:ListBucket", ":data", "Invalid S3 input path"),
        ("s3:GetObject", ":data/in.json", "Invalid S3 input path"),
        ("s3:PutObject", "/in.json.out", "Invalid S3 output path"),
    ):
        denied.update(action=action, resource=resource)
        assert batches.failed("inference", version, source) == reason
        assert f"may not {action}" in caplog.text
    denied.update(action="")
    batches.run("inference", version, [{"userId": "u0"}])


def test_statuses_and_a_filter_that_is_in_use(make_cloud: Callable[..., Cloud]) -> None:
    batches = Jobs(make_cloud(SLOW))
    version = batches.planted()
    batches.dataset(batches.group_arn)
    every = batches.filter("every", 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")')
    source = batches.cloud.buckets.put("in.json", '{"userId": "u0"}\n')
    job = batches.start("inference", version, source, filterArn=every)
    client = batches.personalize
    assert (
        client.describe_batch_inference_job(batchInferenceJobArn=job)["batchInferenceJob"]["status"] == "CREATE PENDING"
    )
    batches.wait("batch_inference_job", job, until=("CREATE IN_PROGRESS",))
    with pytest.raises(client.exceptions.ResourceInUseException, match="batch-inference-job"):
        client.delete_filter(filterArn=every)
    batches.wait("batch_inference_job", job)
    client.delete_filter(filterArn=every)


def test_themes_are_not_everywhere(batches: Batches) -> None:
    client = batches.cloud.client("personalize", region="eu-west-1")
    with pytest.raises(client.exceptions.InvalidInputException, match="ap-northeast-1 only, not in eu-west-1"):
        client.create_batch_inference_job(
            jobName="themes",
            solutionVersionArn=batches.planted(SIMILAR, region="eu-west-1"),
            jobInput={"s3DataSource": {"path": "s3://data/x.json"}},
            jobOutput={"s3DataDestination": {"path": "s3://data/y/"}},
            roleArn=ROLE,
            **THEMES,
        )


def test_how_many_jobs_there_may_be_at_once(make_cloud: Callable[..., Cloud]) -> None:
    jobs = Jobs(make_cloud(SLOW))
    version = jobs.planted()
    for _ in range(5):
        jobs.start("inference", version, "s3://data/x.json")
    with pytest.raises(jobs.personalize.exceptions.LimitExceededException, match="More than 5 resources with PENDING"):
        jobs.start("inference", version, "s3://data/x.json")
