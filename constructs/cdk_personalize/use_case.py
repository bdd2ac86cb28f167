"""The use cases of the two domains of Amazon Personalize, as data: what a recommender can be made for.

This module is pure: it knows nothing of the CDK.

Sources: https://docs.aws.amazon.com/personalize/latest/dg/ECOMMERCE-use-cases.html and
https://docs.aws.amazon.com/personalize/latest/dg/VIDEO_ON_DEMAND-use-cases.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Final

from cdk_personalize.recipe import RecipeType


@dataclass(frozen=True, kw_only=True)
class UseCase:
    """A use case: the recipe of a recommender.

    :param name: Name of the recipe, such as ``"aws-ecomm-recommended-for-you"``.
    :param domain: ``"ECOMMERCE"`` or ``"VIDEO_ON_DEMAND"``.
    :param title: What AWS calls it.
    :param recipe_type: What it produces.
    :param request: What a request must name: ``userId``, ``itemId`` or both.
    :param event_type: The event type that there must be ``EVENTS_TO_TRAIN`` of. ``None``: of all types together.
    :param advised_event_type: Events of this type are learned from too, when there are any, and are not counted.
        ``None``: there is no such type.
    :param dropped: Items of a user's events of this type are left out. ``None``: nothing is left out.
    :param required_datasets: Dataset types that it cannot be trained without, in upper case.
    :param optional_datasets: Dataset types that it uses when they exist.
    :param exploration: Whether it explores, and takes new items up without training.
    """

    name: str
    domain: str
    title: str
    recipe_type: RecipeType
    request: frozenset[str] = frozenset({"userId"})
    event_type: str | None = None
    advised_event_type: str | None = None
    dropped: str | None = None
    required_datasets: frozenset[str] = frozenset({"INTERACTIONS"})
    optional_datasets: frozenset[str] = frozenset()
    exploration: bool = False

    MOST_VIEWED: ClassVar[UseCase]
    """ECOMMERCE: items that are viewed most."""
    BEST_SELLERS: ClassVar[UseCase]
    """ECOMMERCE: items that are purchased most."""
    FREQUENTLY_BOUGHT_TOGETHER: ClassVar[UseCase]
    """ECOMMERCE: items that are purchased together with an item."""
    CUSTOMERS_WHO_VIEWED_X_ALSO_VIEWED: ClassVar[UseCase]
    """ECOMMERCE: items that are viewed by those who view an item."""
    RECOMMENDED_FOR_YOU: ClassVar[UseCase]
    """ECOMMERCE: items for a user."""
    BECAUSE_YOU_WATCHED_X: ClassVar[UseCase]
    """VIDEO_ON_DEMAND: videos that are watched by those who watch a video."""
    MORE_LIKE_X: ClassVar[UseCase]
    """VIDEO_ON_DEMAND: videos similar to a video."""
    MOST_POPULAR: ClassVar[UseCase]
    """VIDEO_ON_DEMAND: videos that are watched most."""
    TRENDING_NOW: ClassVar[UseCase]
    """VIDEO_ON_DEMAND: videos whose popularity rises fastest."""
    TOP_PICKS_FOR_YOU: ClassVar[UseCase]
    """VIDEO_ON_DEMAND: videos for a user."""

    @property
    def resource(self) -> str:
        """Tail of its recipe's ARN, which has neither Region nor account."""
        return f"recipe/{self.name}"


_BOTH: Final = frozenset({"userId", "itemId"})
_ITEMS_USERS: Final = frozenset({"ITEMS", "USERS"})

USE_CASES: Final[Mapping[str, UseCase]] = MappingProxyType(
    {
        use_case.name: use_case
        for use_case in (
            UseCase(
                name="aws-ecomm-popular-items-by-views",
                domain="ECOMMERCE",
                title="Most viewed",
                recipe_type=RecipeType.POPULAR_ITEMS,
                event_type="View",
            ),
            UseCase(
                name="aws-ecomm-popular-items-by-purchases",
                domain="ECOMMERCE",
                title="Best sellers",
                recipe_type=RecipeType.POPULAR_ITEMS,
                event_type="Purchase",
            ),
            UseCase(
                name="aws-ecomm-frequently-bought-together",
                domain="ECOMMERCE",
                title="Frequently bought together",
                recipe_type=RecipeType.RELATED_ITEMS,
                request=frozenset({"itemId"}),
                event_type="Purchase",
            ),
            UseCase(
                name="aws-ecomm-customers-who-viewed-x-also-viewed",
                domain="ECOMMERCE",
                title="Customers who viewed X also viewed",
                recipe_type=RecipeType.RELATED_ITEMS,
                request=_BOTH,
                event_type="View",
                advised_event_type="Purchase",
                dropped="Purchase",
            ),
            UseCase(
                name="aws-ecomm-recommended-for-you",
                domain="ECOMMERCE",
                title="Recommended for you",
                recipe_type=RecipeType.USER_PERSONALIZATION,
                dropped="Purchase",
                optional_datasets=_ITEMS_USERS,
                exploration=True,
            ),
            UseCase(
                name="aws-vod-because-you-watched-x",
                domain="VIDEO_ON_DEMAND",
                title="Because you watched X",
                recipe_type=RecipeType.RELATED_ITEMS,
                request=_BOTH,
                event_type="Watch",
                dropped="Watch",
            ),
            UseCase(
                name="aws-vod-more-like-x",
                domain="VIDEO_ON_DEMAND",
                title="More like X",
                recipe_type=RecipeType.RELATED_ITEMS,
                request=_BOTH,
                dropped="Watch",
                required_datasets=frozenset({"INTERACTIONS", "ITEMS"}),
            ),
            UseCase(
                name="aws-vod-most-popular",
                domain="VIDEO_ON_DEMAND",
                title="Most popular",
                recipe_type=RecipeType.POPULAR_ITEMS,
                event_type="Watch",
            ),
            UseCase(
                name="aws-vod-trending-now",
                domain="VIDEO_ON_DEMAND",
                title="Trending now",
                recipe_type=RecipeType.POPULAR_ITEMS,
                request=frozenset(),
            ),
            UseCase(
                name="aws-vod-top-picks",
                domain="VIDEO_ON_DEMAND",
                title="Top picks for you",
                recipe_type=RecipeType.USER_PERSONALIZATION,
                dropped="Watch",
                optional_datasets=_ITEMS_USERS,
                exploration=True,
            ),
        )
    }
)
"""Every use case, by the name of its recipe."""

for _use_case in USE_CASES.values():
    setattr(UseCase, _use_case.title.upper().replace(" ", "_"), _use_case)
