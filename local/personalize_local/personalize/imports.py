"""Import jobs: from a CSV file or a folder of them into a dataset.

See https://docs.aws.amazon.com/personalize/latest/dg/bulk-data-import-step.html
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import numpy as np

from .columns import ID_COLUMNS, Column
from .contents import Columns, DatasetContents
from .csv_file import CsvError, MissingColumnsError, TooLongError, read_columns, read_header
from .errors import JobError
from .objects import Authorize, ObjectStore
from .recommenders.data import Array
from .uncertain import ROWS_DO_NOT_CONFORM, TOO_FEW_RECORDS

INVALID_LOCATION = "Invalid Data location."
NO_PRIVILEGES = (
    "Failed to create a data import job for {dataset_type} dataset. "
    "Insufficient privileges for accessing data in Amazon S3."
)
MISSING_COLUMNS = (
    "Failed to create a data import job for {dataset_type} dataset. "
    "Input CSV is missing the following columns:[{names}]."
)
TOO_LONG = (
    "Length cannot be more than {limit} characters for {column}. If no values exceed the character limit, make sure "
    "your data follows the formatting guidelines listed in "
    "https://docs.aws.amazon.com/personalize/latest/dg/data-prep-formatting.html."
)
#: Unix times in seconds stay below this until the year 5138; above, they are most likely milliseconds
_MILLISECONDS_FROM = 100_000_000_000


@dataclass(frozen=True)
class ImportJob:
    """What is to be imported, from where, into what.

    :param dataset_type: in upper case.
    :param replace: whether the rows replace those imported before.
    :param minimum: how many records an import into Interactions needs.
    :param extra_columns_allowed: whether the files may have columns that the schema lacks.
    """

    location: str
    role_arn: str
    dataset_type: str
    columns: tuple[Column, ...]
    contents: DatasetContents
    replace: bool
    minimum: int
    extra_columns_allowed: bool
    account: str
    region: str

    @property
    def dataset_name(self) -> str:
        """The type as texts have it."""
        return self.dataset_type.capitalize()


class Importer:
    """Runs import jobs.

    :param authorize: whether the role may read. Default: - every role may.
    :param lock: held while rows are taken up.
    """

    def __init__(
        self, objects: ObjectStore, authorize: Authorize | None, lock: threading.RLock, log: logging.Logger
    ) -> None:
        self._objects = objects
        self._authorize = authorize
        self._lock = lock
        self._log = log

    def run(self, job: ImportJob) -> None:
        """Import.

        :raises JobError: with the service's text; details are in the log.
        """
        bucket, keys = self._find(job)
        parts = [self._read(job, bucket, key) for key in keys]
        columns = {column.name: _joined([part[column.name] for part in parts]) for column in job.columns}
        records = len(columns[job.columns[0].name])
        if job.dataset_type == "INTERACTIONS" and records < job.minimum:
            reason = TOO_FEW_RECORDS.format(dataset_type=job.dataset_name, records=records, minimum=job.minimum)
            self._log.error("%s: %s", job.location, reason)
            raise JobError(reason)
        self._warn_of_milliseconds(job, columns)
        with job.contents.importing:
            prepared = job.contents.prepare(columns, replace=job.replace)
            with self._lock:
                job.contents.commit(prepared)
        self._log.info("%s: imported %d records into %s", job.location, records, job.dataset_name)

    def _find(self, job: ImportJob) -> tuple[str, list[str]]:
        url = urlsplit(job.location)
        bucket, path = url.netloc, url.path.removeprefix("/")
        try:
            if url.scheme != "s3":
                raise LookupError(f"{job.location} does not start with s3://")
            stored = self._objects.list(bucket, path, account=job.account, region=job.region)
        except LookupError as error:
            self._log.error("%s: %s", job.location, error)
            raise JobError(INVALID_LOCATION) from error
        folder = path == "" or path.endswith("/")
        keys = sorted(
            entry.key for entry in stored if (entry.key.lower().endswith(".csv") if folder else entry.key == path)
        )
        self._require(job, "s3:ListBucket", bucket)
        for key in keys:
            self._require(job, "s3:GetObject", f"{bucket}/{key}")
        if not keys:
            self._log.error("%s: there is no %s", job.location, "CSV file in this folder" if folder else "such file")
            raise JobError(INVALID_LOCATION)
        return bucket, keys

    def _require(self, job: ImportJob, action: str, resource: str) -> None:
        if self._authorize is None:
            return
        partition = "aws-cn" if job.region.startswith("cn-") else "aws"
        arn = f"arn:{partition}:s3:::{resource}"
        if not self._authorize(
            action=action, resource=arn, role_arn=job.role_arn, account=job.account, region=job.region
        ):
            self._log.error("%s: %s may not %s on %s", job.location, job.role_arn, action, arn)
            raise JobError(NO_PRIVILEGES.format(dataset_type=job.dataset_name))

    def _read(self, job: ImportJob, bucket: str, key: str) -> Columns:
        where = f"s3://{bucket}/{key}"
        try:
            body = self._objects.read(bucket, key, account=job.account, region=job.region)
        except LookupError as error:
            self._log.error("%s: %s", where, error)
            raise JobError(INVALID_LOCATION) from error
        try:
            text = _decode(body)
            if not job.extra_columns_allowed:
                _refuse_extra(text, job.columns)
            return read_columns(text, job.columns, ID_COLUMNS[job.dataset_type])
        except CsvError as error:
            column = f", column {error.column}" if error.column else ""
            self._log.error("%s, line %d%s: %s", where, error.line, column, error.problem)
            raise JobError(_reason(error, job.dataset_name)) from error

    def _warn_of_milliseconds(self, job: ImportJob, columns: Columns) -> None:
        for name in ("TIMESTAMP", "CREATION_TIMESTAMP"):
            values = columns.get(name)
            if values is not None and len(values) and np.nanmax(values.astype(np.float64)) >= _MILLISECONDS_FROM:
                self._log.warning("%s, column %s: seems to be in milliseconds, not seconds", job.location, name)


def _decode(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CsvError("is not UTF-8", line=body.count(b"\n", 0, error.start) + 1) from error


def _refuse_extra(text: str, columns: Sequence[Column]) -> None:
    extra = set(read_header(text)) - {column.name for column in columns}
    if extra:
        raise CsvError(f"the schema does not have {', '.join(sorted(extra))}", line=1)


def _reason(error: CsvError, dataset_type: str) -> str:
    if isinstance(error, MissingColumnsError):
        return MISSING_COLUMNS.format(dataset_type=dataset_type, names=", ".join(error.names))
    if isinstance(error, TooLongError):
        return TOO_LONG.format(limit=error.limit, column=error.column)
    return ROWS_DO_NOT_CONFORM.format(dataset_type=dataset_type)


def _joined(parts: Sequence[Array]) -> Array:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
