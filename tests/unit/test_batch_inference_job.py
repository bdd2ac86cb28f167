"""BatchInferenceJob."""

from __future__ import annotations

import json
import re
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

import cdk_personalize as personalize
from tests.unit.conftest import INTERACTIONS, Resources, Synthesis

Recipe = personalize.Recipe
Location = personalize.S3Location
V1, V2, SIMILAR = Recipe.USER_PERSONALIZATION, Recipe.USER_PERSONALIZATION_V2, Recipe.SIMILAR_ITEMS
UNSEEN = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")'
THEMED = personalize.Schema.items(personalize.Field.textual("PLOT"), personalize.Field.string("TITLE"))


def job(
    recipe: personalize.Recipe = V2, *, synthesis: Synthesis | None = None, workflow: bool = True, **arguments: Any
) -> personalize.BatchInferenceJob:
    synthesis = synthesis or Synthesis()
    group = synthesis.group()
    if workflow:
        personalize.Workflow(synthesis.stack, "Workflow", dataset_group=group)
    return group.add_solution("Picks", recipe=recipe).add_batch_inference_job("Mail", **arguments)


def resolved(made: personalize.BatchInferenceJob) -> Any:
    return cdk.Stack.of(made).resolve(made.configuration)


def document(synthesis: Synthesis, group: personalize.DatasetGroup) -> dict[str, Any]:
    """The desired state, tokens written as their names."""
    personalize.Workflow(synthesis.stack, "Workflow", dataset_group=group)
    [found] = synthesis.template.find_resources("Custom::PersonalizeDeployment").values()
    text = found["Properties"]["Document"]
    parts = text["Fn::Join"][1] if isinstance(text, dict) else [text]
    return dict(
        json.loads("".join(p if isinstance(p, str) else str(next(iter(p.values()))).replace('"', "'") for p in parts))
    )


def test_the_least(synthesis: Synthesis) -> None:
    made = job(synthesis=synthesis)

    [bucket] = [
        key for key, each in synthesis.template.find_resources("AWS::S3::Bucket").items() if "AccessLogs" not in key
    ]
    folder = {"Fn::Join": ["", ["s3://", {"Ref": bucket}, "/Movies/batch-inference/Picks/Mail/"]]}
    assert resolved(made) == {
        "jobInput": {"s3DataSource": {"path": _below(folder, "input/")}},
        "batchInferenceJobMode": "BATCH_INFERENCE",
        "jobOutput": {"s3DataDestination": {"path": _below(folder, "output/")}},
    }


def _below(folder: dict[str, Any], name: str) -> dict[str, Any]:
    separator, parts = folder["Fn::Join"]
    return {"Fn::Join": [separator, [*parts[:-1], parts[-1] + name]]}


def test_everything() -> None:
    synthesis = Synthesis()
    group = synthesis.group()
    exploration = personalize.ItemExploration(weight=0, item_age_cut_off=cdk.Duration.days(14))
    bucket = s3.Bucket.from_bucket_name(synthesis.stack, "Bucket", "bucket")
    keys = [kms.Key(synthesis.stack, name) for name in ("ReadKey", "WriteKey")]
    unseen = group.add_filter("Unseen", expression=UNSEEN)
    made = group.add_solution("Picks", recipe=V1).add_batch_inference_job(
        "Mail",
        job_name="mail",
        job_input=Location(bucket, "users.json", encryption_key=keys[0]),
        job_output=Location(bucket, "mail/", encryption_key=keys[1]),
        every=cdk.Duration.days(7),
        filter=unseen,
        num_results=10,
        item_exploration=exploration,
    )
    cdk.Tags.of(made).add("team", "red")

    assert resolved(made) == {
        "jobInput": {
            "s3DataSource": {"path": "s3://bucket/users.json", "kmsKeyArn": synthesis.stack.resolve(keys[0].key_arn)}
        },
        "jobOutput": {
            "s3DataDestination": {"path": "s3://bucket/mail/", "kmsKeyArn": synthesis.stack.resolve(keys[1].key_arn)}
        },
        "batchInferenceJobMode": "BATCH_INFERENCE",
        "filterArn": synthesis.stack.resolve(unseen.filter_arn),
        "numResults": 10,
        "batchInferenceJobConfig": {
            "itemExplorationConfig": {"explorationWeight": "0", "explorationItemAgeCutOff": "14"}
        },
    }
    [declared] = document(synthesis, group)["jobs"]
    assert declared["input"] == {"bucket": "bucket", "prefix": "users.json", "suffix": ""}
    assert declared["every"] == 7 * 86_400
    assert re.fullmatch("mail-[0-9a-f]{8}", declared["jobPrefix"])
    assert declared["solutionArn"].endswith(f":solution/{group.solutions[0].solution_name}")
    assert declared["tags"] == [
        {"tagKey": "cdk-personalize:owner", "tagValue": group.owner},
        {"tagKey": "team", "tagValue": "red"},
    ]


def test_ranking_influence() -> None:
    made = job(Recipe.SEMANTIC_SIMILARITY, ranking_influence={"FRESHNESS": 0.5}, workflow=False)
    assert resolved(made)["batchInferenceJobConfig"] == {"rankingInfluence": {"FRESHNESS": 0.5}}


def themed(item_name: str, schema: personalize.Schema = THEMED, *, region: str = "us-east-1") -> cdk.App:
    synthesis = Synthesis(env=cdk.Environment(region=region))
    group = personalize.DatasetGroup(synthesis.stack, "Movies")
    group.add_interactions(schema=INTERACTIONS)
    group.add_items(schema=schema)
    made = group.add_solution("Alike", recipe=SIMILAR).add_batch_inference_job(
        "Mail", theme_generation=personalize.ThemeGeneration(item_name=item_name)
    )
    assert resolved(made)["batchInferenceJobMode"] == "THEME_GENERATION"
    assert resolved(made)["themeGenerationConfig"] == {"fieldsForThemeGeneration": {"itemName": item_name}}
    personalize.Workflow(synthesis.stack, "Workflow", dataset_group=group)
    return synthesis.app


def test_themes() -> None:
    themed("TITLE").synth()


@pytest.mark.parametrize(
    ("item_name", "schema", "message"),
    [
        (
            "NAME",
            THEMED,
            r"item_name must be a string column of ITEMS, got 'NAME', allowed: \['ITEM_ID', 'PLOT', 'TITLE'\]",
        ),
        (
            "TITLE",
            personalize.Schema.items(personalize.Field.string("TITLE"), personalize.Field.categorical("GENRES")),
            "theme_generation needs a textual column in ITEMS",
        ),
    ],
)
def test_themes_need_columns(item_name: str, schema: personalize.Schema, message: str) -> None:
    with pytest.raises(RuntimeError, match=f"BatchInferenceJob 'Films/Movies/Alike/Mail': {message}"):
        themed(item_name, schema).synth()


def test_a_region_without_themes_is_warned_of() -> None:
    for region, count in (("us-west-2", 0), ("eu-west-1", 1)):
        stack = themed("TITLE", region=region).node.find_child("Films")
        assert isinstance(stack, cdk.Stack)
        assert (
            len(
                assertions.Annotations.from_stack(stack).find_warning(
                    "*", assertions.Match.string_like_regexp("themes can be had")
                )
            )
            == count
        )


@pytest.mark.parametrize(
    ("recipe", "arguments", "message"),
    [
        (V2, {"job_name": "my job"}, "job_name must have 1 to 63 letters"),
        (
            Recipe.TRENDING_NOW,
            {},
            "the recipe aws-trending-now of 'Films/Movies/Picks' does not work in batch inference jobs",
        ),
        (
            Recipe.ITEM_AFFINITY,
            {},
            "the recipe aws-item-affinity of 'Films/Movies/Picks' does not work in batch inference jobs; use "
            "add_batch_segment_job",
        ),
        (V2, {"num_results": 0}, "num_results must be from 1 to 500, got 0"),
        (V2, {"num_results": 501}, "num_results must be from 1 to 500, got 501"),
        (V2, {"every": cdk.Duration.days(0)}, "every must be longer than 0 seconds, got 0"),
        (
            V2,
            {"item_exploration": personalize.ItemExploration(weight=0)},
            "item_exploration is not available with the recipe aws-user-personalization-v2",
        ),
        (V2, {"ranking_influence": {"FRESHNESS": 1}}, "ranking_influence is not available with the recipe"),
        (
            Recipe.SEMANTIC_SIMILARITY,
            {"ranking_influence": {"PRICE": 1}},
            "ranking_influence must have keys of ['POPULARITY', 'FRESHNESS'], got 'PRICE'",
        ),
        (
            V2,
            {"theme_generation": personalize.ThemeGeneration(item_name="TITLE")},
            "theme_generation is not available with the recipe aws-user-personalization-v2",
        ),
    ],
)
def test_what_the_service_refuses_is_refused(
    recipe: personalize.Recipe, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        job(recipe, workflow=False, **arguments)


@pytest.mark.parametrize("count", [1, 500])
def test_the_least_and_the_most_results(count: int) -> None:
    assert job(num_results=count, workflow=False).configuration["numResults"] == count


@pytest.mark.parametrize(
    ("recipe", "expression", "message"),
    [
        (V2, UNSEEN, None),
        (V2, "EXCLUDE ItemID WHERE Items.GENRES IN ($GENRES)", None),
        (SIMILAR, "INCLUDE ItemID WHERE Items.YEAR < CurrentItem.YEAR", None),
        (
            V2,
            "INCLUDE ItemID WHERE Items.YEAR < CurrentItem.YEAR",
            "filter 'Films/Movies/Chosen' compares with CurrentItem, which the recipe aws-user-personalization-v2 does",
        ),
        (
            V2,
            'INCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("watch")',
            "filter must be about ItemID for the recipe aws-user-personalization-v2, got 'Films/Movies/Chosen' about",
        ),
    ],
)
def test_filters(
    recipe: personalize.Recipe, expression: str, message: str | None, group: personalize.DatasetGroup
) -> None:
    chosen = group.add_filter("Chosen", expression=expression)
    solution = group.add_solution("Picks", recipe=recipe)
    if message is None:
        assert solution.add_batch_inference_job("Mail", filter=chosen).configuration["filterArn"] == chosen.filter_arn
        return
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        solution.add_batch_inference_job("Mail", filter=chosen)


def test_a_filter_of_another_dataset_group_is_refused() -> None:
    synthesis = Synthesis()
    other = synthesis.group("Books").add_filter("Unseen", expression=UNSEEN)
    message = "filter must be one of the dataset group 'Films/Movies', got 'Films/Books/Unseen' of 'Films/Books'"
    with pytest.raises(ValueError, match=f"^{message}$"):
        job(synthesis=synthesis, filter=other, workflow=False)


def test_a_filter_that_is_managed_elsewhere_is_taken() -> None:
    synthesis = Synthesis()
    elsewhere = personalize.Filter.from_filter_name(synthesis.stack, "Elsewhere", "unseen")
    assert job(synthesis=synthesis, filter=elsewhere, workflow=False).configuration["filterArn"] == elsewhere.filter_arn


def test_tokens_pass() -> None:
    synthesis = Synthesis()
    number = cdk.CfnParameter(synthesis.stack, "Number", type="Number").value_as_number
    folder = cdk.CfnParameter(synthesis.stack, "Folder").value_as_string
    bucket = s3.Bucket(synthesis.stack, "Bucket")

    made = job(synthesis=synthesis, num_results=number, job_output=Location(bucket, folder), workflow=False)

    assert resolved(made)["numResults"] == {"Ref": "Number"}
    assert "/" in json.dumps(resolved(made)["jobOutput"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"job_output": ("Movies/items/mail/",)},
            "job_output must not be in the folder 'Movies/items/' of ITEMS, which would read what it wrote, got "
            "'Movies/items/mail/'",
        ),
        (
            {"job_input": ("Movies/items/mail.json",)},
            "job_input must not be in the folder 'Movies/items/' of ITEMS, from which it would be imported, got "
            "'Movies/items/mail.json'",
        ),
        (
            {"job_input": ("mail/",), "job_output": ("mail/out/",)},
            "job_output must not be in the folder 'mail/' of 'Films/Movies/Picks/Mail', which would read what it wrote",
        ),
        ({"job_input": ("mail/in/",), "job_output": ("mail/",)}, None),
        ({"job_input": ("mail",), "job_output": ("mail/",)}, None),
    ],
)
def test_where_jobs_read_and_write(arguments: dict[str, Any], message: str | None) -> None:
    synthesis = Synthesis()
    group = synthesis.group()
    locations = {name: Location(group.data_bucket, *values) for name, values in arguments.items()}
    group.add_solution("Picks", recipe=V2).add_batch_inference_job("Mail", **locations)
    personalize.Workflow(synthesis.stack, "Workflow", dataset_group=group)
    if message is None:
        synthesis.app.synth()
        return
    with pytest.raises(RuntimeError, match=re.escape(f"BatchInferenceJob 'Films/Movies/Picks/Mail': {message}")):
        synthesis.app.synth()


def test_output_goes_to_a_folder() -> None:
    synthesis = Synthesis()
    bucket = s3.Bucket(synthesis.stack, "Bucket")
    with pytest.raises(ValueError, match=r"^job_output must be a folder that ends in '/', got 'mail.json'$"):
        job(synthesis=synthesis, job_output=Location(bucket, "mail.json"), workflow=False)


def statements(found: Resources, start: str, *words: str) -> list[dict[str, Any]]:
    return [each for each in found.statements(start) if any(word in json.dumps(each["Resource"]) for word in words)]


def test_the_service_role_and_the_bucket_allow_what_is_needed_and_nothing_else(synthesis: Synthesis) -> None:
    job(synthesis=synthesis)

    found = Resources.of(synthesis.template)
    [bucket] = [each for each in found.ids("AWS::S3::Bucket") if "AccessLogs" not in each]
    arn = {"Fn::GetAtt": [bucket, "Arn"]}
    folder = "/Movies/batch-inference/Picks/Mail"
    assert statements(found, "MoviesServiceRoleDefaultPolicy", "batch-inference") == [
        {"Action": "s3:GetObject", "Effect": "Allow", "Resource": {"Fn::Join": ["", [arn, f"{folder}/input/*"]]}},
        {"Action": "s3:PutObject", "Effect": "Allow", "Resource": {"Fn::Join": ["", [arn, f"{folder}/output/*"]]}},
    ]
    assert {"Action": "s3:ListBucket", "Effect": "Allow", "Resource": arn} in found.statements(
        "MoviesServiceRoleDefaultPolicy"
    )
    [written] = [each for each in found.statements("MoviesDataBucketPolicy") if each["Action"] == "s3:PutObject"]
    assert written["Resource"] == {"Fn::Join": ["", [arn, f"{folder}/output/*"]]}
    assert written["Principal"] == {"Service": "personalize.amazonaws.com"}


def test_keys_may_be_used_by_the_role_and_the_service(synthesis: Synthesis) -> None:
    group = synthesis.group()
    key = kms.Key(synthesis.stack, "Key")
    bucket = s3.Bucket(synthesis.stack, "Bucket", encryption_key=key)
    made = group.add_solution("Picks", recipe=V2).add_batch_inference_job(
        "Mail", job_input=Location(bucket, "in/"), job_output=Location(bucket, "out/")
    )

    personalize.Workflow(synthesis.stack, "Workflow", dataset_group=group)

    assert "kmsKeyArn" not in json.dumps(resolved(made))
    found = Resources.of(synthesis.template)
    [key_id] = found.ids("AWS::KMS::Key")
    assert statements(found, "MoviesServiceRoleDefaultPolicy", key_id) == [
        {
            "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:ListGrants"],
            "Effect": "Allow",
            "Resource": {"Fn::GetAtt": [key_id, "Arn"]},
        }
    ]
    policy = json.dumps(found.all[key_id]["Properties"]["KeyPolicy"])
    assert "kms:CreateGrant" in policy
    assert "personalize.amazonaws.com" in policy


def test_another_role_may_read_and_write_and_be_passed(synthesis: Synthesis) -> None:
    group = synthesis.group()
    role = personalize.ServiceRole(synthesis.stack, "Reader")
    group.add_solution("Picks", recipe=V2).add_batch_inference_job("Mail", role=role)
    [declared] = document(synthesis, group)["jobs"]

    found = Resources.of(synthesis.template)
    assert declared["roleArn"].startswith("['Reader")
    assert len(statements(found, "ReaderDefaultPolicy", "batch-inference")) == 2
    assert statements(found, "MoviesServiceRoleDefaultPolicy", "batch-inference") == []
    [passed] = [
        each
        for key in found.all
        if re.match(r"WorkflowFor\w{8}JobRoleDefaultPolicy", key)
        for each in found.statements(key)
        if each["Action"] == "iam:PassRole"
    ]
    [arn] = passed["Resource"]
    assert arn["Fn::GetAtt"][0].startswith("Reader")
    assert passed["Condition"] == {"StringEquals": {"iam:PassedToService": "personalize.amazonaws.com"}}


def test_a_role_that_is_managed_elsewhere_is_taken() -> None:
    synthesis = Synthesis()
    role = iam.Role.from_role_arn(synthesis.stack, "Role", "arn:aws:iam::000000000000:role/jobs", mutable=False)
    assert job(synthesis=synthesis, role=role, workflow=False).role is role


def test_jobs_need_a_workflow() -> None:
    synthesis = Synthesis()
    job(synthesis=synthesis, workflow=False)
    with pytest.raises(RuntimeError, match=r"has solutions and jobs .*but no Workflow"):
        synthesis.app.synth()
