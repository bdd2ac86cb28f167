"""What an application does with the service: asks for recommendations and tells what a viewer watches."""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .movielens import EVENT_TYPE, Film

_STARS = 5.0
# On AWS events change recommendations within a second or two; here they do so at once.
_PATIENCE_SECONDS = 10.0
_PAUSE_SECONDS = 0.2


@dataclass(frozen=True)
class Recommendation:
    """One recommended film.

    :param score: the share of the recommender's confidence, all films together have 1
    """

    film_id: str
    score: float


class Shop:
    """The films application, as far as its recommendations go.

    :param client: makes a boto3 client of a service
    :param outputs: the outputs of the recommender stack
    :param user_id: whom it serves
    """

    def __init__(self, client: Callable[[str], Any], outputs: Mapping[str, str], user_id: str) -> None:
        self._runtime = client("personalize-runtime")
        self._events = client("personalize-events")
        self._outputs = outputs
        self._user_id = user_id
        self._session_id = str(uuid.uuid4())

    def recommend(self, count: int, *, unseen: bool = False) -> list[Recommendation]:
        """Ask for recommendations.

        :param count: how many
        :param unseen: whether films watched before are left out. Default: False
        """
        filtered = {"filterArn": self._outputs["UnseenFilterArn"]} if unseen else {}
        answer = self._runtime.get_recommendations(
            campaignArn=self._outputs["CampaignArn"], userId=self._user_id, numResults=count, **filtered
        )
        return [Recommendation(item["itemId"], item["score"]) for item in answer["itemList"]]

    def watch(self, films: Sequence[Film]) -> None:
        """Send one event per film: the viewer watches it now, and likes it."""
        now = int(time.time())
        for number, film in enumerate(films):
            self._events.put_events(
                trackingId=self._outputs["TrackingId"],
                userId=self._user_id,
                sessionId=self._session_id,
                eventList=[
                    {
                        "eventType": EVENT_TYPE,
                        "eventValue": _STARS,
                        "itemId": film.film_id,
                        "sentAt": now - len(films) + number,
                    }
                ],
            )

    def recommend_changed(self, before: Sequence[Recommendation]) -> list[Recommendation]:
        """Ask for as many recommendations as before, until they differ or ten seconds have passed."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            now = self.recommend(len(before))
            if now != list(before) or time.monotonic() > deadline:
                return now
            time.sleep(_PAUSE_SECONDS)
