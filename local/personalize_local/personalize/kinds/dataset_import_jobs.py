"""Dataset import jobs."""

from __future__ import annotations

from ..crud import Behaviour, required
from ..engine import Attributes, Context, Parameters
from ..errors import invalid_input
from ..imports import Importer, ImportJob
from ..lifecycle import Work
from ..locations import Files
from ..state import Record
from .datasets import columns_of_dataset
from .metric_attributions import require_report, rows_counted


def prepare(context: Context, parameters: Parameters) -> Attributes:
    """Check what the API's model leaves open."""
    if context.engine.settings.uncertain.import_needs_role:
        required(parameters, "roleArn", "to read from Amazon S3")
    mode = parameters.get("importMode", "FULL")
    if mode == "INCREMENTAL" and not context.scope.datasets[parameters["datasetArn"]].has_bulk:
        raise invalid_input(f"The first import into {parameters['datasetArn']} must have the importMode FULL.")
    if parameters.get("publishAttributionMetricsToS3"):
        dataset = context.scope.get("Dataset", parameters["datasetArn"])
        if dataset.attributes["datasetType"] != "INTERACTIONS":
            raise invalid_input(f"publishAttributionMetricsToS3 is for Interactions datasets, not {dataset.arn}.")
        require_report(context, dataset.attributes["datasetGroupArn"])
    return {**parameters, "importMode": mode}


def work(context: Context, record: Record) -> Work:
    """Import the files."""
    engine, scope, attributes = context.engine, context.scope, record.attributes
    dataset = scope.get("Dataset", attributes["datasetArn"])
    files = Files(engine, scope, attributes.get("roleArn", ""))
    imported = rows_counted(
        context,
        dataset.attributes["datasetGroupArn"] if dataset.attributes["datasetType"] == "INTERACTIONS" else "",
        to_s3=attributes.get("publishAttributionMetricsToS3", False),
        mode=attributes["importMode"],
    )
    importer = Importer(files, engine.state.lock, engine.log.getChild("import"), imported)
    job = ImportJob(
        location=attributes["dataSource"].get("dataLocation", ""),
        dataset_type=dataset.attributes["datasetType"],
        columns=columns_of_dataset(scope, dataset),
        contents=scope.datasets[dataset.arn],
        replace=attributes["importMode"] == "FULL",
        minimum=_minimum(context, dataset.attributes["datasetType"], attributes["importMode"]),
        maximum=engine.quotas[f"max_bytes_per_{attributes['importMode'].lower()}_import"],
        only_new_count=engine.settings.uncertain.incremental_counts_new_only,
        extra_columns_allowed=engine.settings.uncertain.extra_csv_columns_allowed,
        in_order=engine.settings.uncertain.csv_columns_in_order,
    )
    return lambda: importer.run(job)


def _minimum(context: Context, dataset_type: str, mode: str) -> int:
    """How many records an import of interactions, or of action interactions, needs."""
    is_doubtful = (dataset_type, mode) == ("ACTION_INTERACTIONS", "FULL")
    if is_doubtful and not context.engine.settings.uncertain.full_action_interactions_minimum:
        return 0
    return context.engine.quotas["min_records_per_interactions_import"]


BEHAVIOUR = Behaviour(prepare=prepare, work=work)
