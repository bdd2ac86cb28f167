"""Import jobs: from a CSV file or a folder of them into a dataset.

See https://docs.aws.amazon.com/personalize/latest/dg/bulk-data-import-step.html
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .columns import ID_COLUMNS, Column
from .contents import Columns, DatasetContents, InteractionsContents, below, row_count
from .csv_file import CsvError, MissingColumnsError, TooLongError, read_header, read_rows
from .errors import JobError
from .large_csv import LARGE, read_plain_rows
from .locations import Files, Location, LocationError, PrivilegesError
from .recommenders.data import Array, Coded
from .uncertain import (
    IMPORT_MISSING_COLUMNS,
    IMPORT_NO_PRIVILEGES,
    IMPORT_TOO_LARGE,
    ROWS_DO_NOT_CONFORM,
    TOO_FEW_RECORDS,
)

INVALID_LOCATION = "Invalid Data location."
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
    :param replace: whether the rows replace those imported before; they are added otherwise.
    :param minimum: how many records an import of interactions needs.
    :param maximum: how many bytes the files may have.
    :param only_new_count: whether records that are there already do not count when interactions are added.
    :param extra_columns_allowed: whether the files may have columns that the schema lacks.
    :param in_order: whether the columns must have the order of the schema's fields.
    """

    location: str
    dataset_type: str
    columns: tuple[Column, ...]
    contents: DatasetContents
    replace: bool
    minimum: int
    maximum: int
    only_new_count: bool
    extra_columns_allowed: bool
    in_order: bool

    @property
    def dataset_name(self) -> str:
        """The type as texts have it."""
        return "_".join(word.capitalize() for word in self.dataset_type.split("_"))


class Importer:
    """Runs import jobs.

    :param lock: held while rows are taken up.
    :param imported: called with the rows once they are taken up.
    """

    def __init__(
        self,
        files: Files,
        lock: threading.RLock,
        log: logging.Logger,
        imported: Callable[[Columns], None] = lambda columns: None,
    ) -> None:
        self._files = files
        self._lock = lock
        self._log = log
        self._imported = imported

    def run(self, job: ImportJob) -> None:
        """Import.

        :raises JobError: with the service's text; details are in the log.
        """
        columns, records = self._columns(job)
        self._warn_of_milliseconds(job, columns)
        with job.contents.importing:
            prepared = job.contents.prepare(columns, replace=job.replace)
            self._require_enough(job, records, prepared)
            with self._lock:
                job.contents.commit(prepared)
        self._log.info("%s: imported %d records into %s", job.location, records, job.dataset_name)
        self._imported(columns)

    def _columns(self, job: ImportJob) -> tuple[Columns, int]:
        try:
            location = Location.parse(job.location)
            files = self._files.find(location)
            size = sum(file.size for file in files)
            if size > job.maximum:
                raise self._failed(job, IMPORT_TOO_LARGE.format(size=size, maximum=job.maximum))
            parts = self._read(job, location.bucket, [file.key for file in files])
        except LocationError as error:
            self._log.error("%s: %s", job.location, error)
            raise JobError(INVALID_LOCATION) from error
        except PrivilegesError as error:
            self._log.error("%s: %s", job.location, error)
            raise JobError(IMPORT_NO_PRIVILEGES.format(dataset_type=job.dataset_name)) from error
        columns = {column.name: below([part[column.name] for part in parts]) for column in job.columns}
        return columns, row_count(columns)

    def _read(self, job: ImportJob, bucket: str, keys: Sequence[str]) -> list[Columns]:
        parts: list[Columns] = []
        shared: list[str] = []
        for key in keys:
            where = f"s3://{bucket}/{key}"
            body = self._files.read(bucket, key)
            try:
                header = read_header(body, job.columns)
                _check_header(header, shared or header, job)
                shared = header
                parts.append(_rows(body, header, job))
            except CsvError as error:
                column = f", column {error.column}" if error.column else ""
                self._log.error("%s, line %d%s: %s", where, error.line, column, error.problem)
                raise JobError(_reason(error, job.dataset_name)) from error
        return parts

    def _require_enough(self, job: ImportJob, records: int, prepared: Columns) -> None:
        if not isinstance(job.contents, InteractionsContents):
            return
        if not job.replace and job.only_new_count:
            records = row_count(prepared) - job.contents.bulk_rows
        if records < job.minimum:
            raise self._failed(
                job, TOO_FEW_RECORDS.format(dataset_type=job.dataset_name, records=records, minimum=job.minimum)
            )

    def _failed(self, job: ImportJob, reason: str) -> JobError:
        self._log.error("%s: %s", job.location, reason)
        return JobError(reason)

    def _warn_of_milliseconds(self, job: ImportJob, columns: Columns) -> None:
        for name in ("TIMESTAMP", "CREATION_TIMESTAMP"):
            values = columns.get(name)
            if not isinstance(values, np.ndarray) or not len(values):
                continue
            if np.fmax.reduce(values) >= _MILLISECONDS_FROM:
                self._log.warning("%s, column %s: seems to be in milliseconds, not seconds", job.location, name)


def _rows(body: bytes, header: Sequence[str], job: ImportJob) -> Columns:
    ids = ID_COLUMNS[job.dataset_type]
    coded = isinstance(job.contents, InteractionsContents)
    found: dict[str, Array | Coded] | None = None
    if len(body) >= LARGE:
        found = read_plain_rows(body, header, job.columns, ids, coded=coded)
    return read_rows(body, header, job.columns, ids, coded=coded) if found is None else found


def _check_header(header: Sequence[str], shared: Sequence[str], job: ImportJob) -> None:
    if list(header) != list(shared):
        raise CsvError(f"the header must be that of the other files, {','.join(shared)}", line=1)
    names = [column.name for column in job.columns]
    if job.in_order and [name for name in header if name in names] != names:
        raise CsvError(f"the columns must have the order of the schema's fields, {','.join(names)}", line=1)
    extra = set(header) - set(names)
    if extra and not job.extra_columns_allowed:
        raise CsvError(f"the schema does not have {', '.join(sorted(extra))}", line=1)


def _reason(error: CsvError, dataset_type: str) -> str:
    if isinstance(error, MissingColumnsError):
        return IMPORT_MISSING_COLUMNS.format(dataset_type=dataset_type, names=", ".join(error.names))
    if isinstance(error, TooLongError):
        return TOO_LONG.format(limit=error.limit, column=error.column)
    return ROWS_DO_NOT_CONFORM.format(dataset_type=dataset_type)
