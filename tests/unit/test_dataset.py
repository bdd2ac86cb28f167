"""Dataset and DataSource."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3

import cdk_personalize as personalize
from tests.unit.conftest import INTERACTIONS, ITEMS, USERS, Resources, Synthesis

TYPE = "Custom::PersonalizeDataset"


def add_users(synthesis: Synthesis, **arguments: object) -> personalize.Dataset:
    group = personalize.DatasetGroup(synthesis.stack, "Movies")
    return group.add_users(schema=USERS, **arguments)  # type: ignore[arg-type]


def test_the_custom_resources(synthesis: Synthesis) -> None:
    dataset = add_users(synthesis)
    resources = Resources.of(synthesis.template)
    [group_id] = resources.ids("Custom::PersonalizeDatasetGroup")
    [schema_id] = resources.ids("Custom::PersonalizeSchema")
    schema, properties = resources.properties("Custom::PersonalizeSchema"), resources.properties(TYPE)

    assert schema["Name"] == f"{dataset.dataset_group.schema_prefix}-users-{USERS.content_hash}"
    assert len(schema["Name"]) <= 63
    assert schema["Schema"] == USERS.document
    assert resources.all[schema_id]["DeletionPolicy"] == "Delete"
    assert {name: properties[name] for name in ("Name", "DatasetGroupArn", "DatasetType", "SchemaArn")} == {
        "Name": dataset.dataset_name,
        "DatasetGroupArn": {"Fn::GetAtt": [group_id, "DatasetGroupArn"]},
        "DatasetType": "Users",
        "SchemaArn": {"Fn::GetAtt": [schema_id, "SchemaArn"]},
    }
    assert properties["ServiceTimeout"] == schema["ServiceTimeout"] == "3600"


def test_another_schema_has_another_name(synthesis: Synthesis) -> None:
    names = []
    for schema in (USERS, personalize.Schema.users(personalize.Field.long("AGE"))):
        each = Synthesis()
        personalize.DatasetGroup(each.stack, "Movies").add_users(schema=schema)
        names.append(Resources.of(each.template).properties("Custom::PersonalizeSchema")["Name"])

    assert names[0] != names[1]
    assert names[0].rpartition("-")[0] == names[1].rpartition("-")[0]


def test_the_default_source_is_a_folder_of_the_data_bucket(synthesis: Synthesis) -> None:
    dataset = add_users(synthesis)

    assert dataset.source.prefix == "Movies/users/"
    assert dataset.source.bucket is dataset.dataset_group.data_bucket
    assert synthesis.stack.resolve(dataset.source.location)["Fn::Join"][1][0] == "s3://"


def test_a_source_of_its_own_is_readable(synthesis: Synthesis) -> None:
    bucket = s3.Bucket(synthesis.stack, "Mine")
    add_users(synthesis, source=personalize.DataSource(bucket, "exports/users.csv"))
    resources = Resources.of(synthesis.template)

    [get, _] = resources.statements("MoviesServiceRoleDefaultPolicy")
    assert get["Resource"]["Fn::Join"][1][1] == "/exports/users.csv"
    assert len(resources.ids("AWS::S3::BucketPolicy")) == 3


@pytest.mark.parametrize("prefix", ["", "users", "/users/", "users.CSV", "users.csv.gz"])
def test_prefixes_that_cannot_be_imported(synthesis: Synthesis, prefix: str) -> None:
    bucket = s3.Bucket.from_bucket_name(synthesis.stack, "Mine", "films")

    with pytest.raises(ValueError, match=rf"^prefix must be a folder that ends in '/' .+, got '{prefix}'$"):
        personalize.DataSource(bucket, prefix)


def test_the_longest_location(synthesis: Synthesis) -> None:
    bucket = s3.Bucket.from_bucket_name(synthesis.stack, "Mine", "films")

    personalize.DataSource(bucket, "x" * 244 + "/")
    with pytest.raises(ValueError, match="the location of a data source has at most 256 characters"):
        personalize.DataSource(bucket, "x" * 245 + "/")


@pytest.mark.parametrize(
    ("source", "additions", "message"),
    [
        ("films/", "films/new/", "incremental_source must be outside of source, .+ got 'films/new/' and 'films/'"),
        ("films/all/", "films/", "incremental_source must be outside of source, .+ got 'films/' and 'films/all/'"),
        ("films/", "films/", "incremental_source must be outside of source"),
        ("films/all.csv", "films/", "incremental_source must be outside of source"),
        ("films/", "new.csv", r"incremental_source must be a folder, whose prefix ends in '/', got 'new\.csv'"),
        ("films/", "films-new/", None),
        ("films/all/", "films/new/", None),
    ],
)
def test_additions_do_not_overlap_with_the_source(
    synthesis: Synthesis, source: str, additions: str, message: str | None
) -> None:
    buckets = [s3.Bucket.from_bucket_name(synthesis.stack, name, "films") for name in ("One", "Same")]
    sources = [personalize.DataSource(bucket, p) for bucket, p in zip(buckets, (source, additions), strict=True)]
    if message is None:
        assert add_users(synthesis, source=sources[0], incremental_source=sources[1]).sources == sources
        return
    with pytest.raises(ValueError, match=f"^{message}"):
        add_users(synthesis, source=sources[0], incremental_source=sources[1])


def test_sources_of_different_buckets_and_tokens_do_not_overlap(synthesis: Synthesis) -> None:
    first, second = (s3.Bucket(synthesis.stack, name) for name in ("One", "Other"))
    token = cdk.CfnParameter(synthesis.stack, "Folder").value_as_string
    group = personalize.DatasetGroup(synthesis.stack, "Movies")
    group.add_users(
        schema=USERS,
        source=personalize.DataSource(first, "users/"),
        incremental_source=personalize.DataSource(second, "users/"),
    )
    group.add_items(
        schema=ITEMS,
        source=personalize.DataSource(first, "items/"),
        incremental_source=personalize.DataSource(first, token),
    )


def test_additions_are_readable(synthesis: Synthesis) -> None:
    bucket = s3.Bucket(synthesis.stack, "Mine")
    dataset = add_users(synthesis, incremental_source=personalize.DataSource(bucket, "new-users/"))
    resources = Resources.of(synthesis.template)

    assert dataset.sources == [dataset.source, dataset.incremental_source]
    [data, _, additions, _] = resources.statements("MoviesServiceRoleDefaultPolicy")
    assert [each["Resource"]["Fn::Join"][1][1] for each in (data, additions)] == ["/Movies/users/*", "/new-users/*"]


def test_only_imports_of_interactions_publish_metrics(synthesis: Synthesis) -> None:
    group = personalize.DatasetGroup(synthesis.stack, "Movies")

    with pytest.raises(ValueError, match=r"^publish_attribution_metrics is for the dataset of INTERACTIONS, .+ USERS$"):
        personalize.Dataset(
            synthesis.stack, "Users", dataset_group=group, schema=USERS, publish_attribution_metrics=True
        )


@pytest.mark.parametrize("reports", [None, False, True])
def test_publishing_metrics_needs_a_report_bucket(synthesis: Synthesis, reports: bool | None) -> None:
    group = personalize.DatasetGroup(synthesis.stack, "Movies")
    group.add_interactions(schema=INTERACTIONS, publish_attribution_metrics=True)
    if reports is not None:
        group.add_metric_attribution(
            metrics=[personalize.AttributedMetric(event_type="view", metric_name="views")],
            report_bucket=group.data_bucket if reports else None,
        )
    if reports:
        synthesis.app.synth()
        return
    with pytest.raises(RuntimeError, match="publish_attribution_metrics of dataset 'Films/Movies/Interactions' needs"):
        synthesis.app.synth()


def test_a_token_passes_as_prefix(synthesis: Synthesis) -> None:
    bucket = s3.Bucket.from_bucket_name(synthesis.stack, "Mine", "films")
    prefix = cdk.CfnParameter(synthesis.stack, "Folder").value_as_string

    assert personalize.DataSource(bucket, prefix).prefix == prefix


def test_it_can_be_made_anywhere(synthesis: Synthesis) -> None:
    group = personalize.DatasetGroup(synthesis.stack, "Movies")
    dataset = personalize.Dataset(synthesis.stack, "Catalogue", dataset_group=group, schema=ITEMS)

    assert group.datasets == [dataset]
    assert dataset.dataset_type is personalize.DatasetType.ITEMS
    assert dataset.schema is ITEMS


def test_what_action_interactions_are_sent_with(synthesis: Synthesis) -> None:
    group = personalize.DatasetGroup(synthesis.stack, "Movies")
    group.add_actions(schema=personalize.Schema.actions(value=True))
    made = group.add_action_interactions(schema=personalize.Schema.action_interactions())

    [attribute] = synthesis.stack.resolve(made.tracking_id).values()
    assert attribute[1] == "TrackingId"
    with pytest.raises(ValueError, match=r"^a dataset of ACTIONS has no tracking id, only one of ACTION_INTERACTIONS"):
        _ = group.datasets[0].tracking_id


@pytest.mark.parametrize("place", [personalize.DataSource, personalize.S3Location])
def test_a_prefix_that_is_known_later_is_given_access_to_as_a_folder(synthesis: Synthesis, place: type) -> None:
    bucket = s3.Bucket(synthesis.stack, "Files")
    prefix = cdk.CfnParameter(synthesis.stack, "Prefix").value_as_string
    later, folder, file = (place(bucket, text) for text in (prefix, "folder/", "folder/file.csv"))
    assert [each.is_folder for each in (later, folder, file)] == [True, True, False]
    patterns = [synthesis.stack.resolve(each.key_pattern) for each in (later, folder, file)]
    assert patterns == [{"Fn::Join": ["", [{"Ref": "Prefix"}, "*"]]}, "folder/*", "folder/file.csv"]
