"""Whether Personalize may touch a bucket: the role that it was given and the bucket's own policy must both allow it.

https://docs.aws.amazon.com/personalize/latest/dg/granting-personalize-s3-access.html
"""

import json
from typing import Any, Final

from ministack.core import iam_evaluator
from ministack.core.responses import request_scope
from ministack.services import iam, s3

SERVICE_PRINCIPAL: Final = "personalize.amazonaws.com"


class PermissionCheck:
    """The `Authorize` of Personalize, over the AWS emulator's roles and bucket policies.

    It judges whether or not the emulator itself enforces IAM (`AUTH=true`): a bucket policy that is missing or too
    narrow is the most frequent reason for a failed import, so it must show on a laptop. Not judged: permissions
    boundaries, session policies and key policies.
    """

    def __call__(self, *, action: str, resource: str, role_arn: str, account: str, region: str) -> bool:
        """Tell whether the role trusts Personalize, the role's policies allow it, and in S3 the bucket's policy too."""
        with request_scope(account, region):
            name = role_arn.rpartition("/")[2]
            role = iam._roles.get_scoped(account, None, name)
            if role is None:
                return False
            in_s3 = action.startswith("s3:")
            bucket = resource.rpartition(":::")[2].partition("/")[0]
            policies = iam_evaluator._gather_role_policies(name, account)
            request = _request(action, resource, name, account, region)
            return (
                _allows(_trust(role), _request("sts:AssumeRole", role_arn, name, account, region))
                and iam_evaluator.evaluate(request, policies).decision == "Allow"
                # a bucket that is not there has no policy: S3 then says that, and not that access is denied
                and (not in_s3 or bucket not in s3._buckets or _allows(s3._bucket_policies.get(bucket), request))
            )


def _allows(policy: Any, request: Any) -> bool:
    decision = iam_evaluator.evaluate_resource_policy(policy, request, service=SERVICE_PRINCIPAL).decision
    return bool(decision == "Allow")


def _trust(role: dict[str, Any]) -> dict[str, Any]:
    """The role's trust policy as a policy of the role itself: its statements name no resource."""
    document = role["AssumeRolePolicyDocument"]
    parsed = json.loads(document) if isinstance(document, str) else document
    statements = parsed["Statement"] if isinstance(parsed["Statement"], list) else [parsed["Statement"]]
    return {"Statement": [{**statement, "Resource": "*"} for statement in statements]}


def _request(action: str, resource: str, role_name: str, account: str, region: str) -> Any:
    return iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{role_name}/personalize",
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=region,
        secure_transport=True,
        service_context={
            "aws:sourceaccount": account,
            "aws:sourcearn": f"arn:aws:personalize:{region}:{account}:dataset-import-job/any",
        },
    )
