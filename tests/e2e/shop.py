"""A small app whose parts can be changed between two deployments, and made-up data for it."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import dataclass
from pathlib import Path

import aws_cdk as cdk

import cdk_personalize as personalize

DESTROY = cdk.RemovalPolicy.DESTROY
RETAIN = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE


@dataclass(frozen=True, kw_only=True)
class Shop:
    """What the app declares."""

    stack: str = "Shop"
    tps: int = 1
    color: bool = False
    event_value: bool = True
    recipe: personalize.Recipe = personalize.Recipe.USER_PERSONALIZATION_V2
    filters: tuple[tuple[str, str], ...] = (("Unseen", 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("view")'),)
    team: str = "red"
    season: str | None = "spring"
    campaign: bool = True
    workflow: str = "Workflow"
    attributed_metrics: tuple[str, ...] = ("views",)
    training: personalize.Training = personalize.Training.manual()  # noqa: RUF009 - immutable
    follow_latest: bool = False
    jobs: bool = False
    removal_policy: cdk.RemovalPolicy = RETAIN

    def synth(self, folder: Path) -> Path:
        """Synthesize the app into ``folder``."""
        app = cdk.App(outdir=str(folder))
        stack = cdk.Stack(app, self.stack)
        cdk.Tags.of(stack).add("team", self.team)
        if self.season:
            cdk.Tags.of(stack).add("season", self.season)
        bucket = personalize.DataBucket(stack, "Data", removal_policy=DESTROY)
        shop = personalize.DatasetGroup(stack, "Group", data_bucket=bucket, removal_policy=self.removal_policy)
        views = shop.add_interactions(
            schema=personalize.Schema.interactions(event_type=True, event_value=self.event_value),
            source=personalize.DataSource(bucket, "interactions/"),
            incremental_source=personalize.DataSource(bucket, "new-interactions/"),
            publish_attribution_metrics=True,
        )
        color = [personalize.Field.categorical("COLOR", nullable=True)] if self.color else []
        shop.add_items(
            schema=personalize.Schema.items(personalize.Field.categorical("CATEGORY"), *color),
            source=personalize.DataSource(bucket, "items/"),
        )
        shop.add_event_tracker()
        shop.add_metric_attribution(
            metrics=[
                personalize.AttributedMetric(event_type="view", metric_name=name) for name in self.attributed_metrics
            ],
            report_bucket=bucket,
        )
        for name, expression in self.filters:
            shop.add_filter(name, expression=expression)
        picks = shop.add_solution("Picks", recipe=self.recipe, training=self.training)
        outputs = {"Group": shop.dataset_group_arn, "Solution": picks.solution_arn, "Bucket": bucket.bucket_name}
        if self.campaign:
            live = picks.add_campaign("Live", min_provisioned_tps=self.tps, follow_latest=self.follow_latest)
            outputs["Campaign"] = live.campaign_arn
        if self.jobs:
            _add_jobs(shop, views, picks, bucket)
        workflow = personalize.Workflow(stack, self.workflow, dataset_group=shop)
        outputs |= {"Workflow": workflow.state_machine_arn, "Topic": workflow.topic.topic_arn}
        for name, value in outputs.items():
            cdk.CfnOutput(stack, f"{name}Output", value=value).override_logical_id(name)
        app.synth()
        return folder


def _add_jobs(
    shop: personalize.DatasetGroup,
    views: personalize.Dataset,
    picks: personalize.Solution,
    bucket: personalize.DataBucket,
) -> None:
    """Jobs of all kinds, and the solution that user segments need."""
    picks.add_batch_inference_job(
        "Mail",
        job_input=personalize.S3Location(bucket, "users/"),
        job_output=personalize.S3Location(bucket, "mail/"),
        num_results=5,
        every=cdk.Duration.days(7),
    )
    fans = shop.add_solution("Fans", recipe=personalize.Recipe.ITEM_AFFINITY)
    fans.add_batch_segment_job(
        "Clients",
        job_input=personalize.S3Location(bucket, "chosen/"),
        job_output=personalize.S3Location(bucket, "clients/"),
        num_results=10,
    )
    views.add_export_job("Backup", job_output=personalize.S3Location(bucket, "backup/"))
    shop.add_data_deletion_job("Forget", data_source=personalize.S3Location(bucket, "forget/"))


def several(app: cdk.App) -> cdk.App:
    """Two stacks, each with two dataset groups and their workflows."""
    for stack_name in ("North", "South"):
        stack = cdk.Stack(app, stack_name)
        for name in ("Shoes", "Hats"):
            group = personalize.DatasetGroup(stack, name, removal_policy=DESTROY)
            group.add_interactions(schema=personalize.Schema.interactions())
            group.add_solution("Picks", recipe=personalize.Recipe.USER_PERSONALIZATION_V2).add_campaign("Live")
            workflow = personalize.Workflow(stack, f"{name}Workflow", dataset_group=group)
            cdk.CfnOutput(stack, f"{name}Run", value=workflow.state_machine_arn)
    return app


CATEGORIES = ("books", "games", "music", "tools")


def items() -> str:
    """Sixty items in four categories."""
    return csv_text(["ITEM_ID", "CATEGORY"], [[f"item-{n}", CATEGORIES[n % 4]] for n in range(60)])


def interactions(count: int = 3000) -> str:
    """Views by 80 users, each of whom mostly looks at one category."""
    chance = random.Random(7)
    rows = []
    for n in range(count):
        user = chance.randrange(80)
        item = chance.randrange(15) * 4 + (user % 4 if chance.random() < 0.9 else chance.randrange(4))
        rows.append([f"user-{user}", f"item-{item}", "view", "1.0", str(1_700_000_000 + 60 * n)])
    return csv_text(["USER_ID", "ITEM_ID", "EVENT_TYPE", "EVENT_VALUE", "TIMESTAMP"], rows)


def csv_text(header: list[str], rows: list[list[str]]) -> str:
    """A CSV file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()
