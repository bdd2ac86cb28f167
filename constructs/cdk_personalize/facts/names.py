"""What names look like, and which are taken.

See https://docs.aws.amazon.com/personalize/latest/dg/API_CreateCampaign.html for names, and
https://docs.aws.amazon.com/personalize/latest/dg/how-it-works-dataset-schema.html for columns
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from cdk_personalize.facts.limits import NAME_LENGTH
from cdk_personalize.facts.source import API_MODEL, LATE_2025, Source


@dataclass(frozen=True)
class Names:
    """Names that mean something to the service.

    :param source: Where that stands.
    :param names: The names.
    """

    source: Source
    names: tuple[str, ...]


TAG_SIGNS: Final = Names(Source("API_Tag.html", API_MODEL), tuple("_.:/=+-@"))
"""Characters of the keys and values of tags beside letters, digits and spaces."""

TAGS_OF_AWS: Final = Names(Source("API_Tag.html", API_MODEL), ("aws:",))
"""What the keys of tags must not start with."""


@dataclass(frozen=True)
class Pattern:
    """What a name must look like.

    :param source: Where that stands.
    :param pattern: A regular expression for all of it.
    :param shape: Shape of the API model that has it.
    """

    source: Source
    pattern: str
    shape: str

    def fullmatch(self, name: str) -> bool:
        """Return whether all of a name looks like that."""
        return re.fullmatch(self.pattern, name, re.ASCII) is not None


# The model does not anchor the end of the pattern; CloudFormation's does.
NAME: Final = Pattern(
    Source("API_CreateCampaign.html", API_MODEL), rf"[a-zA-Z0-9][a-zA-Z0-9\-_]{{0,{NAME_LENGTH - 1}}}", "Name"
)
COLUMN: Final = Pattern(Source("API_TrainingDataConfig.html", API_MODEL), r"[A-Za-z_][A-Za-z\d_]*", "ColumnName")

_FILTERS: Final = Source("filter-expressions.html", LATE_2025)

EVENT_TYPE: Final = "EVENT_TYPE"
"""The column that event types are in."""

ALWAYS_TRAINED: Final = Names(Source("custom-config-columns.html", LATE_2025), (EVENT_TYPE,))
"""Columns of interactions that training cannot leave out."""

FILTERABLE_OF_EVENTS: Final = Names(_FILTERS, (EVENT_TYPE,))
"""The only columns of interactions and action interactions that filters can use."""

NOT_FILTERABLE_OF_ACTIONS: Final = Names(
    _FILTERS, ("EXPIRATION_TIMESTAMP", "ACTION_EXPIRATION_TIMESTAMP", "REPEAT_FREQUENCY")
)
"""Columns of actions that filters cannot use."""

RANKING_INFLUENCES: Final = Names(Source("API_CampaignConfig.html", API_MODEL), ("POPULARITY", "FRESHNESS"))
"""What a ranking can be influenced by."""

DOMAINS: Final = Names(Source("API_CreateDatasetGroup.html", API_MODEL), ("ECOMMERCE", "VIDEO_ON_DEMAND"))
"""The domains of dataset groups."""

REGIONS: Final = Names(
    Source("regions.html", LATE_2025),
    (
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-south-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "ca-central-1",
        "cn-north-1",
        "eu-central-1",
        "eu-west-1",
        "us-east-1",
        "us-east-2",
        "us-west-2",
    ),
)
"""Where the service can be used. AWS adds Regions, so that another one is a doubt."""
