"""What IAM must allow for a request to Personalize, and on which resources.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonpersonalize.html
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from personalize_local.personalize.resources import KINDS

_VERB = re.compile(r"^(Delete|Describe|Start|Stop|Update)")

#: By operations that are authorised on a second resource besides what they make: the member that names it
_MADE_FROM: Final = {
    **dict.fromkeys(
        (
            "CreateDataDeletionJob",
            "CreateDataset",
            "CreateFilter",
            "CreateMetricAttribution",
            "CreateRecommender",
            "CreateSolution",
        ),
        "datasetGroupArn",
    ),
    **dict.fromkeys(("CreateDatasetExportJob", "CreateDatasetImportJob"), "datasetArn"),
    **dict.fromkeys(("CreateBatchInferenceJob", "CreateCampaign"), "solutionVersionArn"),
}


class Need(NamedTuple):
    """What a request needs.

    :param context: values of condition keys.
    """

    action: str
    resource: str
    context: dict[str, Any]


def needs_of_request(operation: str, members: Mapping[str, Any], region: str, account: str) -> Iterator[Need]:
    """All that a request needs: what it does, on each resource that counts, and to set tags and pass roles.

    :param operation: such as ``CreateCampaign``; empty where it is not known.
    :param members: of the request, as the API names them.
    """
    resource = requested_resource(operation, members, region, account)
    yield Need(f"personalize:{operation}", resource, {})
    if _MADE_FROM.get(operation) in members:
        yield Need(f"personalize:{operation}", str(members[_MADE_FROM[operation]]), {})
    if operation.startswith("Create") and members.get("tags"):
        yield Need("personalize:TagResource", resource, {})
    # metric attributions have the role among where their reports go
    reports = members.get("metricsOutputConfig")
    for holder in (members, reports if isinstance(reports, Mapping) else {}):
        if role := holder.get("roleArn"):
            yield Need("iam:PassRole", str(role), {"iam:PassedToService": "personalize.amazonaws.com"})


def requested_resource(operation: str, members: Mapping[str, Any], region: str, account: str) -> str:
    """Return the resource that is made, or the one that is described, changed or deleted; `*` for lists.

    Where the operation does not tell, it is the one that is named first.

    :param operation: such as ``CreateCampaign``; empty where it is not known.
    :param members: of the request, as the API names them.
    """
    if operation.startswith("List") and operation != "ListTagsForResource":
        return "*"
    kind = KINDS.get(operation.removeprefix("Create")) if operation.startswith("Create") else None
    if kind is not None and "{id}" not in kind.arn:
        group = str(members.get("datasetGroupArn", "")).rpartition("/")[2]
        known = {**members, "datasetGroupName": group, "datasetType": str(members.get("datasetType", "")).upper()}
        return f"arn:aws:personalize:{region}:{account}:{kind.arn.format(**known)}"
    kind = KINDS.get(_VERB.sub("", operation))
    if kind is not None and kind.arn_member in members:
        return str(members[kind.arn_member])
    arns = (value for name, value in members.items() if name.lower().endswith("arn") and isinstance(value, str))
    return next((arn for arn in arns if arn.split(":")[2:3] == ["personalize"]), "*")
