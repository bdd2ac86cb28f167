"""Probes of what jobs, metric attributions and recommenders do; see test_uncertain.py."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest

from tests.conformance.account import RECIPE, SCHEMA, Account, error_code, interactions

Settle = Callable[[str, Any], None]
RECIPES = RECIPE.rpartition("/")[0]
WATCHED = 'INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")'
UNWATCHED = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")'
ITEMS_SCHEMA = """{"type": "record", "name": "Items", "namespace": "com.amazonaws.personalize.schema", "fields": [
{"name": "ITEM_ID", "type": "string"}, {"name": "TITLE", "type": "string", "itemName": true},
{"name": "PLOT", "type": "string", "textual": true}], "version": "1.0"}"""
ACTIONS_SCHEMA = """{"type": "record", "name": "Actions", "namespace": "com.amazonaws.personalize.schema", "fields": [
{"name": "ACTION_ID", "type": "string"}, {"name": "VALUE", "type": ["null", "long"]}], "version": "1.0"}"""


def failing(account: Account, kind: str, **parameters: Any) -> Callable[[], str | None]:
    """Begin what fails; gives its reason when it has ended, or the code of the error when it was refused at once."""
    made: list[str] = []
    code = error_code(lambda: made.append(account.create(kind, wait=False, **parameters)))

    def over() -> dict[str, Any] | None:
        found = account.describe(kind, made[0])
        return found if found["status"] in ("ACTIVE", "COMPLETED", "FAILED", "CREATE FAILED") else None

    def reason() -> str | None:
        return code or account.wait_until(over, f"the end of {made[0]}").get("failureReason")

    return reason


def closed_bucket(account: Account) -> str:
    """A bucket that does not let Personalize in."""
    name, s3 = account.name("closed"), account.client("s3")
    region = s3.meta.region_name
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=name, **where)
    s3.put_object(Bucket=name, Key="users.csv", Body=b"USER_ID\nu1\n")
    return f"s3://{name}/"


def written(account: Account, prefix: str) -> dict[str, str]:
    """The files below a prefix of the bucket, by the rest of their names."""
    s3, bucket = account.client("s3"), account.bucket.name
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return {
        entry["Key"].removeprefix(prefix): s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read().decode()
        for entry in listed
    }


def test_exports_that_fail(account: Account, settle: Settle) -> None:
    def begin(path: str) -> Callable[[], str | None]:
        output = {"s3DataDestination": {"path": path}}
        job = {"datasetArn": account.dataset, "roleArn": account.bucket.role_arn, "jobOutput": output}
        return failing(account, "DatasetExportJob", **job)

    missing = account.name("missing")
    account.bucket.let_role_use(missing)
    nowhere, closed = begin(f"s3://{missing}/out/"), begin(closed_bucket(account))
    settle("EXPORT_INVALID_LOCATION", nowhere())
    settle("EXPORT_NO_PRIVILEGES", closed())


def test_deletions_that_fail(account: Account, settle: Settle) -> None:
    assert account.dataset

    def begin(location: str) -> Callable[[], str | None]:
        job = {"datasetGroupArn": account.group, "roleArn": account.bucket.role_arn}
        return failing(account, "DataDeletionJob", dataSource={"dataLocation": location}, **job)

    nothing = begin(f"{account.bucket.location}nothing.csv")
    closed = begin(f"{closed_bucket(account)}users.csv")
    wide = begin(account.bucket.put("two-columns.csv", "USER_ID,COLOUR\nu1,red\n"))
    try:
        settle("DELETION_INVALID_LOCATION", nothing())
        settle("DELETION_NO_PRIVILEGES", closed())
        settle("DELETION_NOT_CONFORMING", wide())
    except TimeoutError as error:
        if account.local:
            raise
        pytest.skip(f"{error}; on AWS it may take a day")


def test_metric_attribution(account: Account, settle: Settle) -> None:
    """One that cannot write, one that can, its report of events, and the error for another one."""
    tracking = account.describe("EventTracker", account.tracker)["trackingId"]
    name = f"v{account.run[-8:]}"

    def request(path: str) -> dict[str, Any]:
        output = {"roleArn": account.bucket.role_arn, "s3DataDestination": {"path": path}}
        metric = {"eventType": "watch", "metricName": name, "expression": "SAMPLECOUNT()"}
        return {"datasetGroupArn": account.group, "metrics": [metric], "metricsOutputConfig": output}

    settle("ATTRIBUTION_FAILED", failing(account, "MetricAttribution", **request(closed_bucket(account)))())
    listing = partial(account.personalize.list_metric_attributions, datasetGroupArn=account.group)
    for failed in listing()["metricAttributions"]:
        account.personalize.delete_metric_attribution(metricAttributionArn=failed["metricAttributionArn"])
    account.wait_until(lambda: not listing()["metricAttributions"], "the end of the metric attribution")

    good = request(f"{account.bucket.location}metrics/")
    account.create("MetricAttribution", **good)
    settle("ATTRIBUTION_TRIAL_FILE", next(iter(written(account, "metrics/")), None))
    create = account.personalize.create_metric_attribution
    settle("second_metric_attribution_error", error_code(create, name=account.name("second"), **good))

    event = {"eventType": "watch", "itemId": "i1", "sentAt": int(time.time())}
    put = account.client("personalize-events").put_events
    put(trackingId=tracking, userId="u1", sessionId="s1", eventList=[event])

    def reports() -> list[str]:
        names = [
            re.fullmatch(r"AggregatedAttributionMetrics - (.+) - .+\.csv", file)
            for file in written(account, "metrics/")
        ]
        return [match[1] for match in names if match]

    settle("ATTRIBUTION_REPORT_OF_EVENTS", account.wait_until(reports, "the report of events")[0])
    metrics = account.client("cloudwatch").list_metrics

    def namespaces() -> list[str]:
        return [metric["Namespace"] for metric in metrics(MetricName=name.upper())["Metrics"]]

    settle("ATTRIBUTION_NAMESPACE", account.wait_until(namespaces, "the metric in CloudWatch")[0])


def test_incremental_updates_by_default(account: Account, settle: Settle) -> None:
    group = account.group_without_interactions
    schema = account.create("Schema", schema=ITEMS_SCHEMA)
    account.create("Dataset", schemaArn=schema, datasetGroupArn=group, datasetType="Items")
    recipe = f"{RECIPES}/aws-semantic-similarity"
    solution = account.create("Solution", datasetGroupArn=group, recipeArn=recipe, performAutoTraining=False)
    settle(
        "INCREMENTAL_UPDATE_BY_DEFAULT", bool(account.describe("Solution", solution).get("performIncrementalUpdate"))
    )


def test_configurations_that_do_not_fit(account: Account, settle: Settle) -> None:
    """Refused when the solution is created, or not."""
    assert account.dataset

    def code(**parameters: Any) -> str | None:
        request = {"datasetGroupArn": account.group, "performAutoTraining": False, **parameters}
        return error_code(account.personalize.create_solution, name=account.name("s"), tags=account.tags, **request)

    low = {"algorithmHyperParameters": {"hidden_dimension": "1"}}
    refused = code(recipeArn=f"{RECIPES}/aws-user-personalization", solutionConfig=low)
    settle("hyperparameter_values_checked", refused == "InvalidInputException")
    unknown = {"autoMLConfig": {"metricName": "colour", "recipeList": [f"{RECIPES}/aws-user-personalization"]}}
    settle(
        "unknown_auto_ml_metric_refused", code(performAutoML=True, solutionConfig=unknown) == "InvalidInputException"
    )


@pytest.mark.training
def test_automatic_training(account: Account, settle: Settle) -> None:
    """It begins within an hour; the version is stopped as soon as it can be seen."""
    assert account.version
    solution = account.new_solution(performAutoTraining=True)
    listing = partial(account.personalize.list_solution_versions, solutionArn=solution)
    found = account.wait_until(lambda: listing()["solutionVersions"], "automatic training")[0]
    account.personalize.update_solution(solutionArn=solution, performAutoTraining=False)
    # It may have ended already.
    error_code(account.personalize.stop_solution_version_creation, solutionVersionArn=found["solutionVersionArn"])
    settle("automatic_training_mode", account.describe("SolutionVersion", found["solutionVersionArn"])["trainingMode"])


@pytest.mark.training
def test_half_of_three_promoted(account: Account, settle: Settle) -> None:
    promoted = account.create("Filter", datasetGroupArn=account.group, filterExpression=WATCHED)
    items = account.client("personalize-runtime").get_recommendations(
        campaignArn=account.campaign,
        userId="u0",
        numResults=3,
        promotions=[{"name": "p", "percentPromotedItems": 50, "filterArn": promoted}],
    )["itemList"]
    settle("promoted_share_rounds_up", sum("promotionName" in item for item in items) == 2)


@pytest.mark.training
def test_a_filter_about_a_user_that_is_not_named(account: Account, settle: Settle) -> None:
    """A campaign of popular items needs no user."""
    assert account.version
    version = account.create_version(account.new_solution(recipeArn=f"{RECIPES}/aws-popularity-count"))
    campaign = account.create("Campaign", solutionVersionArn=version, minProvisionedTPS=1)
    unwatched = account.create("Filter", datasetGroupArn=account.group, filterExpression=UNWATCHED)
    ask = account.client("personalize-runtime").get_recommendations
    code = error_code(ask, campaignArn=campaign, filterArn=unwatched)
    account.personalize.delete_campaign(campaignArn=campaign)
    settle("filter_needs_user", code == "InvalidInputException")


@pytest.mark.training
def test_a_recommender(account: Account, settle: Settle) -> None:
    """What it leaves out by itself and a request promotes; an update while it is stopped."""
    group = account.create("DatasetGroup", domain="VIDEO_ON_DEMAND")
    schema = account.create("Schema", schema=SCHEMA, domain="VIDEO_ON_DEMAND")
    dataset = account.create("Dataset", schemaArn=schema, datasetGroupArn=group, datasetType="Interactions")
    location = account.bucket.put("videos.csv", interactions().replace("watch", "Watch"))
    source = {"dataSource": {"dataLocation": location}, "roleArn": account.bucket.role_arn}
    account.create("DatasetImportJob", datasetArn=dataset, **source)
    arn = account.create("Recommender", datasetGroupArn=group, recipeArn=f"{RECIPES}/aws-vod-top-picks")
    promoted = account.create("Filter", datasetGroupArn=group, filterExpression=WATCHED)
    items = account.client("personalize-runtime").get_recommendations(
        recommenderArn=arn,
        userId="u0",
        numResults=10,
        promotions=[{"name": "p", "percentPromotedItems": 50, "filterArn": promoted}],
    )["itemList"]
    settle("filters_drop_promoted", not any("promotionName" in item for item in items))
    account.personalize.stop_recommender(recommenderArn=arn)
    account.wait_until(lambda: account.describe("Recommender", arn)["status"] == "INACTIVE", "the stop")
    update = account.personalize.update_recommender
    code = error_code(update, recommenderArn=arn, recommenderConfig={"minRecommendationRequestsPerSecond": 1})
    settle("update_inactive_recommender", code is None)


@pytest.mark.training
def test_names_of_metrics(account: Account, settle: Settle) -> None:
    """Of trends and of actions."""
    assert account.version
    schema = account.create("Schema", schema=ACTIONS_SCHEMA)
    actions = account.create("Dataset", schemaArn=schema, datasetGroupArn=account.group, datasetType="Actions")
    given = [{"actionId": f"a{number}", "properties": json.dumps({"value": number})} for number in range(1, 4)]
    account.client("personalize-events").put_actions(datasetArn=actions, actions=given)

    def names(recipe: str) -> Mapping[str, float]:
        version = account.create_version(account.new_solution(recipeArn=f"{RECIPES}/{recipe}"))
        found: Mapping[str, float] = account.personalize.get_solution_metrics(solutionVersionArn=version)["metrics"]
        return found

    trends, ranked = names("aws-trending-now"), names("aws-next-best-action")
    settle("TREND_PREDICTION_ACCURACY", next((name for name in trends if "trend" in name.lower()), sorted(trends)))
    curve = (name for name in ranked if "curve" in name.lower() or "auc" in name.lower())
    settle("AREA_UNDER_CURVE", next(curve, sorted(ranked)))


@pytest.mark.training
def test_batch_inference(account: Account, settle: Settle) -> None:
    """The name of the output file, and the member of its lines that has reasons."""
    name, line = batch(account, "BatchInferenceJob", account.version, {"userId": "u0"})
    settle("BATCH_OUTPUT_SUFFIX", name)
    further = sorted(line["output"].keys() - {"recommendedItems", "scores"})
    settle("BATCH_REASONS", further[0] if len(further) == 1 else further)


@pytest.mark.training
def test_batch_segments(account: Account, settle: Settle) -> None:
    assert account.version
    version = account.create_version(account.new_solution(recipeArn=f"{RECIPES}/aws-item-affinity"))
    _, line = batch(account, "BatchSegmentJob", version, {"itemId": "i1"}, numResults=10)
    (member,) = line["output"]
    settle("BATCH_USERS", member)


def batch(
    account: Account, kind: str, version: str, request: Mapping[str, Any], **parameters: Any
) -> tuple[str, dict[str, Any]]:
    """What a batch job writes for one line: what follows the input's name in that of the output, and the line."""
    where = f"batch/{kind}"
    account.create(
        kind,
        solutionVersionArn=version,
        roleArn=account.bucket.role_arn,
        jobInput={"s3DataSource": {"path": account.bucket.put(f"{where}/in.json", json.dumps(request) + "\n")}},
        jobOutput={"s3DataDestination": {"path": f"{account.bucket.location}{where}/out/"}},
        **parameters,
    )
    files = written(account, f"{where}/out/in.json")
    (suffix,) = (name for name, text in files.items() if text.strip())
    line: dict[str, Any] = json.loads(files[suffix].splitlines()[0])
    return suffix, line
