"""Tells a deployment that waits how the run ended.

See https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-waitcondition.html
"""

from __future__ import annotations

import hashlib
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from personalize_lambda.aws import log

_TIMEOUT_SECONDS = 10
_ATTEMPTS = 4
_REASON_LENGTH = 1000


def send(url: str, report: Mapping[str, Any]) -> None:
    """Signal success when everything that is declared serves, else failure with the reason.

    What is sent twice counts once.

    :param url: The URL of the wait condition's handle.
    :param report: The report of the run.
    """
    succeeded = report["status"] == "COMPLETED"
    body = {
        "Status": "SUCCESS" if succeeded else "FAILURE",
        "Reason": "everything that is declared serves" if succeeded else _reason(report)[:_REASON_LENGTH],
        "UniqueId": hashlib.sha256(report["execution"].encode()).hexdigest()[:32],
        "Data": report["execution"],
    }
    # the URL is signed for an empty content type
    request = urllib.request.Request(  # noqa: S310 - CloudFormation's own URL
        url, data=json.dumps(body).encode(), method="PUT", headers={"Content-Type": ""}
    )
    for attempt in range(_ATTEMPTS):
        try:
            urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS).close()  # noqa: S310
        except urllib.error.HTTPError as error:
            if error.code < 500:  # nobody waits any more
                log.warning("the deployment that started %s cannot be told: %s", report["execution"], error)
                return
            if attempt == _ATTEMPTS - 1:
                raise
        except OSError:
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return
        time.sleep(2**attempt)


def _reason(report: Mapping[str, Any]) -> str:
    if report["reason"]:
        return str(report["reason"])
    return (
        f"not everything that is declared serves; the run waits for: {'; '.join(report['waitingFor'])}. "
        "Provide it and deploy again, or deploy with Deployment.ASYNC, which does not wait"
    )
