"""Dataset export jobs."""

from __future__ import annotations

from ..crud import Behaviour
from ..engine import Attributes, Context, Parameters
from ..errors import invalid_input
from ..exports import Exporter
from ..lifecycle import Work
from ..locations import Files, Location, LocationError
from ..state import Record
from .datasets import columns_of_dataset


def prepare(context: Context, parameters: Parameters) -> Attributes:
    """Check the destination; by default, what came one by one is exported."""
    try:
        Location.parse(parameters["jobOutput"]["s3DataDestination"]["path"])
    except LocationError as error:
        raise invalid_input(f"jobOutput.s3DataDestination.path: {error}.") from error
    return {"ingestionMode": "PUT", **parameters}


def work(context: Context, record: Record) -> Work:
    """Write the rows to a file."""
    engine, scope, attributes = context.engine, context.scope, record.attributes
    dataset = scope.get("Dataset", attributes["datasetArn"])
    exporter = Exporter(Files(engine, scope, attributes["roleArn"]), engine.state.lock, engine.log.getChild("export"))
    location = Location.parse(attributes["jobOutput"]["s3DataDestination"]["path"]).file(f"{record.name}.csv")
    columns, contents = columns_of_dataset(scope, dataset), scope.datasets[dataset.arn]
    return lambda: exporter.run(contents, columns, attributes["ingestionMode"], location)


BEHAVIOUR = Behaviour(prepare=prepare, work=work)
