"""Lengths, counts and ranges.

See https://docs.aws.amazon.com/personalize/latest/dg/limits.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cdk_personalize.facts.source import API_MODEL, LATE_2025, Source


class Limit(int):
    """A number that AWS sets; it is used like any other.

    :ivar source: Where it stands.
    :ivar shape: Shape of the API model that has it as its highest length, count or value. ``None``: the model says
        nothing.
    :ivar adjustable: Whether AWS raises it on request, so that more is a doubt rather than an error.
    """

    source: Source
    shape: str | None
    adjustable: bool

    def __new__(cls, value: int, source: Source, *, shape: str | None = None, adjustable: bool = False) -> Limit:
        """Make it.

        :param value: The number.
        :param source: Where it stands.
        :param shape: Shape of the API model. Default: - the model says nothing
        :param adjustable: Whether AWS raises it on request. Default: - it does not
        """
        limit = super().__new__(cls, value)
        limit.source = source
        limit.shape = shape
        limit.adjustable = adjustable
        return limit


@dataclass(frozen=True)
class Range:
    """The lowest and the highest value of a number.

    :param minimum: Lowest value.
    :param maximum: Highest value. ``None``: there is none.
    :param source: Where it stands.
    :param shape: Shape of the API model that has both. ``None``: the model says nothing.
    """

    minimum: int
    maximum: int | None
    source: Source
    shape: str | None = None

    def __contains__(self, value: float) -> bool:
        """Return whether a number is within."""
        return self.minimum <= value and (self.maximum is None or value <= self.maximum)


_QUOTAS = Source("limits.html", LATE_2025)


def _of_model(value: int, page: str, shape: str) -> Limit:
    return Limit(value, Source(page, API_MODEL), shape=shape)


# names and places
NAME_LENGTH: Final = _of_model(63, "API_CreateCampaign.html", "Name")
LOCATION_LENGTH: Final = _of_model(256, "API_S3DataConfig.html", "S3Location")
TAG_KEY_LENGTH: Final = _of_model(128, "API_Tag.html", "TagKey")
TAG_VALUE_LENGTH: Final = _of_model(256, "API_Tag.html", "TagValue")
TAGS_PER_RESOURCE: Final = Limit(50, Source("tagging-resources.html", LATE_2025))

# schemas
SCHEMA_LENGTH: Final = _of_model(20_000, "API_CreateSchema.html", "AvroSchema")
COLUMN_LENGTH: Final = _of_model(150, "API_TrainingDataConfig.html", "ColumnName")
TEXTUAL_FIELDS: Final = Limit(1, _QUOTAS)
ITEM_NAME_FIELDS: Final = Limit(1, Source("native-recipe-semantic-similarity.html", LATE_2025))
INTERACTION_METADATA: Final = Limit(5, _QUOTAS)
ITEM_METADATA: Final = Limit(100, _QUOTAS)
USER_METADATA: Final = Limit(25, _QUOTAS)
ACTION_METADATA: Final = Limit(10, _QUOTAS)
ACTION_INTERACTION_METADATA: Final = Limit(5, _QUOTAS)

# what a dataset group has
SOLUTIONS_PER_DATASET_GROUP: Final = Limit(10, _QUOTAS, adjustable=True)
CAMPAIGNS_PER_DATASET_GROUP: Final = Limit(5, _QUOTAS, adjustable=True)
FILTERS_PER_DATASET_GROUP: Final = Limit(30, _QUOTAS, adjustable=True)
RECOMMENDERS_PER_DATASET_GROUP: Final = Limit(5, _QUOTAS)

# filters
FILTER_LENGTH: Final = _of_model(2500, "API_CreateFilter.html", "FilterExpression")
FILTER_FIELDS: Final = Limit(10, _QUOTAS)
FILTER_FIELDS_PER_DATASET_GROUP: Final = Limit(20, _QUOTAS)
PLACEHOLDER_LENGTH: Final = Limit(50, Source("API_RS_GetRecommendations.html", API_MODEL))

# solutions
EVENT_TYPE_LENGTH: Final = _of_model(256, "API_CreateSolution.html", "EventType")
EVENTS: Final = _of_model(10, "API_EventsConfig.html", "EventParametersList")
EVENT_WEIGHT: Final = Range(0, 1, Source("API_EventParameters.html", API_MODEL), "EventTypeWeight")
EXCLUDED_COLUMNS: Final = _of_model(50, "API_TrainingDataConfig.html", "ColumnNamesList")
EXCLUDED_DATASETS: Final = _of_model(3, "API_TrainingDataConfig.html", "ExcludedDatasetColumns")
TRAINING_JOBS: Final = Limit(40, Source("API_HPOResourceConfig.html", API_MODEL))
PARALLEL_TRAINING_JOBS: Final = Limit(10, Source("API_HPOResourceConfig.html", API_MODEL))
TRAINING_DAYS: Final = Range(1, 30, Source("solution-config-auto-training.html", LATE_2025))

# what serves
PROVISIONED_REQUESTS: Final = Range(1, None, Source("API_CreateCampaign.html", API_MODEL), "TransactionsPerSecond")
EXPLORATION_WEIGHT: Final = Range(0, 1, Source("native-recipe-new-item-USER_PERSONALIZATION.html", LATE_2025))
EXPLORATION_DAYS: Final = Range(1, None, Source("native-recipe-new-item-USER_PERSONALIZATION.html", LATE_2025))
RANKING_INFLUENCE: Final = Range(0, 1, Source("API_CampaignConfig.html", API_MODEL), "RankingInfluenceWeight")
RECORDS_TO_IMPORT: Final = Limit(1000, _QUOTAS)
"""Fewest records of an import of interactions; of action interactions, that is documented for INCREMENTAL ones only."""
EVENTS_TO_TRAIN: Final = Limit(1000, Source("domain-use-cases.html", LATE_2025))

# metric attributions
METRICS: Final = _of_model(10, "API_CreateMetricAttribution.html", "MetricAttributes")
METRIC_TEXT_LENGTH: Final = _of_model(256, "API_MetricAttribute.html", "MetricName")

# jobs
BATCH_INFERENCE_RESULTS: Final = Range(1, 500, Source("limits.html", LATE_2025))
"""How many items a batch inference job gives for each line; documented for requests in real time only."""
BATCH_SEGMENT_RESULTS: Final = Range(1, 5_000_000, Source("limits.html", LATE_2025))
"""How many users a batch segment job finds for each line."""
