"""Rules for jobs, for who trains, and for what a new version has to be like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

import cdk_personalize as personalize
from cdk_personalize import Field, MetricThreshold, QualityGate, Recipe, Schema, Training
from tests.unit.rules.rule import INTERACTIONS, ITEMS, Rule, films, fresh_id, group, problems, shared_stack

V1, V2 = Recipe.USER_PERSONALIZATION, Recipe.USER_PERSONALIZATION_V2
NDCG = "normalized_discounted_cumulative_gain_at_25"
KEY_ARN = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000"
THEMED = Schema.items(Field.string("TITLE"), Field.textual("PLOT"))


def bucket(*, encrypted: bool = False) -> s3.IBucket:
    """Return a bucket that is managed elsewhere."""
    key = kms.Key.from_key_arn(shared_stack(), fresh_id(), KEY_ARN) if encrypted else None
    return s3.Bucket.from_bucket_attributes(shared_stack(), fresh_id(), bucket_name="films", encryption_key=key)


def location(prefix: str) -> personalize.S3Location:
    """Return a place of files."""
    return personalize.S3Location(bucket(), prefix)


def inference(recipe: Recipe = V2, **arguments: Any) -> object:
    """Return a batch inference job of the shared dataset group."""
    return films().add_solution(fresh_id(), recipe=recipe).add_batch_inference_job("Job", **arguments)


def argument(name: str, recipe: Recipe = V2) -> Callable[[Any], object]:
    """Return what makes a batch inference job with an argument."""
    return lambda value: inference(recipe, **{name: value})


def filtered(expression: str, recipe: Recipe = V2) -> object:
    """Return a job with a filter."""
    chosen = films().add_filter(fresh_id(), expression=expression)
    solution = films().add_solution(fresh_id(), recipe=recipe)
    if recipe.realtime:
        return solution.add_batch_inference_job("Job", filter=chosen)
    return solution.add_batch_segment_job("Job", filter=chosen)


def filter_of(*, own: bool) -> object:
    """Return a job with a filter of its dataset group, or of another."""
    owner = films() if own else group(ITEMS)
    return inference(filter=owner.add_filter(fresh_id(), expression="EXCLUDE ItemID WHERE Items.YEAR = 1"))


def placed(**folders: str) -> list[str]:
    """Return what is wrong with where a job reads and writes."""
    made = group(INTERACTIONS, ITEMS)
    places = {
        name: personalize.S3Location(made.data_bucket, folder.format(id=made.node.id))
        for name, folder in folders.items()
    }
    made.add_solution("Solution", recipe=V2).add_batch_inference_job("Job", **places)  # type: ignore[arg-type]
    return problems(made)


def themed(name: str, items: Schema = THEMED) -> list[str]:
    """Return what is wrong with a job of themes."""
    made = group(INTERACTIONS, items)
    made.add_solution("Solution", recipe=Recipe.SIMILAR_ITEMS).add_batch_inference_job(
        "Job", theme_generation=personalize.ThemeGeneration(item_name=name)
    )
    return problems(made)


def deleted(source: personalize.S3Location) -> object:
    """Return a data deletion job."""
    return group().add_data_deletion_job("Job", data_source=source)


def gate(metric: str = NDCG, recipe: Recipe = V2) -> object:
    """Return a solution with a quality gate."""
    return films().add_solution(fresh_id(), recipe=recipe, quality_gate=gated(metric))


def gated(*metrics: str) -> QualityGate:
    """Return a quality gate."""
    return QualityGate(thresholds=[MetricThreshold(metric=metric, minimum=0.1) for metric in metrics])


def kept_from(campaigns: int) -> list[str]:
    """Return what is wrong with a quality gate before so many campaigns."""
    made = group(INTERACTIONS)
    solution = made.add_solution("Solution", recipe=V2, quality_gate=gated(NDCG))
    for index in range(campaigns):
        solution.add_campaign(f"Live{index}")
    return problems(made)


def followed(follow_latest: bool) -> object:
    """Return a campaign of a solution with a quality gate."""
    solution = films().add_solution(fresh_id(), recipe=V2, quality_gate=gated(NDCG))
    return solution.add_campaign("Live", follow_latest=follow_latest)


def threshold(arguments: dict[str, float]) -> MetricThreshold:
    """Return a threshold."""
    return MetricThreshold(metric=NDCG, **arguments)


def training(arguments: dict[str, Duration]) -> Training:
    """Return who trains."""
    return Training(**arguments)


DAY, WEEK, HOUR = Duration.days(1), Duration.days(7), Duration.hours(1)

RULES = (
    Rule("prefix must be a folder that ends in '/', or the key of a file, without a '/'", location, "/in", "in"),
    Rule("an S3 location has at most 256 characters", location, "i" * 246, "i" * 245),
    Rule("every must be longer than 0 seconds, got 0", argument("every"), Duration.seconds(0), DAY),
    Rule(
        "job_output must be a folder that ends in '/', got 'out'",
        argument("job_output"),
        location("out"),
        location("out/"),
    ),
    Rule("num_results must be from 1 to 500, got 501", argument("num_results"), 501, 500),
    Rule("does not work in batch inference jobs", inference, Recipe.TRENDING_NOW, V2),
    Rule(
        "theme_generation is not available with the recipe aws-sims",
        lambda recipe: inference(recipe, theme_generation=personalize.ThemeGeneration(item_name="GENRES")),
        Recipe.SIMS,
        Recipe.SIMILAR_ITEMS,
    ),
    Rule(
        "finds no user segments; use Recipe.ITEM_AFFINITY",
        lambda recipe: films().add_solution(fresh_id(), recipe=recipe).add_batch_segment_job("Job"),
        V2,
        Recipe.ITEM_AFFINITY,
    ),
    Rule("filter must be one of the dataset group", lambda own: filter_of(own=own), False, True),
    Rule(
        "filter must be about ItemID for the recipe",
        filtered,
        'EXCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("a")',
        'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("a")',
    ),
    Rule(
        "compares with CurrentItem, which the recipe",
        filtered,
        "EXCLUDE ItemID WHERE Items.YEAR < CurrentItem.YEAR",
        "EXCLUDE ItemID WHERE Items.YEAR < 1990",
    ),
    Rule(
        "looks at Interactions, which the recipe aws-item-attribute-affinity cannot filter by",
        lambda expression: filtered(expression, Recipe.ITEM_ATTRIBUTE_AFFINITY),
        'EXCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("a")',
        "EXCLUDE UserID WHERE Users.AGE = 1",
    ),
    Rule("must not be in the folder", lambda folder: placed(job_input=folder), "{id}/items/in/", "{id}/in/"),
    Rule(
        "which would read what it wrote",
        lambda folder: placed(job_input="{id}/in/", job_output=folder),
        "{id}/in/out/",
        "{id}/out/",
    ),
    Rule("item_name must be a string column of ITEMS, got 'NAME'", themed, "NAME", "TITLE"),
    Rule(
        "theme_generation needs a textual column in ITEMS",
        lambda items: themed("GENRES", items),
        ITEMS,
        Schema.items(Field.categorical("GENRES"), Field.textual("PLOT")),
    ),
    Rule(
        "data_source must be a folder that ends in '/' or the key of a '.csv' file",
        deleted,
        location("users"),
        location("users/"),
    ),
    Rule(
        "data_source must not be encrypted with a KMS key",
        deleted,
        personalize.S3Location(bucket(encrypted=True), "users/"),
        personalize.S3Location(bucket(), "users/"),
    ),
    Rule("needs minimum, max_drop or both, got neither", threshold, {}, {"minimum": 0.1}),
    Rule("must be at least 0, got -0.1", threshold, {"minimum": -0.1}, {"minimum": 0}),
    Rule("must be from 0 to below 1", threshold, {"max_drop": 1}, {"max_drop": 0.99}),
    Rule("thresholds of a QualityGate must have at least 1 element, got 0", lambda names: gated(*names), (), (NDCG,)),
    Rule("must be of different metrics, got several of", lambda names: gated(*names), (NDCG, NDCG), (NDCG, "coverage")),
    Rule("metric of a threshold of quality_gate must be an offline metric of the solution", gate, "accuracy", NDCG),
    Rule("quality_gate keeps versions from campaigns, and there is none", kept_from, 0, 1),
    Rule("follow_latest lets the service serve every version, past the quality_gate", followed, True, False),
    Rule("full_every needs every, got", training, {"full_every": WEEK}, {"full_every": WEEK, "every": DAY}),
    Rule("every must be at least 1 hour", training, {"every": Duration.minutes(59)}, {"every": HOUR}),
    Rule(
        "full_every must be longer than every",
        training,
        {"every": WEEK, "full_every": WEEK},
        {"every": DAY, "full_every": WEEK},
    ),
    Rule(
        "a solution is trained by the service, got service_every",
        training,
        {"service_every": DAY, "every": DAY},
        {"every": DAY},
    ),
)
