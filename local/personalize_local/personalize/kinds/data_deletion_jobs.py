"""Data deletion jobs."""

from __future__ import annotations

from typing import Any

from ..crud import Behaviour
from ..deletions import Deletion
from ..engine import Context
from ..lifecycle import Work
from ..locations import Files
from ..state import Record

_WITH_USERS = ("INTERACTIONS", "ACTION_INTERACTIONS", "USERS")


def work(context: Context, record: Record) -> Work:
    """Remove users from everything in the group."""
    engine, scope, attributes = context.engine, context.scope, record.attributes
    datasets = scope.children("Dataset", "datasetGroupArn", attributes["datasetGroupArn"])
    deletion = Deletion(
        Files(engine, scope, attributes["roleArn"]),
        engine.state.lock,
        engine.log.getChild("deletion"),
        maximum=engine.quotas["max_bytes_per_data_deletion"],
    )
    contents = [
        scope.datasets[dataset.arn]
        for dataset in datasets
        if dataset.attributes["datasetType"] in _WITH_USERS and dataset.arn in scope.datasets
    ]
    return lambda: deletion.run(attributes["dataSource"].get("dataLocation", ""), contents)


def activated(context: Context, record: Record, result: Any) -> None:
    """Tell how many rows are gone."""
    record.attributes["numDeleted"] = result


BEHAVIOUR = Behaviour(work=work, activated=activated)
