"""DatasetGroup."""

from __future__ import annotations

import inspect
import re
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

import cdk_personalize as personalize
from tests.unit.conftest import INTERACTIONS, ITEMS, USERS, Resources, Synthesis

TYPE = "Custom::PersonalizeDatasetGroup"
ACTIONS = personalize.Schema.actions(personalize.Field.categorical("KIND"))


def problems(construct: personalize.DatasetGroup) -> list[str]:
    return list(construct.node.validate())


def test_the_custom_resource(synthesis: Synthesis) -> None:
    group = personalize.DatasetGroup(synthesis.stack, "Movies")
    resource = Resources.of(synthesis.template).one(TYPE)

    assert group.dataset_group_name == group.owner == "Films-Movies-f55e0ec7"
    assert resource["Properties"] == {
        "ServiceToken": resource["Properties"]["ServiceToken"],
        "ServiceTimeout": "3600",
        "Name": "Films-Movies-f55e0ec7",
        "Owner": "Films-Movies-f55e0ec7",
        "Tags": [{"Key": "cdk-personalize:owner", "Value": "Films-Movies-f55e0ec7"}],
        "RemovalPolicy": "retain",
    }


@pytest.mark.parametrize(
    ("policy", "deletion", "replacement", "declared"),
    [
        (None, "RetainExceptOnCreate", "Retain", "retain"),
        (cdk.RemovalPolicy.RETAIN, "Retain", "Retain", "retain"),
        (cdk.RemovalPolicy.DESTROY, "Delete", "Delete", "destroy"),
    ],
)
def test_removal_policy(
    synthesis: Synthesis, policy: cdk.RemovalPolicy | None, deletion: str, replacement: str, declared: str
) -> None:
    arguments = {} if policy is None else {"removal_policy": policy}
    synthesis.group(**arguments)
    resources = Resources.of(synthesis.template)

    for key in (*resources.ids(TYPE), *resources.ids("Custom::PersonalizeDataset")):
        resource = resources.all[key]
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == (deletion, replacement)
        assert resource["Properties"]["RemovalPolicy"] == declared
    for key in resources.ids("AWS::S3::Bucket"):
        assert resources.all[key]["DeletionPolicy"] == deletion


def test_a_dataset_can_have_a_removal_policy_of_its_own(synthesis: Synthesis) -> None:
    group = personalize.DatasetGroup(synthesis.stack, "Movies")
    group.add_users(schema=USERS, removal_policy=cdk.RemovalPolicy.DESTROY)

    assert Resources.of(synthesis.template).one("Custom::PersonalizeDataset")["DeletionPolicy"] == "Delete"


def test_the_role_that_only_personalize_can_take_on(synthesis: Synthesis) -> None:
    group = synthesis.group()
    resources = Resources.of(synthesis.template)
    [key] = [key for key in resources.ids("AWS::IAM::Role") if key.startswith("MoviesServiceRole")]
    [trust] = resources.all[key]["Properties"]["AssumeRolePolicyDocument"]["Statement"]

    assert trust["Principal"] == {"Service": "personalize.amazonaws.com"}
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert ":personalize:" in str(trust["Condition"]["ArnLike"]["aws:SourceArn"])
    statements = resources.statements("MoviesServiceRoleDefaultPolicy")
    assert {statement["Action"] for statement in statements} == {"s3:GetObject", "s3:ListBucket"}
    read = [str(statement["Resource"]) for statement in statements if statement["Action"] == "s3:GetObject"]
    assert len(read) == 2
    assert all("/Movies/" in each for each in read)
    assert group.service_role.node.id == "ServiceRole"


def test_a_bucket_of_the_users_is_prepared_once(synthesis: Synthesis) -> None:
    bucket = s3.Bucket(synthesis.stack, "Mine")
    synthesis.group(data_bucket=bucket)
    resources = Resources.of(synthesis.template)

    assert len(resources.ids("AWS::S3::Bucket")) == 1
    statements = resources.properties("AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    assert [statement["Action"] for statement in statements] == ["s3:GetObject", "s3:ListBucket"]


def test_at_most_one_dataset_of_a_type(group: personalize.DatasetGroup) -> None:
    with pytest.raises(
        ValueError,
        match=r"^dataset group 'Films/Movies' has a dataset of ITEMS already \('Films/Movies/Items'\); the service",
    ):
        group.add_items(schema=ITEMS)
    with pytest.raises(ValueError, match="has a dataset of ITEMS already"):
        personalize.Dataset(group.stack, "Other", dataset_group=group, schema=ITEMS)


def test_the_schema_must_be_for_the_dataset(group: personalize.DatasetGroup) -> None:
    with pytest.raises(ValueError, match=r"^schema must be one of USERS for add_users, got one of INTERACTIONS$"):
        group.add_users(schema=INTERACTIONS)


@pytest.mark.parametrize("name", ["", "-films", "my films", "x" * 64])
def test_names_that_the_service_refuses(synthesis: Synthesis, name: str) -> None:
    with pytest.raises(
        ValueError,
        match="dataset_group_name must have 1 to 63 letters, digits, hyphens and underscores and start with a letter "
        f"or digit, got {re.escape(repr(name))}",
    ):
        personalize.DatasetGroup(synthesis.stack, "Movies", dataset_group_name=name)


def test_a_token_passes_as_name(synthesis: Synthesis) -> None:
    name = cdk.CfnParameter(synthesis.stack, "Name").value_as_string
    synthesis.group(dataset_group_name=name)

    assert Resources.of(synthesis.template).properties(TYPE)["Name"] == {"Ref": "Name"}


def test_a_domain(synthesis: Synthesis) -> None:
    group = personalize.DatasetGroup(synthesis.stack, "Movies", domain=personalize.Domain.VIDEO_ON_DEMAND)
    group.add_interactions(schema=INTERACTIONS)
    with pytest.raises(
        ValueError,
        match=r"^schema of ITEMS is not valid for the domain of dataset group 'Films/Movies', VIDEO_ON_DEMAND: "
        r"required field .CREATION_TIMESTAMP.",
    ):
        group.add_items(schema=ITEMS)
    with pytest.raises(
        ValueError, match=r"'Films/Movies' of the domain VIDEO_ON_DEMAND cannot have a dataset of ACTIONS"
    ):
        group.add_actions(schema=ACTIONS)
    resources = Resources.of(synthesis.template)

    assert resources.properties(TYPE)["Domain"] == "VIDEO_ON_DEMAND"
    assert resources.properties("Custom::PersonalizeSchema")["Domain"] == "VIDEO_ON_DEMAND"


def test_datasets_of_actions(synthesis: Synthesis) -> None:
    group = synthesis.group()
    actions = group.add_actions(schema=ACTIONS)
    taken = group.add_action_interactions(schema=personalize.Schema.action_interactions())
    resources = Resources.of(synthesis.template)

    assert (actions.source.prefix, taken.source.prefix) == ("Movies/actions/", "Movies/action_interactions/")
    types = [resources.all[key]["Properties"]["DatasetType"] for key in resources.ids("Custom::PersonalizeDataset")]
    assert types == ["Interactions", "Items", "Actions", "Action_Interactions"]
    for key in resources.ids("Custom::PersonalizeSchema"):
        assert len(resources.all[key]["Properties"]["Name"]) <= 63


@pytest.mark.parametrize("policy", [cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE, cdk.RemovalPolicy.DESTROY])
def test_a_key_of_ones_own(synthesis: Synthesis, policy: cdk.RemovalPolicy) -> None:
    key = kms.Key(synthesis.stack, "Key")
    group = synthesis.group(encryption_key=key, removal_policy=policy)
    stack = synthesis.stack
    template = synthesis.template
    resources = Resources.of(template)
    [role_id] = [each for each in resources.ids("AWS::IAM::Role") if each.startswith("MoviesServiceRole")]
    role = {"Fn::GetAtt": [role_id, "Arn"]}

    properties = resources.properties(TYPE)
    assert (properties["KmsKeyArn"], properties["RoleArn"]) == (stack.resolve(key.key_arn), role)
    assert role_id in resources.one(TYPE)["DependsOn"]
    assert {
        "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:ListGrants"],
        "Effect": "Allow",
        "Resource": stack.resolve(key.key_arn),
    } in resources.statements("MoviesServiceRoleDefaultPolicy")
    assert {
        "Action": "iam:PassRole",
        "Condition": {"StringEquals": {"iam:PassedToService": "personalize.amazonaws.com"}},
        "Effect": "Allow",
        "Resource": role,
    } in resources.statements("MoviesOnEventPolicy")
    [granted] = [
        statement
        for statement in resources.properties("AWS::KMS::Key")["KeyPolicy"]["Statement"]
        if "kms:CreateGrant" in statement["Action"]
    ]
    assert granted["Principal"] == {"AWS": role, "Service": "personalize.amazonaws.com"}
    # data that stay can be read with this role only
    kept = "Delete" if policy is cdk.RemovalPolicy.DESTROY else "RetainExceptOnCreate"
    assert resources.all[role_id].get("DeletionPolicy", "Delete") == kept
    assert group.service_role.node.id == "ServiceRole"


def test_the_policy_of_a_key_that_is_managed_elsewhere(synthesis: Synthesis) -> None:
    arn = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555"
    synthesis.group(encryption_key=kms.Key.from_key_arn(synthesis.stack, "Key", arn))

    annotations = assertions.Annotations.from_stack(synthesis.stack)
    annotations.has_warning(
        "/Films/Movies/ServiceRole", assertions.Match.string_like_regexp("the policy of the encryption key must allow")
    )


def test_snapshot_is_refused(synthesis: Synthesis) -> None:
    with pytest.raises(ValueError, match="removal_policy must be one of"):
        personalize.DatasetGroup(synthesis.stack, "Movies", removal_policy=cdk.RemovalPolicy.SNAPSHOT)


def test_solutions_without_a_workflow_are_an_error(group: personalize.DatasetGroup) -> None:
    assert problems(group) == []

    group.add_solution("TopPicks", recipe=personalize.Recipe.USER_PERSONALIZATION_V2)

    assert problems(group) == [
        "dataset group 'Films/Movies' has solutions ('Films/Movies/TopPicks') but no Workflow, so nothing would train "
        "or run them; add Workflow(scope, id, dataset_group=...)"
    ]


def test_a_second_workflow_is_refused(synthesis: Synthesis, group: personalize.DatasetGroup) -> None:
    personalize.Workflow(synthesis.stack, "Workflow", dataset_group=group)

    with pytest.raises(ValueError, match=r"has a workflow already \('Films/Workflow'\)"):
        personalize.Workflow(synthesis.stack, "Another", dataset_group=group)


def test_two_groups_share_one_provider_and_nothing_else(synthesis: Synthesis) -> None:
    synthesis.group("Movies")
    synthesis.group("Series")
    resources = Resources.of(synthesis.template)

    assert len({str(resources.all[key]["Properties"]["ServiceToken"]) for key in resources.ids(TYPE)}) == 1
    assert len({resources.all[key]["Properties"]["Name"] for key in resources.ids(TYPE)}) == 2
    assert (
        len([key for key in resources.ids("AWS::Lambda::Function") if "OnEvent" in key and "ramework" not in key]) == 1
    )


def test_what_the_workflow_waits_for_is_everything_that_is_deployed(synthesis: Synthesis) -> None:
    group = synthesis.group()
    group.add_event_tracker()
    group.add_filter("Watched", expression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")')
    last = cdk.CfnResource(synthesis.stack, "Last", type="AWS::CloudFormation::WaitConditionHandle")
    last.node.add_dependency(group.resources_ready)
    group.add_users(schema=USERS)
    resources = Resources.of(synthesis.template)

    kinds = {resources.all[key]["Type"] for key in resources.all["Last"]["DependsOn"]}
    assert kinds == {
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::Personalize::EventTracker",
        "AWS::Personalize::Filter",
        "AWS::S3::BucketPolicy",
        "Custom::PersonalizeDataset",
        "Custom::PersonalizeSchema",
    }
    assert len([key for key in resources.all["Last"]["DependsOn"] if "Users" in key]) == 2


#: Options of datasets that no other type takes
ONLY_OF_INTERACTIONS = ("publish_attribution_metrics",)


@pytest.mark.parametrize(
    ("add", "construct", "owner"),
    [
        (personalize.DatasetGroup.add_event_tracker, personalize.EventTracker, "dataset_group"),
        (personalize.DatasetGroup.add_filter, personalize.Filter, "dataset_group"),
        (personalize.DatasetGroup.add_metric_attribution, personalize.MetricAttribution, "dataset_group"),
        (personalize.DatasetGroup.add_recommender, personalize.Recommender, "dataset_group"),
        (personalize.DatasetGroup.add_solution, personalize.Solution, "dataset_group"),
        (personalize.DatasetGroup.add_data_deletion_job, personalize.DataDeletionJob, "dataset_group"),
        (personalize.Dataset.add_export_job, personalize.DatasetExportJob, "dataset"),
        (personalize.Solution.add_batch_inference_job, personalize.BatchInferenceJob, "solution"),
        (personalize.Solution.add_batch_segment_job, personalize.BatchSegmentJob, "solution"),
        (personalize.Solution.add_campaign, personalize.Campaign, "solution"),
        *(
            (getattr(personalize.DatasetGroup, f"add_{each.value.lower()}"), personalize.Dataset, "dataset_group")
            for each in personalize.DatasetType
        ),
    ],
)
def test_what_is_added_takes_the_options_of_its_construct(add: Any, construct: Any, owner: str) -> None:
    """All of them, in the same order, with the same defaults and types, and passes them on."""
    options = [each for each in inspect.signature(add).parameters.values() if each.kind is each.KEYWORD_ONLY]
    declared = [
        each for each in inspect.signature(construct.__init__).parameters.values() if each.kind is each.KEYWORD_ONLY
    ]

    left_out = {owner} if add is personalize.DatasetGroup.add_interactions else {owner, *ONLY_OF_INTERACTIONS}
    assert [str(each).replace("Mapping[str, str | int | float | bool]", "Mapping[str, Value]") for each in options] == [
        str(each) for each in declared if each.name not in left_out
    ]
    documented = re.findall(r":param (\w+):", add.__doc__)
    assert [name for name in documented if name != "id"] == [each.name for each in options]
