"""Waiting for, and deleting, resources whose state changes take a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from personalize_lambda.aws import IN_USE, NOT_FOUND, client, code_of, log, message_of
from personalize_lambda.provider import physical_id

GIVE_UP_SECONDS = 55 * 60
"""The framework stops after an hour without saying what it waited for; this says it before."""

SETTLE_SECONDS = 10 * 60
"""How long the start of a creation waits for what is still being deleted or updated."""

APPEAR_SECONDS = 60
"""How long something that was just created may not be found yet."""

POLL_SECONDS = 2.0

ACTIVE = "ACTIVE"
CREATE_FAILED = "CREATE FAILED"


@dataclass(frozen=True)
class Kind:
    """A resource type with the operations that it has.

    :param noun: What it is called in messages.
    :param describe_operation: Method of the client that describes one.
    :param delete_operation: Method of the client that deletes one.
    :param arn_parameter: Parameter of both.
    :param member: Member of the description that holds it.
    """

    noun: str
    describe_operation: str
    delete_operation: str
    arn_parameter: str
    member: str

    def describe(self, arn: str) -> dict[str, Any] | None:
        """Return the description, or ``None`` when there is no such resource."""
        operation = getattr(client("personalize"), self.describe_operation)
        try:
            return dict(operation(**{self.arn_parameter: arn})[self.member])
        except ClientError as error:
            if code_of(error) == NOT_FOUND:
                return None
            raise

    def delete(self, arn: str) -> str | None:
        """Ask for the deletion; return why the resource cannot be deleted yet, or ``None``."""
        try:
            getattr(client("personalize"), self.delete_operation)(**{self.arn_parameter: arn})
        except ClientError as error:
            if code_of(error) == NOT_FOUND:
                return None
            if code_of(error) == IN_USE:
                log.info("%s %s cannot be deleted yet: %s", self.noun, arn, message_of(error))
                return message_of(error)
            raise
        log.info("%s %s is being deleted", self.noun, arn)
        return None

    def settle(self, arn: str, is_settled: Callable[[dict[str, Any] | None], bool]) -> dict[str, Any] | None:
        """Wait for a state, and return the description.

        :param arn: ARN of the resource.
        :param is_settled: Whether a description is what is waited for.
        :raises RuntimeError: When that takes too long.
        """
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            found = self.describe(arn)
            if is_settled(found):
                return found
            if time.monotonic() > deadline:
                status = found["status"] if found else "gone"
                raise RuntimeError(
                    f"{self.noun} {arn} is {status} for more than {SETTLE_SECONDS // 60} minutes; "
                    "wait until the service is done with it, then deploy again"
                )
            time.sleep(POLL_SECONDS)


def existing(kind: Kind, arn: str) -> dict[str, Any] | None:
    """Return a resource that is there to stay, after the remains of others are gone.

    :param kind: Its type.
    :param arn: Its ARN.
    """
    found = kind.describe(arn)
    if found is None:
        return None
    if found["status"] == CREATE_FAILED:
        log.info("%s %s is what a failed creation left; it is deleted", kind.noun, arn)
        kind.delete(arn)
    elif not found["status"].startswith("DELETE"):
        return found
    return kind.settle(arn, lambda state: state is None)


def start_delete(kind: Kind, event: Mapping[str, Any]) -> dict[str, Any]:
    """Handle the start of a Delete event: ask for the deletion, unless the resource is kept.

    :returns: With ``InUse``, why it cannot be deleted yet, if so.
    """
    result = {"PhysicalResourceId": event["PhysicalResourceId"]}
    target = physical_id.parse(event)
    if target is None:
        log.info("there is no %s to delete: its creation failed", kind.noun)
    elif physical_id.is_kept(event, target):
        log.info("%s %s existed before and is kept", kind.noun, target.arn)
    elif reason := kind.delete(target.arn):
        return {**result, "InUse": reason}
    return result


def is_deleted(kind: Kind, event: Mapping[str, Any]) -> dict[str, Any]:
    """Handle the wait of a Delete event: ask again for as long as the resource is in use.

    :raises RuntimeError: When it is in use for too long.
    """
    target = physical_id.parse(event)
    if target is None or physical_id.is_kept(event, target):
        return {"IsComplete": True}
    found = kind.describe(target.arn)
    if found is None:
        return {"IsComplete": True}
    reason = None if found["status"].startswith("DELETE") else kind.delete(target.arn)
    if time.time() - float(event["StartedAt"]) > GIVE_UP_SECONDS:
        raise RuntimeError(
            f"{kind.noun} {target.arn} is {found['status']} and could not be deleted within "
            f"{GIVE_UP_SECONDS // 60} minutes: {reason or 'the service is still deleting it'}. "
            "Delete the stack again to go on"
        )
    return {"IsComplete": False}


def is_created(kind: Kind, event: Mapping[str, Any]) -> dict[str, Any]:
    """Handle the wait of a Create or Update event.

    :raises RuntimeError: When the resource could not be created, or is gone.
    """
    target = physical_id.parse(event)
    if target is None:
        raise RuntimeError(f"physical id must be an ARN, got {event['PhysicalResourceId']!r}")
    found = kind.describe(target.arn)
    if found is None:
        if time.time() - float(event["StartedAt"]) < APPEAR_SECONDS:
            return {"IsComplete": False}
        raise RuntimeError(
            f"{kind.noun} {target.arn} does not exist any more; something else deleted it. "
            "Remove it from the stack, deploy, add it again, deploy again"
        )
    if found["status"] == CREATE_FAILED:
        kind.delete(target.arn)
        reason = found.get("failureReason", "the service gives no reason for this type")
        raise RuntimeError(f"{kind.noun} {target.arn} could not be created: {reason}. Mend this and deploy again")
    return {"IsComplete": found["status"] == ACTIVE}
