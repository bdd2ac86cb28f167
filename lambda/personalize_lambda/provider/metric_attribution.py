"""``Custom::PersonalizeMetricAttribution``: a metric attribution whose metrics can change.

CloudFormation's own type replaces it then, and the service allows one for each dataset group.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from personalize_lambda.aws import ALREADY_EXISTS, arn_in_stack, client, code_of, log
from personalize_lambda.provider import lifecycle, physical_id
from personalize_lambda.provider.physical_id import PhysicalId

KIND = lifecycle.Kind(
    noun="metric attribution",
    describe_operation="describe_metric_attribution",
    delete_operation="delete_metric_attribution",
    arn_parameter="metricAttributionArn",
    member="metricAttribution",
)

_BUSY = ("PENDING", "IN_PROGRESS")


def create(event: Mapping[str, Any]) -> dict[str, Any]:
    """Create the metric attribution, or take on the one of that name and dataset group.

    :raises RuntimeError: When the one of that name belongs to another dataset group.
    """
    properties = event["ResourceProperties"]
    arn = arn_in_stack(event, f"metric-attribution/{properties['Name']}")
    if lifecycle.existing(KIND, arn) is None:
        try:
            response = client("personalize").create_metric_attribution(
                name=properties["Name"],
                datasetGroupArn=properties["DatasetGroupArn"],
                metrics=list(_declared(properties).values()),
                metricsOutputConfig=_output(properties),
            )
        except ClientError as error:
            if code_of(error) != ALREADY_EXISTS or KIND.describe(arn) is None:
                raise
        else:
            return _result(response["metricAttributionArn"], is_updating=False)
    log.info("metric attribution %s exists already and is taken on", arn)
    found = _settled(arn)
    if found["datasetGroupArn"] != properties["DatasetGroupArn"]:
        raise RuntimeError(
            f"metric attribution {arn} exists already for {found['datasetGroupArn']}, not for "
            f"{properties['DatasetGroupArn']}; delete it, then deploy again"
        )
    return _result(arn, is_updating=_update(arn, properties, found))


def update(event: Mapping[str, Any]) -> dict[str, Any]:
    """Add and remove metrics, and change where the reports go.

    :raises RuntimeError: When it would become that of another dataset group.
    """
    properties = event["ResourceProperties"]
    target = physical_id.parse(event)
    former = event["OldResourceProperties"]
    is_moved = former["DatasetGroupArn"] != properties["DatasetGroupArn"]
    if target is None or target.name != properties["Name"] or is_moved:
        raise RuntimeError(
            f"the name and the dataset group of metric attribution {event['PhysicalResourceId']} cannot change, got "
            f"{properties['Name']!r} and {properties['DatasetGroupArn']}. Remove it from the stack, deploy, add it "
            "again, deploy again"
        )
    return _result(target.arn, is_updating=_update(target.arn, properties, _settled(target.arn)))


def delete(event: Mapping[str, Any]) -> dict[str, Any]:
    """Ask for the deletion."""
    return lifecycle.start_delete(KIND, event)


def is_complete(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return whether the metric attribution is ACTIVE as declared, or gone.

    :raises RuntimeError: When the service could not change it.
    """
    if event["RequestType"] == "Delete":
        return lifecycle.is_deleted(KIND, event)
    since = event.get("UpdatingSince")
    if since is None:
        return lifecycle.is_created(KIND, event) if event["RequestType"] == "Create" else {"IsComplete": True}
    arn = event["Data"]["MetricAttributionArn"]
    found = KIND.describe(arn) or {"status": "gone"}
    if found["status"].endswith(_BUSY):
        return {"IsComplete": False}
    if not _changes(arn, event["ResourceProperties"], found):
        return {"IsComplete": True}
    # Just after the request it may still be shown as it was. After a failed update it is shown so for good.
    if found["status"] == lifecycle.ACTIVE and time.time() - since < lifecycle.APPEAR_SECONDS:
        return {"IsComplete": False}
    reason = found.get("failureReason", "the service gives no reason")
    raise RuntimeError(
        f"metric attribution {arn} could not be changed, it is {found['status']} as it was before: {reason}. "
        "Mend this and deploy again"
    )


def _settled(arn: str) -> dict[str, Any]:
    """Wait until it is not being created or updated; return the description."""
    return KIND.settle(arn, lambda state: state is None or not state["status"].endswith(_BUSY)) or {}


def _update(arn: str, properties: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Ask for what differs, all at once, since there must be a metric at any time; return whether there was any."""
    changes = _changes(arn, properties, found)
    if changes:
        client("personalize").update_metric_attribution(metricAttributionArn=arn, **changes)
        log.info("metric attribution %s is being changed: %s", arn, changes)
    return bool(changes)


def _changes(arn: str, properties: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """What UpdateMetricAttribution has to be called with, to make it what is declared."""
    wanted, current = _declared(properties), _current(arn)
    changes: dict[str, Any] = {
        "addMetrics": [metric for name, metric in wanted.items() if current.get(name) != metric],
        "removeMetrics": sorted(name for name, metric in current.items() if wanted.get(name) != metric),
    }
    if found.get("metricsOutputConfig") != _output(properties):
        changes["metricsOutputConfig"] = _output(properties)
    return {name: change for name, change in changes.items() if change}


def _declared(properties: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The metrics that are declared, by name; names and event types in upper case, as the service keeps them."""
    return {
        metric["MetricName"].upper(): {
            "eventType": metric["EventType"].upper(),
            "metricName": metric["MetricName"].upper(),
            "expression": metric["Expression"],
        }
        for metric in properties["Metrics"]
    }


def _current(arn: str) -> dict[str, dict[str, str]]:
    pages = client("personalize").get_paginator("list_metric_attribution_metrics").paginate(metricAttributionArn=arn)
    return {
        metric["metricName"]: {name: metric[name] for name in ("eventType", "metricName", "expression")}
        for page in pages
        for metric in page["metrics"]
    }


def _output(properties: Mapping[str, Any]) -> dict[str, Any]:
    destination = {"path": properties.get("Path"), "kmsKeyArn": properties.get("KmsKeyArn")}
    given = {name: value for name, value in destination.items() if value}
    return {"roleArn": properties["RoleArn"], **({"s3DataDestination": given} if given else {})}


def _result(arn: str, *, is_updating: bool) -> dict[str, Any]:
    return {
        "PhysicalResourceId": str(PhysicalId(arn)),
        "Data": {"MetricAttributionArn": arn},
        "UpdatingSince": time.time() if is_updating else None,
    }
