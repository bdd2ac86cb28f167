"""The files that datasets are imported from."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from personalize_lambda.aws import code_of, patiently
from personalize_lambda.planner.world import File

RANGE_BYTES = 256 * 1024
_CHANGED = ("InvalidRange", "NoSuchKey", "PreconditionFailed")


class OutOfTime(Exception):  # noqa: N818 - nothing is wrong with the file
    """The time to read files in has passed."""


class Changed(Exception):  # noqa: N818 - nothing is wrong with the file
    """The file was replaced or deleted while it was read."""


def csv_files(s3: Any, bucket: str, prefix: str) -> list[File]:
    """List the CSV files of a folder and the folders in it; or one file, when the prefix is not that of a folder.

    :param s3: A boto3 client.
    :param bucket: Name of the bucket.
    :param prefix: A folder, ending in ``/``, or the key of a file.
    """
    return [file for file in files_at(s3, bucket, prefix) if file[0].endswith(".csv") or not prefix.endswith("/")]


def files_at(s3: Any, bucket: str, prefix: str) -> list[File]:
    """List all objects of a folder and the folders in it; or one, when the prefix is not that of a folder.

    The parameters are those of :func:`csv_files`.
    """
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [
        (entry["Key"], entry["ETag"], entry["Size"])
        for page in pages
        for entry in page.get("Contents", [])
        if prefix.endswith("/") or entry["Key"] == prefix
    ]


class RangedFile(io.RawIOBase):
    """A file in S3, of which no more is read than is asked for.

    :param s3: A boto3 client.
    :param bucket: Name of the bucket.
    :param file: The file.
    :param is_late: Whether there is no time left to read more.
    """

    def __init__(self, s3: Any, bucket: str, file: File, is_late: Callable[[], bool]) -> None:
        self._s3, self._bucket, self._is_late = s3, bucket, is_late
        self._key, self._etag, self._size = file
        self._position = 0

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read the next range.

        :raises OutOfTime: When there is no time left.
        :raises Changed: When it is not the file any more that was listed.
        """
        end = min(self._position + len(buffer), self._size)
        if end == self._position:
            return 0
        if self._is_late():
            raise OutOfTime
        wanted = f"bytes={self._position}-{end - 1}"
        try:
            answer = patiently(
                lambda: self._s3.get_object(Bucket=self._bucket, Key=self._key, Range=wanted, IfMatch=self._etag)
            )
        except ClientError as error:
            if code_of(error) in _CHANGED:
                raise Changed from error
            raise
        piece = answer["Body"].read()
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)
