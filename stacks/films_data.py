"""Where the films, their viewers and what these watched are uploaded to."""

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from constructs import Construct

import cdk_personalize as personalize


class FilmsData(Stack):
    """A bucket encrypted with a key of one's own. With ``-c removal=destroy`` both go with the stack."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        destroy = self.node.try_get_context("removal") == "destroy"
        removal_policy = RemovalPolicy.DESTROY if destroy else RemovalPolicy.RETAIN
        key = kms.Key(self, "Key", enable_key_rotation=True, removal_policy=removal_policy)
        self.bucket = personalize.DataBucket(self, "Bucket", encryption_key=key, removal_policy=removal_policy)
        CfnOutput(self, "BucketName", value=self.bucket.bucket_name)
