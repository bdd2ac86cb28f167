"""Which module handles which custom resource.

A module has the functions ``create``, ``update``, ``delete`` and ``is_complete``. Each takes the event of
CloudFormation and returns what the provider framework of the CDK expects:
https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.custom_resources-readme.html#provider-framework
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

MODULES: Mapping[str, str] = {
    "Custom::PersonalizeDataset": "dataset",
    "Custom::PersonalizeDatasetGroup": "dataset_group",
    "Custom::PersonalizeDeployment": "deployment",
    "Custom::PersonalizeEmptyBucket": "empty_bucket",
    "Custom::PersonalizeMetricAttribution": "metric_attribution",
    "Custom::PersonalizeSchema": "schema",
}


def module_for(event: Mapping[str, Any]) -> ModuleType:
    """Return the module that handles an event.

    :param event: Event of CloudFormation.
    :raises ValueError: When there is none.
    """
    resource_type = event["ResourceType"]
    if resource_type not in MODULES:
        raise ValueError(f"resource type must be one of {sorted(MODULES)}, got {resource_type!r}")
    return import_module(f"{__package__}.{MODULES[resource_type]}")
