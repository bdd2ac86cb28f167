"""What the service needs of Amazon S3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class StoredObject:
    """One object of a bucket.

    :param key: its whole key.
    :param size: in bytes.
    :param last_modified: Unix time in seconds.
    :param etag: as S3 reports it.
    :param kms_key_id: the key of AWS KMS that it is encrypted with. Default: - none.
    """

    key: str
    size: int
    last_modified: float
    etag: str
    kms_key_id: str | None = None


class ObjectStore(Protocol):
    """Buckets, as seen by one account in one Region. Called from several threads.

    Every method raises ``LookupError`` when the bucket or the object does not exist.
    """

    def list(self, bucket: str, prefix: str, *, account: str, region: str) -> Sequence[StoredObject]:
        """List the objects whose key starts with the prefix."""
        ...

    def read(self, bucket: str, key: str, *, account: str, region: str) -> bytes:
        """Read one object."""
        ...

    def write(self, bucket: str, key: str, body: bytes, *, account: str, region: str) -> None:
        """Write one object."""
        ...


class Authorize(Protocol):
    """Decides whether the service may do something in the name of a role."""

    def __call__(self, *, action: str, resource: str, role_arn: str, account: str, region: str) -> bool:
        """Tell whether the role's policies allow it and, in S3, the bucket's policy too.

        See https://docs.aws.amazon.com/personalize/latest/dg/granting-personalize-s3-access.html

        :param action: ``s3:ListBucket``, ``s3:GetObject``, ``s3:PutObject`` or ``cloudwatch:PutMetricData``.
        :param resource: the ARN of the bucket or of the object; ``*`` for CloudWatch.
        :param role_arn: the role that was passed to the service.
        """
        ...
