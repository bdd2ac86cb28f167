"""Columns that training ignores.

See https://docs.aws.amazon.com/personalize/latest/dg/custom-config-columns.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from aws_cdk import Token

from cdk_personalize.dataset_type import DatasetType
from cdk_personalize.facts import limits
from cdk_personalize.facts.names import ALWAYS_TRAINED
from cdk_personalize.schema import Schema


def render_columns(columns: Mapping[DatasetType, Sequence[str]]) -> dict[str, list[str]]:
    """Return ``excludedDatasetColumns`` of the API.

    :param columns: Names of columns by dataset type.
    :raises ValueError: When a value is not allowed.
    """
    if len(columns) > limits.EXCLUDED_DATASETS:
        raise ValueError(
            f"excluded_columns can name the columns of at most {limits.EXCLUDED_DATASETS} dataset types, "
            f"got {[dataset_type.value for dataset_type in columns]}"
        )
    for dataset_type, names in columns.items():
        if not 1 <= len(names) <= limits.EXCLUDED_COLUMNS:
            raise ValueError(
                f"excluded_columns of {dataset_type.value} must have 1 to {limits.EXCLUDED_COLUMNS} columns, "
                f"got {len(names)}"
            )
        always = [name for name in ALWAYS_TRAINED.names if name in names]
        if dataset_type is DatasetType.INTERACTIONS and always:
            raise ValueError(f"excluded_columns must not hold {always}, which training always uses")
    return {dataset_type.api_name: list(names) for dataset_type, names in columns.items()}


def column_problems(columns: Mapping[DatasetType, Sequence[str]], schemas: Mapping[str, Schema]) -> Iterator[str]:
    """Tell which columns the datasets do not have.

    :param columns: Names of columns by dataset type; tokens pass.
    :param schemas: The schemas of the dataset group, by dataset type in upper case.
    """
    for dataset_type, names in columns.items():
        schema = schemas.get(dataset_type.value)
        if schema is None:
            yield f"excluded_columns names {dataset_type.value}, of which the dataset group has no dataset"
            continue
        unknown = [name for name in names if not Token.is_unresolved(name) and name not in schema.columns]
        if unknown:
            yield (
                f"excluded_columns names {unknown}, which {dataset_type.value} does not have; "
                f"allowed: {list(schema.columns)}"
            )
