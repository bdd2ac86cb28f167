"""What CloudFormation's types for Personalize are like, as data.

Create-only and updatable properties, attributes and tagging as in the CloudFormation registry's schemas.
"""

from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class ResourceType:
    """One `AWS::Personalize::<kind>`.

    :param kind: the API's noun, as in `Create<kind>`.
    :param create_only: properties whose change replaces the resource.
    :param updatable: properties that `Update<kind>` takes.
    :param attributes: what `Fn::GetAtt` gives besides the ARN: attribute -> member of the description.
    :param tags: whether tags are passed to the API, where it knows them.
    :param latest_update: member of the description that holds the status of a running update.
    :param deletes_first: whether a replaced resource is deleted before its successor is created.
    """

    kind: str
    create_only: frozenset[str]
    updatable: frozenset[str] = frozenset()
    attributes: dict[str, str] = field(default_factory=dict)
    tags: bool = True
    latest_update: str | None = None
    deletes_first: bool = False

    @property
    def name(self) -> str:
        """The type's name in a template."""
        return f"AWS::Personalize::{self.kind}"

    @property
    def member(self) -> str:
        """The member that holds its description, such as `eventTracker`."""
        return self.kind[0].lower() + self.kind[1:]

    @property
    def arn_member(self) -> str:
        """The member that holds its ARN, such as `eventTrackerArn`."""
        return f"{self.member}Arn"

    @property
    def arn_attribute(self) -> str:
        """The attribute that holds its ARN, such as `EventTrackerArn`."""
        return f"{self.kind}Arn"


_TIMES: Final = {"CreationDateTime": "creationDateTime", "LastUpdatedDateTime": "lastUpdatedDateTime"}

TYPES: Final = (
    ResourceType("Schema", frozenset({"Name", "Schema", "Domain", "Tags"}), tags=False),
    ResourceType("DatasetGroup", frozenset({"Name", "RoleArn", "KmsKeyArn", "Domain", "Tags"})),
    ResourceType(
        "Dataset",
        frozenset({"Name", "DatasetType", "DatasetGroupArn", "SchemaArn", "Tags"}),
        deletes_first=True,
    ),
    ResourceType(
        "Solution",
        frozenset(
            {
                "Name",
                "DatasetGroupArn",
                "EventType",
                "PerformAutoML",
                "PerformHPO",
                "RecipeArn",
                "SolutionConfig",
                "Tags",
            }
        ),
    ),
    ResourceType(
        "Campaign",
        frozenset({"Name"}),
        updatable=frozenset({"SolutionVersionArn", "MinProvisionedTPS", "CampaignConfig"}),
        attributes={"Status": "status", **_TIMES},
        latest_update="latestCampaignUpdate",
    ),
    ResourceType("EventTracker", frozenset({"Name", "DatasetGroupArn"}), attributes={"TrackingId": "trackingId"}),
    ResourceType(
        "Filter",
        frozenset({"Name", "DatasetGroupArn", "FilterExpression"}),
        attributes={"Status": "status", **_TIMES},
    ),
    ResourceType(
        "MetricAttribution",
        frozenset({"Name", "DatasetGroupArn", "Metrics"}),
        updatable=frozenset({"MetricsOutputConfig"}),
        attributes={"Status": "status"},
        tags=False,
    ),
)
