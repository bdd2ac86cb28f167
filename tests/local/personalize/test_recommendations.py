"""Recommendations, events and filters together, as a program sees them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from personalize_local.personalize import Settings
from personalize_local.personalize.kinds import solution_versions

from .support import ACCOUNT, ITEMS_SCHEMA, REGION, USERS_SCHEMA, Builder, Cloud, interactions_csv, items_csv

RANKING = "personalizedRanking"
DRAMAS = {f"i{item}" for item in range(20)}
EXPRESSIONS = {
    "unseen": 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")',
    "genre": "INCLUDE ItemID WHERE Items.GENRES IN ($GENRES)",
    "young": "EXCLUDE ItemID WHERE Items.YEAR > 1999 IF CurrentUser.AGE < 18",
    "people": "INCLUDE UserID WHERE Users.AGE > 30",
}


class Films(Builder):
    """A campaign of films, with items, users, filters and an event tracker."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.group_arn = self.group()
        self.import_csv(self.dataset(self.group_arn), interactions_csv(), name="interactions")
        self.items_arn = self.dataset(self.group_arn, "Items", ITEMS_SCHEMA)
        self.import_csv(self.items_arn, items_csv(), name="items")
        self.users_arn = self.dataset(self.group_arn, "Users", USERS_SCHEMA)
        self.import_csv(self.users_arn, "USER_ID,AGE\nu0,12\nu2,40\n", name="users")
        self.campaign_arn = self.campaign(self.version(self.solution(self.group_arn)))
        self.filters = {
            name: self.personalize.create_filter(name=name, datasetGroupArn=self.group_arn, filterExpression=text)[
                "filterArn"
            ]
            for name, text in EXPRESSIONS.items()
        }
        for arn in self.filters.values():
            self.wait("filter", arn)
        tracker = self.personalize.create_event_tracker(name="t", datasetGroupArn=self.group_arn)
        self.wait("event_tracker", tracker["eventTrackerArn"])
        self.tracking_id = tracker["trackingId"]

    def recommend(self, user: str | None = "u0", filter: str | None = None, **arguments: Any) -> list[dict[str, Any]]:
        """Ask for recommendations."""
        if user is not None:
            arguments["userId"] = user
        if filter is not None:
            arguments["filterArn"] = self.filters[filter]
        answer = self.cloud.runtime.get_recommendations(campaignArn=self.campaign_arn, **arguments)
        assert len(answer["recommendationId"]) <= 40
        found: list[dict[str, Any]] = answer["itemList"]
        return found

    def ids(self, user: str = "u0", filter: str | None = None, **arguments: Any) -> list[str]:
        """Ask for recommendations, by their ids."""
        return [entry["itemId"] for entry in self.recommend(user, filter, **arguments)]

    def send(self, *item_ids: str, session: str, user: str | None = None, **event: Any) -> None:
        """Send events, the newest last."""
        events = [
            {"eventType": "watch", "sentAt": time.time() + second, "itemId": item_id, **event}
            for second, item_id in enumerate(item_ids)
        ]
        who = {} if user is None else {"userId": user}
        self.cloud.events.put_events(trackingId=self.tracking_id, sessionId=session, eventList=events, **who)


@pytest.fixture(scope="module")
def films() -> Iterator[Films]:
    """Made once: every test has users of its own, or changes nothing."""
    cloud = Cloud(Settings())
    yield Films(cloud)
    cloud.service.close()


@pytest.fixture
def someone() -> str:
    """A user that no other test knows."""
    return uuid.uuid4().hex


def test_tastes_are_learned(films: Films) -> None:
    assert len(DRAMAS & set(films.ids("u0", numResults=10))) >= 8
    assert len(DRAMAS & set(films.ids("u1", numResults=10))) <= 2


def test_scores_sum_to_one_over_the_catalogue(films: Films) -> None:
    found = films.recommend(numResults=500)
    scores = [entry["score"] for entry in found]
    assert len(found) == 40
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1)


def test_twenty_five_is_the_default(films: Films) -> None:
    assert len(films.recommend()) == 25
    assert films.recommend(numResults=0) == []


def test_events_change_the_very_next_answer(films: Films, someone: str) -> None:
    before = films.ids(someone, numResults=10)
    assert before == films.ids("nobody", numResults=10)
    for items in (["i25", "i30", "i35"], ["i1", "i2", "i3", "i4", "i5", "i6"]):
        films.send(*items, session=someone, user=someone)
        taste = set(films.ids(someone, numResults=10))
        assert len(taste & DRAMAS if items[0] == "i1" else taste - DRAMAS) >= 7


def test_a_session_is_someone_and_then_a_user(films: Films, someone: str) -> None:
    session = f"session-{someone}"
    films.send("i25", "i30", "i35", session=session)
    anonymous = films.ids(session, numResults=10)
    assert anonymous != films.ids("nobody", numResults=10)
    assert films.ids(someone) == films.ids("nobody")
    films.send("i26", session=session, user=someone)
    unseen = films.ids(someone, "unseen", numResults=40)
    assert {"i25", "i26", "i30", "i35"}.isdisjoint(unseen)
    # what comes without the user afterwards is still the user's
    films.send("i27", session=session)
    assert "i27" not in films.ids(someone, "unseen", numResults=40)
    assert films.ids(session) == films.ids("nobody")


def test_what_was_seen_is_left_out_by_a_filter_alone(films: Films, someone: str) -> None:
    films.send("i1", "i2", session=someone, user=someone)
    assert {"i1", "i2"} <= set(films.ids(someone, numResults=40))
    assert set(films.ids(someone, "unseen", numResults=40)) == {f"i{item}" for item in range(40)} - {"i1", "i2"}


def test_imported_events_are_seen_too(films: Films) -> None:
    watched = {row.split(",")[1] for row in interactions_csv().splitlines() if row.startswith("u3,")}
    assert watched.isdisjoint(films.ids("u3", "unseen", numResults=40))


def test_values_of_filters(films: Films) -> None:
    assert set(films.ids("u1", "genre", filterValues={"GENRES": '"Drama"'}, numResults=40)) == DRAMAS
    assert set(films.ids("u1", "genre", filterValues={"GENRES": '"Fun","Drama"'}, numResults=40)) > DRAMAS
    assert films.ids("u1", "genre", filterValues={"GENRES": '"War"'}) == []


def test_filters_that_look_at_the_user(films: Films) -> None:
    assert "i39" not in films.ids("u0", "young", numResults=40)
    for older in ("u2", "nobody"):
        assert "i39" in films.ids(older, "young", numResults=40)


def test_items_that_come_one_by_one(films: Films) -> None:
    films.cloud.events.put_items(
        datasetArn=films.items_arn, items=[{"itemId": "i39", "properties": '{"genres": "Noir", "year": null}'}]
    )
    assert films.ids("u0", "genre", filterValues={"GENRES": '"Noir"'}) == ["i39"]
    films.cloud.events.put_users(datasetArn=films.users_arn, users=[{"userId": "child", "properties": '{"age": 8}'}])
    assert "i38" not in films.ids("child", "young", numResults=40)


def test_metadata(films: Films) -> None:
    found = films.recommend("u1", numResults=40, metadataColumns={"ITEMS": ["GENRES", "year"]})
    metadata = {entry["itemId"]: entry["metadata"] for entry in found}
    assert metadata["i3"] == {"genres": "Drama", "year": "1983.0"}
    assert "metadata" not in films.recommend()[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"user": None}, "userId is required by the recipe aws-user-personalization-v2"),
        ({"numResults": 501}, "numResults can be at most 500, got 501"),
        ({"numResults": 51, "metadataColumns": {"ITEMS": ["YEAR"]}}, "at most 50"),
        ({"metadataColumns": {"ITEMS": ["COLOUR"]}}, "The Items dataset has no COLOUR"),
        ({"metadataColumns": {"ITEMS": ["YEAR"] * 11}}, "at most 10 columns, got 11"),
        ({"filter": "genre"}, "GENRES"),
        ({"filter": "genre", "filterValues": {"GENRES": "Drama"}}, "GENRES"),
        ({"filter": "unseen", "filterValues": {"X": '"y"'}}, "X"),
        ({"filter": "people"}, "is about UserID, not about ItemID"),
    ],
)
def test_wrong_requests(films: Films, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(films.cloud.runtime.exceptions.InvalidInputException, match=message):
        films.recommend(**arguments)


def test_what_does_not_exist(films: Films) -> None:
    runtime = films.cloud.runtime
    with pytest.raises(runtime.exceptions.ResourceNotFoundException, match=r"Campaign .*-none not found"):
        runtime.get_recommendations(campaignArn=f"{films.campaign_arn}-none", userId="u")
    with pytest.raises(runtime.exceptions.ResourceNotFoundException, match=r"Filter .*-none not found"):
        runtime.get_recommendations(
            campaignArn=films.campaign_arn, userId="u", filterArn=f"{films.filters['unseen']}-none"
        )
    with pytest.raises(runtime.exceptions.InvalidInputException, match="campaignArn is required"):
        runtime.get_recommendations(userId="u")
    with pytest.raises(runtime.exceptions.ClientError, match="promotions of GetRecommendations is not emulated"):
        runtime.get_recommendations(campaignArn=films.campaign_arn, userId="u", promotions=[{"name": "p"}])


def test_campaigns_and_filters_must_be_active(films: Films) -> None:
    client, runtime = films.personalize, films.cloud.runtime
    films.cloud.service.admin("fail", {"operation": "CreateCampaign", "failure_reason": "no"})
    films.cloud.service.admin("fail", {"operation": "CreateFilter", "failure_reason": "no"})
    version = client.describe_campaign(campaignArn=films.campaign_arn)["campaign"]["solutionVersionArn"]
    campaign = client.create_campaign(name="bad", solutionVersionArn=version)["campaignArn"]
    bad = client.create_filter(name="bad", datasetGroupArn=films.group_arn, filterExpression=EXPRESSIONS["unseen"])
    films.wait("campaign", campaign, until=("CREATE FAILED",))
    films.wait("filter", bad["filterArn"], until=("CREATE FAILED",))
    with pytest.raises(runtime.exceptions.ResourceNotFoundException, match="CREATE FAILED"):
        runtime.get_recommendations(campaignArn=campaign, userId="u")
    with pytest.raises(runtime.exceptions.InvalidInputException, match="CREATE FAILED"):
        runtime.get_recommendations(campaignArn=films.campaign_arn, userId="u", filterArn=bad["filterArn"])


def test_ranking_needs_its_recipe(films: Films) -> None:
    with pytest.raises(films.cloud.runtime.exceptions.InvalidInputException, match="do not answer GetPersonalizedR"):
        films.cloud.runtime.get_personalized_ranking(campaignArn=films.campaign_arn, userId="u", inputList=["i1"])


@pytest.fixture
def deploy(films: Films, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Make campaigns of other recipes with the model that is there: what they answer depends on the recipe."""
    version = films.personalize.describe_campaign(campaignArn=films.campaign_arn)["campaign"]["solutionVersionArn"]
    trained = films.cloud.service._engine.state.scope(ACCOUNT, REGION).versions[version]

    def deploy(recipe: str) -> str:
        monkeypatch.setattr(solution_versions, "train", lambda *arguments: trained)
        arn = f"arn:aws:personalize:::recipe/{recipe}"
        return films.campaign(films.version(films.solution(films.group_arn, recipe, recipeArn=arn)), recipe)

    return deploy


def test_ranking(films: Films, deploy: Callable[[str], str]) -> None:
    runtime = films.cloud.runtime
    campaign = deploy("aws-personalized-ranking-v2")
    wanted = ["i30", "new", "i2", "i31", "i3", "i2"]
    ranked = runtime.get_personalized_ranking(campaignArn=campaign, userId="u0", inputList=wanted)[
        "personalizedRanking"
    ]
    assert sorted(entry["itemId"] for entry in ranked) == sorted(set(wanted))
    assert {entry["itemId"] for entry in ranked[:2]} == {"i2", "i3"}
    assert ranked[-1] == {"itemId": "new"}
    assert sum(entry["score"] for entry in ranked[:-1]) == pytest.approx(1)
    filtered = runtime.get_personalized_ranking(
        campaignArn=campaign,
        userId="u0",
        inputList=wanted,
        filterArn=films.filters["genre"],
        filterValues={"GENRES": '"Fun"'},
    )[RANKING]
    assert {entry["itemId"] for entry in filtered} == {"i30", "i31"}
    with pytest.raises(runtime.exceptions.InvalidInputException, match="do not answer GetRecommendations"):
        runtime.get_recommendations(campaignArn=campaign, userId="u0")


def test_related_and_popular_items_have_no_scores(films: Films, deploy: Callable[[str], str]) -> None:
    runtime = films.cloud.runtime
    related, popular = deploy("aws-sims"), deploy("aws-trending-now")
    found = runtime.get_recommendations(campaignArn=related, itemId="i25", numResults=5)["itemList"]
    assert all("score" not in entry and entry["itemId"] not in DRAMAS for entry in found)
    with pytest.raises(runtime.exceptions.InvalidInputException, match="itemId is required by the recipe aws-sims"):
        runtime.get_recommendations(campaignArn=related, userId="u0")
    assert runtime.get_recommendations(campaignArn=popular)["itemList"]


def test_latency(films: Films) -> None:
    request = {"campaignArn": films.campaign_arn, "userId": "u0", "filterArn": films.filters["unseen"]}
    start = time.perf_counter()
    for _ in range(100):
        films.cloud.service.call("personalize-runtime", "GetRecommendations", request, account=ACCOUNT, region=REGION)
    assert (time.perf_counter() - start) / 100 < 0.02  # measured: 0.0005; a busy machine may take longer
