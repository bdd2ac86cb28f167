"""What batch inference jobs and batch segment jobs share: JSON lines in, one answer per line out.

See https://docs.aws.amazon.com/personalize/latest/dg/batch-data-upload.html
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from .engine import Context, Parameters
from .errors import JobError, ServiceError, invalid_input
from .json_text import read_json
from .locations import Files, Location, LocationError, PrivilegesError
from .objects import StoredObject
from .quotas import Quotas
from .uncertain import BATCH_OUTPUT_SUFFIX, TOO_MANY_BATCH_FILES, TOO_MANY_BATCH_RECORDS, TOO_MUCH_BATCH_INPUT

Line: TypeAlias = Mapping[str, Any]

INVALID_INPUT = "Invalid S3 input path"
INVALID_OUTPUT = "Invalid S3 output path"


@dataclass(frozen=True)
class Batch:
    """One job.

    :param source: the file or folder to read.
    :param destination: the folder to write to.
    :param role_arn: in whose name.
    :param most_records: how many lines a file may have.
    :param answer: answers one line with the members of ``output``; an error of the service is one of the line alone.
    """

    source: str
    destination: str
    role_arn: str
    most_records: int
    answer: Callable[[Line], Mapping[str, Any]]

    @classmethod
    def of(cls, parameters: Parameters, most_records: int, answer: Callable[[Line], Mapping[str, Any]]) -> Batch:
        """Read the members that both kinds of jobs have."""
        return cls(
            source=parameters["jobInput"]["s3DataSource"]["path"],
            destination=parameters["jobOutput"]["s3DataDestination"]["path"],
            role_arn=parameters["roleArn"],
            most_records=most_records,
            answer=answer,
        )


def check_paths(parameters: Parameters) -> None:
    """Check that a job does not write where it reads.

    :raises ServiceError: InvalidInputException.
    """
    source = parameters["jobInput"]["s3DataSource"]["path"]
    destination = parameters["jobOutput"]["s3DataDestination"]["path"]
    if source.rstrip("/") == destination.rstrip("/"):
        raise invalid_input(f"jobOutput must be another location than jobInput, both are {source}.")


def run_batch(context: Context, batch: Batch, log: logging.Logger) -> None:
    """Answer every line of every file, into a file of the same name with ``.out`` at its end.

    :raises JobError: if files cannot be read or written, or there are too many.
    """
    files = Files(context.engine, context.scope, batch.role_arn)
    quotas = context.engine.quotas
    source, found = _find(files, batch, quotas, log)
    with _failing_with(INVALID_OUTPUT, log):
        destination = Location.parse(batch.destination)
    for entry in found:
        name = entry.key.removeprefix(source.path) if source.is_folder else entry.key.rpartition("/")[2]
        target = destination.file(name + BATCH_OUTPUT_SUFFIX)
        with _failing_with(INVALID_OUTPUT, log):
            files.check(target)
        lines = _read(files, source, entry, batch, log)
        body = "".join(f"{json.dumps(_answered(batch, line), ensure_ascii=False)}\n" for line in lines)
        with _failing_with(INVALID_OUTPUT, log):
            files.write(target, body.encode())
        log.info("%s: answered into %s", entry.key, target)


def text_member(line: Line, name: str) -> str:
    """Get a member of a line that is a string.

    :raises ServiceError: if it is missing, or something else.
    """
    value = line.get(name)
    if not isinstance(value, str) or not value:
        raise invalid_input(f"A line must have {name}, a string, got {json.dumps(value)}.")
    return value


def request_of(line: Line, members: Iterable[str], parameters: Parameters) -> Parameters:
    """Make a request at runtime from a line.

    :param members: strings that the line may have.
    :param parameters: of the job, which names the filter.
    :raises ServiceError: if one of the members is something else.
    """
    request: dict[str, Any] = {name: text_member(line, name) for name in members if name in line}
    for name in ("context", "filterValues"):
        if name in line:
            request[name] = _texts(name, line[name])
    if "filterArn" in parameters:
        request["filterArn"] = parameters["filterArn"]
    return request


def _find(files: Files, batch: Batch, quotas: Quotas, log: logging.Logger) -> tuple[Location, list[StoredObject]]:
    with _failing_with(INVALID_INPUT, log):
        source = Location.parse(batch.source)
        found = files.find(source, suffix="")
    if len(found) > quotas["batch_input_files"]:
        raise JobError(TOO_MANY_BATCH_FILES.format(files=len(found), most=quotas["batch_input_files"]))
    size = sum(entry.size for entry in found)
    if size > quotas["batch_input_bytes"]:
        raise JobError(TOO_MUCH_BATCH_INPUT.format(size=size, most=quotas["batch_input_bytes"]))
    return source, found


def _read(files: Files, source: Location, entry: StoredObject, batch: Batch, log: logging.Logger) -> list[str]:
    with _failing_with(INVALID_INPUT, log):
        body = files.read(source.bucket, entry.key)
    try:
        lines = [line for line in body.decode("utf-8").split("\n") if line.strip()]
    except UnicodeDecodeError as error:
        log.error("%s: is not UTF-8: %s", entry.key, error)
        raise JobError(INVALID_INPUT) from error
    if len(lines) > batch.most_records:
        raise JobError(TOO_MANY_BATCH_RECORDS.format(records=len(lines), most=batch.most_records))
    return lines


def _answered(batch: Batch, text: str) -> dict[str, Any]:
    """Answer a line; one that cannot be answered has an error in place of the output."""
    line: Any = text
    try:
        line = _parsed_line(text)
        return {"input": line, "output": batch.answer(line), "error": None}
    except ServiceError as error:
        return {"input": line, "error": error.message}


def _parsed_line(text: str) -> Line:
    try:
        line = read_json(text)
    except ValueError as error:
        raise invalid_input(f"A line must be JSON: {error}.") from error
    if not isinstance(line, dict):
        raise invalid_input("A line must be a JSON object.")
    return line


def _texts(name: str, value: Any) -> Mapping[str, str]:
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise invalid_input(f"{name} must be an object of strings, got {json.dumps(value)}.")
    return value


@contextmanager
def _failing_with(reason: str, log: logging.Logger) -> Iterator[None]:
    """Deal with files; what is wrong with them is in the log, and the service's text is the job's reason."""
    try:
        yield
    except (LocationError, PrivilegesError) as error:
        log.error("%s: %s", reason, error)
        raise JobError(reason) from error
