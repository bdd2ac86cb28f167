"""Custom::PersonalizeDatasetGroup against the emulated service."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from personalize_lambda.provider import is_complete, lifecycle
from personalize_local.personalize import Settings
from personalize_local.personalize.faults import Fault
from tests.lambda_unit.provider.conftest import OWNER, Stack
from tests.local.personalize.support import INTERACTIONS_SCHEMA, Builder

TYPE = "Custom::PersonalizeDatasetGroup"
ARN = "arn:aws:personalize:us-east-1:000000000000:dataset-group/films"


def properties(*, removal_policy: str = "retain", **tags: str) -> dict[str, Any]:
    declared = {"cdk-personalize:owner": OWNER, **tags}
    return {
        "Name": "films",
        "Owner": OWNER,
        "Tags": [{"Key": key, "Value": value} for key, value in declared.items()],
        "RemovalPolicy": removal_policy,
    }


def tags_of(stack: Stack) -> dict[str, str]:
    found = stack.cloud.personalize.list_tags_for_resource(resourceArn=ARN)["tags"]
    return {tag["tagKey"]: tag["tagValue"] for tag in found}


def exists(stack: Stack) -> bool:
    try:
        stack.cloud.personalize.describe_dataset_group(datasetGroupArn=ARN)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ResourceNotFoundException"  # noqa: PT017
        return False
    return True


def test_create_waits_until_it_is_active_and_tags_it(stack: Stack) -> None:
    told = stack.create(TYPE, **properties(team="films"))

    assert told["PhysicalResourceId"] == ARN
    assert told["Data"] == {"DatasetGroupArn": ARN}
    assert stack.cloud.personalize.describe_dataset_group(datasetGroupArn=ARN)["datasetGroup"]["status"] == "ACTIVE"
    assert tags_of(stack) == {"cdk-personalize:owner": OWNER, "team": "films"}


def test_create_is_not_complete_before_it_is_active(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack(Settings(time_scale=0.01))
    event = stack.start("Create", TYPE, properties())

    assert is_complete.handler(event, None) == {"IsComplete": False}


def test_a_retried_create_is_not_an_adoption(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack(Settings(time_scale=0.01))
    stack.start("Create", TYPE, properties())

    assert stack.start("Create", TYPE, properties())["PhysicalResourceId"] == ARN


def test_create_adopts_what_carries_the_owner_tag_and_updates_its_tags(stack: Stack) -> None:
    stack.create(TYPE, **properties(team="films"))

    told = stack.create(TYPE, **properties(team="series"))

    assert told["PhysicalResourceId"] == f"{ARN}#adopted"
    assert told["Data"] == {"DatasetGroupArn": ARN}
    assert tags_of(stack)["team"] == "series"


@pytest.mark.parametrize("tags", [{}, {"tags": [{"tagKey": "cdk-personalize:owner", "tagValue": "another"}]}])
def test_create_refuses_what_belongs_to_something_else(stack: Stack, tags: dict[str, Any]) -> None:
    Builder(stack.cloud).group("films", **tags)

    with pytest.raises(RuntimeError) as raised:
        stack.create(TYPE, **properties())

    other = "'another'" if tags else "None"
    assert str(raised.value) == (
        f"dataset group {ARN} exists already and belongs to something else: its tag cdk-personalize:owner is {other}, "
        f"not '{OWNER}'. Choose another dataset_group_name, delete that dataset group, or give it this tag to hand it "
        "over to the stack"
    )


def test_a_failed_create_reports_the_reason_and_deletes_what_it_left(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack(Settings(fail=(Fault("CreateDatasetGroup", failure_reason="The key is disabled."),)))

    with pytest.raises(RuntimeError, match=rf"^dataset group {ARN} could not be created: The key is disabled\.\. Mend"):
        stack.create(TYPE, **properties())
    stack.delete(TYPE, ARN, **properties())

    assert not exists(stack)
    assert stack.create(TYPE, **properties())["PhysicalResourceId"] == ARN


def test_create_replaces_what_an_earlier_failure_left(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack(Settings(fail=(Fault("CreateDatasetGroup", failure_reason="The key is disabled."),)))
    stack.start("Create", TYPE, properties())
    Builder(stack.cloud).wait("dataset_group", ARN, until=("CREATE FAILED",))

    assert stack.create(TYPE, **properties())["PhysicalResourceId"] == ARN
    assert exists(stack)


def test_an_error_of_the_service_keeps_its_message(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack(Settings(quotas={"dataset_groups": 0}))

    with pytest.raises(ClientError, match=r"LimitExceededException.+More than 0 resources"):
        stack.create(TYPE, **properties())


def test_update_changes_tags_and_nothing_else(stack: Stack) -> None:
    stack.create(TYPE, **properties(team="films", stage="test"))
    stack.cloud.personalize.tag_resource(resourceArn=ARN, tags=[{"tagKey": "by-hand", "tagValue": "kept"}])

    told = stack.update(TYPE, ARN, properties(team="films", stage="test"), **properties(team="series", cost="42"))

    assert told["PhysicalResourceId"] == ARN
    assert tags_of(stack) == {
        "by-hand": "kept",
        "cdk-personalize:owner": OWNER,
        "cost": "42",
        "team": "series",
    }


def test_update_refuses_another_name(stack: Stack) -> None:
    stack.create(TYPE, **properties())

    with pytest.raises(RuntimeError, match="the name of a dataset group cannot change, got 'series'"):
        stack.update(TYPE, ARN, properties(), **{**properties(), "Name": "series"})


def test_the_rollback_of_a_refused_update_succeeds(stack: Stack) -> None:
    stack.create(TYPE, **properties())

    told = stack.update(TYPE, ARN, {**properties(), "Name": "series"}, **properties())

    assert told["PhysicalResourceId"] == ARN


def test_update_says_when_it_is_gone(stack: Stack) -> None:
    with pytest.raises((RuntimeError, ClientError), match="does not exist"):
        stack.update(TYPE, ARN, properties(), **properties())


def test_delete_waits_until_it_is_gone(stack: Stack) -> None:
    stack.create(TYPE, **properties())

    stack.delete(TYPE, ARN, **properties())

    assert not exists(stack)


def test_delete_of_what_is_gone_is_done(stack: Stack) -> None:
    stack.delete(TYPE, ARN, **properties())


def test_delete_of_what_was_never_created_is_done(stack: Stack) -> None:
    stack.delete(TYPE, "films-Movies-1ABC", **properties())


@pytest.mark.parametrize("declared", [properties(), {"Name": "films"}], ids=["retain", "no policy in old properties"])
def test_the_rollback_of_an_adoption_keeps_the_data(stack: Stack, declared: dict[str, Any]) -> None:
    stack.create(TYPE, **properties())
    adopted = stack.create(TYPE, **properties())["PhysicalResourceId"]

    stack.delete(TYPE, adopted, **declared)

    assert exists(stack)


def test_what_was_adopted_is_deleted_when_that_is_declared(stack: Stack) -> None:
    stack.create(TYPE, **properties())
    adopted = stack.create(TYPE, **properties())["PhysicalResourceId"]

    stack.delete(TYPE, adopted, **properties(removal_policy="destroy"))

    assert not exists(stack)


def test_delete_is_tried_again_while_it_is_in_use(stack: Stack) -> None:
    stack.create(TYPE, **properties())
    build = Builder(stack.cloud)
    dataset = build.dataset(ARN, "Interactions", INTERACTIONS_SCHEMA)
    event = stack.start("Delete", TYPE, properties(), PhysicalResourceId=ARN)
    assert is_complete.handler(event, None) == {"IsComplete": False}
    assert exists(stack)

    stack.cloud.personalize.delete_dataset(datasetArn=dataset)
    while not is_complete.handler(event, None)["IsComplete"]:
        pass

    assert not exists(stack)


def test_delete_gives_up_with_the_reason_of_the_service(stack: Stack) -> None:
    stack.create(TYPE, **properties())
    Builder(stack.cloud).dataset(ARN, "Interactions", INTERACTIONS_SCHEMA)
    event = stack.start("Delete", TYPE, properties(), PhysicalResourceId=ARN)
    event["StartedAt"] = time.time() - lifecycle.GIVE_UP_SECONDS - 1

    with pytest.raises(
        RuntimeError, match=r"is ACTIVE and could not be deleted within 55 minutes: .+\. Delete the stack again"
    ):
        is_complete.handler(event, None)


def test_delete_hides_no_other_error(stack: Stack) -> None:
    stack.create(TYPE, **properties())
    stack.cloud.service.faults.add(Fault("DeleteDatasetGroup", code="OtherException", message="No."))

    with pytest.raises(ClientError, match="OtherException"):
        stack.delete(TYPE, ARN, **properties())


KEY = {
    "KmsKeyArn": "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555",
    "RoleArn": "arn:aws:iam::000000000000:role/films",
}


@pytest.mark.parametrize("fixed", [{"Domain": "ECOMMERCE"}, KEY])
def test_a_domain_and_a_key_are_set_for_good(stack: Stack, fixed: dict[str, str]) -> None:
    declared = properties() | fixed
    stack.create(TYPE, **declared)

    found = stack.cloud.personalize.describe_dataset_group(datasetGroupArn=ARN)["datasetGroup"]
    assert {name: found[name[0].lower() + name[1:]] for name in fixed} == fixed
    assert stack.create(TYPE, **declared)["PhysicalResourceId"] == f"{ARN}#adopted"
    with pytest.raises(RuntimeError, match=rf"^{', '.join(fixed)} of dataset group {ARN} cannot change, as its data"):
        stack.update(TYPE, ARN, declared, **properties())
    with pytest.raises(RuntimeError, match=rf"exists already with {next(iter(fixed))} '.+', not None, which cannot"):
        stack.create(TYPE, **properties())


def test_what_is_adopted_may_have_the_role_of_an_earlier_stack(stack: Stack) -> None:
    stack.create(TYPE, **properties(), **KEY)

    told = stack.create(TYPE, **properties(), **KEY | {"RoleArn": "arn:aws:iam::000000000000:role/another"})

    assert told["PhysicalResourceId"] == f"{ARN}#adopted"
