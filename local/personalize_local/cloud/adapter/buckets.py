"""CloudFormation tags buckets, and does not delete one that has objects, or versions of them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html
"""

from collections.abc import Callable
from typing import Any

from ministack.services import s3
from ministack.services.cloudformation import provisioners

from personalize_local.cloud.adapter.expected import table


def register() -> None:
    """Give a stack's bucket its tags, and let it be deleted only when it is empty."""
    handler = table(provisioners, "_RESOURCE_HANDLERS", "AWS::S3::Bucket")["AWS::S3::Bucket"]
    handler["create"] = _tagged(handler["create"], properties_at=1)
    handler["update"] = _tagged(handler["update"], properties_at=2)
    handler["delete"] = _only_empty(handler["delete"])


def _tagged(original: Callable[..., Any], *, properties_at: int) -> Callable[..., Any]:
    def create_or_update(*arguments: Any) -> Any:
        made = original(*arguments)
        tags = arguments[properties_at].get("Tags", [])
        if tags:
            s3._bucket_tags[made[0]] = {tag["Key"]: tag["Value"] for tag in tags}
        else:
            s3._bucket_tags.pop(made[0], None)
        return made

    return create_or_update


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
