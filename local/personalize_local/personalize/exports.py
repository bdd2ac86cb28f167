"""Export jobs: from a dataset to a CSV file that can be imported again.

See https://docs.aws.amazon.com/personalize/latest/dg/export-data.html
"""

from __future__ import annotations

import csv
import io
import logging
import math
import threading
from collections.abc import Sequence
from typing import Any

from .columns import Column
from .contents import DatasetContents, Origin
from .errors import JobError
from .locations import Files, Location, LocationError, PrivilegesError
from .recommenders.data import Array
from .uncertain import EXPORT_INVALID_LOCATION, EXPORT_NO_PRIVILEGES


class Exporter:
    """Runs export jobs.

    :param lock: held while rows are read.
    """

    def __init__(self, files: Files, lock: threading.RLock, log: logging.Logger) -> None:
        self._files = files
        self._lock = lock
        self._log = log

    def run(self, contents: DatasetContents, columns: Sequence[Column], origin: Origin, location: Location) -> None:
        """Export.

        :raises JobError: if the file cannot be written; details are in the log.
        """
        with self._lock:
            rows = contents.export(columns, origin)
        try:
            self._files.write(location, _written(columns, rows))
        except LocationError as error:
            self._log.error("%s: %s", location, error)
            raise JobError(EXPORT_INVALID_LOCATION) from error
        except PrivilegesError as error:
            self._log.error("%s: %s", location, error)
            raise JobError(EXPORT_NO_PRIVILEGES) from error
        self._log.info("%s: exported %d records", location, len(next(iter(rows.values()))))


def _written(columns: Sequence[Column], rows: dict[str, Array]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, escapechar="\\", lineterminator="\n")
    writer.writerow(column.name for column in columns)
    writer.writerows(
        zip(*(map(_WRITERS.get(column.type, _text), rows[column.name]) for column in columns), strict=True)
    )
    return text.getvalue().encode()


def _text(value: str | None) -> str:
    return value or ""


def _whole(value: Any) -> str:
    return "" if _is_null(value) else str(int(value))


def _real(value: Any) -> str:
    return "" if _is_null(value) else repr(float(value))


def _truth(value: bool | None) -> str:
    return "" if value is None else str(bool(value)).lower()


def _is_null(value: Any) -> bool:
    return value is None or math.isnan(value)


_WRITERS = {"int": _whole, "long": _whole, "float": _real, "double": _real, "boolean": _truth}
