"""Where jobs read and write: files in S3, in the name of a role.

See https://docs.aws.amazon.com/personalize/latest/dg/granting-personalize-s3-access.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from .engine import Engine
from .objects import StoredObject
from .state import Scope


class LocationError(Exception):
    """There is nothing at a location."""


class PrivilegesError(Exception):
    """The role, or the bucket's policy, does not allow it."""


@dataclass(frozen=True)
class Location:
    """A file or a folder in S3.

    :param path: the whole key of a file; a folder's ends with a slash, or is empty.
    """

    bucket: str
    path: str

    @classmethod
    def parse(cls, text: str) -> Location:
        """Read a location such as ``s3://bucket/folder/``.

        :raises LocationError: if it is not in S3.
        """
        url = urlsplit(text)
        if url.scheme != "s3" or not url.netloc:
            raise LocationError(f"{text} does not start with s3:// and the name of a bucket")
        return cls(url.netloc, url.path.removeprefix("/"))

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.path == "" or self.path.endswith("/")

    def file(self, name: str) -> Location:
        """A file in the folder; what does not end with a slash is taken for a folder too."""
        return Location(self.bucket, f"{self.path}{'' if self.is_folder else '/'}{name}")

    def __str__(self) -> str:
        """Write it as a URL."""
        return f"s3://{self.bucket}/{self.path}"


class Files:
    """The files that a role can get at."""

    def __init__(self, engine: Engine, scope: Scope, role_arn: str) -> None:
        self._objects = engine.objects
        self._authorize = engine.authorize
        self._scope = scope
        self._role_arn = role_arn

    def find(self, location: Location, suffix: str = ".csv") -> list[StoredObject]:
        """Find a file, or all files of a folder and the folders in it whose name ends in a certain way.

        :param suffix: the end of the name, in any case. Default: - that of CSV files.
        :raises LocationError: if there is none.
        :raises PrivilegesError: if one may not be read.
        """
        self.require("s3:ListBucket", location.bucket)
        found = [
            entry
            for entry in self._list(location)
            if (_is_file(entry.key, suffix) if location.is_folder else entry.key == location.path)
        ]
        for entry in found:
            self.require("s3:GetObject", f"{location.bucket}/{entry.key}")
        if not found:
            raise LocationError(
                f"there is no {f'file *{suffix} in this folder' if location.is_folder else 'such file'}"
            )
        return sorted(found, key=lambda entry: entry.key)

    def read(self, bucket: str, key: str) -> bytes:
        """Read a file.

        :raises LocationError: if it is not there any more.
        """
        try:
            return self._objects.read(bucket, key, account=self._scope.account, region=self._scope.region)
        except LookupError as error:
            raise LocationError(str(error)) from error

    def write(self, location: Location, body: bytes) -> None:
        """Write a file.

        :raises LocationError: if there is no such bucket.
        :raises PrivilegesError: if it may not be written.
        """
        self.check(location)
        try:
            self._objects.write(
                location.bucket, location.path, body, account=self._scope.account, region=self._scope.region
            )
        except LookupError as error:
            raise LocationError(str(error)) from error

    def check(self, location: Location) -> None:
        """Check that a file may be written.

        :raises LocationError: if there is no such bucket.
        :raises PrivilegesError: if it may not be written.
        """
        self.require("s3:ListBucket", location.bucket)
        self.require("s3:PutObject", f"{location.bucket}/{location.path}")
        self._list(location)

    def require(self, action: str, resource: str) -> None:
        """Check that something may be done to a bucket or an object.

        :raises PrivilegesError: if not.
        """
        self._require(action, f"arn:{self._scope.partition}:s3:::{resource}")

    def _require(self, action: str, arn: str) -> None:
        if self._authorize is None:
            return
        allowed = self._authorize(
            action=action,
            resource=arn,
            role_arn=self._role_arn,
            account=self._scope.account,
            region=self._scope.region,
        )
        if not allowed:
            raise PrivilegesError(f"{self._role_arn} may not {action} on {arn}")

    def require_any(self, action: str) -> None:
        """Check that something may be done that is about no resource in particular.

        :raises PrivilegesError: if not.
        """
        self._require(action, "*")

    def _list(self, location: Location) -> Sequence[StoredObject]:
        try:
            return self._objects.list(
                location.bucket, location.path, account=self._scope.account, region=self._scope.region
            )
        except LookupError as error:
            raise LocationError(str(error)) from error


def _is_file(key: str, suffix: str) -> bool:
    """Tell whether a key is that of a file; consoles make folders visible by objects whose key ends with a slash."""
    return key.lower().endswith(suffix) and not key.endswith("/")
