"""Tags on resources that CloudFormation does not tag itself."""

from __future__ import annotations

import json
from typing import Any, cast

import aws_cdk as cdk
import pytest
from constructs import Construct

import cdk_personalize as personalize
from tests.unit.conftest import Resources, Synthesis

GROUP, DATASET = "Custom::PersonalizeDatasetGroup", "Custom::PersonalizeDataset"
FILTER, TRACKER = "AWS::Personalize::Filter", "AWS::Personalize::EventTracker"


def tagged(resources: Resources, resource_type: str) -> dict[str, str]:
    found = [resources.all[key]["Properties"]["Tags"] for key in resources.ids(resource_type)]
    assert all(each == found[0] for each in found)
    return {tag["Key"]: tag["Value"] for tag in found[0]}


def everything(synthesis: Synthesis) -> tuple[personalize.Solution, personalize.Campaign]:
    group = synthesis.group()
    group.add_event_tracker()
    group.add_filter("Unwatched", expression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")')
    solution = group.add_solution("TopPicks", recipe=personalize.Recipe.USER_PERSONALIZATION_V2)
    return solution, solution.add_campaign("Live")


def in_document(stack: cdk.Stack, *constructs: Any) -> list[dict[str, str]]:
    """Return the tags as the workflow's document has them."""
    document = stack.resolve(stack.to_json_string([construct.document_tags for construct in constructs]))
    return [{tag["tagKey"]: tag["tagValue"] for tag in tags} for tags in json.loads(document)]


@pytest.mark.parametrize("resource_type", [GROUP, DATASET, FILTER, TRACKER])
def test_tags_of_the_app_and_the_owner_tag_are_set(resource_type: str) -> None:
    synthesis = Synthesis()
    solution, _ = everything(synthesis)
    cdk.Tags.of(synthesis.app).add("team", "films")
    cdk.Tags.of(synthesis.app).add("cdk-personalize:owner", "someone else")
    owner = solution.dataset_group.owner
    solution.dataset_group._workflow = object()  # type: ignore[assignment]

    assert tagged(Resources.of(synthesis.template), resource_type) == {"cdk-personalize:owner": owner, "team": "films"}


def test_the_document_has_them_as_the_service_takes_them() -> None:
    synthesis = Synthesis()
    solution, campaign = everything(synthesis)
    cdk.Tags.of(solution).add("team", "films")
    cdk.Tags.of(campaign).add("stage", "live")
    solution.dataset_group._workflow = object()  # type: ignore[assignment]
    _ = synthesis.template  # aspects are what sets them

    owner = {"cdk-personalize:owner": solution.dataset_group.owner}
    dataset = solution.dataset_group.datasets[0]
    assert in_document(synthesis.stack, dataset, solution, campaign) == [
        owner,
        {**owner, "team": "films"},
        {**owner, "team": "films", "stage": "live"},
    ]


def test_tags_of_the_stack_itself_are_set_as_cloudformation_sets_them_on_its_own_types() -> None:
    synthesis = Synthesis(tags={"cost": "42", "team": "all"})
    group = synthesis.group()
    cdk.Tags.of(group).add("team", "films")
    resources = Resources.of(synthesis.template)

    assert tagged(resources, GROUP) == {"cdk-personalize:owner": group.owner, "cost": "42", "team": "films"}


def test_types_can_be_excluded_and_tags_removed() -> None:
    # Without this flag the tags are set on the stack too, and CloudFormation excludes nothing.
    synthesis = Synthesis(context={"@aws-cdk/core:explicitStackTags": True})
    group = synthesis.group()
    cdk.Tags.of(synthesis.app).add("team", "films", exclude_resource_types=[DATASET])
    cdk.Tags.of(synthesis.app).add("stage", "live")
    cdk.Tags.of(group).remove("stage")
    resources = Resources.of(synthesis.template)

    assert set(tagged(resources, GROUP)) == {"cdk-personalize:owner", "team"}
    assert set(tagged(resources, DATASET)) == {"cdk-personalize:owner"}


def test_schemas_have_none() -> None:
    synthesis = Synthesis()
    synthesis.group()
    cdk.Tags.of(synthesis.app).add("team", "films")
    resources = Resources.of(synthesis.template)

    for key in resources.ids("Custom::PersonalizeSchema"):
        assert "Tags" not in resources.all[key]["Properties"]


def in_template(synthesis: Synthesis, construct: Construct) -> dict[str, str]:
    """Return the tags of a resource that CloudFormation makes."""
    resource = construct.node.find_child("Resource")
    key = synthesis.stack.get_logical_id(cast(cdk.CfnElement, resource.node.default_child or resource))
    tags = Resources.of(synthesis.template).all[key]["Properties"]["Tags"]
    return {tag["Key"]: tag["Value"] for tag in tags}


def test_a_tag_reaches_every_kind_of_resource(synthesis: Synthesis) -> None:
    solution, campaign = everything(synthesis)
    movies = solution.dataset_group
    shop = personalize.DatasetGroup(synthesis.stack, "Shop", domain=personalize.Domain.ECOMMERCE)
    shop.add_interactions(schema=personalize.Schema.interactions(domain=personalize.Domain.ECOMMERCE))
    recommender = shop.add_recommender("Viewed", use_case=personalize.UseCase.MOST_VIEWED)
    for group in (movies, shop):
        personalize.Workflow(group, "Workflow", dataset_group=group)
    by_deployment = [movies, movies.datasets[0], movies.event_tracker, *movies.filters]
    by_workflow = [movies.datasets[0], solution, campaign, recommender]
    cdk.Tags.of(synthesis.stack).add("team", "films")
    for construct in {*by_deployment, *by_workflow}:
        assert construct is not None
        cdk.Tags.of(construct).add("mine", construct.node.path)

    found = [(each, in_template(synthesis, each)) for each in by_deployment if each is not None]
    found += zip(by_workflow, in_document(synthesis.stack, *by_workflow), strict=True)

    assert len(found) == 8
    for each, tags in found:
        owner = shop.owner if each is recommender else movies.owner
        assert tags == {"cdk-personalize:owner": owner, "team": "films", "mine": each.node.path}
