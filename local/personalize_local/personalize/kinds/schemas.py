"""Schemas."""

from __future__ import annotations

from cdk_personalize.avro import check_schema

from ..crud import Behaviour
from ..engine import Attributes, Context, Parameters
from ..errors import invalid_input
from ..json_text import read_json


def prepare(context: Context, parameters: Parameters) -> Attributes:
    """Check that it is an Avro schema that the service takes; the dataset's type is checked with the dataset."""
    try:
        schema = read_json(parameters["schema"])
    except ValueError as error:
        raise invalid_input(f"Input schema is not JSON: {error}") from error
    if not isinstance(schema, dict):
        raise invalid_input("Input schema must be a JSON object")
    problems = check_schema(schema, None, parameters.get("domain"))
    if problems:
        raise invalid_input(f"Input schema is not valid: {'; '.join(problems)}")
    return dict(parameters)


BEHAVIOUR = Behaviour(prepare=prepare)
