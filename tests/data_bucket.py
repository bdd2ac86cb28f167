"""A bucket that Personalize may read and write, with the role that it takes for that."""

import json
from collections.abc import Callable
from typing import Any


class DataBucket:
    """A bucket and a role of one name, which both let Personalize read and write.

    :param client: makes a boto3 client of a service.
    :param name: of the bucket and of the role.
    :param tags: tags of both. Default: - none
    """

    def __init__(self, client: Callable[[str], Any], name: str, tags: dict[str, str] | None = None) -> None:
        self._s3 = client("s3")
        self._iam = iam = client("iam")
        self.name = name
        account = client("sts").get_caller_identity()["Account"]
        listed = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
        region = self._s3.meta.region_name
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        self._s3.create_bucket(Bucket=name, **where)
        if listed:
            self._s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": listed})
        principal = {"Service": "personalize.amazonaws.com"}
        only_here = {"StringEquals": {"aws:SourceAccount": account}}
        access = _access(name)
        self._s3.put_bucket_policy(Bucket=name, Policy=_policy(Principal=principal, Condition=only_here, **access))
        trust = _policy(Principal=principal, Action="sts:AssumeRole", Condition=only_here)
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, Tags=listed)
        self.role_arn: str = role["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="data", PolicyDocument=_policy(**access))
        # Metric attributions write there too.
        metrics = _policy(Action="cloudwatch:PutMetricData", Resource="*")
        iam.put_role_policy(RoleName=name, PolicyName="metrics", PolicyDocument=metrics)

    def let_role_use(self, bucket: str) -> None:
        """Let the role use another bucket, too."""
        document = _policy(**_access(bucket))
        self._iam.put_role_policy(RoleName=self.name, PolicyName=bucket, PolicyDocument=document)

    @property
    def location(self) -> str:
        """Where its objects are."""
        return f"s3://{self.name}/"

    def put(self, key: str, text: str) -> str:
        """Store a file, and give its location."""
        self._s3.put_object(Bucket=self.name, Key=key, Body=text.encode())
        return self.location + key


def _access(bucket: str) -> dict[str, Any]:
    return {
        "Action": ["s3:GetObject", "s3:ListBucket", "s3:PutObject"],
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
    }


def _policy(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
