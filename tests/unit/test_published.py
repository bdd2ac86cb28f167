"""Published."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import cdk_nag
import pytest
from aws_cdk import aws_iam as iam
from constructs import Construct

import cdk_personalize as personalize
from tests.unit.conftest import Resources, Synthesis

WATCHED = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")'
TYPE = "AWS::SSM::Parameter"


def films(stack: cdk.Stack) -> personalize.DatasetGroup:
    group = personalize.DatasetGroup(stack, "Films")
    group.add_interactions(schema=personalize.Schema.interactions(event_type=True))
    group.add_items(schema=personalize.Schema.items(personalize.Field.categorical("GENRES")))
    group.add_event_tracker()
    group.add_filter("Un watched!", expression=WATCHED)
    picks = group.add_solution("Picks", recipe=personalize.Recipe.USER_PERSONALIZATION_V2)
    picks.add_campaign("Live")
    picks.add_campaign("Trial")
    personalize.Workflow(stack, "Workflow", dataset_group=group)
    return group


FILMS = [
    "campaigns/Picks/Live",
    "campaigns/Picks/Trial",
    "dataset-group",
    "datasets/interactions",
    "datasets/items",
    "filters/Un-watched-",
    "solutions/Picks",
    "tracking-id",
    "workflow",
]


def shop(stack: cdk.Stack) -> personalize.DatasetGroup:
    group = personalize.DatasetGroup(stack, "Shop", domain=personalize.Domain.ECOMMERCE)
    group.add_recommender("ForYou", use_case=personalize.UseCase.RECOMMENDED_FOR_YOU)
    return group


def loyalty(stack: cdk.Stack) -> personalize.DatasetGroup:
    group = personalize.DatasetGroup(stack, "Loyalty")
    group.add_actions(schema=personalize.Schema.actions(value=True))
    group.add_action_interactions(schema=personalize.Schema.action_interactions())
    return group


@pytest.mark.parametrize(
    ("declare", "expected"),
    [
        (films, FILMS),
        (shop, ["dataset-group", "recommenders/ForYou"]),
        (loyalty, ["action-tracking-id", "dataset-group", "datasets/action_interactions", "datasets/actions"]),
    ],
)
def test_everything_that_is_declared_has_a_name(
    declare: Callable[[cdk.Stack], personalize.DatasetGroup], expected: list[str]
) -> None:
    synthesis = Synthesis()

    made = personalize.Published(
        synthesis.stack, "Published", dataset_group=declare(synthesis.stack), parameter_prefix="/films"
    )

    assert sorted(made.values) == expected
    assert len({str(synthesis.stack.resolve(each)) for each in made.values.values()}) == len(expected)
    assert made.parameters.keys() == made.values.keys()


def test_the_template_says_so(synthesis: Synthesis) -> None:
    group = films(synthesis.stack)
    made = personalize.Published(
        synthesis.stack, "Published", dataset_group=group, parameter_prefix="/films", outputs=True
    )
    resources = Resources.of(synthesis.template)
    values = synthesis.stack.resolve(dict(made.values))

    parameters = {resources.all[key]["Properties"]["Name"]: key for key in resources.ids(TYPE)}
    assert sorted(parameters) == [f"/films/{name}" for name in FILMS]
    for name, value in values.items():
        assert resources.all[parameters[f"/films/{name}"]]["Properties"]["Value"] == value
    outputs = synthesis.template.to_json()["Outputs"]
    assert {each["Description"]: each["Value"] for each in outputs.values()} == values
    assert values["campaigns/Picks/Live"] == synthesis.stack.resolve(group.solutions[0].campaigns[0].campaign_arn)
    assert values["tracking-id"]["Fn::GetAtt"][1] == "TrackingId"


@pytest.mark.parametrize(
    ("arguments", "parameters", "outputs"), [({"parameter_prefix": "/a/b"}, 9, 0), ({"outputs": True}, 0, 9)]
)
def test_only_what_is_asked_for(arguments: dict[str, Any], parameters: int, outputs: int) -> None:
    synthesis = Synthesis()
    personalize.Published(synthesis.stack, "Published", dataset_group=films(synthesis.stack), **arguments)

    assert len(Resources.of(synthesis.template).ids(TYPE)) == parameters
    assert len(synthesis.template.to_json().get("Outputs", {})) == outputs


@pytest.mark.parametrize(
    "prefix",
    ["", "films", "/films/", "//films", "/my films", "/films:1", "/aws/films", "/AWSfilms", "/ssm", "/a" * 13],
)
def test_prefixes_that_parameters_cannot_have(synthesis: Synthesis, prefix: str) -> None:
    group = personalize.DatasetGroup(synthesis.stack, "Films")

    with pytest.raises(
        ValueError, match=rf"^parameter_prefix must have 1 to 12 levels, .+, got '{re.escape(prefix)}'$"
    ):
        personalize.Published(synthesis.stack, "Published", dataset_group=group, parameter_prefix=prefix)


def test_prefixes_that_pass(synthesis: Synthesis) -> None:
    group = personalize.DatasetGroup(synthesis.stack, "Films")
    token = cdk.CfnParameter(synthesis.stack, "Prefix").value_as_string
    personalize.Published(synthesis.stack, "Deep", dataset_group=group, parameter_prefix="/a" * 12)
    personalize.Published(synthesis.stack, "Token", dataset_group=group, parameter_prefix=token)
    resources = Resources.of(synthesis.template)

    names = [resources.all[key]["Properties"]["Name"] for key in resources.ids(TYPE)]
    assert names == ["/a" * 12 + "/dataset-group", {"Fn::Join": ["", [{"Ref": "Prefix"}, "/dataset-group"]]}]


def test_nothing_asked_for(synthesis: Synthesis) -> None:
    group = personalize.DatasetGroup(synthesis.stack, "Films")

    with pytest.raises(ValueError, match=r"^parameter_prefix or outputs must be given, got neither"):
        personalize.Published(synthesis.stack, "Published", dataset_group=group)


def test_two_of_a_name(synthesis: Synthesis) -> None:
    group = films(synthesis.stack)
    personalize.Filter(Construct(synthesis.stack, "Other"), "Un-watched-", dataset_group=group, expression=WATCHED)

    with pytest.raises(ValueError, match=r"^two resources of .+ would be published as 'filters/Un-watched-'"):
        personalize.Published(synthesis.stack, "Published", dataset_group=group, outputs=True)


def test_what_is_declared_afterwards_is_an_error_of_the_synthesis(synthesis: Synthesis) -> None:
    group = films(synthesis.stack)
    made = personalize.Published(synthesis.stack, "Published", dataset_group=group, outputs=True)

    assert list(made.node.validate()) == []
    group.solutions[0].add_campaign("Late")
    assert list(made.node.validate()) == [
        "'Films/Published' does not publish what is declared after it: ['campaigns/Picks/Late']; declare it last"
    ]


def test_reading(synthesis: Synthesis) -> None:
    made = personalize.Published(
        synthesis.stack,
        "Published",
        dataset_group=personalize.DatasetGroup(synthesis.stack, "Films"),
        parameter_prefix="/films",
    )
    made.grants.read(iam.User(synthesis.stack, "Site"))
    resources = Resources.of(synthesis.template)
    [parameter] = resources.ids(TYPE)

    def arn(*tail: Any) -> dict[str, Any]:
        account = [{"Ref": "AWS::Region"}, ":", {"Ref": "AWS::AccountId"}]
        return {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":ssm:", *account, *tail]]}

    assert resources.statements("SiteDefaultPolicy") == [
        {
            "Action": ["ssm:GetParameter", "ssm:GetParameters"],
            "Effect": "Allow",
            "Resource": arn(":parameter", {"Ref": parameter}),
        },
        {
            "Action": "ssm:GetParametersByPath",
            "Effect": "Allow",
            "Resource": [arn(":parameter/films"), arn(":parameter/films/")],
        },
    ]


def test_outputs_need_no_permission(synthesis: Synthesis) -> None:
    group = personalize.DatasetGroup(synthesis.stack, "Films")
    made = personalize.Published(synthesis.stack, "Published", dataset_group=group, outputs=True)

    with pytest.raises(ValueError, match=r"^'Films/Published' has outputs only, which need no permission"):
        made.grants.read(iam.User(synthesis.stack, "Site"))


def test_cdk_nag_finds_nothing(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    stack = cdk.Stack(app, "Films")
    made = personalize.Published(
        stack, "Published", dataset_group=films(stack), parameter_prefix="/films", outputs=True
    )
    made.grants.read(iam.Role(stack, "Site", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com")))
    cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))

    app.synth()
