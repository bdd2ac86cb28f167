"""``Custom::PersonalizeDataset``: a dataset whose columns can grow, and that is never replaced."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from personalize_lambda.aws import ALREADY_EXISTS, IN_USE, client, code_of, log, message_of
from personalize_lambda.provider import evolution, lifecycle, physical_id, tags
from personalize_lambda.provider.physical_id import PhysicalId

KIND = lifecycle.Kind(
    noun="dataset",
    describe_operation="describe_dataset",
    delete_operation="delete_dataset",
    arn_parameter="datasetArn",
    member="dataset",
)

WITH_TRACKING_ID = "ACTION_INTERACTIONS"

ROLLING_BACK = frozenset({"UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"})

ROLLBACK_SECONDS = 120
"""How long a rollback tries to delete a dataset that the update added: what is in its way belongs to what is rolled
back to, and stays."""


def create(event: Mapping[str, Any]) -> dict[str, Any]:
    """Create the dataset, or take on the one of that type, whose columns then grow to those declared.

    :raises RuntimeError: When the one that exists has columns that cannot be changed into those declared.
    """
    properties = event["ResourceProperties"]
    arn = _arn(properties)
    found = lifecycle.existing(KIND, arn)
    if found is None:
        try:
            return _created(properties)
        except ClientError as error:
            if code_of(error) != ALREADY_EXISTS:
                raise
    log.info("dataset %s exists already and is taken on", arn)
    settled = KIND.settle(arn, lambda state: state is not None and state["status"] == lifecycle.ACTIVE)
    # The tags first: none can be set on a dataset that is being updated.
    tags.synchronize(arn, properties)
    updating = _evolve(event, arn, settled or {})
    # What was not ACTIVE yet has no data: it is from an earlier attempt of this creation.
    is_adopted = found is not None and not found["status"].startswith("CREATE")
    return _result(PhysicalId(arn, is_adopted), updating)


def update(event: Mapping[str, Any]) -> dict[str, Any]:
    """Let the columns grow, and bring the tags up to date.

    :raises RuntimeError: When the change would need another dataset.
    """
    properties = event["ResourceProperties"]
    former = event["OldResourceProperties"]
    target = physical_id.parse(event)
    if target is None or target.arn != _arn(properties):
        raise RuntimeError(
            f"dataset {event['PhysicalResourceId']} cannot become {_arn(properties)}, as its data would be lost. "
            "Put back the dataset group and type, or declare the dataset with another construct id"
        )
    # The tags first: none can be set on a dataset that is being updated.
    tags.synchronize(target.arn, properties, former)
    updating = None
    # Unless the declaration changed, a dataset may keep the additional columns that a rollback left it.
    if former.get("SchemaArn") != properties["SchemaArn"]:
        settled = KIND.settle(target.arn, lambda state: state is None or state["status"] == lifecycle.ACTIVE)
        updating = _evolve(event, target.arn, settled or {})
    return _result(target, updating)


def delete(event: Mapping[str, Any]) -> dict[str, Any]:
    """Ask for the deletion."""
    result = lifecycle.start_delete(KIND, event)
    return {**result, "RollingBack": True} if "InUse" in result and _is_rolling_back(event) else result


def is_complete(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return whether the dataset is ACTIVE with the columns declared, or gone.

    :raises RuntimeError: When the service could not change the columns, or does not delete the dataset.
    """
    if event["RequestType"] == "Delete":
        state = lifecycle.is_deleted(KIND, event)
        if not state["IsComplete"]:
            _give_up_in_rollback(event)
        return state
    state = lifecycle.is_created(KIND, event)
    if not state["IsComplete"]:
        return state
    target = physical_id.parse(event)
    if event["ResourceProperties"]["DatasetType"].upper() == WITH_TRACKING_ID:
        return _with_tracking_id(target)
    if not event.get("UpdatingTo"):
        return state
    found = (KIND.describe(target.arn) if target else None) or {}
    latest = found.get("latestDatasetUpdate") or {}
    if latest.get("schemaArn") == event["UpdatingTo"] and str(latest.get("status", "")).endswith("FAILED"):
        raise RuntimeError(
            f"the columns of dataset {event['PhysicalResourceId']} could not be changed: "
            f"{latest.get('failureReason', 'the service gives no reason')}. Mend this and deploy again"
        )
    # Just after the request, the dataset may still be shown as it was.
    return {"IsComplete": found.get("schemaArn") == event["UpdatingTo"]}


def _give_up_in_rollback(event: Mapping[str, Any]) -> None:
    if not event.get("RollingBack") or time.time() - float(event["StartedAt"]) <= ROLLBACK_SECONDS:
        return
    target = physical_id.parse(event)
    found = KIND.describe(target.arn) if target else None
    if target and found and not found["status"].startswith("DELETE"):
        raise RuntimeError(
            f"dataset {target.arn} was added by an update that is rolled back and cannot be deleted: {event['InUse']} "
            "Deploy again with it, which takes it on, or delete it once the dataset group has no filters and no "
            "campaigns"
        )


def _with_tracking_id(target: PhysicalId | None) -> dict[str, Any]:
    """Return that the dataset is complete, and what action interactions are sent to it with."""
    found = (KIND.describe(target.arn) if target else None) or {}
    return {"IsComplete": True, "Data": {"TrackingId": found["trackingId"]} if "trackingId" in found else {}}


def _created(properties: Mapping[str, Any]) -> dict[str, Any]:
    response = client("personalize").create_dataset(
        name=properties["Name"],
        schemaArn=properties["SchemaArn"],
        datasetGroupArn=properties["DatasetGroupArn"],
        datasetType=properties["DatasetType"],
        tags=tags.for_api(properties),
    )
    return _result(PhysicalId(response["datasetArn"]))


def _result(target: PhysicalId, updating_to: str | None = None) -> dict[str, Any]:
    return {
        "PhysicalResourceId": str(target),
        "Data": {"DatasetArn": target.arn},
        "UpdatingTo": updating_to,
    }


def _arn(properties: Mapping[str, Any]) -> str:
    """Return the ARN of a dataset, which follows from its group and type."""
    group = properties["DatasetGroupArn"].replace(":dataset-group/", ":dataset/")
    return f"{group}/{properties['DatasetType'].upper()}"


def _evolve(event: Mapping[str, Any], arn: str, found: Mapping[str, Any]) -> str | None:
    """Give a dataset the schema that is declared; return its ARN when there was something to do."""
    wanted_arn = event["ResourceProperties"]["SchemaArn"]
    if not found or found["schemaArn"] == wanted_arn:
        return None
    current, wanted = _schema(found["schemaArn"]), _schema(wanted_arn)
    if current == wanted:
        return None
    dataset_type = found["datasetType"].upper()
    problems = evolution.problems(dataset_type, current, wanted)
    if not problems:
        _update(arn, wanted_arn)
        log.info("dataset %s is being given the schema %s", arn, wanted_arn)
        return str(wanted_arn)
    if _is_rolling_back(event):
        log.warning("dataset %s keeps the columns of %s: %s", arn, found["schemaArn"], "; ".join(problems))
        return None
    can = "only nullable columns can be added" if dataset_type in evolution.EVOLVING_TYPES else "nothing can be changed"
    raise RuntimeError(
        f"the schema of {dataset_type} cannot be changed like that: {'; '.join(problems)}. The dataset {arn} has data, "
        f"and {can}. Put the columns back as they were, or declare a DatasetGroup with another construct id and import "
        "the data there"
    )


def _update(arn: str, schema_arn: str) -> None:
    """Ask for the update, for as long as an import may be in its way."""
    deadline = time.monotonic() + lifecycle.SETTLE_SECONDS
    while True:
        try:
            client("personalize").update_dataset(datasetArn=arn, schemaArn=schema_arn)
        except ClientError as error:
            if code_of(error) != IN_USE or time.monotonic() > deadline:
                raise
            log.info("dataset %s cannot be updated yet: %s", arn, message_of(error))
            time.sleep(lifecycle.POLL_SECONDS)
        else:
            return


def _schema(arn: str) -> dict[str, Any]:
    return dict(json.loads(client("personalize").describe_schema(schemaArn=arn)["schema"]["schema"]))


def _is_rolling_back(event: Mapping[str, Any]) -> bool:
    stacks = client("cloudformation").describe_stacks(StackName=event["StackId"])["Stacks"]
    return bool(stacks) and stacks[0]["StackStatus"] in ROLLING_BACK
