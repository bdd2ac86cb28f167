"""What the documentation states, in a real account as in the local cloud."""

from __future__ import annotations

import re

import pytest
from botocore.exceptions import ClientError

from tests.conformance.account import ROWS, SCHEMA, Account, error_code


def test_arns(account: Account) -> None:
    assert account.schema.endswith(f":schema/{account.schema.rpartition('/')[2]}")
    assert account.schema.rpartition("/")[2].startswith(account.run)
    group = account.group.rpartition("/")[2]
    assert account.dataset.endswith(f":dataset/{group}/INTERACTIONS")
    assert re.search(r":event-tracker/[0-9a-f]{8}$", account.tracker)


def test_a_name_is_taken_once(account: Account) -> None:
    name = account.schema.rpartition("/")[2]
    with pytest.raises(ClientError) as refused:
        account.personalize.create_schema(name=name, schema=SCHEMA)
    assert refused.value.response["Error"] == {
        "Code": "ResourceAlreadyExistsException",
        "Message": f"Another resource with Arn {account.schema} already exists.",
    }


def test_what_is_not_there(account: Account) -> None:
    describe = account.personalize.describe_dataset_group
    assert error_code(describe, datasetGroupArn=f"{account.group}-other") == "ResourceNotFoundException"


def test_a_bad_page_token(account: Account) -> None:
    listing = account.personalize.list_schemas
    assert error_code(listing, nextToken="not a token") == "InvalidNextTokenException"


def test_pages(account: Account) -> None:
    assert account.schema
    pages = account.personalize.get_paginator("list_recipes").paginate(PaginationConfig={"PageSize": 3})
    recipes = [recipe["recipeArn"] for page in pages for recipe in page["recipes"]]
    assert len(recipes) == len(set(recipes)) > 3
    assert "arn:aws:personalize:::recipe/aws-user-personalization-v2" in recipes


def test_a_dataset_type_is_told_in_upper_case(account: Account) -> None:
    assert account.describe("Dataset", account.dataset)["datasetType"] == "INTERACTIONS"


def test_tags_are_listed_and_not_described(account: Account) -> None:
    assert "tags" not in account.describe("DatasetGroup", account.group)
    listed = account.personalize.list_tags_for_resource(resourceArn=account.group)["tags"]
    assert listed == account.tags


def test_a_parent_stays_while_it_has_children(account: Account) -> None:
    assert account.dataset
    assert error_code(account.personalize.delete_schema, schemaArn=account.schema) == "ResourceInUseException"
    group = account.personalize.delete_dataset_group
    assert error_code(group, datasetGroupArn=account.group) == "ResourceInUseException"


def test_a_schema_that_is_none(account: Account) -> None:
    create = account.personalize.create_schema
    assert error_code(create, name=account.name("bad"), schema='{"type": "record"}') == "InvalidInputException"


def test_a_solution_trains_by_itself_unless_told_not_to(account: Account) -> None:
    assert account.describe("Solution", account.solution)["performAutoTraining"] is False


def test_an_import(account: Account) -> None:
    found = account.describe("DatasetImportJob", account.imported)
    assert (found["status"], found["importMode"]) == ("ACTIVE", "FULL")


@pytest.mark.training
def test_a_solution_version(account: Account) -> None:
    found = account.describe("SolutionVersion", account.version)
    assert re.fullmatch(r".*:solution/[^/]+/[0-9a-f]{8}", account.version)
    assert (found["trainingMode"], found["trainingType"]) == ("FULL", "MANUAL")
    assert found["trainingHours"] > 0
    metrics = account.personalize.get_solution_metrics(solutionVersionArn=account.version)["metrics"]
    assert {"coverage", "mean_reciprocal_rank_at_25", "precision_at_5"} <= metrics.keys()


@pytest.mark.training
def test_recommendations(account: Account) -> None:
    runtime = account.client("personalize-runtime")
    asked = {"campaignArn": account.campaign, "userId": "u0"}
    items = runtime.get_recommendations(**asked)["itemList"]
    assert len(items) == 25
    scores = [item["score"] for item in items]
    assert scores == sorted(scores, reverse=True)
    assert len(runtime.get_recommendations(**asked, numResults=3)["itemList"]) == 3
    # An unknown user gets popular items.
    assert runtime.get_recommendations(campaignArn=account.campaign, userId=f"nobody{ROWS}")["itemList"]
    assert error_code(runtime.get_recommendations, **asked, numResults=501) == "InvalidInputException"
