"""What the CloudFormation registry refuses, and what it reads into another type."""

import json
from typing import Any

import pytest

from personalize_local.cloud.adapter.resource_types import TYPES, ResourceType
from tools.resource_schemas import FILE, schemas

BY_KIND = {resource_type.kind: resource_type for resource_type in TYPES}
ARN = "arn:aws:personalize:us-east-1:000000000000:dataset-group/g"
VERSION = "arn:aws:personalize:us-east-1:000000000000:solution/s/12345678"
METRIC = {"EventType": "watch", "MetricName": "m", "Expression": "SAMPLECOUNT()"}
CONFIG = {"RoleArn": "arn:aws:iam::000000000000:role/r"}

GOOD: dict[str, dict[str, Any]] = {
    "Schema": {"Name": "n", "Schema": "{}"},
    "DatasetGroup": {"Name": "n"},
    "Dataset": {"Name": "n", "DatasetType": "Items", "DatasetGroupArn": ARN, "SchemaArn": ARN},
    "Solution": {"Name": "n", "DatasetGroupArn": ARN},
    "Campaign": {"Name": "n", "SolutionVersionArn": VERSION},
    "EventTracker": {"Name": "n", "DatasetGroupArn": ARN},
    "Filter": {"Name": "n", "DatasetGroupArn": ARN, "FilterExpression": "x"},
    "MetricAttribution": {
        "Name": "n",
        "DatasetGroupArn": ARN,
        "Metrics": [METRIC],
        "MetricsOutputConfig": CONFIG,
    },
}

REFUSED: list[tuple[str, dict[str, Any], list[str]]] = [
    ("Campaign", {"Status": "ACTIVE"}, ["#: extraneous key [Status] is not permitted"]),
    ("Campaign", {"Name": "a b"}, ["#/Name: failed validation constraint for keyword [pattern]"]),
    ("Campaign", {"Name": "a" * 64}, ["#/Name: failed validation constraint for keyword [maxLength]"]),
    ("Campaign", {"MinProvisionedTPS": "two"}, ["#/MinProvisionedTPS: expected type: Integer, found: String"]),
    ("Campaign", {"MinProvisionedTPS": 0}, ["#/MinProvisionedTPS: failed validation constraint for keyword [minimum]"]),
    (
        "Campaign",
        {"CampaignConfig": {"RankingInfluence": {"PRICE": 1}}},
        ["#/CampaignConfig/RankingInfluence: extraneous key [PRICE] is not permitted"],
    ),
    ("Dataset", {"DatasetType": "Actions"}, ["#/DatasetType: failed validation constraint for keyword [enum]"]),
    (
        "Solution",
        {"PerformAutoTraining": False, "Recipe": "r"},
        ["#: extraneous key [PerformAutoTraining] is not permitted", "#: extraneous key [Recipe] is not permitted"],
    ),
    (
        "Solution",
        {"SolutionConfig": {"HpoConfig": {"hpoResourceConfig": {}}}},
        ["#/SolutionConfig/HpoConfig: extraneous key [hpoResourceConfig] is not permitted"],
    ),
    (
        "DatasetGroup",
        {"Tags": [{"Key": "cost centre", "Value": "1"}]},
        ["#/Tags/0/Key: failed validation constraint for keyword [pattern]"],
    ),
    ("DatasetGroup", {"Tags": [{"Key": "team"}]}, ["#/Tags/0: required key [Value] not found"]),
    (
        "DatasetGroup",
        {"Tags": [{"Key": f"k{n}", "Value": ""} for n in range(51)]},
        ["#/Tags: failed validation constraint for keyword [maxItems]"],
    ),
    (
        "MetricAttribution",
        {"Tags": [{"Key": "k", "Value": "v"}]},
        ["#: extraneous key [Tags] is not permitted"],
    ),
    (
        "MetricAttribution",
        {"Metrics": [{**METRIC, "Expression": None}]},
        ["#/Metrics/0/Expression: expected type: String, found: NoneType"],
    ),
]


def found(kind: str, **properties: Any) -> list[str]:
    resource_type = BY_KIND[kind]
    return resource_type.violations(resource_type.values({**GOOD[kind], **properties}))


def test_the_types_are_those_of_the_registry() -> None:
    """cfn-lint carries the registry's schemas; `python -m tools.resource_schemas` brings ours up to date."""
    assert json.loads(FILE.read_text(encoding="utf-8")) == schemas()


@pytest.mark.parametrize("resource_type", TYPES, ids=lambda resource_type: resource_type.kind)
def test_required_properties(resource_type: ResourceType) -> None:
    good = GOOD[resource_type.kind]
    assert resource_type.violations(good) == []
    for name in good:
        rest = {key: value for key, value in good.items() if key != name}
        assert resource_type.violations(rest) == [f"#: required key [{name}] not found"]


@pytest.mark.parametrize(("kind", "properties", "messages"), REFUSED)
def test_what_is_refused(kind: str, properties: dict[str, Any], messages: list[str]) -> None:
    assert found(kind, **properties) == messages


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        # The old types' pattern has an accidental range: it takes digits.
        ("DatasetGroup", {"Tags": [{"Key": "team-1", "Value": "a b"}]}),
        ("Filter", {"Tags": [{"Key": "cost centre", "Value": "1"}]}),
        ("DatasetGroup", {"Tags": [{"Key": "aws:cloudformation:stack-name", "Value": "s"}]}),
    ],
)
def test_what_is_taken(kind: str, properties: dict[str, Any]) -> None:
    assert found(kind, **properties) == []


def test_scalars_are_read_as_the_type_that_the_schema_has() -> None:
    config = {"ItemExplorationConfig": {"explorationWeight": 0.3}, "RankingInfluence": {"FRESHNESS": "0.5"}}
    values = BY_KIND["Campaign"].values(
        {"MinProvisionedTPS": "2", "CampaignConfig": {**config, "SyncWithLatestSolutionVersion": "true"}}
    )
    assert values == {
        "MinProvisionedTPS": 2,
        "CampaignConfig": {
            "ItemExplorationConfig": {"explorationWeight": "0.3"},
            "RankingInfluence": {"FRESHNESS": 0.5},
            "SyncWithLatestSolutionVersion": True,
        },
    }
