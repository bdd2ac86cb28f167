"""What a strict type checker says to code that uses the library."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import aws_cdk

import cdk_personalize

PRELUDE = """\
import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
import cdk_personalize as personalize
stack = cdk.Stack(cdk.App(), "Films")
role = iam.Role(stack, "Site", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
films = personalize.DatasetGroup(stack, "Films")
shop = personalize.DatasetGroup(stack, "Shop", domain=personalize.Domain.ECOMMERCE)
picks = films.add_solution("Picks", recipe=personalize.Recipe.USER_PERSONALIZATION_V2)
live = picks.add_campaign("Live", min_provisioned_tps=1)
items = films.add_items(schema=personalize.Schema.items(personalize.Field.categorical("GENRES")))
tracker = films.add_event_tracker()
arn = "arn:aws:personalize:eu-west-1:111122223333:"
theirs = personalize.DatasetGroup.from_dataset_group_arn(stack, "Theirs", arn + "dataset-group/theirs")
"""

GOOD = """
def grant(
    campaign: personalize.ICampaign,
    dataset: personalize.IDataset,
    event_tracker: personalize.IEventTracker,
    recommender: personalize.IRecommender,
    solution: personalize.ISolution,
    to: iam.IGrantable,
) -> list[iam.Grant]:
    return [
        campaign.grants.get_recommendations(to),
        dataset.grants.put_items(to),
        event_tracker.grants.put_events(to),
        recommender.grants.get_recommendations(to),
        solution.grants.train(to),
    ]


def name(
    dataset_group: personalize.IDatasetGroup,
    item_filter: personalize.IFilter,
    metric_attribution: personalize.IMetricAttribution,
) -> list[str]:
    return [
        dataset_group.dataset_group_name,
        item_filter.filter_name,
        metric_attribution.metric_attribution_name,
    ]


films.add_interactions(
    schema=personalize.Schema.interactions(event_type=True, event_value=True),
    source=personalize.DataSource(s3.Bucket(stack, "Bucket"), "films/"),
)
similar = personalize.Solution(
    stack,
    "Similar",
    dataset_group=films,
    recipe=personalize.Recipe.of("aws-new"),
    hyperparameters={"hidden_dimension": 64, "recency": 0.5, "bias": True, "mode": "fast"},
    hyperparameter_optimization=personalize.HyperparameterOptimization(
        ranges=[personalize.HyperparameterRange(name="hidden_dimension", minimum=32, maximum=64)]
    ),
    excluded_columns={personalize.DatasetType.ITEMS: ["YEAR"]},
    training=personalize.Training.automatic(every=cdk.Duration.days(7)),
)
campaign = similar.add_campaign("Live", item_exploration=personalize.ItemExploration(weight=0.1))
for_you = shop.add_recommender("ForYou", use_case=personalize.UseCase.RECOMMENDED_FOR_YOU)
attribution = films.add_metric_attribution(
    metrics=[personalize.AttributedMetric(event_type="watch", metric_name="watches")]
)
unseen = films.add_filter("Unseen", expression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")')
grant(campaign, items, tracker, for_you, similar, role)
name(films, unseen, attribution)
name(
    theirs,
    personalize.Filter(stack, "Same", dataset_group=theirs, expression=unseen.expression),
    personalize.MetricAttribution.from_metric_attribution_name(stack, "Their attribution", "theirs"),
)
grant(
    personalize.Campaign.from_campaign_name(stack, "Their campaign", "live"),
    personalize.Dataset.from_dataset_attributes(
        stack, "Their items", dataset_group=theirs, dataset_type=personalize.DatasetType.ITEMS
    ),
    personalize.EventTracker.from_event_tracker_attributes(
        stack, "Their tracker", event_tracker_arn=arn + "event-tracker/0a1b2c3d", tracking_id="id"
    ),
    personalize.Recommender.from_recommender_arn(stack, "Their recommender", arn + "recommender/for-you"),
    personalize.Solution.from_solution_arn(stack, "Their solution", arn + "solution/picks"),
    role,
)
workflow = personalize.Workflow(stack, "Workflow", dataset_group=films, deadlines=personalize.Deadlines())
published = personalize.Published(stack, "Published", dataset_group=films, parameter_prefix="/films", outputs=True)
published.grants.read(role)
cdk.CfnOutput(stack, "WorkflowArn", value=workflow.state_machine_arn)
alarm = live.metrics.latency(period=cdk.Duration.minutes(1))
trainings = picks.training_metrics.errors(statistic="Sum")
"""

BAD = [
    # misspelt, missing and positional options
    ('personalize.DatasetGroup(stack, "A", name="films")', "call-arg"),
    ('films.add_solution("A", recipe=picks.recipe, event_typ="watch")', "call-arg"),
    ('films.add_solution("A")', "call-arg"),
    ('picks.add_campaign("A", min_tps=1)', "call-arg"),
    ('shop.add_recommender("A", usecase=personalize.UseCase.RECOMMENDED_FOR_YOU)', "call-arg"),
    ('films.add_filter("A", expresion="")', "call-arg"),
    ('films.add_event_tracker(name="clicks")', "call-arg"),
    ("films.add_metric_attribution()", "call-arg"),
    ('personalize.Solution(stack, "A", films, recipe=picks.recipe)', "call-arg"),
    ('personalize.AttributedMetric("watch", "watches")', "call-arg"),
    ("personalize.ItemExploration(wieght=0.1)", "call-arg"),
    ('personalize.Workflow(stack, "A", dataset_group=films, retrain=True)', "call-arg"),
    ('personalize.Published(stack, "A")', "call-arg"),
    # strings and numbers for what has a type of its own
    ('personalize.DatasetGroup(stack, "A", domain="ECOMMERCE")', "arg-type"),
    ('personalize.DatasetGroup(stack, "A", removal_policy="destroy")', "arg-type"),
    ('personalize.DatasetGroup(stack, "A", encryption_key="arn:aws:kms:...")', "arg-type"),
    ('personalize.DatasetGroup(stack, "A", data_bucket="films")', "arg-type"),
    ('personalize.Training.automatic(every="7 days")', "arg-type"),
    ("personalize.Training.automatic(every=7)", "arg-type"),
    ("personalize.ItemExploration(item_age_cut_off=30)", "arg-type"),
    ('personalize.OptimizationObjective(item_attribute="PRICE", sensitivity="LOW")', "arg-type"),
    ('films.add_solution("A", recipe="aws-user-personalization-v2")', "arg-type"),
    ('shop.add_recommender("A", use_case="Recommended for you")', "arg-type"),
    ('films.add_users(schema={"fields": []})', "arg-type"),
    ('films.add_users(schema=personalize.Schema.users(), source="s3://films/users/")', "arg-type"),
    ('personalize.DataSource("films", "users/")', "arg-type"),
    ('picks.add_campaign("A", min_provisioned_tps="1")', "arg-type"),
    ('picks.add_campaign("A", item_exploration={"weight": 0.1})', "arg-type"),
    ('shop.add_recommender("A", use_case=personalize.UseCase.RECOMMENDED_FOR_YOU, running="no")', "arg-type"),
    ("live.metrics.latency(period=300)", "arg-type"),
    # hyperparameters, columns and weights
    ('films.add_solution("A", recipe=picks.recipe, hyperparameters={"hidden_dimension": [64]})', "dict-item"),
    ('films.add_solution("A", recipe=picks.recipe, hyperparameters={"hidden_dimension": None})', "dict-item"),
    ('films.add_solution("A", recipe=picks.recipe, hyperparameters=[("hidden_dimension", 64)])', "arg-type"),
    ('films.add_solution("A", recipe=picks.recipe, excluded_columns={"ITEMS": ["YEAR"]})', "dict-item"),
    ('films.add_solution("A", recipe=picks.recipe, events=["watch"])', "list-item"),
    ('personalize.HyperparameterRange(name="hidden_dimension", minimum="32")', "arg-type"),
    ('personalize.HyperparameterOptimization(ranges=["hidden_dimension"])', "list-item"),
    ('picks.add_campaign("A", ranking_influence={"FRESHNESS": "0.5"})', "dict-item"),
    # an owner of another kind, or one that is managed elsewhere
    ('personalize.Campaign(stack, "A", solution=films)', "arg-type"),
    ('personalize.Solution(stack, "A", dataset_group=picks, recipe=picks.recipe)', "arg-type"),
    ('personalize.Solution(stack, "A", dataset_group=theirs, recipe=picks.recipe)', "arg-type"),
    ('personalize.Dataset(stack, "A", dataset_group=theirs, schema=items.schema)', "arg-type"),
    ('personalize.Workflow(stack, "A", dataset_group=theirs)', "arg-type"),
    ('personalize.Solution.from_solution_name(stack, "A", "picks").add_campaign("Live")', "attr-defined"),
    ('personalize.Campaign.from_campaign_name(stack, "A", "live").solution', "attr-defined"),
    ('personalize.EventTracker.from_event_tracker_attributes(stack, "A", event_tracker_arn=arn)', "call-arg"),
    # what there is not
    ("personalize.Recipe.USER_PERSONALISATION", "attr-defined"),
    ("personalize.Reccomender", "attr-defined"),
    ("live.grants.get_recommendation(role)", "attr-defined"),
    ("tracker.grants.train(role)", "attr-defined"),
    ('tracker.grants.put_events("role")', "arg-type"),
    ("live.campaign_arn = arn", "misc"),
    ("personalize.ItemExploration().weight = 0.5", "misc"),
]

# What snippets name, and what that derives from; the rest of the CDK takes a minute to read.
READ = ("aws_iam", "aws_kms", "aws_s3", "interfaces")


def configuration() -> str:
    root = Path(aws_cdk.__path__[0])
    unread = ",".join(
        f"aws_cdk.{'.'.join(path.parent.relative_to(root).parts)}.*"
        for folder in (root, root / "interfaces")
        for path in sorted(folder.glob("[a-z]*/__init__.py"))
        if path.parent.name not in READ
    )
    return f"[mypy]\nstrict = true\n[mypy-{unread}]\nfollow_imports = skip\n"


def check(folder: Path, snippets: list[str]) -> list[list[tuple[int, str]]]:
    """Return the errors of each snippet: line and code, the code of the message that mypy prints."""
    (folder / "mypy.ini").write_text(configuration())
    for index, snippet in enumerate(snippets):
        (folder / f"snippet_{index}.py").write_text(f"{PRELUDE}{snippet}\n")
    # As if the library were installed: what has no py.typed is not checked.
    environment = {**os.environ, "PYTHONPATH": str(Path(cdk_personalize.__file__).parents[1]), "MYPYPATH": ""}
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--config-file",
        "mypy.ini",
        "--cache-dir",
        "cache",
        "--hide-error-context",
    ]
    result = subprocess.run(
        [*command, *(f"snippet_{index}.py" for index in range(len(snippets)))],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not result.stderr, result.stderr
    found = defaultdict(list)
    for index, line, code in re.findall(r"^snippet_(\d+)\.py:(\d+): error: .+\[([a-z-]+)\]$", result.stdout, re.M):
        found[int(index)].append((int(line), code))
    assert sum(len(errors) for errors in found.values()) == result.stdout.count(": error: "), result.stdout
    return [found[index] for index in range(len(snippets))]


def test_mistakes_are_found_and_nothing_else(tmp_path: Path) -> None:
    line = PRELUDE.count("\n") + 1

    good, *bad = check(tmp_path, [GOOD, *(snippet for snippet, _ in BAD)])

    assert good == []
    assert dict(zip((snippet for snippet, _ in BAD), bad, strict=True)) == {
        snippet: [(line, code)] for snippet, code in BAD
    }
