"""A campaign of films that tests share, and models that are planted where nothing needs to be learned."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from cdk_personalize.use_case import USE_CASES
from personalize_local.personalize.recommenders import Model, Request
from personalize_local.personalize.recommenders.data import Array, Floats
from personalize_local.personalize.resources import KINDS
from personalize_local.personalize.serving import TrainedVersion
from personalize_local.personalize.state import Progress, Record, Scope

from .support import ACCOUNT, ITEMS_SCHEMA, REGION, USERS_SCHEMA, Builder, Cloud, interactions_csv, items_csv

DRAMAS = {f"i{item}" for item in range(20)}
EXPRESSIONS = {
    "unseen": 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")',
    "genre": "INCLUDE ItemID WHERE Items.GENRES IN ($GENRES)",
    "not genre": "EXCLUDE ItemID WHERE Items.GENRES IN ($GENRES)",
    "young": "EXCLUDE ItemID WHERE Items.YEAR > 1999 IF CurrentUser.AGE < 18",
    "older": "INCLUDE ItemID WHERE Items.YEAR < CurrentItem.YEAR",
    "people": "INCLUDE UserID WHERE Users.AGE > 30",
}


class Planted(Model):
    """Gives every item the same share whatever the request, and keeps the requests."""

    kind = "planted"

    def __init__(self, item_ids: Array, shares: Floats) -> None:
        super().__init__(item_ids)
        self._shares = shares
        self.requests: list[Request] = []

    @classmethod
    def of(cls, item_ids: list[str]) -> Planted:
        """Plant a model that likes the first items best."""
        shares = np.arange(len(item_ids), 0, -1.0)
        return cls(np.array(item_ids, dtype=object), shares / shares.sum())

    def probabilities(self, request: Request) -> Floats:
        self.requests.append(request)
        return self._shares

    def arrays(self) -> dict[str, Array]:
        return {"shares": self._shares}

    @classmethod
    def from_arrays(cls, item_ids: Array, arrays: Mapping[str, Array]) -> Self:
        return cls(item_ids, arrays["shares"])


def scope_of(cloud: Cloud) -> Scope:
    """What is in a cloud, to plant something in it."""
    return cloud.service._engine.state.scope(ACCOUNT, REGION)


class Films(Builder):
    """A campaign of films, with items, users, filters and an event tracker.

    :param recipe: the recipe of the campaign.
    :param new: how many films there are that nobody has watched.
    """

    def __init__(self, cloud: Cloud, recipe: str = "aws-user-personalization-v2", new: int = 0) -> None:
        super().__init__(cloud)
        self.group_arn = self.group()
        self.import_csv(self.dataset(self.group_arn), interactions_csv(), name="interactions")
        fresh = "".join(f"i{item},{'Drama' if item % 2 else 'Comedy'}|New,2026\n" for item in range(40, 40 + new))
        self.items_arn = self.dataset(self.group_arn, "Items", ITEMS_SCHEMA)
        self.import_csv(self.items_arn, items_csv() + fresh, name="items")
        self.users_arn = self.dataset(self.group_arn, "Users", USERS_SCHEMA)
        self.import_csv(self.users_arn, "USER_ID,AGE\nu0,12\nu2,40\n", name="users")
        self.campaign_arn = self.campaign(
            self.version(self.solution(self.group_arn, recipeArn=f"arn:aws:personalize:::recipe/{recipe}"))
        )
        self.filters = {
            name: self.personalize.create_filter(
                name=name.replace(" ", "-"), datasetGroupArn=self.group_arn, filterExpression=text
            )["filterArn"]
            for name, text in EXPRESSIONS.items()
        }
        for arn in self.filters.values():
            self.wait("filter", arn)
        tracker = self.personalize.create_event_tracker(name="t", datasetGroupArn=self.group_arn)
        self.wait("event_tracker", tracker["eventTrackerArn"])
        self.tracking_id = tracker["trackingId"]
        self.planted = 0

    def recommend(
        self, user: str | None = "u0", filter: str | None = None, target: str | None = None, **arguments: Any
    ) -> list[dict[str, Any]]:
        """Ask for recommendations.

        :param target: a campaign or a recommender. Default: - the campaign that is shared
        """
        target = target or self.campaign_arn
        if user is not None:
            arguments["userId"] = user
        if filter is not None:
            arguments["filterArn"] = self.filters[filter]
        answer = self.cloud.runtime.get_recommendations(
            **{"recommenderArn" if ":recommender/" in target else "campaignArn": target}, **arguments
        )
        assert len(answer["recommendationId"]) <= 40
        found: list[dict[str, Any]] = answer["itemList"]
        return found

    def ids(self, user: str | None = "u0", filter: str | None = None, **arguments: Any) -> list[str]:
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

    def plant(self, recipe: str, model: Model, **configuration: Any) -> str:
        """Deploy a model as if a recipe, or the use case of a recommender, had trained it."""
        self.planted += 1
        scope, now = scope_of(self.cloud), time.time()
        name = f"{recipe}-{self.planted}"
        common = {
            "name": name,
            "recipeArn": f"arn:aws:personalize:::recipe/{recipe}",
            "datasetGroupArn": self.group_arn,
        }
        solution = {"solutionArn": scope.arn(f"solution/{name}"), "trainingMode": "FULL"}
        version = scope.arn(f"solution/{name}/0")
        served = {"solutionVersionArn": version, "campaignConfig": configuration, "followsLatest": False}
        records = (
            {"Recommender": (scope.arn(f"recommender/{name}"), {"recommenderConfig": configuration})}
            if recipe in USE_CASES
            else {
                "SolutionVersion": (version, solution),
                "Campaign": (scope.arn(f"campaign/{name}"), solution | served),
            }
        )
        arn = ""
        for kind, (arn, attributes) in records.items():
            scope.add(Record(KINDS[kind], arn, {**common, **attributes}, Progress("ACTIVE", now, now)))
        scope.versions[arn if recipe in USE_CASES else version] = TrainedVersion(model, {})
        return arn
