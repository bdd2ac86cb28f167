"""Which resource IAM authorises a request to Personalize on.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonpersonalize.html
"""

import re
from collections.abc import Mapping
from typing import Any

from personalize_local.personalize.resources import KINDS

_VERB = re.compile(r"^(Delete|Describe|Start|Stop|Update)")


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
