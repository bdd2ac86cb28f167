"""Writes what the local cloud knows of CloudFormation's types: `python -m tools.resource_schemas`.

They are the CloudFormation registry's schemas, which cfn-lint carries, without prose. A test compares the two, so that
an upgrade of cfn-lint with other schemas is noticed.
"""

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent.parent / "local/personalize_local/cloud/adapter/resource_schemas.json"
PREFIX = "AWS::Personalize::"
# Every type is there; not every Region has all of them.
REGION = "us-east-1"
_DROPPED = ("description", "handlers", "permissions", "sourceUrl", "typeName")


def schemas() -> dict[str, Any]:
    """The schemas of all types of Personalize, by kind, as cfn-lint has them."""
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    names = sorted(name for name in PROVIDER_SCHEMA_MANAGER.get_resource_types(REGION) if name.startswith(PREFIX))
    return {
        name.removeprefix(PREFIX): _without_prose(PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, name).schema)
        for name in names
    }


def _without_prose(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_prose(item) for key, item in value.items() if key not in _DROPPED}
    return [_without_prose(item) for item in value] if isinstance(value, list) else value


if __name__ == "__main__":
    FILE.write_text(json.dumps(schemas(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
