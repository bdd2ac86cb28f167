"""Buckets of the AWS emulator as Personalize reads and writes them, without a detour over HTTP."""

from collections.abc import Sequence
from datetime import datetime

from ministack.core.responses import request_scope
from ministack.services import s3

from personalize_local.personalize.objects import StoredObject


class EmulatorObjectStore:
    """The `ObjectStore` over the AWS emulator's S3.

    Every method raises `LookupError` when the bucket or the object does not exist.
    """

    def list(self, bucket: str, prefix: str, *, account: str, region: str) -> Sequence[StoredObject]:
        """List the current objects whose key starts with the prefix, sorted by key."""
        with request_scope(account, region):
            found = s3._buckets.get(bucket)
            if found is None:
                raise LookupError(f"The specified bucket does not exist: {bucket}")
            objects = dict(found["objects"])
        return [
            StoredObject(
                key=key,
                size=int(stored["size"]),
                last_modified=datetime.fromisoformat(stored["last_modified"].replace("Z", "+00:00")).timestamp(),
                etag=stored["etag"],
                kms_key_id=stored.get("preserved_headers", {}).get("x-amz-server-side-encryption-aws-kms-key-id"),
            )
            for key, stored in sorted(objects.items())
            if key.startswith(prefix)
        ]

    def read(self, bucket: str, key: str, *, account: str, region: str) -> bytes:
        """Read the current version of one object."""
        with request_scope(account, region):
            status, _, body = s3._get_object(bucket, key, {}, {})
        if status != 200:
            raise LookupError(f"The specified key does not exist: s3://{bucket}/{key}")
        return body if isinstance(body, bytes) else bytes(body)

    def write(self, bucket: str, key: str, body: bytes, *, account: str, region: str) -> None:
        """Write one object; notifications of the bucket are sent."""
        with request_scope(account, region):
            status, _, answer = s3._put_object(bucket, key, body, {})
        if status != 200:
            raise LookupError(f"S3 refused to write s3://{bucket}/{key}: {answer!r}")
