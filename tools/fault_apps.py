"""The apps that live through fault runs: a shop, one with jobs of all kinds, and videos with a recommender."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

import aws_cdk as cdk

import cdk_personalize as personalize
from tests.e2e.shop import DESTROY, Shop, csv_text, interactions, items

#: how often the workflow trains
EVERY_DAYS: Final = 7
#: an app as it is deployed first, with another throughput, and so that something more is trained
FIRST, THROUGHPUT, TRAINING = VARIANTS = ("first", "throughput", "training")
_TRAINING: Final = personalize.Training.scheduled(every=cdk.Duration.days(EVERY_DAYS))
_VIDEO: Final = personalize.Domain.VIDEO_ON_DEMAND


class _App(Protocol):
    def synth(self, folder: Path) -> Path:
        """Synthesize the app into a folder."""


@dataclass(frozen=True, kw_only=True)
class _Videos:
    """A dataset group of a domain."""

    removal_policy: cdk.RemovalPolicy
    requests: int = 1
    more: bool = False

    def synth(self, folder: Path) -> Path:
        """Synthesize the app into a folder."""
        app = cdk.App(outdir=str(folder))
        stack = cdk.Stack(app, "Videos")
        bucket = personalize.DataBucket(stack, "Data", removal_policy=DESTROY)
        videos = personalize.DatasetGroup(
            stack, "Group", domain=_VIDEO, data_bucket=bucket, removal_policy=self.removal_policy
        )
        videos.add_interactions(
            schema=personalize.Schema.interactions(domain=_VIDEO),
            source=personalize.DataSource(bucket, "interactions/"),
        )
        videos.add_filter("Unseen", expression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("Watch")')
        picks = videos.add_recommender(
            "Picks",
            use_case=personalize.UseCase.TOP_PICKS_FOR_YOU,
            min_recommendation_requests_per_second=self.requests,
        )
        if self.more:
            videos.add_recommender("Popular", use_case=personalize.UseCase.MOST_POPULAR)
        workflow = personalize.Workflow(stack, "Workflow", dataset_group=videos)
        outputs = {
            "Group": videos.dataset_group_arn,
            "Bucket": bucket.bucket_name,
            "Recommender": picks.recommender_arn,
            "Workflow": workflow.state_machine_arn,
            "Topic": workflow.topic.topic_arn,
        }
        for name, value in outputs.items():
            cdk.CfnOutput(stack, f"{name}Output", value=value).override_logical_id(name)
        app.synth()
        return folder


@dataclass(frozen=True)
class Kind:
    """One of the apps.

    :param app: makes it.
    :param variants: its parameters by variant.
    :param files: what is uploaded, by key.
    :param is_domain: whether a recommender serves, which is trained by being created; otherwise a campaign.
    :param jobs: by how List operations call them, how many of each job have to be done in the end; None is any number
        but none. Default: - it declares no jobs
    """

    app: type[Any]
    variants: Mapping[str, Mapping[str, Any]]
    files: Mapping[str, str]
    is_domain: bool = False
    jobs: Mapping[str, int | None] = field(default_factory=dict)

    @property
    def trains(self) -> str:
        """The operation that is billed as a training."""
        return "CreateRecommender" if self.is_domain else "CreateSolutionVersion"

    def declare(self, variant: str, removal_policy: cdk.RemovalPolicy) -> _App:
        """Declare a variant.

        :param removal_policy: what happens to the data.
        """
        app: _App = self.app(removal_policy=removal_policy, **self.variants[variant])
        return app


def _watched(count: int = 1500) -> str:
    """What 70 viewers watched."""
    chance = random.Random(3)  # noqa: S311 - reproducible, not secret
    rows = [
        [f"user-{n % 70}", f"video-{chance.randrange(50)}", str(1_700_000_000 + 60 * n), "Watch"] for n in range(count)
    ]
    return csv_text(["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE"], rows)


def _shop(**more: Any) -> Mapping[str, Mapping[str, Any]]:
    first = {"training": _TRAINING, **more}
    return {
        FIRST: first,
        THROUGHPUT: {**first, "tps": 2},
        TRAINING: {**first, "recipe": personalize.Recipe.USER_PERSONALIZATION},
    }


@cache
def kinds() -> Mapping[str, Kind]:
    """All apps, by name."""
    data = {"interactions/data.csv": interactions(1200), "items/data.csv": items()}
    inputs = {
        "users/users.json": '{"userId": "user-1"}\n{"userId": "user-2"}\n',
        "chosen/items.json": '{"itemId": "item-1"}\n',
        "forget/users.csv": "USER_ID\nuser-3\n",
    }
    return {
        "shop": Kind(Shop, _shop(), data),
        "jobs": Kind(
            Shop,
            _shop(jobs=True),
            {**inputs, **data},
            jobs={
                "batch_inference_jobs": None,
                "batch_segment_jobs": None,
                "dataset_export_jobs": 1,
                "data_deletion_jobs": 1,
            },
        ),
        "videos": Kind(
            _Videos,
            {FIRST: {}, THROUGHPUT: {"requests": 2}, TRAINING: {"more": True}},
            {"interactions/data.csv": _watched()},
            is_domain=True,
        ),
    }
