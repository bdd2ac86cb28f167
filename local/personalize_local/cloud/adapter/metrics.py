"""CloudWatch of the AWS emulator as Personalize writes to it, without a detour over HTTP."""

from collections.abc import Mapping

from ministack.core.responses import request_scope
from ministack.services import cloudwatch


class EmulatorMetrics:
    """The `Metrics` over the AWS emulator's CloudWatch."""

    def put(
        self,
        namespace: str,
        name: str,
        value: float,
        *,
        dimensions: Mapping[str, str],
        timestamp: float,
        account: str,
        region: str,
    ) -> None:
        """Take one value, as PutMetricData does."""
        with request_scope(account, region):
            cloudwatch._store_datum(namespace, name, dict(dimensions), timestamp, "None", value, None, None, None)
