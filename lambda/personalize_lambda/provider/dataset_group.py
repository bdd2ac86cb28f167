"""``Custom::PersonalizeDatasetGroup``: a dataset group whose tags can change without replacing it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from personalize_lambda.aws import ALREADY_EXISTS, arn_in_stack, client, code_of, log
from personalize_lambda.provider import lifecycle, physical_id, tags
from personalize_lambda.provider.physical_id import PhysicalId

KIND = lifecycle.Kind(
    noun="dataset group",
    describe_operation="describe_dataset_group",
    delete_operation="delete_dataset_group",
    arn_parameter="datasetGroupArn",
    member="datasetGroup",
)


_FIXED = {"Domain": "domain", "KmsKeyArn": "kmsKeyArn", "RoleArn": "roleArn"}
"""Members of CreateDatasetGroup that can be set once, by property."""


def create(event: Mapping[str, Any]) -> dict[str, Any]:
    """Create the dataset group, or take on the one of that name when it carries our owner tag.

    :raises RuntimeError: When the one of that name belongs to something else.
    """
    properties = event["ResourceProperties"]
    arn = arn_in_stack(event, f"dataset-group/{properties['Name']}")
    # Looked for first: where the quota of dataset groups is used up, creating one would fail for that.
    if KIND.describe(arn) is None:
        try:
            return _created(properties)
        except ClientError as error:
            if code_of(error) != ALREADY_EXISTS:
                raise
    _check_owner(arn, properties)
    found = lifecycle.existing(KIND, arn)
    if found is None:
        return _created(properties)
    _check_same(arn, properties, found)
    log.info("dataset group %s exists already and is taken on", arn)
    tags.synchronize(arn, properties)
    # What is not ACTIVE yet has no data: it is from an earlier attempt of this creation.
    return _result(PhysicalId(arn, is_adopted=found["status"] == lifecycle.ACTIVE))


def update(event: Mapping[str, Any]) -> dict[str, Any]:
    """Bring the tags up to date.

    :raises RuntimeError: When the name, the domain or the key changed.
    """
    properties = event["ResourceProperties"]
    target = physical_id.parse(event)
    if target is None or target.name != properties["Name"]:
        raise RuntimeError(
            f"the name of a dataset group cannot change, got {properties['Name']!r} for {event['PhysicalResourceId']}. "
            "Use the former name, or declare a DatasetGroup with another construct id, which starts without data"
        )
    _check_fixed(target.arn, properties, event["OldResourceProperties"])
    tags.synchronize(target.arn, properties, event["OldResourceProperties"])
    return _result(target)


def delete(event: Mapping[str, Any]) -> dict[str, Any]:
    """Ask for the deletion."""
    return lifecycle.start_delete(KIND, event)


def is_complete(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return whether the dataset group is ACTIVE, or gone."""
    if event["RequestType"] == "Delete":
        return lifecycle.is_deleted(KIND, event)
    return lifecycle.is_created(KIND, event)


def _created(properties: Mapping[str, Any]) -> dict[str, Any]:
    fixed = {member: properties[name] for name, member in _FIXED.items() if name in properties}
    response = client("personalize").create_dataset_group(
        name=properties["Name"], tags=tags.for_api(properties), **fixed
    )
    return _result(PhysicalId(response["datasetGroupArn"]))


def _result(target: PhysicalId) -> dict[str, Any]:
    return {"PhysicalResourceId": str(target), "Data": {"DatasetGroupArn": target.arn}}


def _check_same(arn: str, properties: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    for name in ("Domain", "KmsKeyArn"):
        if properties.get(name) != found.get(_FIXED[name]):
            raise RuntimeError(
                f"dataset group {arn} exists already with {name} {found.get(_FIXED[name])!r}, not "
                f"{properties.get(name)!r}, which cannot change. Declare it as it is, or declare a DatasetGroup with "
                "another construct id, which starts without data"
            )


def _check_fixed(arn: str, properties: Mapping[str, Any], former: Mapping[str, Any]) -> None:
    changed = [name for name in _FIXED if properties.get(name) != former.get(name)]
    if changed:
        raise RuntimeError(
            f"{', '.join(changed)} of dataset group {arn} cannot change, as its data would be lost. Put it back, or "
            "declare a DatasetGroup with another construct id, which starts without data"
        )


def _check_owner(arn: str, properties: Mapping[str, Any]) -> None:
    owner = tags.current(arn).get(tags.OWNER_TAG)
    if owner != properties["Owner"]:
        raise RuntimeError(
            f"dataset group {arn} exists already and belongs to something else: its tag {tags.OWNER_TAG} is {owner!r}, "
            f"not {properties['Owner']!r}. Choose another dataset_group_name, delete that dataset group, or give it "
            "this tag to hand it over to the stack"
        )
