"""The dataset types of Amazon Personalize. This module is pure: it knows nothing of the CDK."""

from __future__ import annotations

from enum import Enum


class DatasetType(Enum):
    """What a dataset holds. The value is the spelling that the service returns.

    See https://docs.aws.amazon.com/personalize/latest/dg/how-it-works-dataset-schema.html
    """

    INTERACTIONS = "INTERACTIONS"
    """Who did what with which item, and when."""
    ITEMS = "ITEMS"
    """Metadata of items."""
    USERS = "USERS"
    """Metadata of users."""

    ACTIONS = "ACTIONS"
    """What a user can be moved to do, such as joining a loyalty programme."""
    ACTION_INTERACTIONS = "ACTION_INTERACTIONS"
    """Who took, saw or refused which action, and when."""

    @property
    def api_name(self) -> str:
        """The spelling that CreateDataset documents, such as ``"Action_Interactions"``."""
        return self.value.title()

    @property
    def record_name(self) -> str:
        """The name of the Avro record, such as ``"ActionInteractions"``."""
        return self.api_name.replace("_", "")
