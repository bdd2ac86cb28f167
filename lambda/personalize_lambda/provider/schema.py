"""``Custom::PersonalizeSchema``: a schema whose name carries a hash of its content.

Equal content has an equal name, so a schema that exists already is taken on. One that a dataset still uses is left.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from personalize_lambda.aws import (
    ALREADY_EXISTS,
    IN_USE,
    NOT_FOUND,
    arn_in_stack,
    client,
    code_of,
    log,
    message_of,
)
from personalize_lambda.provider import physical_id

PAUSES_SECONDS = (2.0, 5.0, 0.0)
"""After each try to delete one that is in use: the dataset that used it may be gone only just now."""


def create(event: Mapping[str, Any]) -> dict[str, Any]:
    """Create the schema, or take on the one of that name when it is the same.

    :raises RuntimeError: When there is another schema of that name.
    """
    properties = event["ResourceProperties"]
    domain = {"domain": properties["Domain"]} if properties.get("Domain") else {}
    try:
        arn = client("personalize").create_schema(name=properties["Name"], schema=properties["Schema"], **domain)[
            "schemaArn"
        ]
    except ClientError as error:
        if code_of(error) != ALREADY_EXISTS:
            raise
        arn = _take_on(arn_in_stack(event, f"schema/{properties['Name']}"), properties["Schema"])
    return {"PhysicalResourceId": arn, "Data": {"SchemaArn": arn}}


def update(event: Mapping[str, Any]) -> dict[str, Any]:
    """Create another schema when the name changed; CloudFormation then deletes the former one."""
    target = physical_id.parse(event)
    if target is not None and target.name == event["ResourceProperties"]["Name"]:
        return {"PhysicalResourceId": target.arn, "Data": {"SchemaArn": target.arn}}
    return create(event)


def delete(event: Mapping[str, Any]) -> dict[str, Any]:
    """Delete the schema, unless a dataset uses it."""
    result = {"PhysicalResourceId": event["PhysicalResourceId"]}
    target = physical_id.parse(event)
    if target is None:
        return result
    for seconds in PAUSES_SECONDS:
        try:
            client("personalize").delete_schema(schemaArn=target.arn)
            return result
        except ClientError as error:
            if code_of(error) == NOT_FOUND:
                return result
            if code_of(error) != IN_USE:
                raise
            reason = message_of(error)
        time.sleep(seconds)
    log.warning("schema %s is left, as it is in use: %s", target.arn, reason)
    return result


def is_complete(_event: Mapping[str, Any]) -> dict[str, Any]:
    """Return that it is done: schemas have no states."""
    return {"IsComplete": True}


def _take_on(arn: str, wanted: str) -> str:
    found = client("personalize").describe_schema(schemaArn=arn)["schema"]["schema"]
    if json.loads(found) != json.loads(wanted):
        raise RuntimeError(
            f"schema {arn} exists already with other content: {found}. "
            "Delete it, if no dataset uses it, and deploy again"
        )
    log.info("schema %s exists already with the same content", arn)
    return arn
