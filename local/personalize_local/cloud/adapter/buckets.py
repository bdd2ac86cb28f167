"""CloudFormation does not delete a bucket that has objects, or versions of them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html
"""

from collections.abc import Callable
from typing import Any

from ministack.services import s3
from ministack.services.cloudformation import provisioners

from personalize_local.cloud.adapter.expected import table


def register() -> None:
    """Let a stack's bucket be deleted only when it is empty."""
    handler = table(provisioners, "_RESOURCE_HANDLERS", "AWS::S3::Bucket")["AWS::S3::Bucket"]
    handler["delete"] = _only_empty(handler["delete"])


def _only_empty(original: Callable[[str, Any], None]) -> Callable[[str, Any], None]:
    def delete(name: str, properties: dict[str, Any]) -> None:
        bucket = s3._buckets.get(name)
        if bucket is not None and (bucket["objects"] or s3._bucket_has_versions(name)):
            raise ValueError(
                "The bucket you tried to delete is not empty. You must delete all versions in the bucket. "
                f"(Service: S3, Status Code: 409) (bucket {name})"
            )
        original(name, properties)

    return delete
