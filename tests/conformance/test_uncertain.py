"""A probe per uncertain fact: what it finds must be what `uncertain.py` says, or, on AWS, is reported."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.conformance.account import HEADER, RECIPE, SCHEMA, TAG, Account, error_code, interactions

Settle = Callable[[str, Any], None]
FILTER = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")'
# How often to try what has to happen while something is busy.
TRIES = 20


def while_busy(account: Account, kind: str, ask: Callable[[str], str | None], **parameters: Any) -> str | None:
    """The error that something answers with while a new resource is not ACTIVE yet."""
    for _ in range(TRIES):
        arn = account.create(kind, wait=False, **parameters)
        code = ask(arn)
        busy = account.describe(kind, arn)["status"] != "ACTIVE"
        account.ended(kind, arn)
        # What cannot go now goes at the end.
        error_code(getattr(account.personalize, f"delete_{kind.lower()}"), **{f"{kind.lower()}Arn": arn})
        if busy:
            return code
    pytest.fail(f"{TRIES} times the {kind} was ACTIVE at once")


def test_a_second_event_tracker(account: Account, settle: Settle) -> None:
    assert account.tracker
    create = account.personalize.create_event_tracker
    code = error_code(create, name=account.name("second"), datasetGroupArn=account.group, tags=account.tags)
    settle("second_event_tracker_error", code)


def test_a_second_dataset(account: Account, settle: Settle) -> None:
    assert account.dataset
    request = {"schemaArn": account.schema, "datasetGroupArn": account.group, "datasetType": "Interactions"}
    code = error_code(account.personalize.create_dataset, name=account.name("second"), tags=account.tags, **request)
    settle("second_dataset_error", code)


def test_a_dataset_group_that_is_empty(account: Account, settle: Settle) -> None:
    """It gets an event tracker, then a dataset whose name another group's has; one group, since there may be few."""
    group = account.group_without_interactions
    create = account.personalize.create_event_tracker
    code = error_code(create, name=account.name("tracker"), datasetGroupArn=group, tags=account.tags)
    settle("tracker_needs_interactions", code is not None)
    request = {
        "name": account.describe("Dataset", account.dataset)["name"],
        "schemaArn": account.schema,
        "datasetGroupArn": group,
        "datasetType": "Interactions",
        "tags": account.tags,
    }
    settle("dataset_names_unique", error_code(account.personalize.create_dataset, **request) is not None)


def test_deleting_twice(account: Account, settle: Settle) -> None:
    delete = account.personalize.delete_dataset_group
    for _ in range(TRIES):
        group = account.create("DatasetGroup")
        delete(datasetGroupArn=group)
        code = error_code(delete, datasetGroupArn=group)
        # It may be gone already.
        if code != "ResourceNotFoundException":
            settle("delete_while_deleting", code is None)
            return
    pytest.fail(f"{TRIES} times the dataset group was gone at once")


def test_a_child_of_a_busy_parent(account: Account, settle: Settle) -> None:
    """A solution that is being created gets a version."""
    assert account.dataset
    train = account.personalize.create_solution_version
    code = while_busy(
        account,
        "Solution",
        lambda solution: error_code(train, solutionArn=solution, tags=account.tags),
        datasetGroupArn=account.group,
        recipeArn=RECIPE,
        performAutoTraining=False,
    )
    settle("create_on_busy_parent", code)


ACTION_INTERACTIONS = """{"type": "record", "name": "ActionInteractions", "version": "1.0",
"namespace": "com.amazonaws.personalize.schema", "fields": [{"name": "USER_ID", "type": "string"},
{"name": "ACTION_ID", "type": "string"}, {"name": "EVENT_TYPE", "type": "string"},
{"name": "TIMESTAMP", "type": "long"}]}"""


def test_a_campaign_of_nothing(account: Account, settle: Settle) -> None:
    create = account.personalize.create_campaign
    latest = f"{account.solution}/$LATEST"
    settle(
        "latest_without_version",
        error_code(create, name=account.name("c"), solutionVersionArn=latest, tags=account.tags),
    )


def test_an_import_without_a_role(account: Account, settle: Settle) -> None:
    location = account.bucket.put("without-role.csv", interactions())
    code = error_code(
        account.personalize.create_dataset_import_job,
        jobName=account.name("import"),
        datasetArn=account.dataset,
        dataSource={"dataLocation": location},
        tags=account.tags,
    )
    settle("import_needs_role", code == "InvalidInputException")


def test_columns_that_the_schema_lacks(account: Account, settle: Settle) -> None:
    found = account.import_rows(interactions(header=f"{HEADER},COLOUR", more=",red"))
    settle("extra_csv_columns_allowed", found["status"] == "ACTIVE")


def test_columns_in_another_order(account: Account, settle: Settle) -> None:
    rows = [",".join(reversed(line.split(","))) for line in interactions().splitlines()]
    found = account.import_rows("\n".join([*rows, ""]))
    settle("csv_columns_in_order", found["status"] != "ACTIVE")


def test_rows_that_do_not_fit(account: Account, settle: Settle) -> None:
    text = interactions() + "u1,i1,yesterday,watch\n"
    settle("ROWS_DO_NOT_CONFORM", account.import_rows(text).get("failureReason"))


def test_too_few_rows(account: Account, settle: Settle) -> None:
    settle("TOO_FEW_RECORDS", account.import_rows(interactions(10)).get("failureReason"))


def test_an_event_with_an_unknown_property(account: Account, settle: Settle) -> None:
    tracking = account.describe("EventTracker", account.tracker)["trackingId"]
    event = {
        "eventType": "watch",
        "itemId": "i1",
        "sentAt": int(time.time()),
        "properties": json.dumps({"colour": "red"}),
    }
    put = account.client("personalize-events").put_events
    code = error_code(put, trackingId=tracking, userId="u1", sessionId="s1", eventList=[event])
    settle("event_needs_known_columns", code == "InvalidInputException")


def test_a_dataset_group_with_a_filter(account: Account, settle: Settle) -> None:
    """The filter keeps the dataset that it looks at, or the group, or nothing."""
    group = account.create("DatasetGroup")
    dataset = account.create("Dataset", schemaArn=account.schema, datasetGroupArn=group, datasetType="Interactions")
    account.create("Filter", datasetGroupArn=group, filterExpression=FILTER)
    code = error_code(account.personalize.delete_dataset, datasetArn=dataset)
    if code is None:
        listing = account.personalize.list_datasets
        account.wait_until(lambda: not listing(datasetGroupArn=group)["datasets"], "the end of the dataset")
        code = error_code(account.personalize.delete_dataset_group, datasetGroupArn=group)
    settle("filters_block_dataset_group", code == "ResourceInUseException")


def test_cloudformation(account: Account, settle: Settle) -> None:
    """What the handlers of Solution and Schema do, and what `Ref` gives."""
    name, cloudformation = account.name("stack"), account.client("cloudformation")

    def resource(kind: str, **properties: Any) -> dict[str, Any]:
        return {"Type": f"AWS::Personalize::{kind}", "Properties": {"Name": name, **properties}}

    group = {"Fn::GetAtt": ["Group", "DatasetGroupArn"]}
    template = {
        "Resources": {
            "Group": resource("DatasetGroup"),
            "Schema": resource("Schema", Schema=SCHEMA),
            "Dataset": resource(
                "Dataset",
                DatasetType="Interactions",
                DatasetGroupArn=group,
                SchemaArn={"Fn::GetAtt": ["Schema", "SchemaArn"]},
            ),
            "Solution": {**resource("Solution", DatasetGroupArn=group, RecipeArn=RECIPE), "DependsOn": "Dataset"},
        },
        "Outputs": {
            "Ref": {"Value": {"Ref": "Schema"}},
            "Schema": {"Value": {"Fn::GetAtt": ["Schema", "SchemaArn"]}},
            "Solution": {"Value": {"Fn::GetAtt": ["Solution", "SolutionArn"]}},
        },
    }
    tags = [{"Key": TAG, "Value": account.run}]
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template), Tags=tags)

    def settled() -> dict[str, Any] | None:
        stack: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        return None if stack["StackStatus"].endswith("IN_PROGRESS") else stack

    stack = account.wait_until(settled, "the stack")
    assert stack["StackStatus"] == "CREATE_COMPLETE", cloudformation.describe_stack_events(StackName=name)
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    settle("CLOUDFORMATION_REF", {outputs["Schema"]: "ARN", name: "name"}.get(outputs["Ref"], outputs["Ref"]))
    trains = account.describe("Solution", outputs["Solution"])["performAutoTraining"]
    settle("cloudformation_solution_trains", trains)
    listing = account.personalize.list_tags_for_resource
    refused = error_code(listing, resourceArn=outputs["Schema"])
    tagged = refused is None and bool(listing(resourceArn=outputs["Schema"])["tags"])
    settle("cloudformation_tags_schemas", tagged)


def test_one_page_of_recipes(account: Account, settle: Settle) -> None:
    found = account.personalize.list_recipes(domain="ECOMMERCE", maxResults=100)
    settle("recipes_token_on_first_page", bool(found.get("nextToken")))


def test_an_incremental_import_of_what_is_there(account: Account, settle: Settle) -> None:
    text = interactions()
    assert account.import_rows(text)["status"] == "ACTIVE"
    settle("incremental_counts_new_only", account.import_rows(text, "INCREMENTAL")["status"] != "ACTIVE")


def test_a_full_import_of_few_action_interactions(account: Account, settle: Settle) -> None:
    schema = account.create("Schema", schema=ACTION_INTERACTIONS)
    dataset = account.create(
        "Dataset", schemaArn=schema, datasetGroupArn=account.group, datasetType="Action_Interactions"
    )
    rows = "USER_ID,ACTION_ID,EVENT_TYPE,TIMESTAMP\nu1,a1,Viewed,1700000000\n"
    found = account.import_rows(rows, dataset=dataset)
    settle("full_action_interactions_minimum", found["status"] != "ACTIVE")


@pytest.mark.training
def test_a_campaign_moves_to_another_solution(account: Account, settle: Settle) -> None:
    assert account.campaign
    other = account.create_version(account.new_solution())
    update = account.personalize.update_campaign
    code = error_code(update, campaignArn=account.campaign, solutionVersionArn=other)
    if code is None:

        def updated() -> bool:
            found = account.describe("Campaign", account.campaign)
            return bool(found["latestCampaignUpdate"]["status"] in ("ACTIVE", "CREATE FAILED"))

        account.wait_until(updated, "the campaign's update")
    settle("update_campaign_across_solutions", code is None)


@pytest.mark.training
def test_automatic_training_by_a_caller(account: Account, settle: Settle) -> None:
    assert account.version
    create = account.personalize.create_solution_version
    code = error_code(create, solutionArn=account.new_solution(), trainingMode="AUTOTRAIN", tags=account.tags)
    settle("autotrain_by_callers", code is None)


@pytest.mark.training
def test_training_with_too_few_interactions(account: Account, settle: Settle) -> None:
    assert account.version
    solution = account.new_solution(eventType="rare")
    version = account.personalize.create_solution_version(solutionArn=solution, tags=account.tags)["solutionVersionArn"]
    settle("TOO_FEW_INTERACTIONS", account.ended("SolutionVersion", version).get("failureReason"))


@pytest.mark.training
def test_a_campaign_that_is_not_ready(account: Account, settle: Settle) -> None:
    ask = account.client("personalize-runtime").get_recommendations
    code = while_busy(
        account,
        "Campaign",
        lambda campaign: error_code(ask, campaignArn=campaign, userId="u1"),
        solutionVersionArn=account.version,
        minProvisionedTPS=1,
    )
    settle("inactive_campaign_error", code)


@pytest.mark.training
def test_a_filter_that_is_not_ready(account: Account, settle: Settle) -> None:
    ask, campaign = account.client("personalize-runtime").get_recommendations, account.campaign
    code = while_busy(
        account,
        "Filter",
        lambda made: error_code(ask, campaignArn=campaign, userId="u1", filterArn=made),
        datasetGroupArn=account.group,
        filterExpression=FILTER,
    )
    settle("inactive_filter_error", code)


@pytest.mark.training
def test_a_campaign_of_the_latest_version(account: Account, settle: Settle) -> None:
    latest = f"{account.version.rpartition('/')[0]}/$LATEST"
    campaign = account.create("Campaign", solutionVersionArn=latest, minProvisionedTPS=1)
    reported = account.describe("Campaign", campaign)["solutionVersionArn"]
    account.personalize.delete_campaign(campaignArn=campaign)
    settle("campaign_reports_resolved_version", reported == account.version)


@pytest.mark.training
def test_stopping_what_has_ended(account: Account, settle: Settle) -> None:
    stop = account.personalize.stop_solution_version_creation
    settle("move_from_wrong_status", error_code(stop, solutionVersionArn=account.version))


@pytest.mark.training
def test_a_context_that_the_schema_lacks(account: Account, settle: Settle) -> None:
    ask = account.client("personalize-runtime").get_recommendations
    code = error_code(ask, campaignArn=account.campaign, userId="u1", context={"COLOUR": "red"})
    settle("context_must_fit", code == "InvalidInputException")


@pytest.mark.training
def test_filter_values_that_nothing_asks_for(account: Account, settle: Settle) -> None:
    ask = account.client("personalize-runtime").get_recommendations
    made = account.create("Filter", datasetGroupArn=account.group, filterExpression=FILTER)
    code = error_code(ask, campaignArn=account.campaign, userId="u1", filterArn=made, filterValues={"colour": '"red"'})
    settle("extra_filter_values_refused", code == "InvalidInputException")
