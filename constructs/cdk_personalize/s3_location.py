"""Where jobs read and write."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Token
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from cdk_personalize.facts.limits import LOCATION_LENGTH


@dataclass(frozen=True)
class S3Location:
    """Where a job reads or writes.

    See https://docs.aws.amazon.com/personalize/latest/dg/API_S3DataConfig.html

    :param bucket: The bucket, in the Region of the dataset group.
    :param prefix: A folder, ending in ``/``; or, to read from, the key of one file. A value that is known only when it
        is deployed may be either, and access is given as to a folder.
    :param encryption_key: KMS key that the files are encrypted with. Default: - as the bucket says
    :raises ValueError: When the prefix is empty, starts with ``/``, or makes the location longer than 256 characters.
    """

    bucket: s3.IBucket
    prefix: str
    encryption_key: kms.IKey | None = None

    def __post_init__(self) -> None:
        if Token.is_unresolved(self.prefix):
            return
        if not self.prefix or self.prefix.startswith("/"):
            raise ValueError(
                "prefix must be a folder that ends in '/', or the key of a file, without a '/' at its start, "
                f"got {self.prefix!r}"
            )
        if not Token.is_unresolved(self.bucket.bucket_name) and len(self.url) > LOCATION_LENGTH:
            raise ValueError(f"an S3 location has at most {LOCATION_LENGTH} characters, got {self.url!r}")

    @property
    def url(self) -> str:
        """The S3 URL, as the service takes it."""
        return f"s3://{self.bucket.bucket_name}/{self.prefix}"

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder; a token is taken for one."""
        return Token.is_unresolved(self.prefix) or self.prefix.endswith("/")

    @property
    def key_pattern(self) -> str:
        """Pattern of the keys of its files, as a policy takes it."""
        return f"{self.prefix}*" if self.is_folder else self.prefix

    def lies_in(self, bucket: s3.IBucket, prefix: str) -> bool:
        """Whether it is in a folder, or is that folder.

        :param bucket: Bucket of the folder.
        :param prefix: The folder, ending in ``/``; nothing lies in anything else.
        """
        if self.bucket is not bucket or Token.is_unresolved(self.prefix + prefix):
            return False
        return prefix.endswith("/") and self.prefix.startswith(prefix)

    def render(self) -> dict[str, str]:
        """Return ``S3DataConfig`` of the API."""
        key = self.encryption_key
        return {"path": self.url, **({} if key is None else {"kmsKeyArn": key.key_arn})}
