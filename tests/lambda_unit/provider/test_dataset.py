"""Custom::PersonalizeDataset against the emulated service."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from personalize_lambda.provider import dataset, is_complete
from personalize_local.personalize import Settings
from personalize_local.personalize.faults import Fault
from tests.lambda_unit.provider.conftest import OWNER, Stack
from tests.local.personalize.support import (
    ACTION_INTERACTIONS_SCHEMA,
    INTERACTIONS_SCHEMA,
    ITEMS_SCHEMA,
    Builder,
    interactions_csv,
)

TYPE = "Custom::PersonalizeDataset"
GROUP = "arn:aws:personalize:us-east-1:000000000000:dataset-group/films"
ARN = "arn:aws:personalize:us-east-1:000000000000:dataset/films/ITEMS"


class Films:
    """A stack with a dataset group, that declares schemas."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.build = Builder(stack.cloud)
        self.build.group()

    def schema(self, document: str = ITEMS_SCHEMA) -> str:
        name = f"films-{abs(hash(document))}"
        try:
            return self.build.schema(name, document)
        except ClientError:
            return f"arn:aws:personalize:us-east-1:000000000000:schema/{name}"

    def properties(
        self, document: str = ITEMS_SCHEMA, *, kind: str = "Items", removal_policy: str = "retain", **tags: str
    ) -> dict[str, Any]:
        declared = {"cdk-personalize:owner": OWNER, **tags}
        return {
            "Name": f"films-{kind.lower()}",
            "DatasetGroupArn": GROUP,
            "DatasetType": kind,
            "SchemaArn": self.schema(document),
            "Owner": OWNER,
            "Tags": [{"Key": key, "Value": value} for key, value in declared.items()],
            "RemovalPolicy": removal_policy,
        }

    def describe(self, arn: str = ARN) -> dict[str, Any] | None:
        try:
            return dict(self.stack.cloud.personalize.describe_dataset(datasetArn=arn)["dataset"])
        except ClientError:
            return None

    def tags(self, arn: str = ARN) -> dict[str, str]:
        found = self.stack.cloud.personalize.list_tags_for_resource(resourceArn=arn)["tags"]
        return {tag["tagKey"]: tag["tagValue"] for tag in found}


@pytest.fixture
def films(stack: Stack) -> Films:
    return Films(stack)


def evolved(document: str = ITEMS_SCHEMA, *added: dict[str, Any], without: str | None = None) -> str:
    schema = json.loads(document)
    fields = [each for each in schema["fields"] if each["name"] != without]
    return json.dumps({**schema, "fields": [*fields, *added]})


RATING = {"name": "RATING", "type": ["null", "float"]}
STUDIO = {"name": "STUDIO", "type": "string", "categorical": True}


def test_create_waits_until_it_is_active_and_tags_it(films: Films) -> None:
    told = films.stack.create(TYPE, **films.properties(team="films"))

    assert told["PhysicalResourceId"] == ARN
    assert told["Data"] == {"DatasetArn": ARN}
    found = films.describe()
    assert found is not None
    assert (found["status"], found["datasetType"], found["schemaArn"]) == ("ACTIVE", "ITEMS", films.schema())
    assert films.tags() == {"cdk-personalize:owner": OWNER, "team": "films"}


def test_what_action_interactions_are_sent_with_is_told(films: Films) -> None:
    properties = films.properties(ACTION_INTERACTIONS_SCHEMA, kind="Action_Interactions")

    told = films.stack.create(TYPE, **properties)
    arn = told["PhysicalResourceId"]
    found = films.describe(arn)

    assert found is not None
    assert told["Data"] == {"DatasetArn": arn, "TrackingId": found["trackingId"]}
    assert films.stack.update(TYPE, arn, properties, **properties)["Data"] == told["Data"]


def test_a_nullable_column_is_added_in_place(films: Films) -> None:
    former = films.properties()
    films.stack.create(TYPE, **former)
    wanted = films.properties(evolved(ITEMS_SCHEMA, RATING))

    told = films.stack.update(TYPE, ARN, former, **wanted)

    assert told["PhysicalResourceId"] == ARN
    found = films.describe()
    assert found is not None
    assert (found["status"], found["schemaArn"]) == ("ACTIVE", wanted["SchemaArn"])


def test_an_update_is_not_complete_while_the_columns_change(make_stack: Callable[..., Stack]) -> None:
    films = Films(make_stack(Settings(time_scale=0.01)))
    former = films.properties()
    films.stack.create(TYPE, **former)

    event = films.stack.start(
        "Update",
        TYPE,
        films.properties(evolved(ITEMS_SCHEMA, RATING)),
        PhysicalResourceId=ARN,
        OldResourceProperties=former,
    )

    assert is_complete.handler(event, None) == {"IsComplete": False}


def test_the_same_columns_written_otherwise_are_no_change(films: Films) -> None:
    former = films.properties()
    films.stack.create(TYPE, **former)

    films.stack.update(TYPE, ARN, former, **films.properties(json.dumps(json.loads(ITEMS_SCHEMA))))

    found = films.describe()
    assert found is not None
    assert found["schemaArn"] == former["SchemaArn"]


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (evolved(without="GENRES"), "column GENRES is removed"),
        (evolved(ITEMS_SCHEMA, STUDIO), "new column STUDIO is not nullable"),
        (evolved(ITEMS_SCHEMA, {"name": "YEAR", "type": ["null", "long"]}, without="YEAR"), "column YEAR changes"),
    ],
    ids=["removed", "not nullable", "another type"],
)
def test_other_changes_are_refused_naming_the_column(films: Films, document: str, problem: str) -> None:
    former = films.properties()
    films.stack.create(TYPE, **former)
    films.stack.status = "UPDATE_IN_PROGRESS"

    with pytest.raises(RuntimeError) as raised:
        films.stack.update(TYPE, ARN, former, **films.properties(document))

    message = str(raised.value)
    assert message.startswith(f"the schema of ITEMS cannot be changed like that: {problem}")
    assert "only nullable columns can be added. Put the columns back as they were, or declare a DatasetGroup" in message
    found = films.describe()
    assert found is not None
    assert found["schemaArn"] == former["SchemaArn"]


def test_every_change_of_interactions_is_refused(films: Films) -> None:
    former = films.properties(INTERACTIONS_SCHEMA, kind="Interactions")
    arn = films.stack.create(TYPE, **former)["PhysicalResourceId"]
    films.stack.status = "UPDATE_IN_PROGRESS"
    wanted = films.properties(evolved(INTERACTIONS_SCHEMA, RATING, without="EVENT_VALUE"), kind="Interactions")

    with pytest.raises(RuntimeError) as raised:
        films.stack.update(TYPE, arn, former, **wanted)

    assert str(raised.value).startswith(
        "the schema of INTERACTIONS cannot be changed like that: column EVENT_VALUE is removed; column RATING is added."
    )
    assert "nothing can be changed" in str(raised.value)


def test_a_rollback_keeps_the_additional_columns_and_succeeds(films: Films) -> None:
    former = films.properties()
    wanted = films.properties(evolved(ITEMS_SCHEMA, RATING))
    films.stack.create(TYPE, **former)
    films.stack.update(TYPE, ARN, former, **wanted)
    films.stack.status = "UPDATE_ROLLBACK_IN_PROGRESS"

    told = films.stack.update(TYPE, ARN, wanted, **former)

    assert told["PhysicalResourceId"] == ARN
    found = films.describe()
    assert found is not None
    assert found["schemaArn"] == wanted["SchemaArn"]


def test_after_such_a_rollback_tags_can_change_and_the_columns_can_be_declared_again(films: Films) -> None:
    former = films.properties()
    wanted = films.properties(evolved(ITEMS_SCHEMA, RATING))
    films.stack.create(TYPE, **former)
    films.stack.update(TYPE, ARN, former, **wanted)
    films.stack.status = "UPDATE_IN_PROGRESS"

    films.stack.update(TYPE, ARN, former, **films.properties(team="films"))
    assert films.tags()["team"] == "films"
    films.stack.update(TYPE, ARN, films.properties(team="films"), **wanted)

    found = films.describe()
    assert found is not None
    assert found["schemaArn"] == wanted["SchemaArn"]
    assert "team" not in films.tags()


def test_a_failed_change_of_columns_is_reported(films: Films) -> None:
    former = films.properties()
    films.stack.create(TYPE, **former)
    films.stack.cloud.service.faults.add(Fault("UpdateDataset", failure_reason="The service is tired."))

    with pytest.raises(RuntimeError, match="could not be changed: The service is tired"):
        films.stack.update(TYPE, ARN, former, **films.properties(evolved(ITEMS_SCHEMA, RATING)))


def test_a_tag_change_is_not_an_update_of_the_dataset(films: Films) -> None:
    former = films.properties(team="films")
    films.stack.create(TYPE, **former)

    films.stack.update(TYPE, ARN, former, **films.properties(team="series"))

    found = films.describe()
    assert found is not None
    assert "latestDatasetUpdate" not in found
    assert films.tags()["team"] == "series"


@pytest.mark.parametrize("change", [{"DatasetType": "Users"}, {"DatasetGroupArn": f"{GROUP}2"}])
def test_a_dataset_is_never_replaced(films: Films, change: dict[str, str]) -> None:
    former = films.properties()
    films.stack.create(TYPE, **former)

    with pytest.raises(RuntimeError, match="as its data would be lost"):
        films.stack.update(TYPE, ARN, former, **{**former, **change})

    assert films.describe() is not None


def test_create_adopts_a_dataset_and_lets_its_columns_grow(films: Films) -> None:
    films.stack.create(TYPE, **films.properties())
    wanted = films.properties(evolved(ITEMS_SCHEMA, RATING), team="films")

    told = films.stack.create(TYPE, **wanted)

    assert told["PhysicalResourceId"] == f"{ARN}#adopted"
    assert told["Data"] == {"DatasetArn": ARN}
    found = films.describe()
    assert found is not None
    assert found["schemaArn"] == wanted["SchemaArn"]
    assert films.tags()["team"] == "films"


def test_create_refuses_to_adopt_what_cannot_get_the_columns(films: Films) -> None:
    films.stack.create(TYPE, **films.properties())

    with pytest.raises(RuntimeError, match="column GENRES is removed"):
        films.stack.create(TYPE, **films.properties(evolved(without="GENRES")))


def test_a_retried_create_is_not_an_adoption(make_stack: Callable[..., Stack]) -> None:
    films = Films(make_stack(Settings(time_scale=0.01)))
    films.stack.start("Create", TYPE, films.properties())

    assert films.stack.start("Create", TYPE, films.properties())["PhysicalResourceId"] == ARN


def test_the_rollback_of_an_adoption_keeps_the_data(films: Films) -> None:
    films.stack.create(TYPE, **films.properties())
    adopted = films.stack.create(TYPE, **films.properties())["PhysicalResourceId"]

    films.stack.delete(TYPE, adopted, **films.properties())

    assert films.describe() is not None


@pytest.mark.parametrize("removal_policy", ["retain", "destroy"])
def test_the_rollback_of_a_creation_deletes_it(films: Films, removal_policy: str) -> None:
    physical_id = films.stack.create(TYPE, **films.properties())["PhysicalResourceId"]

    films.stack.delete(TYPE, physical_id, **films.properties(removal_policy=removal_policy))

    assert films.describe() is None


def test_delete_waits_for_an_import(make_stack: Callable[..., Stack]) -> None:
    films = Films(make_stack(Settings(time_scale=0.0005)))
    properties = films.properties(INTERACTIONS_SCHEMA, kind="Interactions")
    arn = films.stack.create(TYPE, **properties)["PhysicalResourceId"]
    films.build.start_import(arn, interactions_csv())
    event = films.stack.start("Delete", TYPE, properties, PhysicalResourceId=arn)
    assert is_complete.handler(event, None) == {"IsComplete": False}

    while not is_complete.handler(event, None)["IsComplete"]:
        pass

    assert films.describe(arn) is None


@pytest.mark.parametrize("physical_id", [ARN, "films-1ABC"])
def test_delete_of_what_is_not_there_is_done(films: Films, physical_id: str) -> None:
    films.stack.delete(TYPE, physical_id)


def test_a_failed_create_says_so_and_leaves_nothing(films: Films) -> None:
    films.stack.cloud.service.faults.add(Fault("CreateDataset", failure_reason="unused"))

    with pytest.raises(RuntimeError, match=rf"^dataset {ARN} could not be created: "):
        films.stack.create(TYPE, **films.properties())
    films.stack.delete(TYPE, ARN)

    assert films.describe() is None


@pytest.mark.parametrize(("status", "gives_up"), [("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", True), ("x", False)])
def test_a_rollback_does_not_wait_for_what_stays(films: Films, status: str, gives_up: bool) -> None:
    """The filters of the dataset group keep the service from deleting a dataset that the update added."""
    films.stack.create(TYPE, **films.properties())
    films.build.dataset(GROUP, "Interactions", INTERACTIONS_SCHEMA)
    client, expression = films.stack.cloud.personalize, 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("x")'
    unseen = client.create_filter(name="unseen", datasetGroupArn=GROUP, filterExpression=expression)["filterArn"]
    while client.describe_filter(filterArn=unseen)["filter"]["status"] != "ACTIVE":
        pass
    films.stack.status = status
    event = films.stack.start("Delete", TYPE, films.properties(), PhysicalResourceId=ARN)
    assert is_complete.handler(event, None) == {"IsComplete": False}
    event["StartedAt"] = time.time() - dataset.ROLLBACK_SECONDS - 1

    if not gives_up:
        assert is_complete.handler(event, None) == {"IsComplete": False}
        return
    with pytest.raises(
        RuntimeError, match=r"rolled back and cannot be deleted: .*filter/unseen.* Deploy again with it"
    ):
        is_complete.handler(event, None)
    # what is being deleted after all is waited for
    client.delete_filter(filterArn=unseen)
    while not is_complete.handler({**event, "StartedAt": time.time()}, None)["IsComplete"]:
        pass
    assert films.describe() is None
