"""What every grant allows: whole statements."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import aws_iam as iam

import cdk_personalize as personalize
from tests.unit.conftest import USERS, Synthesis

DatasetType, Recipe, Schema = personalize.DatasetType, personalize.Recipe, personalize.Schema
GRANTS = [
    getattr(personalize, name)
    for name in personalize.__all__
    if name.endswith("Grants") and name != "PublishedGrants"  # what that allows is no action of the service
]

PREFIX = "arn:aws:personalize:us-west-2:111122223333"
TRAINING = ["CreateSolutionVersion", "DescribeSolution", "DescribeSolutionVersion", "TagResource"]

Maker = Callable[[Synthesis], Any]


def campaign(recipe: personalize.Recipe) -> Maker:
    return lambda synthesis: synthesis.group().add_solution("Picks", recipe=recipe).add_campaign("Live")


def recommender(synthesis: Synthesis) -> Any:
    shop = personalize.DatasetGroup(synthesis.stack, "Shop", domain=personalize.Domain.ECOMMERCE)
    return shop.add_recommender("ForYou", use_case=personalize.UseCase.RECOMMENDED_FOR_YOU)


def solution(synthesis: Synthesis) -> Any:
    return synthesis.group().add_solution("Picks", recipe=Recipe.USER_PERSONALIZATION_V2)


def dataset(dataset_type: personalize.DatasetType) -> Maker:
    schemas = {
        DatasetType.INTERACTIONS: Schema.interactions(event_type=True),
        DatasetType.ITEMS: Schema.items(personalize.Field.categorical("GENRES")),
        DatasetType.USERS: USERS,
        DatasetType.ACTIONS: Schema.actions(value=True),
        DatasetType.ACTION_INTERACTIONS: Schema.action_interactions(),
    }

    def make(synthesis: Synthesis) -> Any:
        group = personalize.DatasetGroup(synthesis.stack, "Movies")
        return personalize.Dataset(group, "Made", dataset_group=group, schema=schemas[dataset_type])

    return make


def tracker(synthesis: Synthesis) -> Any:
    return synthesis.group().add_event_tracker()


def imported(from_: Callable[..., Any], tail: str, **attributes: Any) -> Maker:
    """An imported resource; ``from_`` takes its ARN after the construct id, or by the name that is given as None."""

    def make(synthesis: Synthesis) -> Any:
        named = {name: f"{PREFIX}:{tail}" if value is None else value for name, value in attributes.items()}
        return from_(synthesis.stack, "Imported", *([] if named else [f"{PREFIX}:{tail}"]), **named)

    return make


IMPORTED_CAMPAIGN = imported(personalize.Campaign.from_campaign_arn, "campaign/live")
IMPORTED_RANKING = imported(
    personalize.Campaign.from_campaign_attributes,
    "campaign/live",
    campaign_arn=None,
    recipe_type=personalize.RecipeType.PERSONALIZED_RANKING,
)
IMPORTED_TRACKER = imported(
    personalize.EventTracker.from_event_tracker_attributes,
    "event-tracker/0a1b2c3d",
    event_tracker_arn=None,
    tracking_id="id",
)
IMPORTED_ITEMS = imported(personalize.Dataset.from_dataset_arn, "dataset/films/ITEMS")
IMPORTED_OUTCOMES = imported(personalize.Dataset.from_dataset_arn, "dataset/films/ACTION_INTERACTIONS")
IMPORTED_RECOMMENDER = imported(personalize.Recommender.from_recommender_arn, "recommender/for-you")
IMPORTED_SOLUTION = imported(personalize.Solution.from_solution_arn, "solution/picks")

# What makes the resource, the grant, the actions without their prefix, and the endings of the resources: "" is the
# resource itself, None is any.
TABLE: list[tuple[Maker, str, list[str], list[str | None]]] = [
    (campaign(Recipe.USER_PERSONALIZATION_V2), "get_recommendations", ["GetRecommendations"], [""]),
    (campaign(Recipe.POPULARITY_COUNT), "get_recommendations", ["GetRecommendations"], [""]),
    (campaign(Recipe.PERSONALIZED_RANKING_V2), "get_personalized_ranking", ["GetPersonalizedRanking"], [""]),
    (campaign(Recipe.NEXT_BEST_ACTION), "get_action_recommendations", ["GetActionRecommendations"], [""]),
    (IMPORTED_CAMPAIGN, "get_recommendations", ["GetRecommendations"], [""]),
    (IMPORTED_CAMPAIGN, "get_personalized_ranking", ["GetPersonalizedRanking"], [""]),
    (IMPORTED_CAMPAIGN, "get_action_recommendations", ["GetActionRecommendations"], [""]),
    (IMPORTED_RANKING, "get_personalized_ranking", ["GetPersonalizedRanking"], [""]),
    (recommender, "get_recommendations", ["GetRecommendations"], [""]),
    (IMPORTED_RECOMMENDER, "get_recommendations", ["GetRecommendations"], [""]),
    (dataset(DatasetType.ITEMS), "put_items", ["PutItems"], [""]),
    (dataset(DatasetType.USERS), "put_users", ["PutUsers"], [""]),
    (dataset(DatasetType.ACTIONS), "put_actions", ["PutActions"], [""]),
    (dataset(DatasetType.ACTION_INTERACTIONS), "put_action_interactions", ["PutActionInteractions"], [None]),
    (IMPORTED_ITEMS, "put_items", ["PutItems"], [""]),
    (IMPORTED_OUTCOMES, "put_action_interactions", ["PutActionInteractions"], [None]),
    (tracker, "put_events", ["PutEvents"], [None]),
    (IMPORTED_TRACKER, "put_events", ["PutEvents"], [None]),
    (solution, "train", TRAINING, ["", "/*"]),
    (IMPORTED_SOLUTION, "train", TRAINING, ["", "/*"]),
]


def statements(synthesis: Synthesis, user: iam.User) -> Any:
    [policy] = [each for each in user.node.find_all() if isinstance(each, iam.CfnPolicy)]
    return synthesis.stack.resolve(policy.policy_document)["Statement"]


def arn_of(resource: Any) -> str:
    [name] = [name for name in ("campaign", "recommender", "dataset", "solution") if hasattr(resource, f"{name}_arn")]
    return str(getattr(resource, f"{name}_arn"))


@pytest.mark.parametrize(("make", "grant", "actions", "endings"), TABLE)
def test_the_statement(make: Maker, grant: str, actions: list[str], endings: list[str | None]) -> None:
    synthesis = Synthesis()
    user = iam.User(synthesis.stack, "Site")
    resource = make(synthesis)

    assert getattr(resource.grants, grant)(user).success

    named = [f"personalize:{action}" for action in actions]
    on = [synthesis.stack.resolve("*" if end is None else f"{arn_of(resource)}{end}") for end in endings]
    assert statements(synthesis, user) == [
        {
            "Action": named if len(named) > 1 else named[0],
            "Effect": "Allow",
            "Resource": on if len(on) > 1 else on[0],
        }
    ]


def test_every_grant_is_in_the_table() -> None:
    declared = {name for grants in GRANTS for name in vars(grants) if not name.startswith("_")}

    assert declared == {grant for _, grant, _, _ in TABLE}


@pytest.mark.parametrize(
    ("make", "allowed", "message"),
    [
        (
            campaign(Recipe.PERSONALIZED_RANKING_V2),
            {"get_personalized_ranking"},
            "a campaign of a recipe of type PERSONALIZED_RANKING does not answer what {} allows, "
            "use get_personalized_ranking",
        ),
        (
            campaign(Recipe.NEXT_BEST_ACTION),
            {"get_action_recommendations"},
            "a campaign of a recipe of type PERSONALIZED_ACTIONS does not answer what {} allows, "
            "use get_action_recommendations",
        ),
        (
            campaign(Recipe.SIMILAR_ITEMS),
            {"get_recommendations"},
            "a campaign of a recipe of type RELATED_ITEMS does not answer what {} allows, use get_recommendations",
        ),
        (
            IMPORTED_RANKING,
            {"get_personalized_ranking"},
            "a campaign of a recipe of type PERSONALIZED_RANKING does not answer what {} allows, "
            "use get_personalized_ranking",
        ),
        (IMPORTED_ITEMS, {"put_items"}, "a dataset of ITEMS does not take what {} allows, use put_items"),
        *[
            (
                dataset(dataset_type),
                {grant},
                f"a dataset of {dataset_type.value} does not take what {{}} allows, use {grant}",
            )
            for dataset_type, grant in [
                (DatasetType.USERS, "put_users"),
                (DatasetType.ACTIONS, "put_actions"),
                (DatasetType.ACTION_INTERACTIONS, "put_action_interactions"),
            ]
        ],
        (
            dataset(DatasetType.INTERACTIONS),
            set(),
            "a dataset of INTERACTIONS does not take what {} allows, events go to the event tracker, "
            "use its put_events",
        ),
    ],
)
def test_what_the_service_would_not_answer_cannot_be_granted(make: Maker, allowed: set[str], message: str) -> None:
    synthesis = Synthesis()
    user = iam.User(synthesis.stack, "Site")
    grants = make(synthesis).grants
    others = {name for name in vars(type(grants)) if not name.startswith("_")} - allowed

    assert others
    for other in others:
        with pytest.raises(ValueError, match=f"^{re.escape(message.format(other))}$"):
            getattr(grants, other)(user)


@pytest.mark.parametrize("grant", ["put_items", "put_users", "put_actions"])
def test_a_dataset_that_is_known_only_when_it_is_deployed_can_be_of_any_type(grant: str) -> None:
    synthesis = Synthesis()
    user = iam.User(synthesis.stack, "Site")
    token = personalize.Dataset.from_dataset_arn(synthesis.stack, "Imported", synthesis.stack.stack_id)

    getattr(token.grants, grant)(user)

    assert statements(synthesis, user)[0]["Resource"] == {"Ref": "AWS::StackId"}


def test_a_run_can_be_started_by_whom_the_state_machine_lets() -> None:
    synthesis = Synthesis()
    user = iam.User(synthesis.stack, "Operator")
    workflow = personalize.Workflow(synthesis.stack, "Workflow", dataset_group=synthesis.group())

    workflow.state_machine.grant_start_execution(user)

    assert statements(synthesis, user) == [
        {
            "Action": "states:StartExecution",
            "Effect": "Allow",
            "Resource": synthesis.stack.resolve(workflow.state_machine_arn),
        }
    ]
