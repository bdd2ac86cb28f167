"""Actions that grants allow, as data.

Filters need no permission of their own, and neither does the key of an encrypted dataset group: the service uses it
with its own role.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonpersonalize.html
"""

from __future__ import annotations

from typing import Final

from aws_cdk import aws_iam as iam

GET_RECOMMENDATIONS: Final = ("personalize:GetRecommendations",)
GET_PERSONALIZED_RANKING: Final = ("personalize:GetPersonalizedRanking",)
GET_ACTION_RECOMMENDATIONS: Final = ("personalize:GetActionRecommendations",)
PUT_ITEMS: Final = ("personalize:PutItems",)
PUT_USERS: Final = ("personalize:PutUsers",)
PUT_ACTIONS: Final = ("personalize:PutActions",)
PUT_ACTION_INTERACTIONS: Final = ("personalize:PutActionInteractions",)
PUT_EVENTS: Final = ("personalize:PutEvents",)
GET_PARAMETERS: Final = ("ssm:GetParameter", "ssm:GetParameters")
GET_PARAMETERS_BY_PATH: Final = ("ssm:GetParametersByPath",)
TRAIN: Final = (
    "personalize:CreateSolutionVersion",
    "personalize:DescribeSolution",
    "personalize:DescribeSolutionVersion",
    "personalize:TagResource",
)


def grant(grantee: iam.IGrantable, actions: tuple[str, ...], *resource_arns: str) -> iam.Grant:
    """Allow actions on resources."""
    return iam.Grant.add_to_principal(grantee=grantee, actions=list(actions), resource_arns=list(resource_arns))
