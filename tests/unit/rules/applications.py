"""Rules for what is imported, measured, granted and published."""

from __future__ import annotations

from collections.abc import Callable

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam

import cdk_personalize as personalize
from cdk_personalize import DatasetType, RecipeType, Schema, WorkflowRemovalPolicy
from tests.unit.rules.rule import INTERACTIONS, ITEMS, Rule, fresh_id, group, shared_stack

ACTION_INTERACTIONS = Schema.action_interactions()
CAMPAIGN = "arn:aws:personalize:eu-west-1:123456789012:campaign/films"


def user() -> iam.IGrantable:
    """Return who is allowed something."""
    return iam.User.from_user_name(shared_stack(), fresh_id(), "anna")


def added(prefix: str) -> personalize.Dataset:
    """Return a dataset with a folder of additions."""
    made = group()
    bucket = made.data_bucket
    return made.add_items(
        schema=ITEMS,
        source=personalize.DataSource(bucket, "items/"),
        incremental_source=personalize.DataSource(bucket, prefix),
    )


def publishing(schema: Schema) -> personalize.Dataset:
    """Return a dataset whose imports publish metrics."""
    return personalize.Dataset(
        shared_stack(), fresh_id(), dataset_group=group(), schema=schema, publish_attribution_metrics=True
    )


def granted(name: str) -> iam.Grant:
    """Grant something on a dataset of items."""
    grant: Callable[[iam.IGrantable], iam.Grant] = getattr(group(ITEMS).datasets[0].grants, name)
    return grant(user())


def tracked(schema: Schema) -> str:
    """Return the tracking id of a dataset."""
    return group(schema).datasets[0].tracking_id


def campaign_metrics(recipe_type: RecipeType) -> object:
    """Return the metrics of a campaign that is managed elsewhere."""
    return personalize.Campaign.from_campaign_attributes(
        shared_stack(), fresh_id(), campaign_arn=CAMPAIGN, recipe_type=recipe_type
    ).metrics


def dataset_metrics(dataset_type: DatasetType) -> object:
    """Return the metrics of a dataset."""
    schema = {DatasetType.ITEMS: ITEMS, DatasetType.ACTION_INTERACTIONS: ACTION_INTERACTIONS}[dataset_type]
    return group(schema).datasets[0].metrics


def published(prefix: str | None, outputs: bool = False) -> personalize.Published:
    """Publish a dataset group."""
    return personalize.Published(
        shared_stack(), fresh_id(), dataset_group=group(INTERACTIONS), parameter_prefix=prefix, outputs=outputs
    )


def readable(prefix: str | None) -> iam.Grant:
    """Let somebody read what is published."""
    return published(prefix, outputs=True).grants.read(user())


def published_filters(ids: tuple[str, str]) -> personalize.Published:
    """Publish filters of the same id in two places, or of two ids."""
    made = group(INTERACTIONS)
    for name, scope in zip(ids, (made, made.datasets[0]), strict=True):
        personalize.Filter(
            scope, name, dataset_group=made, expression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("view")'
        )
    return personalize.Published(shared_stack(), fresh_id(), dataset_group=made, outputs=True)


def kept(policy: RemovalPolicy) -> personalize.Workflow:
    """Return a workflow that keeps its solutions, of a dataset group with this policy."""
    made = personalize.DatasetGroup(
        shared_stack(), fresh_id(), removal_policy=policy, data_bucket=group(INTERACTIONS).data_bucket
    )
    return personalize.Workflow(made, "Workflow", dataset_group=made, removal_policy=WorkflowRemovalPolicy.STOP_BILLING)


RULES: tuple[Rule, ...] = (
    Rule("incremental_source must be a folder, whose prefix ends in '/'", added, "more/items.csv", "more/"),
    Rule("incremental_source must be outside of source", added, "items/more/", "more/"),
    Rule("publish_attribution_metrics is for the dataset of INTERACTIONS", publishing, ITEMS, INTERACTIONS),
    Rule("a dataset of ITEMS does not take what put_users allows, use put_items", granted, "put_users", "put_items"),
    Rule("a dataset of ITEMS has no tracking id", tracked, ITEMS, ACTION_INTERACTIONS),
    Rule(
        "the service has metrics of the campaigns of recipes of the types",
        campaign_metrics,
        RecipeType.PERSONALIZED_ACTIONS,
        RecipeType.USER_PERSONALIZATION,
    ),
    Rule(
        "the service has metrics of the requests to datasets of",
        dataset_metrics,
        DatasetType.ACTION_INTERACTIONS,
        DatasetType.ITEMS,
    ),
    Rule("parameter_prefix must have 1 to 12 levels", published, "/aws/films", "/films"),
    Rule("parameter_prefix or outputs must be given", published, None, "/films"),
    Rule("has outputs only, which need no permission", readable, None, "/films"),
    Rule("would be published as", published_filters, ("Seen", "Seen"), ("Seen", "Watched")),
    Rule("the service deletes no dataset group that has solutions", kept, RemovalPolicy.DESTROY, RemovalPolicy.RETAIN),
)
