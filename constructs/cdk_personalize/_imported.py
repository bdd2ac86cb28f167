"""Resources of Amazon Personalize that are managed elsewhere."""

from __future__ import annotations

import re
from typing import ClassVar, Final

from aws_cdk import ArnFormat, Resource, Stack, Token
from constructs import Construct, IConstruct

from cdk_personalize._names import check_name, personalize_arn
from cdk_personalize.facts.limits import NAME_LENGTH

_START: Final = r"arn:[a-z\d-]+:personalize:[a-z\d-]+:\d{12}"
_NAME: Final = rf"[a-zA-Z0-9][a-zA-Z0-9_-]{{0,{NAME_LENGTH - 1}}}"


class Imported(Resource):
    """A resource that is managed elsewhere, known by its ARN or, in this account and Region, by its name."""

    KIND: ClassVar[str]
    """Resource type, as ARNs have it."""

    PATTERN: ClassVar[str] = _NAME
    """Pattern of what comes after the type."""

    SHAPE: ClassVar[str] = "<name>"
    """What comes after the type, in words."""

    def __init__(self, scope: Construct, id: str, *, arn: str | None = None, name: str = "") -> None:
        """Import the resource.

        :param scope: Parent.
        :param id: Construct id.
        :param arn: Its ARN, which says in which account and Region it is. Default: - follows from its name
        :param name: Its name. Default: - follows from its ARN
        :raises ValueError: When the ARN or name is not that of such a resource.
        """
        if arn is None:
            check_name(self._parameter("name"), name)
        else:
            self._check_arn(arn)
        super().__init__(scope, id, environment_from_arn=arn)
        self._arn = arn or personalize_arn(self, self.KIND, name)
        self._name = name or _name_in(self, self._arn)

    @classmethod
    def _check_arn(cls, arn: str) -> None:
        if not Token.is_unresolved(arn) and not re.fullmatch(f"{_START}:{cls.KIND}/{cls.PATTERN}", arn):
            raise ValueError(
                f"{cls._parameter('arn')} must look like "
                f"arn:<partition>:personalize:<region>:<account>:{cls.KIND}/{cls.SHAPE}, got {arn!r}"
            )

    @classmethod
    def _parameter(cls, ending: str) -> str:
        return f"{cls.KIND.replace('-', '_')}_{ending}"


def _name_in(scope: IConstruct, arn: str) -> str:
    """Return what comes after the resource type of an ARN; tokens are split when the template is deployed."""
    return str(Stack.of(scope).split_arn(arn, ArnFormat.SLASH_RESOURCE_NAME).resource_name)
