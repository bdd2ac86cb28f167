"""Required and reserved fields of schemas, by domain and dataset type.

See https://docs.aws.amazon.com/personalize/latest/dg/how-it-works-dataset-schema.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from cdk_personalize.facts import limits
from cdk_personalize.facts.source import LATE_2025, Source


@dataclass(frozen=True)
class FieldRule:
    """What a required or reserved field must look like.

    :param type: Avro type of its values.
    :param required: Whether a schema must have it.
    :param categorical: ``True``: must be marked categorical. ``False``: must not.
    :param textual: Whether it must be marked textual.
    """

    type: str
    required: bool = False
    categorical: bool = False
    textual: bool = False


@dataclass(frozen=True)
class DatasetRule:
    """What the schema of one dataset type must look like.

    :param source: Where that stands.
    :param record_name: Name of the Avro record.
    :param fields: Required and reserved fields.
    :param max_metadata: Highest number of other fields.
    :param needs_metadata: Whether at least one categorical, textual or numeric field is needed beside the id.
    :param allows_textual: Whether fields may be textual.
    """

    source: Source
    record_name: str
    fields: Mapping[str, FieldRule]
    max_metadata: int
    needs_metadata: bool = False
    allows_textual: bool = False


_ID = FieldRule("string", required=True)
_TIMESTAMP = FieldRule("long", required=True)
_STRING = FieldRule("string")
_CATEGORY = FieldRule("string", categorical=True)
_TEXT = FieldRule("string", textual=True)
_FLOAT = FieldRule("float")
_LONG = FieldRule("long")

_INTERACTION_OPTIONS: Mapping[str, FieldRule] = {
    "EVENT_VALUE": _FLOAT,
    "IMPRESSION": _STRING,
    "RECOMMENDATION_ID": _STRING,
    "EVENT_ATTRIBUTION_SOURCE": _STRING,
}
_INTERACTION_KEYS: Mapping[str, FieldRule] = {"USER_ID": _ID, "ITEM_ID": _ID, "TIMESTAMP": _TIMESTAMP}

_CUSTOM: Mapping[str, DatasetRule] = {
    "INTERACTIONS": DatasetRule(
        Source("interactions-dataset-requirements.html", LATE_2025),
        "Interactions",
        {**_INTERACTION_KEYS, "EVENT_TYPE": _STRING, **_INTERACTION_OPTIONS},
        max_metadata=limits.INTERACTION_METADATA,
    ),
    "ITEMS": DatasetRule(
        Source("item-dataset-requirements.html", LATE_2025),
        "Items",
        {"ITEM_ID": _ID, "CREATION_TIMESTAMP": _LONG},
        max_metadata=limits.ITEM_METADATA,
        needs_metadata=True,
        allows_textual=True,
    ),
    "USERS": DatasetRule(
        Source("user-dataset-requirements.html", LATE_2025),
        "Users",
        {"USER_ID": _ID},
        max_metadata=limits.USER_METADATA,
        needs_metadata=True,
    ),
    "ACTIONS": DatasetRule(
        Source("action-dataset-requirements.html", LATE_2025),
        "Actions",
        {
            "ACTION_ID": _ID,
            "CREATION_TIMESTAMP": _LONG,
            "VALUE": _LONG,
            "TYPE": _STRING,
            # The guide uses both names for the expiry.
            "EXPIRATION_TIMESTAMP": _LONG,
            "ACTION_EXPIRATION_TIMESTAMP": _LONG,
            "REPEAT_FREQUENCY": _LONG,
        },
        max_metadata=limits.ACTION_METADATA,
        needs_metadata=True,
    ),
    "ACTION_INTERACTIONS": DatasetRule(
        Source("action-interactions-dataset-requirements.html", LATE_2025),
        "ActionInteractions",
        {
            "USER_ID": _ID,
            "ACTION_ID": _ID,
            "EVENT_TYPE": _ID,
            "TIMESTAMP": _TIMESTAMP,
            "IMPRESSION": _STRING,
            "RECOMMENDATION_ID": _STRING,
        },
        max_metadata=limits.ACTION_INTERACTION_METADATA,
    ),
}
_ECOMMERCE = Source("ECOMMERCE-datasets-and-schemas.html", LATE_2025)
_VIDEO_ON_DEMAND = Source("VIDEO-ON-DEMAND-datasets-and-schemas.html", LATE_2025)


def _domain_interactions(source: Source) -> DatasetRule:
    return DatasetRule(
        source,
        "Interactions",
        {**_INTERACTION_KEYS, "EVENT_TYPE": _ID, **_INTERACTION_OPTIONS},
        max_metadata=limits.INTERACTION_METADATA,
    )


DATASET_RULES: Final[Mapping[str | None, Mapping[str, DatasetRule]]] = {
    None: _CUSTOM,
    "ECOMMERCE": {
        "INTERACTIONS": _domain_interactions(_ECOMMERCE),
        "USERS": replace(_CUSTOM["USERS"], source=_ECOMMERCE),
        "ITEMS": DatasetRule(
            _ECOMMERCE,
            "Items",
            {
                "ITEM_ID": _ID,
                "PRICE": FieldRule("float", required=True),
                "CATEGORY_L1": FieldRule("string", required=True, categorical=True),
                "CATEGORY_L2": _CATEGORY,
                "CATEGORY_L3": _CATEGORY,
                "PRODUCT_DESCRIPTION": _TEXT,
                "CREATION_TIMESTAMP": _LONG,
                "AGE_GROUP": _CATEGORY,
                "ADULT": _CATEGORY,
                "GENDER": _CATEGORY,
            },
            max_metadata=limits.ITEM_METADATA,
            allows_textual=True,
        ),
    },
    "VIDEO_ON_DEMAND": {
        "INTERACTIONS": _domain_interactions(_VIDEO_ON_DEMAND),
        "USERS": DatasetRule(
            _VIDEO_ON_DEMAND,
            "Users",
            {"USER_ID": _ID, "SUBSCRIPTION_MODEL": _CATEGORY},
            max_metadata=limits.USER_METADATA,
            needs_metadata=True,
        ),
        "ITEMS": DatasetRule(
            _VIDEO_ON_DEMAND,
            "Items",
            {
                "ITEM_ID": _ID,
                "CREATION_TIMESTAMP": _TIMESTAMP,
                "GENRES": FieldRule("string", required=True, categorical=True),
                "PRICE": _FLOAT,
                "DURATION": _FLOAT,
                "GENRE_L2": _CATEGORY,
                "GENRE_L3": _CATEGORY,
                "AVERAGE_RATING": _FLOAT,
                "PRODUCT_DESCRIPTION": _TEXT,
                "CONTENT_OWNER": _CATEGORY,
                "CONTENT_CLASSIFICATION": _CATEGORY,
            },
            max_metadata=limits.ITEM_METADATA,
            allows_textual=True,
        ),
    },
}

RESERVED_OF_ITEMS: Final = frozenset(_CUSTOM["ITEMS"].fields)
"""Columns of items that are no attributes of them."""
