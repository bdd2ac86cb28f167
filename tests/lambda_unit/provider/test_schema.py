"""Custom::PersonalizeSchema against the emulated service."""

from __future__ import annotations

import json
import logging

import pytest
from botocore.exceptions import ClientError

from personalize_lambda.provider import schema
from personalize_local.personalize.faults import Fault
from tests.lambda_unit.provider.conftest import Stack
from tests.local.personalize.support import ITEMS_SCHEMA, USERS_SCHEMA, Builder

TYPE = "Custom::PersonalizeSchema"
ARN = "arn:aws:personalize:us-east-1:000000000000:schema/films-1"


def names(stack: Stack) -> list[str]:
    return [each["name"] for each in stack.cloud.personalize.list_schemas()["schemas"]]


def test_create(stack: Stack) -> None:
    told = stack.create(TYPE, Name="films-1", Schema=ITEMS_SCHEMA)

    assert told["PhysicalResourceId"] == ARN
    assert told["Data"] == {"SchemaArn": ARN}
    assert stack.cloud.personalize.describe_schema(schemaArn=ARN)["schema"]["schema"] == ITEMS_SCHEMA


def test_create_takes_on_the_same_content(stack: Stack) -> None:
    stack.create(TYPE, Name="films-1", Schema=ITEMS_SCHEMA)

    told = stack.create(TYPE, Name="films-1", Schema=json.dumps(json.loads(ITEMS_SCHEMA)))

    assert told["PhysicalResourceId"] == ARN


def test_create_refuses_other_content(stack: Stack) -> None:
    stack.create(TYPE, Name="films-1", Schema=USERS_SCHEMA)

    with pytest.raises(RuntimeError, match=f"^schema {ARN} exists already with other content: "):
        stack.create(TYPE, Name="films-1", Schema=ITEMS_SCHEMA)


def test_create_passes_on_why_the_service_refuses(stack: Stack) -> None:
    with pytest.raises(ClientError, match="InvalidInputException"):
        stack.create(TYPE, Name="films-1", Schema="{}")


def test_an_update_makes_another_schema_and_the_clean_up_deletes_the_former(stack: Stack) -> None:
    former = {"Name": "films-1", "Schema": ITEMS_SCHEMA}
    stack.create(TYPE, **former)

    told = stack.update(TYPE, ARN, former, Name="films-2", Schema=USERS_SCHEMA)
    stack.delete(TYPE, ARN, **former)

    assert told["PhysicalResourceId"] == ARN.replace("films-1", "films-2")
    assert told["Data"] == {"SchemaArn": told["PhysicalResourceId"]}
    assert names(stack) == ["films-2"]


def test_an_update_without_another_name_changes_nothing(stack: Stack) -> None:
    stack.create(TYPE, Name="films-1", Schema=ITEMS_SCHEMA)

    told = stack.update(TYPE, ARN, {"Name": "films-1"}, Name="films-1", Schema=ITEMS_SCHEMA)

    assert told["PhysicalResourceId"] == ARN
    assert names(stack) == ["films-1"]


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once."""
    monkeypatch.setattr(schema, "PAUSES_SECONDS", (0.0, 0.0))


@pytest.mark.usefixtures("no_pauses")
def test_a_schema_whose_dataset_is_gone_only_just_now_is_deleted(stack: Stack) -> None:
    stack.create(TYPE, Name="films-1", Schema=ITEMS_SCHEMA)
    stack.cloud.service.faults.add(Fault("DeleteSchema", code="ResourceInUseException", message="In use."))

    stack.delete(TYPE, ARN, Name="films-1")

    assert names(stack) == []


@pytest.mark.usefixtures("no_pauses")
def test_a_schema_in_use_is_left_and_logged(stack: Stack, caplog: pytest.LogCaptureFixture) -> None:
    stack.create(TYPE, Name="films-1", Schema=ITEMS_SCHEMA)
    build = Builder(stack.cloud)
    group = build.group()
    stack.cloud.personalize.create_dataset(name="items", schemaArn=ARN, datasetGroupArn=group, datasetType="Items")

    with caplog.at_level(logging.WARNING):
        stack.delete(TYPE, ARN, Name="films-1")

    assert f"schema {ARN} is left, as it is in use" in caplog.text
    assert names(stack) == ["films-1"]


@pytest.mark.parametrize("physical_id", [ARN, "films-1ABC"])
def test_delete_of_what_is_not_there_is_done(stack: Stack, physical_id: str) -> None:
    stack.delete(TYPE, physical_id)


def test_delete_hides_no_other_error(stack: Stack) -> None:
    stack.cloud.service.faults.add(Fault("DeleteSchema", code="OtherException", message="No."))

    with pytest.raises(ClientError, match="OtherException"):
        stack.delete(TYPE, ARN)
