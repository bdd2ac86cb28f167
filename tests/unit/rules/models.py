"""Rules for solutions, and for what serves recommendations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
from aws_cdk import Duration
from aws_cdk import aws_iam as iam

import cdk_personalize as personalize
from cdk_personalize import DatasetType, Domain, Field, Recipe, Schema, UseCase
from tests.unit.rules.rule import INTERACTIONS, ITEMS, Rule, films, fresh_id, group, problems, shared_stack

V1, V2 = Recipe.USER_PERSONALIZATION, Recipe.USER_PERSONALIZATION_V2
SHOP_INTERACTIONS = Schema.interactions(domain=Domain.ECOMMERCE)
VIDEO_ITEMS = Schema.items(domain=Domain.VIDEO_ON_DEMAND)
TEXTS = (Field.item_name("TITLE"), Field.textual("PLOT"))


def solution(recipe: Recipe, **arguments: Any) -> personalize.Solution:
    """Return a solution of the shared dataset group."""
    return films().add_solution(fresh_id(), recipe=recipe, **arguments)


def with_recipe(**arguments: Any) -> Callable[[Recipe], object]:
    """Return what makes a solution of a recipe."""
    return lambda recipe: solution(recipe, **arguments)


def with_argument(recipe: Recipe, name: str) -> Callable[[Any], object]:
    """Return what makes a solution with an argument."""
    return lambda value: solution(recipe, **{name: value})


def hyperparameter(recipe: Recipe, name: str) -> Callable[[Any], object]:
    """Return what makes a solution with a hyperparameter."""
    return lambda value: solution(recipe, hyperparameters={name: value})


def search(recipe: Recipe) -> Callable[[Any], object]:
    """Return what makes a solution with a range."""
    return lambda wanted: solution(
        recipe, hyperparameter_optimization=personalize.HyperparameterOptimization(ranges=[wanted])
    )


def jobs(name: str) -> Callable[[Any], object]:
    """Return what makes a solution with a number of training jobs."""
    return lambda number: solution(
        V1, hyperparameter_optimization=personalize.HyperparameterOptimization(**{name: number})
    )


def events(number: int) -> list[personalize.EventWeight]:
    """Return so many weights."""
    return [personalize.EventWeight(event_type=f"e{index}") for index in range(number)]


def trained_on(recipe: Recipe, **arguments: Any) -> Callable[[tuple[Schema, ...]], object]:
    """Return what says what is wrong with a solution on datasets of these schemas."""

    def make(schemas: tuple[Schema, ...]) -> list[str]:
        made = group(*schemas)
        made.add_solution("Solution", recipe=recipe, **arguments)
        return problems(made)

    return make


def excluded(columns: dict[DatasetType, list[str]]) -> list[str]:
    """Return what is wrong with a solution that ignores columns."""
    made = group(INTERACTIONS, ITEMS)
    made.add_solution("Solution", recipe=V2, excluded_columns=columns)
    return problems(made)


def objective(attribute: str) -> list[str]:
    """Return what is wrong with an objective."""
    made = group(INTERACTIONS, ITEMS)
    made.add_solution("Solution", recipe=V1, optimization_objective=goal(attribute))
    return problems(made)


def goal(attribute: str) -> personalize.OptimizationObjective:
    """Return an objective."""
    return personalize.OptimizationObjective(item_attribute=attribute, sensitivity=personalize.ObjectiveSensitivity.LOW)


def campaign(recipe: Recipe = V1) -> Callable[[dict[str, Any]], object]:
    """Return what makes a campaign with arguments."""
    return lambda arguments: solution(recipe).add_campaign("Live", **arguments)


def influenced(schemas: tuple[Schema, ...], name: str) -> list[str]:
    """Return what is wrong with a campaign whose ranking is influenced."""
    made = group(*schemas)
    made.add_solution("Solution", recipe=Recipe.SEMANTIC_SIMILARITY).add_campaign("Live", ranking_influence={name: 0.5})
    return problems(made)


def explored(exploration: personalize.ItemExploration) -> dict[str, str]:
    """Render an exploration."""
    return exploration.render()


def granted(method: str) -> iam.Grant:
    """Grant something on a campaign that recommends items."""
    grantee = iam.Role(shared_stack(), fresh_id(), assumed_by=iam.AccountRootPrincipal())
    grants = solution(V2).add_campaign("Live").grants
    return getattr(grants, method)(grantee)  # type: ignore[no-any-return]


def recommender(domain: Domain | None = Domain.ECOMMERCE, **arguments: Any) -> personalize.Recommender:
    """Return a recommender."""
    made = group(domain=domain)
    return made.add_recommender("Recommender", **{"use_case": UseCase.RECOMMENDED_FOR_YOU, **arguments})


def recommenders(number: int) -> None:
    """Add so many recommenders."""
    made = group(domain=Domain.ECOMMERCE)
    for index in range(number):
        made.add_recommender(f"Recommender{index}", use_case=UseCase.RECOMMENDED_FOR_YOU)


def video(schemas: tuple[Schema, ...]) -> list[str]:
    """Return what is wrong with a recommender that needs items."""
    made = group(*schemas, domain=Domain.VIDEO_ON_DEMAND)
    made.add_recommender("Recommender", use_case=UseCase.MORE_LIKE_X)
    return problems(made)


def excluded_by_recommender(columns: dict[DatasetType, list[str]]) -> list[str]:
    """Return what is wrong with a recommender that ignores columns."""
    made = group(SHOP_INTERACTIONS, domain=Domain.ECOMMERCE)
    made.add_recommender("Recommender", use_case=UseCase.RECOMMENDED_FOR_YOU, excluded_columns=columns)
    return problems(made)


EVENTS, FILMS, PEOPLE = DatasetType.INTERACTIONS, DatasetType.ITEMS, DatasetType.USERS
Range = personalize.HyperparameterRange
Weight = personalize.EventWeight
Exploration = personalize.ItemExploration
VIDEO = Schema.interactions(domain=Domain.VIDEO_ON_DEMAND)

RULES = (
    Rule("name must be the name of a recipe (1 to 63 letters", Recipe.of, "aws sims", "aws-sims"),
    Rule(
        "hyperparameter 'depth' is unknown to the recipe aws-user-personalization, allowed: ['hidden_dimension',",
        lambda name: solution(V1, hyperparameters={name: 64}),
        "depth",
        "hidden_dimension",
    ),
    Rule(
        "hyperparameter 'item_id_hidden_dim' of the recipe aws-similar-items can only be set by the ranges",
        lambda arguments: solution(Recipe.SIMILAR_ITEMS, **arguments),
        {"hyperparameters": {"item_id_hidden_dim": 64}},
        {
            "hyperparameter_optimization": personalize.HyperparameterOptimization(
                ranges=[Range(name="item_id_hidden_dim", minimum=64, maximum=64)]
            )
        },
    ),
    Rule("hyperparameter 'recency_mask' must be one of", hyperparameter(V1, "recency_mask"), "yes", "true"),
    Rule("hyperparameter 'bptt' must be a number, got 'many'", hyperparameter(V1, "bptt"), "many", "8"),
    Rule("hyperparameter 'bptt' must be a whole number, got 8.5", hyperparameter(V1, "bptt"), 8.5, 8),
    Rule("hyperparameter 'bptt' must be from 2 to 32, got 33", hyperparameter(V1, "bptt"), 33, 32),
    Rule(
        "hyperparameter_optimization is not available with the recipe aws-user-personalization-v2",
        with_recipe(hyperparameter_optimization=personalize.HyperparameterOptimization()),
        V2,
        V1,
    ),
    Rule(
        "hyperparameter 'min_user_history_length_percentile' cannot be tuned",
        search(V1),
        Range(name="min_user_history_length_percentile"),
        Range(name="bptt"),
    ),
    Rule(
        "range of 'recency_mask' must be values of",
        search(V1),
        Range(name="recency_mask", values=["maybe"]),
        Range(name="recency_mask", values=["true"]),
    ),
    Rule(
        "range of 'bptt' must have a minimum up to its maximum, got 16 to 8",
        search(V1),
        Range(name="bptt", minimum=16, maximum=8),
        Range(name="bptt", minimum=8, maximum=16),
    ),
    Rule(
        "range of 'bptt' must be from 2 to 32, got 1",
        search(V1),
        Range(name="bptt", minimum=1),
        Range(name="bptt", minimum=2),
    ),
    Rule("max_training_jobs must be from 1 to 40, got 41", jobs("max_training_jobs"), 41, 40),
    Rule("max_parallel_training_jobs must be from 1 to 10, got 11", jobs("max_parallel_training_jobs"), 11, 10),
    Rule("events is not available with the recipe aws-user-personalization", with_recipe(events=events(1)), V1, V2),
    Rule(
        "optimization_objective is not available with the recipe",
        with_recipe(optimization_objective=goal("YEAR")),
        V2,
        V1,
    ),
    Rule(
        "incremental_update is not available with the recipe",
        with_recipe(incremental_update=True),
        V2,
        Recipe.SEMANTIC_SIMILARITY,
    ),
    Rule("events must have 1 to 10 elements, got 11", with_argument(V2, "events"), events(11), events(10)),
    Rule(
        "weight of the event type 'buy' must be from 0 to 1, got 1.5",
        with_argument(V2, "events"),
        [Weight(event_type="buy", weight=1.5)],
        [Weight(event_type="buy", weight=1)],
    ),
    Rule(
        "event_type of events must have 1 to 256 characters",
        with_argument(V2, "events"),
        [Weight(event_type="e" * 257)],
        [Weight(event_type="e" * 256)],
    ),
    Rule("event_type must have 1 to 256 characters, got ''", with_argument(V2, "event_type"), "", "watch"),
    Rule(
        "event_value_threshold needs event_type, got 3 alone",
        lambda kind: solution(V2, event_value_threshold=3, event_type=kind),
        None,
        "watch",
    ),
    Rule("solution_name must have 1 to 63 letters", with_argument(V2, "solution_name"), "top picks", "top-picks"),
    Rule(
        "every must be a whole number of days from 1 to 30, got 31 days",
        lambda every: personalize.Training.automatic(every=every),
        Duration.days(31),
        Duration.days(30),
    ),
    Rule(
        "excluded_columns of ITEMS must have 1 to 50 columns, got 0",
        with_argument(V2, "excluded_columns"),
        {FILMS: []},
        {FILMS: ["YEAR"]},
    ),
    Rule(
        "excluded_columns must not hold ['EVENT_TYPE'], which training always uses",
        with_argument(V2, "excluded_columns"),
        {EVENTS: ["EVENT_TYPE"]},
        {EVENTS: ["EVENT_VALUE"]},
    ),
    Rule(
        "excluded_columns can name the columns of at most 3 dataset types",
        with_argument(V2, "excluded_columns"),
        {EVENTS: ["A"], FILMS: ["A"], PEOPLE: ["A"], DatasetType.ACTIONS: ["A"]},
        {EVENTS: ["A"], FILMS: ["A"], PEOPLE: ["A"]},
    ),
    Rule(
        "excluded_columns names USERS, of which the dataset group has no dataset",
        excluded,
        {PEOPLE: ["AGE"]},
        {FILMS: ["YEAR"]},
    ),
    Rule(
        "excluded_columns names ['PRICE'], which ITEMS does not have", excluded, {FILMS: ["PRICE"]}, {FILMS: ["YEAR"]}
    ),
    Rule(
        "the recipe aws-sims needs a dataset of INTERACTIONS, declared: ['ITEMS']",
        trained_on(Recipe.SIMS),
        (ITEMS,),
        (INTERACTIONS,),
    ),
    Rule(
        "event_type and events need the column EVENT_TYPE in INTERACTIONS",
        trained_on(V2, event_type="watch"),
        (Schema.interactions(),),
        (INTERACTIONS,),
    ),
    Rule(
        "item_attribute must be a numeric column of ITEMS that is not nullable, got 'GENRES', allowed: ['YEAR']",
        objective,
        "GENRES",
        "YEAR",
    ),
    Rule(
        "the recipe aws-semantic-similarity needs a column of ITEMS that is marked itemName",
        trained_on(Recipe.SEMANTIC_SIMILARITY),
        (Schema.items(Field.string("TITLE"), TEXTS[1]),),
        (Schema.items(*TEXTS),),
    ),
    Rule(
        "the recipe aws-semantic-similarity needs a column of ITEMS that is marked textual",
        trained_on(Recipe.SEMANTIC_SIMILARITY),
        (Schema.items(TEXTS[0], Field.categorical("PLOT")),),
        (Schema.items(*TEXTS),),
    ),
    Rule(
        "the recipe aws-item-attribute-affinity needs a column of ITEMS that is neither reserved nor textual",
        trained_on(Recipe.ITEM_ATTRIBUTE_AFFINITY),
        (INTERACTIONS, Schema.items(Field.textual("PLOT"))),
        (INTERACTIONS, Schema.items(Field.categorical("PLOT"))),
    ),
    Rule(
        "works in batch only; no campaign",
        lambda recipe: solution(recipe).add_campaign("Live"),
        Recipe.ITEM_AFFINITY,
        Recipe.SIMS,
    ),
    Rule("campaign_name must have 1 to 63 letters", campaign(), {"campaign_name": "_live"}, {"campaign_name": "live"}),
    Rule(
        "min_provisioned_tps must be at least 1, got 0",
        campaign(),
        {"min_provisioned_tps": 0},
        {"min_provisioned_tps": 1},
    ),
    Rule(
        "item_exploration is not available with the recipe aws-sims",
        lambda recipe: solution(recipe).add_campaign("Live", item_exploration=Exploration(weight=0.1)),
        Recipe.SIMS,
        V1,
    ),
    Rule(
        "weight of item_exploration must be from 0 to 1, got 1.1",
        explored,
        Exploration(weight=1.1),
        Exploration(weight=1.0),
    ),
    Rule(
        "item_age_cut_off must be whole days, at least 1, got 1.5 days",
        explored,
        Exploration(item_age_cut_off=Duration.hours(36)),
        Exploration(item_age_cut_off=Duration.hours(48)),
    ),
    Rule(
        "ranking_influence is not available with the recipe aws-sims",
        lambda recipe: solution(recipe).add_campaign("Live", ranking_influence={"POPULARITY": 1}),
        Recipe.SIMS,
        Recipe.SEMANTIC_SIMILARITY,
    ),
    Rule(
        "ranking_influence must have keys of ['POPULARITY', 'FRESHNESS'], got 'PRICE'",
        campaign(Recipe.SEMANTIC_SIMILARITY),
        {"ranking_influence": {"PRICE": 1}},
        {"ranking_influence": {"FRESHNESS": 1}},
    ),
    Rule(
        "ranking_influence of FRESHNESS must be from 0 to 1, got -0.1",
        campaign(Recipe.SEMANTIC_SIMILARITY),
        {"ranking_influence": {"FRESHNESS": -0.1}},
        {"ranking_influence": {"FRESHNESS": 0}},
    ),
    Rule(
        "ranking_influence of FRESHNESS needs the column CREATION_TIMESTAMP in ITEMS",
        lambda schema: influenced((schema,), "FRESHNESS"),
        Schema.items(*TEXTS),
        Schema.items(*TEXTS, creation_timestamp=True),
    ),
    Rule(
        "ranking_influence of POPULARITY needs a dataset of INTERACTIONS",
        lambda schemas: influenced(schemas, "POPULARITY"),
        (Schema.items(*TEXTS),),
        (Schema.items(*TEXTS), INTERACTIONS),
    ),
    Rule(
        "a campaign of a recipe of type USER_PERSONALIZATION does not answer what get_personalized_ranking allows",
        granted,
        "get_personalized_ranking",
        "get_recommendations",
    ),
    Rule("has no domain, so it cannot have recommenders", lambda domain: recommender(domain), None, Domain.ECOMMERCE),
    Rule(
        "the use case 'Top picks for you' is one of the domain VIDEO_ON_DEMAND, but dataset group",
        lambda domain: recommender(domain, use_case=UseCase.TOP_PICKS_FOR_YOU),
        Domain.ECOMMERCE,
        Domain.VIDEO_ON_DEMAND,
    ),
    Rule(
        "min_recommendation_requests_per_second must be at least 1, got 0",
        lambda number: recommender(min_recommendation_requests_per_second=number),
        0,
        1,
    ),
    Rule(
        "item_exploration is not available with the use case 'Most viewed'",
        lambda use_case: recommender(use_case=use_case, item_exploration=Exploration(weight=1)),
        UseCase.MOST_VIEWED,
        UseCase.RECOMMENDED_FOR_YOU,
    ),
    Rule("can have at most 5 recommenders", recommenders, 6, 5),
    Rule(
        "the use case 'More like X' needs a dataset of ITEMS, has ['INTERACTIONS']",
        video,
        (VIDEO,),
        (VIDEO, VIDEO_ITEMS),
    ),
    Rule(
        "excluded_columns names ITEMS, of which the dataset group has no dataset",
        excluded_by_recommender,
        {FILMS: ["PRICE"]},
        {},
    ),
)

TOKENS: tuple[Callable[[], object], ...] = (
    lambda: campaign()({"min_provisioned_tps": number()}),
    lambda: solution(V1, hyperparameters={"bptt": number()}),
    lambda: solution(V2, event_type=text()),
    lambda: solution(V2, solution_name=None, events=[Weight(event_type=text(), weight=number())]),
    lambda: explored(Exploration(weight=number(), item_age_cut_off=Duration.days(number()))),
    lambda: recommender(min_recommendation_requests_per_second=number()),
    lambda: films().add_filter(fresh_id(), expression=text()),
    lambda: personalize.AttributedMetric(event_type=text(), metric_name=text(), expression=text()),
)
"""Declarations of values that are known only when they are deployed."""


def text() -> str:
    """Return a text that is known only when it is deployed."""
    return cdk.CfnParameter(shared_stack(), fresh_id()).value_as_string


def number() -> Any:
    """Return a number that is known only when it is deployed."""
    return cdk.CfnParameter(shared_stack(), fresh_id(), type="Number").value_as_number
