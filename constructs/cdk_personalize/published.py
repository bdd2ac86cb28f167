"""What applications need to know of a dataset group, published for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

import jsii
from aws_cdk import ArnFormat, CfnOutput, Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ssm as ssm
from constructs import Construct, IValidation

from cdk_personalize import _grants
from cdk_personalize.dataset_group import DatasetGroup
from cdk_personalize.dataset_type import DatasetType

_PREFIX: Final = re.compile(r"(/[a-zA-Z0-9_.-]+)+")
_RESERVED: Final = re.compile(r"/(aws|ssm)", re.IGNORECASE)

LEVELS: Final = 12
"""Of a prefix. Systems Manager allows 15 levels, three of which a campaign takes."""


class PublishedGrants:
    """Permissions to read what is published."""

    def __init__(self, published: Published) -> None:
        """Grant permissions on what is published.

        :param published: What is published.
        """
        self._published = published

    def read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to read the parameters, one by one or all below the prefix.

        :param grantee: Who is allowed.
        :raises ValueError: When there are no parameters.
        """
        published = self._published
        prefix = published.parameter_prefix
        if prefix is None:
            raise ValueError(
                f"{published.node.path!r} has outputs only, which need no permission; give it parameter_prefix"
            )
        path = Stack.of(published).format_arn(
            service="ssm", resource="parameter", arn_format=ArnFormat.NO_RESOURCE_NAME
        )
        arns = [parameter.parameter_arn for parameter in published.parameters.values()]
        # A path is authorised as the client writes it.
        paths = [f"{path}{prefix}", f"{path}{prefix}/"]
        return _grants.grant(grantee, _grants.GET_PARAMETERS, *arns).combine(
            _grants.grant(grantee, _grants.GET_PARAMETERS_BY_PATH, *paths)
        )


class Published(Construct):
    """ARNs and tracking ids of a dataset group, as parameters of Systems Manager, outputs of the stack, or both.

    What is published is what is declared when this is, so declare it last. The names are the same in every deployment,
    whereas ARNs of filters, solutions and recommenders change with what they stand for:

    * ``dataset-group``, ``workflow``
    * ``datasets/<type in lower case>``, such as ``datasets/action_interactions``
    * ``filters/<construct id>``, ``recommenders/<construct id>``, ``solutions/<construct id>``
    * ``campaigns/<construct id of the solution>/<construct id>``
    * ``tracking-id`` of the event tracker, ``action-tracking-id`` of the action interactions

    The ARN of what the workflow makes is known before that exists: a client can be deployed together with the campaign
    that it will ask.

    See https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-parameter-store.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        dataset_group: DatasetGroup,
        parameter_prefix: str | None = None,
        outputs: bool = False,
    ) -> None:
        """Publish what is declared.

        :param scope: Parent.
        :param id: Construct id.
        :param dataset_group: The dataset group.
        :param parameter_prefix: What the names of parameters start with, such as ``/films``. Default: - no parameters
        :param outputs: Whether the stack has outputs; their descriptions are the names. Default: - it has none
        :raises ValueError: When nothing is asked for, the prefix cannot be that of parameters, or two resources have
            the same name.
        """
        _check_prefix(parameter_prefix)
        if parameter_prefix is None and not outputs:
            raise ValueError("parameter_prefix or outputs must be given, got neither, so nothing would be published")
        super().__init__(scope, id)
        self._dataset_group = dataset_group
        self._prefix = parameter_prefix
        self._values = _values(dataset_group)
        self._parameters: dict[str, ssm.StringParameter] = {}
        if parameter_prefix is not None:
            self._add_parameters(parameter_prefix)
        if outputs:
            folder = Construct(self, "Outputs")
            for name, value in self._values.items():
                CfnOutput(folder, name, value=value, description=name)
        self.node.add_validation(_Complete(self))

    @property
    def values(self) -> Mapping[str, str]:
        """What is published, by name."""
        return dict(self._values)

    @property
    def parameter_prefix(self) -> str | None:
        """What the names of parameters start with, or ``None``."""
        return self._prefix

    @property
    def parameters(self) -> Mapping[str, ssm.IStringParameter]:
        """The parameters, by name without the prefix."""
        return dict(self._parameters)

    @property
    def grants(self) -> PublishedGrants:
        """What can be allowed on the parameters."""
        return PublishedGrants(self)

    def _add_parameters(self, prefix: str) -> None:
        folder = Construct(self, "Parameters")
        for name, value in self._values.items():
            self._parameters[name] = ssm.StringParameter(
                folder,
                name,
                parameter_name=f"{prefix}/{name}",
                # The CDK cannot see it of a token.
                simple_name=False,
                string_value=value,
            )


def _check_prefix(prefix: str | None) -> None:
    if prefix is None or Token.is_unresolved(prefix):
        return
    if not _PREFIX.fullmatch(prefix) or _RESERVED.match(prefix) or prefix.count("/") > LEVELS:
        raise ValueError(
            f"parameter_prefix must have 1 to {LEVELS} levels, each a '/' and letters, digits, '_', '.' and '-', "
            f"and not start with '/aws' or '/ssm', got {prefix!r}"
        )


def _values(dataset_group: DatasetGroup) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in _found(dataset_group):
        if name in values:
            raise ValueError(
                f"two resources of dataset group {dataset_group.node.path!r} would be published as {name!r}; "
                "give one of them another construct id"
            )
        values[name] = value
    return values


def _found(dataset_group: DatasetGroup) -> Iterable[tuple[str, str]]:
    yield "dataset-group", dataset_group.dataset_group_arn
    for dataset in dataset_group.datasets:
        yield f"datasets/{dataset.dataset_type.value.lower()}", dataset.dataset_arn
        if dataset.dataset_type is DatasetType.ACTION_INTERACTIONS:
            yield "action-tracking-id", dataset.tracking_id
    if dataset_group.event_tracker is not None:
        yield "tracking-id", dataset_group.event_tracker.tracking_id
    for each in dataset_group.filters:
        yield f"filters/{_level(each)}", each.filter_arn
    for solution in dataset_group.solutions:
        yield f"solutions/{_level(solution)}", solution.solution_arn
        for campaign in solution.campaigns:
            yield f"campaigns/{_level(solution)}/{_level(campaign)}", campaign.campaign_arn
    for recommender in dataset_group.recommenders:
        yield f"recommenders/{_level(recommender)}", recommender.recommender_arn
    if dataset_group.workflow is not None:
        yield "workflow", dataset_group.workflow.state_machine_arn


def _level(construct: Construct) -> str:
    """Return the construct id, as the name of a parameter can have it."""
    return re.sub(r"[^a-zA-Z0-9_.-]", "-", construct.node.id)


@jsii.implements(IValidation)
class _Complete:
    """What was declared too late can only be said once everything is."""

    def __init__(self, published: Published) -> None:
        self._published = published

    def validate(self) -> list[str]:
        published = self._published
        late = sorted(_values(published._dataset_group).keys() - published.values.keys())
        if not late:
            return []
        return [f"{published.node.path!r} does not publish what is declared after it: {late}; declare it last"]
