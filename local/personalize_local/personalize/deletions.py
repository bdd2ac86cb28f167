"""Data deletion jobs: remove users from all datasets of a group.

See https://docs.aws.amazon.com/personalize/latest/dg/delete-records.html
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any

from .columns import Column
from .contents import DatasetContents
from .csv_file import CsvError, read_header, read_rows
from .errors import JobError
from .locations import Files, Location, LocationError, PrivilegesError
from .recommenders.data import Coded
from .uncertain import (
    DELETION_ENCRYPTED,
    DELETION_INVALID_LOCATION,
    DELETION_NO_PRIVILEGES,
    DELETION_NOT_CONFORMING,
    DELETION_TOO_LARGE,
)

_USERS = (Column("USER_ID", "string"),)


class Deletion:
    """Runs data deletion jobs.

    :param lock: held while rows are removed.
    :param maximum: how many bytes the files may have.
    """

    def __init__(self, files: Files, lock: threading.RLock, log: logging.Logger, *, maximum: int) -> None:
        self._files = files
        self._lock = lock
        self._log = log
        self._maximum = maximum

    def run(self, location: str, contents: Sequence[DatasetContents]) -> int:
        """Delete.

        :returns: how many rows that were.
        :raises JobError: if the users cannot be read; details are in the log.
        """
        try:
            users = self._users(Location.parse(location))
        except LocationError as error:
            self._log.error("%s: %s", location, error)
            raise JobError(DELETION_INVALID_LOCATION) from error
        except PrivilegesError as error:
            self._log.error("%s: %s", location, error)
            raise JobError(DELETION_NO_PRIVILEGES) from error
        deleted = 0
        for content in contents:
            with content.importing, self._lock:
                deleted += content.forget(users)
        self._log.info("%s: deleted %d records of %d users", location, deleted, len(users))
        return deleted

    def _users(self, location: Location) -> set[str]:
        files = self._files.find(location)
        size = sum(file.size for file in files)
        if size > self._maximum:
            raise self._failed(location, DELETION_TOO_LARGE.format(size=size, maximum=self._maximum))
        encrypted = [file.key for file in files if file.kms_key_id]
        if encrypted:
            raise self._failed(location, DELETION_ENCRYPTED.format(key=encrypted[0]))
        users: set[str] = set()
        for file in files:
            body = self._files.read(location.bucket, file.key)
            try:
                users.update(_read(body))
            except CsvError as error:
                self._log.error("s3://%s/%s, line %d: %s", location.bucket, file.key, error.line, error.problem)
                raise JobError(DELETION_NOT_CONFORMING) from error
        return users

    def _failed(self, location: Location, reason: str) -> JobError:
        self._log.error("%s: %s", location, reason)
        return JobError(reason)


def _read(body: bytes) -> list[Any]:
    header = read_header(body, _USERS)
    if len(header) != 1:
        raise CsvError(f"the only column must be USER_ID, the header has {', '.join(header)}", line=1)
    users = read_rows(body, header, _USERS, ("USER_ID",), coded=True)["USER_ID"]
    return list(users.values if isinstance(users, Coded) else users)
