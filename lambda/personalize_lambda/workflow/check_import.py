"""Checks the files of a dataset before they are imported: what the service would refuse after a while is said at once.

The headers and the first records of all files are read. What was found is written beside the desired state, in one
report for every import job.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from personalize_lambda.aws import client, is_denied, message_of, patiently
from personalize_lambda.planner.world import File

from .csv_rules import (
    DOUBTFUL_MINIMUM_RECORDS,
    MAXIMUM_BYTES,
    MINIMUM_RECORDS,
    SAMPLE_RECORDS,
    Check,
    Column,
    check_rows,
)
from .files import RANGE_BYTES, Changed, OutOfTime, RangedFile, csv_files

RESERVE_SECONDS = 150
"""So long before its own deadline, the function reads no more and reports what it has found so far."""
_MOST_PROBLEMS, _MOST_NOTES, _REPORTED_FILES = 100, 100, 1000


def handler(event: Mapping[str, Any], context: Any) -> dict[str, str]:
    """Check the files that are to be imported into one dataset.

    :param event: ``document`` (``bucket`` and ``key`` of the desired state), ``name`` (of the dataset), ``jobs``
        (``jobName``, ``location`` and ``mode`` of each import job).
    :returns: ``reason``: why they cannot be imported; empty when they may be.
    """

    def is_late() -> bool:
        return bool(context.get_remaining_time_in_millis() < RESERVE_SECONDS * 1000)

    place, s3 = event["document"], client("s3")
    body = patiently(lambda: s3.get_object(Bucket=place["bucket"], Key=place["key"])["Body"].read())
    dataset = next((each for each in json.loads(body)["datasets"] if each["name"] == event["name"]), None)
    if dataset is None:
        return {"reason": "it is declared no more"}
    folder = place["key"].rpartition("/")[0]
    reasons = []
    for job in event["jobs"]:
        report = _check(job, dataset, s3, is_late)
        key = f"{folder}/imports/{job['jobName']}.json"
        text = json.dumps(report, indent=2).encode()
        patiently(
            lambda key=key, text=text: s3.put_object(  # type: ignore[misc]
                Bucket=place["bucket"], Key=key, Body=text, ContentType="application/json"
            )
        )
        print(json.dumps({"report": f"s3://{place['bucket']}/{key}", "problems": report["problems"]}))
        if report["problems"]:
            reasons.append(_reason(report, f"s3://{place['bucket']}/{key}"))
    return {"reason": "; ".join(reasons[:3])}


def _reason(report: Mapping[str, Any], location: str) -> str:
    problems = report["problems"]
    more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
    return f"{problems[0]}{more}. Nothing was imported; mend it and upload it again. All that was found: {location}"


def _check(job: Mapping[str, Any], dataset: Mapping[str, Any], s3: Any, is_late: Callable[[], bool]) -> dict[str, Any]:
    """Check what one job imports; the answer is the report."""
    bucket, _, prefix = job["location"].removeprefix("s3://").partition("/")
    columns = [Column.of(field) for field in dataset["fields"]]
    rule = (dataset["type"], job["mode"])
    doubtful = DOUBTFUL_MINIMUM_RECORDS.get(rule)
    minimum = doubtful or MINIMUM_RECORDS.get(rule, 0)
    report: dict[str, Any] = {
        "dataset": dataset["name"],
        "jobName": job["jobName"],
        "location": job["location"],
        "importMode": job["mode"],
        "complete": True,
        "records": 0,
        "problems": [],
        "notes": [],
        "files": [],
    }
    problems = report["problems"]
    try:
        files = patiently(lambda: csv_files(s3, bucket, prefix))
        problems += _size_problems(job["location"], files, MAXIMUM_BYTES[rule])
        _read(files, bucket, columns, minimum, s3, is_late, report)
    except ClientError as error:
        if not is_denied(error):
            raise
        report["complete"] = False
        problems.append(
            f"{job['location']}: the function that checks files may not read them: {message_of(error)}. In the policy "
            "of the bucket, and of its key if it has one, allow the role of that function, and the service role of the "
            "dataset group, to call s3:ListBucket, s3:GetObject and kms:Decrypt"
        )
    if report["complete"] and not problems and report["records"] < minimum:
        found = (
            f"{job['location']}: has {report['records']} records, {'an' if job['mode'] == 'INCREMENTAL' else 'a'} "
            f"{job['mode']} import of {dataset['name']} needs at least {minimum}"
        )
        if doubtful:
            report["notes"].append(f"{found}, as far as is known; the service says so of INCREMENTAL imports only")
        else:
            problems.append(found)
    return report


def _size_problems(location: str, files: Sequence[File], maximum: int) -> list[str]:
    size = sum(size for _, _, size in files)
    if not files:
        return [f"{location}: there is no CSV file any more"]
    return [f"{location}: has {size} bytes, at most {maximum} can be imported"] if size > maximum else []


def _read(
    files: Sequence[File],
    bucket: str,
    columns: Sequence[Column],
    minimum: int,
    s3: Any,
    is_late: Callable[[], bool],
    report: dict[str, Any],
) -> None:
    """Read the files until their sample is checked and the minimum of records is proven, or the time has passed."""
    first: Check | None = None
    for number, file in enumerate(sorted(files)):
        location = f"s3://{bucket}/{file[0]}"
        check, cut = Check(), ""
        raw = io.BufferedReader(RangedFile(s3, bucket, file, is_late), RANGE_BYTES)
        try:
            check_rows(raw, columns, max(SAMPLE_RECORDS, minimum - report["records"]), check)
        except OutOfTime:
            cut = f"there was no time to read more; {len(files) - number} of {len(files)} files are not checked"
        except Changed:
            cut = "was replaced or deleted while it was read"
        report["records"] += check.records
        report["problems"] += [f"{location}, {problem}" for problem in check.problems]
        report["notes"] += [f"{location}, {note}" for note in check.notes][: _MOST_NOTES - len(report["notes"])]
        if cut:
            report["complete"] = False
            report["notes"].append(f"{location}: {cut}")
            return
        first = first or check
        if check.header != first.header and not check.problems:
            report["problems"].append(
                f"{location}, line 1: the header must be that of the other files, {','.join(first.header)}, "
                f"it is {','.join(check.header)}"
            )
        if len(report["files"]) < _REPORTED_FILES:
            report["files"].append(
                {
                    "location": location,
                    "bytes": file[2],
                    "records": check.records,
                    "whole": check.is_whole,
                }
            )
        if len(report["problems"]) >= _MOST_PROBLEMS:
            report["complete"] = False
            return
