"""The domains of Amazon Personalize. This module is pure: it knows nothing of the CDK."""

from __future__ import annotations

from enum import Enum


class Domain(Enum):
    """A business that the service has use cases for.

    See https://docs.aws.amazon.com/personalize/latest/dg/domain-use-cases.html
    """

    ECOMMERCE = "ECOMMERCE"
    """Retail."""
    VIDEO_ON_DEMAND = "VIDEO_ON_DEMAND"
    """Films, series and other videos."""
