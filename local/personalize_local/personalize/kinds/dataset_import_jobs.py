"""Dataset import jobs."""

from __future__ import annotations

from ..crud import Behaviour, required
from ..engine import Attributes, Context, Parameters
from ..errors import invalid_input
from ..imports import Importer, ImportJob
from ..lifecycle import Work
from ..state import Record
from .datasets import columns_of_dataset


def prepare(context: Context, parameters: Parameters) -> Attributes:
    """Check what the API's model leaves open."""
    if context.engine.settings.uncertain.import_needs_role:
        required(parameters, "roleArn", "to read from Amazon S3")
    mode = parameters.get("importMode", "FULL")
    if mode == "INCREMENTAL" and not context.scope.datasets[parameters["datasetArn"]].has_bulk:
        raise invalid_input(f"The first import into {parameters['datasetArn']} must have the importMode FULL.")
    return {**parameters, "importMode": mode}


def work(context: Context, record: Record) -> Work:
    """Import the files."""
    engine, scope = context.engine, context.scope
    dataset = scope.get("Dataset", record.attributes["datasetArn"])
    importer = Importer(engine.objects, engine.authorize, engine.state.lock, engine.log.getChild("import"))
    job = ImportJob(
        location=record.attributes["dataSource"].get("dataLocation", ""),
        role_arn=record.attributes.get("roleArn", ""),
        dataset_type=dataset.attributes["datasetType"],
        columns=columns_of_dataset(scope, dataset),
        contents=scope.datasets[dataset.arn],
        replace=record.attributes["importMode"] == "FULL",
        minimum=engine.quotas["min_records_per_interactions_import"],
        extra_columns_allowed=engine.settings.uncertain.extra_csv_columns_allowed,
        account=scope.account,
        region=scope.region,
    )
    return lambda: importer.run(job)


BEHAVIOUR = Behaviour(prepare=prepare, work=work)
