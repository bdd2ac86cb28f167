"""What a metric of a metric attribution adds up.

The local cloud reads expressions with this module too, so it knows nothing of the CDK.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_EXPRESSION = re.compile(
    r"\s*(?:(?P<count>SAMPLECOUNT)\s*\(\s*\)|SUM\s*\(\s*(?P<dataset>Items|Interactions)\s*\.\s*(?P<column>\w+)\s*\))\s*",
    re.IGNORECASE,
)


class MetricExpression(NamedTuple):
    """What a metric adds up.

    See https://docs.aws.amazon.com/personalize/latest/dg/metric-attribution-requirements.html

    :param dataset: ``ITEMS`` or ``INTERACTIONS``. Default: - it counts events.
    :param column: the column that it sums. Default: - none, where it counts events.
    """

    dataset: str | None = None
    column: str | None = None

    @classmethod
    def parse(cls, text: str) -> MetricExpression:
        """Read an expression.

        :param text: such as ``SUM(Items.PRICE)``.
        :raises ValueError: if it is none.
        """
        found = _EXPRESSION.fullmatch(text)
        if found is None:
            raise ValueError(
                f"the expression must be SAMPLECOUNT(), SUM(Items.COLUMN) or SUM(Interactions.COLUMN), got {text!r}"
            )
        return cls() if found["count"] else cls(found["dataset"].upper(), found["column"])

    @property
    def function(self) -> str:
        """Its name in reports."""
        return "sum" if self.column else "samplecount"
