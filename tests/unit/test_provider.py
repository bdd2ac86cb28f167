"""The provider of the custom resources, and what it may do."""

from __future__ import annotations

import re
from typing import Any

import aws_cdk as cdk
import boto3
import pytest

import cdk_personalize as personalize
from cdk_personalize import _grants, data_bucket, dataset_group
from cdk_personalize._provider import Provider
from tests.unit.conftest import USERS, Resources, Synthesis

LISTS = {
    **{name: getattr(_grants, name) for name in dir(_grants) if name.isupper()},
    **{name: getattr(dataset_group, name) for name in dir(dataset_group) if name.endswith("_ACTIONS")},
}


def actions(statements: list[dict[str, Any]]) -> set[str]:
    found = set()
    for statement in statements:
        listed = statement["Action"]
        found |= {listed} if isinstance(listed, str) else set(listed)
    return found


def test_what_on_event_may_do(synthesis: Synthesis) -> None:
    synthesis.group()

    assert actions(Resources.of(synthesis.template).statements("MoviesOnEventPolicy")) == {
        "cloudformation:DescribeStacks",
        "personalize:CreateDataset",
        "personalize:CreateDatasetGroup",
        "personalize:CreateSchema",
        "personalize:DeleteDataset",
        "personalize:DeleteDatasetGroup",
        "personalize:DeleteSchema",
        "personalize:DescribeDataset",
        "personalize:DescribeDatasetGroup",
        "personalize:DescribeSchema",
        "personalize:ListTagsForResource",
        "personalize:TagResource",
        "personalize:UntagResource",
        "personalize:UpdateDataset",
    }


def test_is_complete_may_do_less(synthesis: Synthesis) -> None:
    synthesis.group()

    assert actions(Resources.of(synthesis.template).statements("MoviesIsCompletePolicy")) == {
        "personalize:DeleteDataset",
        "personalize:DeleteDatasetGroup",
        "personalize:DescribeDataset",
        "personalize:DescribeDatasetGroup",
    }


def test_every_statement_names_its_resources(synthesis: Synthesis) -> None:
    synthesis.group()
    resources = Resources.of(synthesis.template)

    for key in resources.ids("AWS::IAM::Policy"):
        for statement in resources.all[key]["Properties"]["PolicyDocument"]["Statement"]:
            assert statement["Resource"] != "*"
            assert "personalize:*" not in str(statement["Action"])
    for key in resources.ids("AWS::IAM::Role"):
        assert "ManagedPolicyArns" not in resources.all[key]["Properties"]


def test_the_policies_depend_on_no_custom_resource(synthesis: Synthesis) -> None:
    """Or else each custom resource would wait for itself."""
    synthesis.group()
    resources = Resources.of(synthesis.template)
    custom = [key for key in resources.all if resources.all[key]["Type"].startswith("Custom::")]

    for key in resources.ids("AWS::IAM::Policy"):
        if key.startswith(("CdkPersonalizeProvider", "MoviesOnEventPolicy", "MoviesIsCompletePolicy")):
            assert not [each for each in custom if each in str(resources.all[key])]


def test_every_custom_resource_outlives_no_permission_that_it_needs(synthesis: Synthesis) -> None:
    """Or else its deletion in an update, when the statements are gone already, would be denied."""
    personalize.Workflow(synthesis.stack, "Workflow", dataset_group=synthesis.group())
    resources = Resources.of(synthesis.template)

    for key, resource in resources.all.items():
        if not resource["Type"].startswith("Custom::Personalize"):
            continue
        owner = r"WorkflowFor\w{8}" if resource["Type"].endswith("Deployment") else "Movies"
        policies = " ".join(each for each in resource["DependsOn"] if resources.all[each]["Type"] == "AWS::IAM::Policy")
        assert re.search(rf"\b{owner}OnEventPolicy", policies), key
        assert re.search(rf"\b{owner}IsCompletePolicy", policies), key


def test_a_dataset_that_is_removed_takes_no_permission_away() -> None:
    def policies(*, users: bool) -> dict[str, Any]:
        synthesis = Synthesis()
        group = synthesis.group()
        if users:
            group.add_users(schema=USERS)
        resources = Resources.of(synthesis.template)
        return {key: resources.all[key] for key in resources.ids("AWS::IAM::Policy") if "ServiceRole" not in key}

    assert policies(users=True) == policies(users=False)


def test_a_stack_with_more_than_iam_allows_a_role_is_refused(synthesis: Synthesis) -> None:
    for number in range(4):
        group = personalize.DatasetGroup(synthesis.stack, f"Movies{number}")
        personalize.Workflow(synthesis.stack, f"Workflow{number}", dataset_group=group)
    provider = Provider.get_or_create(synthesis.stack)
    assert list(provider.node.validate()) == []

    for number in range(4, 9):
        group = personalize.DatasetGroup(synthesis.stack, f"Movies{number}")
        personalize.Workflow(synthesis.stack, f"Workflow{number}", dataset_group=group)
    [problem] = provider.node.validate()
    assert re.match(
        r"the stack 'Films' has too many dataset groups and workflows: .+ about \d{5} characters, and IAM allows a "
        r"role 10240; put some into another stack: Films/Movies0, ",
        problem,
    )


@pytest.mark.parametrize("name", LISTS)
def test_every_action_is_an_operation_of_the_service(name: str) -> None:
    session = boto3.Session(region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    services = {
        "personalize": ("personalize", "personalize-runtime", "personalize-events"),
        "cloudformation": ("cloudformation",),
        "ssm": ("ssm",),
    }
    for action in LISTS[name]:
        prefix, _, operation = action.partition(":")
        names = {
            each for service in services[prefix] for each in session.client(service).meta.service_model.operation_names
        }
        assert operation in names


def test_the_actions_on_buckets_are_sorted_data() -> None:
    for actions_ in (data_bucket.EMPTY_BUCKET, data_bucket.EMPTY_OBJECTS, data_bucket.USE_KEY):
        assert list(actions_) == sorted(actions_)


def test_one_per_stack(synthesis: Synthesis) -> None:
    other = cdk.Stack(synthesis.app, "Other")
    group = synthesis.group()

    provider = Provider.get_or_create(group)

    assert Provider.get_or_create(synthesis.stack) is provider
    assert Provider.get_or_create(other) is not provider


def test_functions(synthesis: Synthesis) -> None:
    personalize.DatasetGroup(synthesis.stack, "Movies")
    resources = Resources.of(synthesis.template)
    ours = [resources.all[key]["Properties"] for key in resources.ids("AWS::Lambda::Function") if "ramework" not in key]

    assert {each["Handler"] for each in ours} == {
        "personalize_lambda.provider.on_event.handler",
        "personalize_lambda.provider.is_complete.handler",
    }
    for each in ours:
        assert each["Runtime"] == "python3.14"
        assert each["LoggingConfig"]["LogFormat"] == "JSON"
        assert each["LoggingConfig"]["LogGroup"]
    assert len({str(each["Code"]) for each in ours}) == 1


def test_logs_expire_and_go_with_the_stack(synthesis: Synthesis) -> None:
    personalize.DatasetGroup(synthesis.stack, "Movies")
    resources = Resources.of(synthesis.template)

    for key in resources.ids("AWS::Logs::LogGroup"):
        assert resources.all[key]["DeletionPolicy"] == "Delete"
        assert resources.all[key]["Properties"]["RetentionInDays"] == 90


def test_the_waiter_asks_for_an_hour_every_five_seconds(synthesis: Synthesis) -> None:
    personalize.DatasetGroup(synthesis.stack, "Movies")

    definition = str(
        Resources.of(synthesis.template).properties("AWS::StepFunctions::StateMachine")["DefinitionString"]
    )

    assert '"IntervalSeconds":5,"MaxAttempts":720,"BackoffRate":1' in definition
