"""Tells a deployment that waits how the run ended. Whom to tell is kept beside the lock: the URL is a secret, and the
run that does the work need not be the one that was started for it.

See https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-waitcondition.html
"""

from __future__ import annotations

import hashlib
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from personalize_lambda.aws import client, log

_TIMEOUT_SECONDS = 10
_ATTEMPTS = 4
_REASON_LENGTH = 1000
_KEY = {"id": {"S": "signal"}}


def expect(table: str, url: str, execution: str) -> None:
    """Keep whom to tell, in place of an earlier deployment, which nobody waits for any more.

    :param table: Name of the table.
    :param url: The URL of the wait condition's handle.
    :param execution: ARN of the run that is about to be started for the deployment.
    """
    item = {**_KEY, "url": {"S": url}, "execution": {"S": execution}, "since": {"N": f"{time.time():.3f}"}}
    client("dynamodb").put_item(TableName=table, Item=item)


def tell(table: str, report: Mapping[str, Any], *, works_since: float | None) -> None:
    """Tell the deployment that waits for a run, if one does.

    :param table: Name of the table.
    :param report: The report of the run.
    :param works_since: When the run was started, if it did the work of any that was started meanwhile; else None.
    """
    dynamodb = client("dynamodb")
    item = dynamodb.get_item(TableName=table, Key=_KEY, ConsistentRead=True).get("Item")
    if item is None:
        return
    run, me = item["execution"], {"S": report["execution"]}
    if run != me:
        if works_since is None or works_since < float(item["since"]["N"]):
            return
        # when telling fails, it is tried again after the lock was given back: then this says that it is ours to tell
        try:
            dynamodb.update_item(
                TableName=table,
                Key=_KEY,
                UpdateExpression="SET execution = :me",
                ConditionExpression="execution = :run",
                ExpressionAttributeValues={":me": me, ":run": run},
            )
        except dynamodb.exceptions.ConditionalCheckFailedException:
            return  # another deployment waits by now
    send(item["url"]["S"], report)
    with suppress(dynamodb.exceptions.ConditionalCheckFailedException):
        dynamodb.delete_item(
            TableName=table,
            Key=_KEY,
            ConditionExpression="execution = :me",
            ExpressionAttributeValues={":me": me},
        )


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
