"""An app that declares every resource of the service with every option, and made-up data for it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns

import cdk_personalize as personalize

from .shop import CATEGORIES, DESTROY, csv_text

DATASETS = personalize.DatasetType
DAYS = cdk.Duration.days
RECIPE = personalize.Recipe
VIDEO = personalize.Domain.VIDEO_ON_DEMAND
S3 = personalize.S3Location

STACKS: Final = ("Custom", "Domain")


@dataclass(frozen=True, kw_only=True)
class Everything:
    """The app; ``later`` changes whatever can be changed in place."""

    later: bool = False

    @property
    def stack(self) -> str:
        """Name of the stack with the custom dataset group."""
        return STACKS[0]

    def synth(self, folder: Path) -> Path:
        """Synthesize the app into ``folder``."""
        everything(cdk.App(outdir=str(folder)), later=self.later).synth()
        return folder


def everything(app: cdk.App, *, later: bool = False) -> cdk.App:
    """Two stacks: a custom dataset group, and one of a domain."""
    cdk.Tags.of(app).add("team", "red")
    _Custom(app, STACKS[0], later=later)
    _Domain(app, STACKS[1], later=later)
    return app


class _Stack(cdk.Stack):
    def __init__(self, app: cdk.App, name: str, *, later: bool) -> None:
        super().__init__(app, name)
        self.later = later
        self.key = kms.Key(self, "Key", enable_key_rotation=True, removal_policy=DESTROY)
        self.bucket = personalize.DataBucket(self, "Data", encryption_key=self.key, removal_policy=DESTROY)
        self.lists = personalize.DataBucket(self, "Lists", removal_policy=DESTROY)
        self.declare()

    def declare(self) -> None:
        """Declare what is in the stack."""

    def folder(self, prefix: str) -> S3:
        """A folder whose files a key encrypts."""
        return S3(self.bucket, prefix, encryption_key=self.key)

    def source(self, prefix: str) -> personalize.DataSource:
        """A folder to import from."""
        return personalize.DataSource(self.bucket, prefix)

    def finish(self, group: personalize.DatasetGroup) -> None:
        """Add the workflow, and publish everything."""
        # a key of its own, so that it is seen who may use which
        topic_key = kms.Key(self, "TopicKey", enable_key_rotation=True, removal_policy=DESTROY)
        topic = sns.Topic(self, "Topic", master_key=topic_key, enforce_ssl=True)
        workflow = personalize.Workflow(
            self,
            "Workflow",
            dataset_group=group,
            deadlines=personalize.Deadlines(imports=cdk.Duration.hours(10)),
            schedule=scheduler.ScheduleExpression.cron(hour="3", minute="30", time_zone=cdk.TimeZone.EUROPE_BERLIN),
            time_window=scheduler.TimeWindow.flexible(cdk.Duration.minutes(15)),
            topic=topic,
            deployment=personalize.Deployment.WAIT if self.later else personalize.Deployment.ASYNC,
            removal_policy=personalize.WorkflowRemovalPolicy.DESTROY,
        )
        personalize.Published(
            self,
            "Published",
            dataset_group=group,
            parameter_prefix=f"/everything/{self.stack_name}",
            outputs=True,
        )
        outputs = {
            "Bucket": self.bucket.bucket_name,
            "Lists": self.lists.bucket_name,
            "Workflow": workflow.state_machine_arn,
        }
        for name, value in outputs.items():
            cdk.CfnOutput(self, f"{name}Output", value=value).override_logical_id(name)


class _Custom(_Stack):
    def declare(self) -> None:
        group = personalize.DatasetGroup(
            self,
            "Group",
            dataset_group_name="everything-custom",
            encryption_key=self.key,
            data_bucket=self.bucket,
            removal_policy=DESTROY,
        )
        self.datasets(group)
        self.measured(group)
        group.add_event_tracker(event_tracker_name="everything-events")
        unseen = group.add_filter(
            "Unseen",
            filter_name="unseen",
            expression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("view")',
        )
        gold = group.add_filter("Gold", expression='INCLUDE UserID WHERE Users.TIER IN ("gold")')
        group.add_filter("Cheap", expression="INCLUDE ItemID WHERE Items.PRICE < $PRICE")
        group.add_filter("NotTaken", expression='EXCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN ("Taken")')
        self.tuned(group)
        self.weighted(group, unseen)
        self.related(group)
        self.others(group, gold)
        group.add_data_deletion_job(
            "Forget",
            job_name="forget",
            data_source=S3(self.lists, "forget/"),
            role=personalize.ServiceRole(self, "Forgetting"),
        )
        self.finish(group)

    def datasets(self, group: personalize.DatasetGroup) -> None:
        """All five types."""
        field = personalize.Field
        interactions = group.add_interactions(
            schema=personalize.Schema.interactions(
                field.categorical("DEVICE"),
                event_type=True,
                event_value=True,
                impression=True,
                recommendation_id=True,
                event_attribution_source=True,
            ),
            source=self.source("interactions/"),
            incremental_source=self.source("new-interactions/"),
            publish_attribution_metrics=True,
        )
        later = [field.categorical("COLOR", nullable=True)] if self.later else []
        group.add_items(
            schema=personalize.Schema.items(
                field.item_name("TITLE"),
                field.textual("DESCRIPTION"),
                field.categorical("CATEGORY"),
                field.float("PRICE"),
                *later,
                creation_timestamp=True,
            ),
            source=self.source("items/"),
        )
        group.add_users(
            schema=personalize.Schema.users(field.categorical("TIER"), field.int("AGE")), source=self.source("users/")
        )
        group.add_actions(
            schema=personalize.Schema.actions(
                field.categorical("KIND"),
                value=True,
                creation_timestamp=True,
                expiration_timestamp=True,
                repeat_frequency=True,
            ),
            source=self.source("actions/"),
        )
        group.add_action_interactions(
            schema=personalize.Schema.action_interactions(recommendation_id=True),
            source=self.source("action_interactions/"),
        )
        interactions.add_export_job(
            "Backup",
            job_name="backup",
            ingestion_mode=personalize.IngestionMode.BULK,
            job_output=self.folder("backup/"),
            every=DAYS(30),
            role=personalize.ServiceRole(self, "Exporting"),
        )

    def measured(self, group: personalize.DatasetGroup) -> None:
        """The metric attribution."""
        metric = personalize.AttributedMetric
        views = metric(event_type="view", metric_name="views")
        sold = metric(event_type="buy", metric_name="sold", expression="SUM(Items.PRICE)")
        worth = metric(event_type="buy", metric_name="worth", expression="SUM(Interactions.EVENT_VALUE)")
        group.add_metric_attribution(
            metrics=[sold, worth] if self.later else [views, sold],
            report_bucket=self.bucket,
            report_prefix="later-reports/" if self.later else "reports/",
            report_encryption_key=self.key,
        )

    def tuned(self, group: personalize.DatasetGroup) -> None:
        """What the recipes with hidden layers take, trained by the workflow and judged by it."""
        tuned = group.add_solution(
            "Tuned",
            recipe=RECIPE.USER_PERSONALIZATION,
            solution_name="tuned",
            event_type="view",
            event_value_threshold=0.5,
            hyperparameters={"min_user_history_length_percentile": 0.01, "bptt": 16},
            hyperparameter_optimization=personalize.HyperparameterOptimization(
                ranges=[
                    personalize.HyperparameterRange(name="hidden_dimension", minimum=32, maximum=64),
                    personalize.HyperparameterRange(name="recency_mask", values=["True", "False"]),
                ],
                max_training_jobs=2,
                max_parallel_training_jobs=1,
            ),
            optimization_objective=personalize.OptimizationObjective(
                item_attribute="PRICE", sensitivity=personalize.ObjectiveSensitivity.LOW
            ),
            excluded_columns={DATASETS.ITEMS: ["CATEGORY"], DATASETS.USERS: ["AGE"]},
            training=personalize.Training.scheduled(every=DAYS(1), full_every=DAYS(7)),
            quality_gate=personalize.QualityGate(
                thresholds=[personalize.MetricThreshold(metric="coverage", minimum=0, max_drop=0.99)],
                first_version=personalize.FirstVersion.SERVE,
            ),
        )
        exploration = personalize.ItemExploration(
            weight=0.4 if self.later else 0.2, item_age_cut_off=DAYS(20 if self.later else 10)
        )
        tuned.add_campaign(
            "Live",
            campaign_name="everything-live",
            min_provisioned_tps=2 if self.later else 1,
            item_exploration=exploration,
            metadata_with_recommendations=not self.later,
        )
        tuned.add_batch_inference_job(
            "Explored",
            job_input=self.folder("batch-users/"),
            job_output=self.folder("explored/"),
            item_exploration=exploration,
        )

    def weighted(self, group: personalize.DatasetGroup, unseen: personalize.Filter) -> None:
        """What the second version of the recipe takes, trained and deployed by the service."""
        weighted = group.add_solution(
            "Weighted",
            recipe=RECIPE.USER_PERSONALIZATION_V2,
            events=[
                personalize.EventWeight(event_type="view", weight=0.5, event_value_threshold=0.25),
                personalize.EventWeight(event_type="buy"),
            ],
            hyperparameters={"apply_recency_bias": False},
            training=personalize.Training.automatic(every=DAYS(5 if self.later else 3)),
        )
        weighted.add_campaign("Followed", follow_latest=not self.later)
        weighted.add_batch_inference_job(
            "Mail",
            job_name="mail",
            job_input=self.folder("batch-users/"),
            job_output=self.folder("mail/"),
            every=DAYS(30),
            filter=unseen,
            num_results=5,
            role=personalize.ServiceRole(self, "Mailing"),
        )

    def related(self, group: personalize.DatasetGroup) -> None:
        """What finds items for an item."""
        group.add_solution(
            "Together",
            recipe=RECIPE.SIMS,
            hyperparameters={"min_cointeraction_count": 1, "max_item_interaction_count_percentile": 0.95},
            hyperparameter_optimization=personalize.HyperparameterOptimization(
                ranges=[
                    personalize.HyperparameterRange(name="popularity_discount_factor", minimum=0.25, maximum=0.75),
                ],
                max_training_jobs=1,
            ),
        )
        similar = group.add_solution("Similar", recipe=RECIPE.SIMILAR_ITEMS)
        similar.add_batch_inference_job(
            "Themes",
            job_input=self.folder("batch-items/"),
            job_output=self.folder("themes/"),
            theme_generation=personalize.ThemeGeneration(item_name="TITLE"),
        )
        influence = {"POPULARITY": 0.25, "FRESHNESS": 0.75 if self.later else 0.5}
        meaning = group.add_solution("Meaning", recipe=RECIPE.SEMANTIC_SIMILARITY, incremental_update=not self.later)
        meaning.add_campaign("Meant", ranking_influence=influence)
        meaning.add_batch_inference_job(
            "Meanings",
            job_input=self.folder("batch-items/"),
            job_output=self.folder("meanings/"),
            ranking_influence=influence,
        )

    def others(self, group: personalize.DatasetGroup, gold: personalize.Filter) -> None:
        """Segments of users, actions, rankings and what is popular."""
        fans = group.add_solution("Fans", recipe=RECIPE.ITEM_AFFINITY, hyperparameters={"hidden_dimension": 32})
        fans.add_batch_segment_job(
            "Clients",
            job_name="clients",
            job_input=self.folder("batch-items/"),
            job_output=self.folder("clients/"),
            every=DAYS(30),
            filter=gold,
            num_results=10,
            role=personalize.ServiceRole(self, "Segmenting"),
        )
        actions = group.add_solution(
            "Next", recipe=RECIPE.NEXT_BEST_ACTION, hyperparameters={"action_optimization_period": 7}
        )
        actions.add_campaign("Acting")
        group.add_solution("Ranking", recipe=RECIPE.PERSONALIZED_RANKING_V2).add_campaign("Ranked")
        group.add_solution("Popular", recipe=RECIPE.POPULARITY_COUNT)
        group.add_solution("Trending", recipe=RECIPE.TRENDING_NOW)


class _Domain(_Stack):
    def declare(self) -> None:
        group = personalize.DatasetGroup(
            self, "Group", domain=VIDEO, encryption_key=self.key, data_bucket=self.bucket, removal_policy=DESTROY
        )
        group.add_interactions(
            schema=personalize.Schema.interactions(domain=VIDEO), source=self.source("interactions/")
        )
        group.add_items(
            schema=personalize.Schema.items(
                personalize.Field.categorical("STUDIO"), personalize.Field.int("MINUTES"), domain=VIDEO
            ),
            source=self.source("items/"),
        )
        group.add_recommender(
            "Picks",
            use_case=personalize.UseCase.TOP_PICKS_FOR_YOU,
            recommender_name="picks",
            min_recommendation_requests_per_second=2 if self.later else 1,
            item_exploration=personalize.ItemExploration(
                weight=0.4 if self.later else 0.2, item_age_cut_off=DAYS(20 if self.later else 10)
            ),
            metadata_with_recommendations=not self.later,
            excluded_columns={DATASETS.ITEMS: ["MINUTES"] if self.later else ["STUDIO"]},
        )
        group.add_recommender("Popular", use_case=personalize.UseCase.MOST_POPULAR, running=not self.later)
        self.finish(group)


FIRST: Final = 1_700_000_000
"""Time of the first of all events."""

_ITEMS: Final = 60
_USERS: Final = 80


def custom_data() -> dict[str, str]:
    """CSV files of the custom dataset group, by their folders."""
    chance = random.Random(11)
    interactions = []
    for n in range(3000):
        user = chance.randrange(_USERS)
        item = chance.randrange(15) * 4 + (user % 4 if chance.random() < 0.9 else chance.randrange(4))
        event = "buy" if n % 5 == 0 else "view"
        interactions.append([f"user-{user}", f"item-{item}", str(FIRST + 60 * n), event, "1.0", "", "", "", "phone"])
    columns = ["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE", "IMPRESSION", "RECOMMENDATION_ID"]
    columns += ["EVENT_ATTRIBUTION_SOURCE", "DEVICE"]
    items = [
        [
            f"item-{n}",
            f"Thing {n}",
            f"A thing of {CATEGORIES[n % 4]} for every day",
            CATEGORIES[n % 4],
            "9.5",
            _created(n),
        ]
        for n in range(_ITEMS)
    ]
    taken = [
        [f"user-{n % _USERS}", f"action-{n % 6}", ("Viewed", "Taken", "Not Taken")[n % 3], str(FIRST + 60 * n), ""]
        for n in range(1200)
    ]
    return {
        "interactions": csv_text(columns, interactions),
        "new-interactions": csv_text(columns, [[*row[:2], str(int(row[2]) + 10**6), *row[3:]] for row in interactions]),
        "items": csv_text(["ITEM_ID", "TITLE", "DESCRIPTION", "CATEGORY", "PRICE", "CREATION_TIMESTAMP"], items),
        "users": csv_text(
            ["USER_ID", "TIER", "AGE"], [[f"user-{n}", ("gold", "red")[n % 2], "40"] for n in range(_USERS)]
        ),
        "actions": csv_text(
            ["ACTION_ID", "KIND", "VALUE", "CREATION_TIMESTAMP", "EXPIRATION_TIMESTAMP", "REPEAT_FREQUENCY"],
            [[f"action-{n}", "club", "5", str(FIRST), "", "7"] for n in range(6)],
        ),
        "action_interactions": csv_text(
            ["USER_ID", "ACTION_ID", "EVENT_TYPE", "TIMESTAMP", "RECOMMENDATION_ID"], taken
        ),
    }


def _created(n: int) -> str:
    return str(FIRST - 3600 * n)


def domain_data() -> dict[str, str]:
    """CSV files of the dataset group of a domain, by their folders."""
    chance = random.Random(3)
    watched = [[f"user-{n % 70}", f"video-{chance.randrange(50)}", str(FIRST + 60 * n), "Watch"] for n in range(2500)]
    videos = [[f"video-{n}", "drama", _created(n), "north", "90"] for n in range(50)]
    return {
        "interactions": csv_text(["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE"], watched),
        "items": csv_text(["ITEM_ID", "GENRES", "CREATION_TIMESTAMP", "STUDIO", "MINUTES"], videos),
    }


JOB_INPUT: Final = {
    "batch-users/users.json": '{"userId": "user-1"}\n{"userId": "user-2"}\n',
    "batch-items/items.json": '{"itemId": "item-1"}\n',
}
"""What jobs read, by its key."""

FORGET: Final = {"forget/users.csv": "USER_ID\nuser-3\n"}
"""What the job reads that deletes users, by its key."""
